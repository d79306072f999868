"""Mailboxes over JMAP (RFC 8621 §2), beside IMAP on the same account."""

from __future__ import annotations

from typing import Any

from tests.support.jmap import JmapClient
from tests.support.server import Server


async def test_the_mailboxes_of_a_new_account_have_their_roles(ann: JmapClient) -> None:
    boxes = await ann.mailboxes()
    assert {name: box["role"] for name, box in boxes.items()} == {
        "Inbox": "inbox",
        "Archive": "archive",
        "Drafts": "drafts",
        "Junk": "junk",
        "Sent": "sent",
        "Trash": "trash",
    }
    inbox = boxes["Inbox"]
    assert inbox["parentId"] is None
    assert inbox["isSubscribed"] is True
    assert inbox["myRights"]["mayReadItems"] is True
    assert (inbox["myRights"]["mayDelete"], inbox["myRights"]["mayRename"]) == (False, False)


async def test_ids_are_those_of_imap(server: Server, ann: JmapClient) -> None:
    imap = await server.imap("ann")
    lines = await imap.command("b", "STATUS Sent (MAILBOXID)")
    assert f"MAILBOXID ({(await ann.mailboxes())['Sent']['id']})".encode() in b" ".join(lines)


async def test_mail_is_counted_by_emails_and_by_threads(server: Server, ann: JmapClient) -> None:
    for subject in ("One", "Two"):
        await server.bring("ann@hongyan.test", subject)
    imap = await server.imap("ann")
    await imap.command("b", "SELECT INBOX")
    await imap.command("c", "STORE 1 +FLAGS (\\Seen)")
    inbox = (await ann.mailboxes())["Inbox"]
    assert [inbox[name] for name in ("totalEmails", "unreadEmails", "totalThreads", "unreadThreads")] == [2, 1, 2, 1]
    await imap.command("d", "STORE 2 +FLAGS (\\Draft)")
    inbox = (await ann.mailboxes())["Inbox"]
    assert (inbox["unreadEmails"], inbox["unreadThreads"]) == (0, 0)
    await imap.command("e", "STORE 1 +FLAGS (\\Deleted)")
    await imap.command("f", "EXPUNGE")
    await server.bring("ann@hongyan.test", "Three")
    inbox = (await ann.mailboxes())["Inbox"]
    assert [inbox[name] for name in ("totalEmails", "unreadEmails", "totalThreads", "unreadThreads")] == [2, 1, 2, 1]


async def test_only_what_is_asked_for_is_told(ann: JmapClient) -> None:
    inbox = (await ann.mailboxes())["Inbox"]["id"]
    got = await ann.call("Mailbox/get", ids=[inbox, inbox, "F99", "nonsense"], properties=["name"])
    assert got["list"] == [{"id": inbox, "name": "Inbox"}]
    assert got["notFound"] == ["F99", "nonsense"]
    assert (await ann.error("Mailbox/get", ids=None, properties=["colour"]))["type"] == "invalidArguments"


async def _set(ann: JmapClient, **arguments: Any) -> dict[str, Any]:
    return await ann.call("Mailbox/set", **arguments)


async def test_a_tree_is_made_in_one_call_whatever_the_order(server: Server, ann: JmapClient) -> None:
    made = await _set(
        ann,
        create={
            "child": {"name": "Geese", "parentId": "#top", "sortOrder": 7, "isSubscribed": False},
            "top": {"name": "Birds"},
        },
    )
    assert made["notCreated"] is None
    boxes = await ann.mailboxes()
    assert boxes["Geese"]["parentId"] == made["created"]["top"]["id"] == boxes["Birds"]["id"]
    assert (boxes["Geese"]["sortOrder"], boxes["Geese"]["isSubscribed"]) == (7, False)
    assert made["created"]["top"]["totalEmails"] == 0
    imap = await server.imap("ann")
    assert any(b"Birds/Geese" in line for line in await imap.command("b", 'LIST "" *'))
    assert not any(b"Birds/Geese" in line for line in await imap.command("c", 'LSUB "" *'))


