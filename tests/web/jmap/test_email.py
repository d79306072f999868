"""Emails over JMAP (RFC 8621 §4), beside IMAP on the same account."""

from __future__ import annotations

from typing import Any

from tests.support.jmap import JmapClient
from tests.support.server import Server


async def _draft(ann: JmapClient, **more: Any) -> dict[str, Any]:
    drafts = (await ann.mailboxes())["Drafts"]["id"]
    email = {
        "mailboxIds": {drafts: True},
        "keywords": {"$draft": True, "$seen": True},
        "from": [{"name": "Ann", "email": "ann@hongyan.test"}],
        "to": [{"name": "张三", "email": "bob@hongyan.test"}],
        "subject": "会议记录",
        "textBody": [{"partId": "t"}],
        "bodyValues": {"t": {"value": "Grüße\nzweite Zeile"}},
    } | more
    return await ann.call("Email/set", create={"d": email})


async def _ids(ann: JmapClient, **arguments: Any) -> list[str]:
    return list((await ann.call("Email/query", **arguments))["ids"])


async def test_a_draft_is_made_and_read_back(ann: JmapClient) -> None:
    made = (await _draft(ann, htmlBody=[{"partId": "t2"}], bodyValues=_two()))["created"]["d"]
    got = await ann.call("Email/get", ids=[made["id"]], fetchAllBodyValues=True)
    (email,) = got["list"]
    assert email["subject"] == "会议记录"
    assert email["to"] == [{"name": "张三", "email": "bob@hongyan.test"}]
    assert email["keywords"] == {"$draft": True, "$seen": True}
    assert (email["blobId"], email["threadId"], email["size"]) == (made["blobId"], made["threadId"], made["size"])
    assert [part["type"] for part in email["textBody"] + email["htmlBody"]] == ["text/plain", "text/html"]
    assert email["bodyValues"][email["textBody"][0]["partId"]]["value"] == "Grüße\nzweite Zeile"
    assert email["messageId"]
    assert email["sentAt"]
    assert email["hasAttachment"] is False
    assert email["preview"] == "Grüße zweite Zeile"


def _two() -> dict[str, Any]:
    return {"t": {"value": "Grüße\nzweite Zeile"}, "t2": {"value": "<p>Grüße"}}


async def test_header_fields_come_in_the_form_that_is_asked_for(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "Plain")
    (found,) = await _ids(ann)
    names = ["header:Subject", "header:subject:asText", "header:Received:asRaw:all", "header:X-None", "header:X-No:all"]
    (email,) = (await ann.call("Email/get", ids=[found], properties=names))["list"]
    assert email["header:Subject"] == " Plain"
    assert email["header:subject:asText"] == "Plain"
    assert isinstance(email["header:Received:asRaw:all"], list)
    assert (email["header:X-None"], email["header:X-No:all"]) == (None, [])
    error = await ann.error("Email/get", ids=[found], properties=["header:From:asDate"])
    assert error["type"] == "invalidArguments"


async def test_a_header_cannot_be_injected(ann: JmapClient) -> None:
    wrong: list[tuple[str, Any]] = [
        ("subject", "a\r\nBcc: eve@evil.test"),
        ("header:X-A", " a\r\nBcc: eve@evil.test"),
        ("header:X-A:asText", "a\nb"),
        ("to", [{"name": "a\r\nBcc: x", "email": "bob@hongyan.test"}]),
        ("to", [{"name": None, "email": "bob@hongyan.test>\r\nBcc: <eve@evil.test"}]),
        ("to", [{"name": None, "email": "bob@hongyan.test, eve@evil.test"}]),
        ("messageId", ["a@b>\r\nBcc: <c@d"]),
        ("header:List-Post:asURLs", ["mailto:a@b>\r\nBcc: <c@d"]),
    ]
    for name, value in wrong:
        fault = (await _draft(ann, **{name: value}))["notCreated"]["d"]
        assert (fault["type"], fault["properties"]) == ("invalidProperties", [name]), value
    part = {"partId": "t", "type": "text/plain", "name": "a\r\nX: y", "disposition": "attachment"}
    fault = (await _draft(ann, attachments=[part]))["notCreated"]["d"]
    assert fault["properties"] == ["attachments/0/name"]