async def test_a_mailbox_is_renamed_moved_and_given_a_role(server: Server, ann: JmapClient) -> None:
    made = (await _set(ann, create={"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}}))["created"]
    a, b, trash = made["a"]["id"], made["b"]["id"], (await ann.mailboxes())["Trash"]["id"]
    done = await _set(
        ann,
        update={a: {"name": "雁", "sortOrder": 3}, trash: {"role": None}},
    )
    assert set(done["updated"]) == {a, trash}
    done = await _set(ann, update={b: {"parentId": None, "role": "trash", "isSubscribed": False}})
    assert done["updated"] == {b: None}
    boxes = await ann.mailboxes()
    assert (boxes["雁"]["id"], boxes["雁"]["sortOrder"], boxes["Trash"]["role"]) == (a, 3, None)
    assert (boxes["B"]["id"], boxes["B"]["parentId"], boxes["B"]["role"]) == (b, None, "trash")
    imap = await server.imap("ann")
    lines = await imap.command("b", 'LIST (SPECIAL-USE) "" *')
    assert any(line.endswith(b'\\Trash) "/" "B"') for line in lines), lines


async def test_a_mailbox_may_be_made_from_what_was_read_of_another(ann: JmapClient) -> None:
    sent = (await ann.mailboxes())["Sent"]
    like = {key: value for key, value in sent.items() if key not in ("id", "role")}
    made = await _set(ann, create={"copy": {**like, "name": "Copy"}})
    assert made["created"]["copy"]["id"] not in (None, sent["id"])
    wrong = {**like, "name": "Other", "myRights": {**like["myRights"], "mayRename": False}, "totalThreads": 1}
    refused = await _set(ann, create={"other": wrong}, update={sent["id"]: {"myRights/mayDelete": False}})
    assert refused["notCreated"]["other"]["properties"] == ["myRights/mayRename", "totalThreads"]
    assert refused["notUpdated"][sent["id"]]["properties"] == ["myRights/mayDelete"]


async def test_what_cannot_be_done_is_told_by_its_property(ann: JmapClient) -> None:
    boxes = await ann.mailboxes()
    inbox, sent = boxes["Inbox"]["id"], boxes["Sent"]["id"]
    refused = await _set(
        ann,
        create={
            "taken": {"name": "Sent"},
            "slash": {"name": "a/b"},
            "none": {},
            "control": {"name": "a\r\nb"},
            "orphan": {"name": "x", "parentId": "F999"},
            "lost": {"name": "x", "parentId": "#never"},
            "role": {"name": "y", "role": "sent"},
            "order": {"name": "z", "sortOrder": -1},
            "server": {"name": "w", "totalEmails": 4},
            "loop": {"name": "v", "parentId": "#loop"},
        },
        update={
            inbox: {"name": "Outbox"},
            sent: {"parentId": sent},
            "F999": {"name": "x"},
            boxes["Junk"]["id"]: {"myRights/mayDelete": False},
            boxes["Trash"]["id"]: {"name/first": "x"},
        },
        destroy=[inbox, "F999"],
    )
    assert (refused["created"], refused["updated"], refused["destroyed"]) == (None, None, None)
    wrong = {key: error["properties"] for key, error in refused["notCreated"].items()}
    assert wrong == {
        "taken": ["name"],
        "slash": ["name"],
        "none": ["name"],
        "control": ["name"],
        "orphan": ["parentId"],
        "lost": ["parentId"],
        "role": ["role"],
        "order": ["sortOrder"],
        "server": ["totalEmails"],
        "loop": ["parentId"],
    }
    assert {key: error["type"] for key, error in refused["notUpdated"].items()} == {
        inbox: "forbidden",
        sent: "invalidProperties",
        "F999": "notFound",
        boxes["Junk"]["id"]: "invalidProperties",
        boxes["Trash"]["id"]: "invalidPatch",
    }
    assert {key: error["type"] for key, error in refused["notDestroyed"].items()} == {
        inbox: "forbidden",
        "F999": "notFound",
    }


async def test_a_whole_mailbox_may_be_sent_back(ann: JmapClient) -> None:
    box = (await ann.mailboxes())["Archive"] | {"name": "Old", "totalEmails": 99}
    assert (await _set(ann, update={box["id"]: box}))["updated"] == {box["id"]: None}
    assert (await ann.mailboxes())["Old"]["role"] == "archive"


async def test_mailboxes_are_destroyed_from_below_and_mail_only_when_that_is_meant(
    server: Server, ann: JmapClient
) -> None:
    made = (await _set(ann, create={"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}}))["created"]
    a, b = made["a"]["id"], made["b"]["id"]
    assert (await _set(ann, destroy=[a]))["notDestroyed"] == {a: {"type": "mailboxHasChild"}}
    imap = await server.imap("ann")
    imap.write(b"b APPEND A/B {6+}\r\nA: b\r\n\r\n")
    await imap.until(b"b OK")
    refused = await _set(ann, destroy=[a, b])
    assert refused["notDestroyed"] == {b: {"type": "mailboxHasEmail"}, a: {"type": "mailboxHasChild"}}
    assert (await _set(ann, destroy=[a, b], onDestroyRemoveEmails=True))["destroyed"] == [b, a]
    assert "A" not in await ann.mailboxes()


async def test_a_mailbox_of_messages_that_only_wait_for_their_removal_is_empty(server: Server, ann: JmapClient) -> None:
    made = (await _set(ann, create={"a": {"name": "A"}}))["created"]["a"]["id"]
    imap = await server.imap("ann")
    imap.write(b"b APPEND A (\\Deleted) {6+}\r\nA: b\r\n\r\n")
    await imap.until(b"b OK")
    box = (await ann.mailboxes())["A"]
    told = {name: box[name] for name in ("totalEmails", "unreadEmails", "totalThreads", "unreadThreads")}
    assert set(told.values()) == {0}
    found = await ann.call("Email/query", filter={"inMailbox": made}, calculateTotal=True)
    assert (found["ids"], found["total"]) == ([], 0)
    assert (await _set(ann, destroy=[made]))["destroyed"] == [made]


async def test_changes_are_told_and_whether_only_counts_have_changed(server: Server, ann: JmapClient) -> None:
    first = await ann.call("Mailbox/get", ids=[])
    boxes = await ann.mailboxes()
    await server.bring("ann@hongyan.test")
    news = await ann.call("Mailbox/changes", sinceState=first["state"])
    assert (news["created"], news["updated"], news["destroyed"]) == ([], [boxes["Inbox"]["id"]], [])
    assert news["updatedProperties"] == ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]
    made = (await _set(ann, create={"a": {"name": "A"}, "b": {"name": "B"}}))["created"]
    await _set(ann, destroy=[made["b"]["id"]], update={boxes["Sent"]["id"]: {"sortOrder": 5}})
    later = await ann.call("Mailbox/changes", sinceState=news["newState"])
    assert (later["created"], later["updated"], later["destroyed"]) == ([made["a"]["id"]], [boxes["Sent"]["id"]], [])
    assert later["updatedProperties"] is None
    assert later["hasMoreChanges"] is False
    assert (await ann.call("Mailbox/get", ids=[]))["state"] == later["newState"]
    assert await ann.call("Mailbox/changes", sinceState=later["newState"]) | {"created": [], "updated": []} == {
        "accountId": ann.account_id,
        "oldState": later["newState"],
        "newState": later["newState"],
        "hasMoreChanges": False,
        "created": [],
        "updated": [],
        "destroyed": [],
        "updatedProperties": None,
    }


async def test_changes_come_in_steps_of_what_the_client_wants(ann: JmapClient) -> None:
    state = (await ann.call("Mailbox/get", ids=[]))["state"]
    made = (await _set(ann, create={f"k{n}": {"name": f"n{n}"} for n in range(5)}))["created"]
    seen: list[str] = []
    more = True
    while more:
        news = await ann.call("Mailbox/changes", sinceState=state, maxChanges=2)
        assert 1 <= len(news["created"]) + len(news["updated"]) <= 2
        seen += news["created"]
        state, more = news["newState"], news["hasMoreChanges"]
    assert sorted(seen) == sorted(record["id"] for record in made.values())
    assert (await ann.error("Mailbox/changes", sinceState=state, maxChanges=0))["type"] == "invalidArguments"


async def test_a_subscription_made_over_imap_is_a_change(server: Server, ann: JmapClient) -> None:
    state = (await ann.call("Mailbox/get", ids=[]))["state"]
    imap = await server.imap("ann")
    await imap.command("b", "UNSUBSCRIBE Sent")
    sent = (await ann.mailboxes())["Sent"]
    assert sent["isSubscribed"] is False
    assert (await ann.call("Mailbox/changes", sinceState=state))["updated"] == [sent["id"]]


async def test_a_state_that_never_was_cannot_be_gone_on_from(ann: JmapClient) -> None:
    for state in ("s999999", "", "s-1", "s1x", "x", "s01", "s" + "9" * 40):
        assert (await ann.error("Mailbox/changes", sinceState=state))["type"] == "cannotCalculateChanges", state
    wrong = await ann.error("Mailbox/set", ifInState="s999999", create={"a": {"name": "A"}})
    assert wrong["type"] == "stateMismatch"
    assert "A" not in await ann.mailboxes()


async def test_mailboxes_are_found_and_put_in_order(ann: JmapClient) -> None:
    await _set(
        ann,
        create={
            "a": {"name": "apple"},
            "b": {"name": "Berry", "parentId": "#a"},
            "c": {"name": "cherry", "sortOrder": 1},
        },
    )
    boxes = await ann.mailboxes()
    ids = {box["id"]: name for name, box in boxes.items()}

    async def names(**arguments: Any) -> list[str]:
        return [ids[one] for one in (await ann.call("Mailbox/query", **arguments))["ids"]]

    by_name = [{"property": "name"}]
    assert await names(filter={"hasAnyRole": False}, sort=by_name) == ["apple", "Berry", "cherry"]
    assert await names(filter={"role": "sent"}) == ["Sent"]
    assert await names(filter={"name": "ERR"}, sort=by_name) == ["Berry", "cherry"]
    assert await names(filter={"parentId": boxes["apple"]["id"]}) == ["Berry"]
    assert await names(filter={"parentId": boxes["apple"]["id"]}, filterAsTree=True) == []
    either = {
        "operator": "OR",
        "conditions": [{"name": "apple"}, {"operator": "NOT", "conditions": [{"parentId": None}]}],
    }
    assert await names(filter=either, sort=by_name, sortAsTree=True) == ["apple", "Berry"]
    backwards = [{"property": "sortOrder", "isAscending": False}, {"property": "name"}]
    assert (await names(filter={"hasAnyRole": False}, sort=backwards))[0] == "cherry"
    got = await ann.call("Mailbox/query", sort=by_name, position=-2, limit=1, calculateTotal=True)
    assert (len(got["ids"]), got["position"], got["total"]) == (1, 7, 9)
    at = await ann.call("Mailbox/query", sort=by_name, anchor=boxes["Berry"]["id"], anchorOffset=-1, limit=2)
    assert [ids[one] for one in at["ids"]][1] == "Berry"
    assert (await ann.error("Mailbox/query", anchor="F99"))["type"] == "anchorNotFound"
    assert (await ann.error("Mailbox/query", sort=[{"property": "colour"}]))["type"] == "unsupportedSort"
    assert (await ann.error("Mailbox/query", filter={"colour": 1}))["type"] == "unsupportedFilter"


async def test_a_query_is_brought_up_to_date(ann: JmapClient) -> None:
    asked: dict[str, Any] = {"sort": [{"property": "name"}], "filter": {"hasAnyRole": False}}
    made = (await _set(ann, create={name: {"name": name} for name in "bdf"}))["created"]
    before = await ann.call("Mailbox/query", **asked)
    assert before["canCalculateChanges"] is True
    await _set(ann, create={"c": {"name": "c"}}, update={made["f"]["id"]: {"name": "a"}}, destroy=[made["d"]["id"]])
    news = await ann.call("Mailbox/queryChanges", sinceQueryState=before["queryState"], calculateTotal=True, **asked)
    ids = [one for one in before["ids"] if one not in news["removed"]]
    for added in news["added"]:
        ids.insert(added["index"], added["id"])
    assert ids == (await ann.call("Mailbox/query", **asked))["ids"]
    assert news["total"] == 3