async def test_what_the_rules_of_creation_forbid_is_named(ann: JmapClient) -> None:
    wrong: list[dict[str, Any]] = [
        {"headers": []},
        {"header:from:asAddresses": [{"email": "x@y.test"}]},
        {"header:Content-Type": "text/plain"},
        {"header:From:asDate": "2026-01-01T00:00:00Z"},
        {"bodyStructure": {"partId": "t"}},
        {"textBody": [{"partId": "t"}, {"partId": "t"}]},
        {"textBody": [{"partId": "t", "type": "text/html"}]},
        {"textBody": [{"partId": "nowhere"}]},
        {"textBody": [{"partId": "t", "charset": "utf-8"}]},
        {"textBody": [{"partId": "t", "size": 1}]},
        {"textBody": [{"partId": "t", "blobId": "B1"}]},
        {"textBody": [{"partId": "t", "header:Content-Transfer-Encoding": "8bit"}]},
        {"bodyValues": {"t": {"value": "x", "isTruncated": True}}},
        {"mailboxIds": {}},
        {"mailboxIds": {"F999": True}},
        {"keywords": {"a b": True}},
        {"keywords": {"$seen": False}},
        {"nonsense": 1},
    ]
    for more in wrong:
        fault = (await _draft(ann, **more))["notCreated"]["d"]
        assert fault["type"] == "invalidProperties", more
        assert fault["properties"], more


async def test_wrong_properties_of_a_body_are_named_by_their_paths(ann: JmapClient) -> None:
    value = {"value": "x", "isTruncated": True, "isEncodingProblem": True}
    fault = (await _draft(ann, bodyValues={"t": value}))["notCreated"]["d"]
    assert fault["properties"] == ["bodyValues/t/isTruncated", "bodyValues/t/isEncodingProblem"]
    fault = (await _draft(ann, bodyStructure={"partId": "t"}, attachments=[]))["notCreated"]["d"]
    assert fault["properties"] == ["textBody", "attachments"]
    whole = {"value": "x", "isTruncated": False, "isEncodingProblem": None}
    assert (await _draft(ann, bodyValues={"t": whole}))["created"]["d"]["id"]


async def test_an_attachment_may_be_written_as_a_text_of_any_type(server: Server, ann: JmapClient) -> None:
    part = {"partId": "j", "type": "application/json", "name": "a.json", "disposition": "attachment"}
    values = {"t": {"value": "see there"}, "j": {"value": '{"name":"鸿雁"}'}}
    made = (await _draft(ann, attachments=[part], bodyValues=values))["created"]["d"]
    (email,) = (await ann.call("Email/get", ids=[made["id"]]))["list"]
    (attached,) = email["attachments"]
    assert (attached["type"], attached["name"], attached["size"]) == ("application/json", "a.json", 17)
    fault = (await _draft(ann, attachments=[part | {"type": "message/rfc822"}], bodyValues=values))["notCreated"]["d"]
    assert fault["properties"] == ["attachments/0/type"]


async def test_a_blob_that_is_not_there_is_named(ann: JmapClient) -> None:
    fault = (await _draft(ann, attachments=[{"blobId": "Bffff", "type": "image/png"}]))["notCreated"]["d"]
    assert (fault["type"], fault["notFound"]) == ("blobNotFound", ["Bffff"])


async def test_an_attached_message_keeps_its_octets_and_its_name(ann: JmapClient) -> None:
    first = (await _draft(ann))["created"]["d"]
    name = "会议记录-" * 20 + ".eml"
    made = (await _draft(ann, attachments=[{"blobId": first["blobId"], "type": "message/rfc822", "name": name}]))[
        "created"
    ]["d"]
    (email,) = (await ann.call("Email/get", ids=[made["id"]]))["list"]
    (attached,) = email["attachments"]
    assert (attached["name"], attached["type"], attached["size"]) == (name, "message/rfc822", first["size"])
    assert email["hasAttachment"] is True
    parsed = await ann.call("Email/parse", blobIds=[attached["blobId"], "Bffff"], properties=["subject", "id"])
    assert parsed["parsed"] == {attached["blobId"]: {"subject": "会议记录", "id": None}}
    assert parsed["notFound"] == ["Bffff"]


async def test_keywords_and_mailboxes_are_patched_and_imap_sees_it(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "One")
    boxes = await ann.mailboxes()
    (found,) = await _ids(ann)
    inbox, archive = boxes["Inbox"]["id"], boxes["Archive"]["id"]
    patch = {"keywords/$Seen": True, "keywords/work": True, f"mailboxIds/{archive}": True}
    told = await ann.call("Email/set", update={found: patch})
    assert told["updated"] == {found: None}
    (email,) = (await ann.call("Email/get", ids=[found], properties=["keywords", "mailboxIds"]))["list"]
    assert email["keywords"] == {"$seen": True, "work": True}
    assert email["mailboxIds"] == {inbox: True, archive: True}
    await ann.call("Email/set", update={found: {f"mailboxIds/{inbox}": None}})
    imap = await server.imap("ann")
    assert any(b"MESSAGES 0" in line for line in await imap.command("a", "STATUS INBOX (MESSAGES)"))
    await imap.command("b", "SELECT Archive")
    assert any(b"\\Seen" in line and b"work" in line for line in await imap.command("c", "FETCH 1 FLAGS"))
    fault = (await ann.call("Email/set", update={found: {"mailboxIds": {}}}))["notUpdated"][found]
    assert fault["type"] == "invalidProperties"
    fault = (await ann.call("Email/set", update={found: {"subject": "x"}, "M1": {}}))["notUpdated"]
    assert (fault[found]["type"], fault["M1"]["type"]) == ("invalidProperties", "notFound")


async def test_changes_tell_what_came_changed_and_left(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "Old")
    await server.bring("ann@hongyan.test", "Going")
    going, old = await _ids(ann)
    since = (await ann.call("Email/get", ids=[]))["state"]
    await server.bring("ann@hongyan.test", "New")
    boxes = await ann.mailboxes()
    (new,) = set(await _ids(ann)) - {going, old}
    passing = (await _draft(ann))["created"]["d"]["id"]
    await ann.call("Email/set", update={old: {"keywords/$seen": True}, new: {"keywords/$seen": True}})
    await ann.call("Email/set", update={old: {"mailboxIds": {boxes["Archive"]["id"]: True}}})
    await ann.call("Email/set", destroy=[going, passing])
    told = await ann.call("Email/changes", sinceState=since)
    assert (told["created"], told["updated"], told["destroyed"]) == ([new], [old], [going])
    assert told["hasMoreChanges"] is False
    again = await ann.call("Email/changes", sinceState=told["newState"])
    assert (again["created"], again["updated"], again["destroyed"]) == ([], [], [])
    assert again["newState"] == told["newState"]
    threads = await ann.call("Thread/changes", sinceState=since)
    assert (len(threads["created"]), threads["updated"], len(threads["destroyed"])) == (1, [], 1)
    steps: dict[str, list[str]] = {"created": [], "updated": [], "destroyed": []}
    state, more = since, True
    while more:
        step = await ann.call("Email/changes", sinceState=state, maxChanges=1)
        assert sum(len(step[kind]) for kind in steps) <= 1
        for kind, ids in steps.items():
            ids += step[kind]
        state, more = step["newState"], step["hasMoreChanges"]
    assert new in steps["created"]
    assert going in steps["destroyed"]
    assert (await ann.error("Email/changes", sinceState="s99999"))["type"] == "cannotCalculateChanges"


async def test_a_deleted_mailbox_takes_its_emails_along(server: Server, ann: JmapClient) -> None:
    made = await ann.call("Mailbox/set", create={"b": {"name": "Box"}})
    box = made["created"]["b"]["id"]
    email = (await _draft(ann, mailboxIds={box: True}))["created"]["d"]["id"]
    since = (await ann.call("Email/get", ids=[]))["state"]
    imap = await server.imap("ann")
    await imap.command("a", "DELETE Box")
    assert (await ann.call("Email/changes", sinceState=since))["destroyed"] == [email]
    assert (await ann.call("Email/get", ids=[email]))["notFound"] == [email]


async def test_what_imap_marks_for_removal_is_not_shown(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "One")
    (found,) = await _ids(ann)
    since = (await ann.call("Email/get", ids=[]))["state"]
    imap = await server.imap("ann")
    await imap.command("a", "SELECT INBOX")
    await imap.command("b", "STORE 1 +FLAGS (\\Deleted)")
    assert (await ann.call("Email/get", ids=[found]))["notFound"] == [found]
    assert await _ids(ann) == []
    told = await ann.call("Email/changes", sinceState=since)
    assert told["destroyed"] == [found]
    await imap.command("c", "STORE 1 -FLAGS (\\Deleted)")
    assert (await ann.call("Email/changes", sinceState=told["newState"]))["created"] == [found]


async def test_another_accounts_ids_are_nothing(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "Secret")
    (found,) = await _ids(ann)
    (email,) = (await ann.call("Email/get", ids=[found]))["list"]
    bob = await JmapClient(server, "bob").open()
    assert (await bob.call("Email/get", ids=[found]))["notFound"] == [found]
    assert (await bob.call("Thread/get", ids=[email["threadId"]]))["notFound"] == [email["threadId"]]
    assert (await bob.call("Email/parse", blobIds=[email["blobId"]]))["notFound"] == [email["blobId"]]
    assert (await bob.call("Email/set", destroy=[found]))["notDestroyed"][found]["type"] == "notFound"
    drafts = (await bob.mailboxes())["Drafts"]["id"]
    for blob in (email["blobId"], f"{email['blobId']}-1"):
        bring = {"blobId": blob, "mailboxIds": {drafts: True}}
        told = await bob.call("Email/import", emails={"i": bring})
        assert told["notCreated"]["i"]["type"] == "invalidProperties"
        copied = {"mailboxIds": {drafts: True}, "textBody": [{"blobId": blob, "type": "text/plain"}]}
        told = await bob.call("Email/set", create={"c": copied})
        assert told["notCreated"]["c"]["type"] == "blobNotFound"


async def test_an_import_is_another_email_with_the_same_octets(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "Twice")
    (found,) = await _ids(ann)
    (email,) = (await ann.call("Email/get", ids=[found]))["list"]
    archive = (await ann.mailboxes())["Archive"]["id"]
    bring = {
        "blobId": email["blobId"],
        "mailboxIds": {archive: True},
        "keywords": {"$flagged": True},
        "receivedAt": "2020-02-03T04:05:06Z",
    }
    told = await ann.call("Email/import", emails={"i": bring, "bad": {"blobId": "B0", "mailboxIds": {archive: True}}})
    made = told["created"]["i"]
    assert told["notCreated"]["bad"]["type"] == "invalidProperties"
    assert (made["size"], made["id"] != found) == (email["size"], True)
    (other,) = (await ann.call("Email/get", ids=[made["id"]]))["list"]
    assert (other["receivedAt"], other["keywords"]) == ("2020-02-03T04:05:06Z", {"$flagged": True})


async def test_one_request_finds_reads_and_threads(server: Server, ann: JmapClient) -> None:
    await server.bring("ann@hongyan.test", "Topic")
    answers = await ann.calls(
        ("Email/query", {"filter": {"subject": "topic"}, "collapseThreads": True}),
        ("Email/get", {"#ids": {"resultOf": "c0", "name": "Email/query", "path": "/ids"}, "properties": ["threadId"]}),
        (
            "Thread/get",
            {"#ids": {"resultOf": "c1", "name": "Email/get", "path": "/list/*/threadId"}},
        ),
    )
    assert [name for name, _, _ in answers] == ["Email/query", "Email/get", "Thread/get"]
    assert answers[2][1]["list"][0]["emailIds"] == answers[0][1]["ids"]


async def test_an_upload_is_attached_imported_and_parsed_and_each_part_downloaded(ann: JmapClient) -> None:
    blob = (await ann.upload(b"\x89PNG\r\n\x00picture", "image/png")).json()["blobId"]
    picture = {"blobId": blob, "type": "image/png", "name": "图.png", "cid": "p@x", "disposition": "inline"}
    made = (
        await _draft(
            ann,
            htmlBody=[{"partId": "h"}],
            bodyValues={"t": {"value": "see"}, "h": {"value": "<img src=cid:p@x>"}},
            attachments=[picture],
        )
    )["created"]["d"]
    (email,) = (await ann.call("Email/get", ids=[made["id"]]))["list"]
    (attached,) = email["attachments"]
    assert (attached["name"], attached["cid"], attached["disposition"]) == ("图.png", "p@x", "inline")
    for blob_id, octets in ((attached["blobId"], b"\x89PNG\r\n\x00picture"), (email["blobId"], None)):
        answer = await ann.get(f"/jmap/download/{ann.account_id}/{blob_id}/x.png?accept=image/png")
        assert answer.status == 200
        assert octets is None or answer.body == octets
    raw = b"From: a@b.test\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\n\r\nHi\r\n"
    blob = (await ann.upload(raw, "message/rfc822")).json()["blobId"]
    parsed = await ann.call("Email/parse", blobIds=[blob], fetchTextBodyValues=True)
    assert parsed["parsed"][blob]["subject"] == "grün"
    assert parsed["parsed"][blob]["bodyValues"]["1"]["value"] == "Hi\n"
    inbox = (await ann.mailboxes())["Inbox"]["id"]
    told = await ann.call("Email/import", emails={"i": {"blobId": blob, "mailboxIds": {inbox: True}}})
    assert told["created"]["i"]["size"] == len(raw)
