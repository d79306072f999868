"""Identities and submissions over JMAP (RFC 8621 §6, §7): the same way out as by SMTP, and back in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import SERVER
from hongyan.store.queue import Selection
from hongyan.types import AccountId
from tests.support.jmap import CORE, MAIL, JmapClient
from tests.support.lines import Lines
from tests.support.server import Server

SUBMISSION = "urn:ietf:params:jmap:submission"


@pytest.fixture
def ann(ann: JmapClient) -> JmapClient:
    ann.using = (CORE, MAIL, SUBMISSION)
    return ann


async def draft(ann: JmapClient, **more: Any) -> str:
    """Make a draft and return its id."""
    drafts = (await ann.mailboxes())["Drafts"]["id"]
    email = {
        "mailboxIds": {drafts: True},
        "keywords": {"$draft": True},
        "from": [{"email": "ann@hongyan.test"}],
        "to": [{"email": "bob@hongyan.test"}],
        "bcc": [{"email": "user@hongyan.test"}],
        "subject": "Heute",
        "textBody": [{"partId": "t"}],
        "bodyValues": {"t": {"value": "Bis gleich."}},
    } | more
    made = await ann.call("Email/set", create={"d": email})
    return str(made["created"]["d"]["id"])


async def own_identity(ann: JmapClient) -> str:
    return str((await ann.call("Identity/get", ids=None))["list"][0]["id"])


def envelope(*recipients: str, sender: str = "ann@hongyan.test", **parameters: str | None) -> dict[str, Any]:
    return {
        "mailFrom": {"email": sender, "parameters": parameters or None},
        "rcptTo": [{"email": one, "parameters": None} for one in recipients],
    }


async def send(ann: JmapClient, email: str, **more: Any) -> Mapping[str, Any]:
    """Send an email; return the response of /set."""
    record = {"identityId": await own_identity(ann), "emailId": email} | more
    return await ann.call("EmailSubmission/set", create={"s": record})


async def refused(ann: JmapClient, email: str, **more: Any) -> tuple[str, Mapping[str, Any]]:
    """Send what may not be sent; return the error's type and the error."""
    answer = await send(ann, email, **more)
    assert answer["created"] is None
    error = answer["notCreated"]["s"]
    return error["type"], error


async def idling(server: Server, name: str) -> Lines:
    imap = await server.imap(name)
    await imap.command("s", "SELECT INBOX")
    imap.say("i IDLE")
    await imap.until(b"+")
    return imap


# -- identities


async def test_each_address_of_an_account_has_an_identity_that_stays(server: Server, ann: JmapClient) -> None:
    account = AccountId(int(ann.account_id[1:], 16))
    before = await ann.call("Identity/get", ids=None)
    (own,) = before["list"]
    assert own == {
        "id": own["id"],
        "name": "",
        "email": "ann@hongyan.test",
        "replyTo": None,
        "bcc": None,
        "textSignature": "",
        "htmlSignature": "",
        "mayDelete": False,
    }
    patched = await ann.call("Identity/set", update={own["id"]: {"name": "安", "textSignature": "-- \nAnn"}})
    assert patched["updated"] == {own["id"]: None}
    news = await ann.call("Identity/changes", sinceState=before["state"])
    assert (news["created"], news["updated"], news["destroyed"]) == ([], [own["id"]], [])
    (now,) = (await ann.call("Identity/get", ids=[own["id"]], properties=["name", "textSignature"]))["list"]
    assert now == {"id": own["id"], "name": "安", "textSignature": "-- \nAnn"}
    gone = await ann.call("Identity/set", destroy=[own["id"]])
    assert gone["notDestroyed"][own["id"]]["type"] == "forbidden"
    await server.app.services.directory.identities.grant(account, Address.parse("team@hongyan.test"), SERVER)
    assert [one["email"] for one in (await ann.call("Identity/get", ids=None))["list"]] == [
        "ann@hongyan.test",
        "team@hongyan.test",
    ]
    assert (await ann.error("Identity/changes", sinceState=news["newState"]))["type"] == "cannotCalculateChanges"


async def test_further_identities_are_made_for_addresses_that_one_may_write_from(ann: JmapClient) -> None:
    made = await ann.call(
        "Identity/set",
        create={
            "plus": {
                "email": "ann+shop@hongyan.test",
                "name": "Shop",
                "replyTo": [{"name": None, "email": "a@b.test"}],
            },
            "other": {"email": "bob@hongyan.test"},
            "none": {"email": "no address"},
            "odd": {"email": "ann@hongyan.test", "name": "a\r\nBcc: b@c.test", "replyTo": "b", "colour": 1},
        },
    )
    identity = made["created"]["plus"]["id"]
    assert made["created"]["plus"]["mayDelete"] is True
    assert {key: error["type"] for key, error in made["notCreated"].items()} == {
        "other": "forbiddenFrom",
        "none": "forbiddenFrom",
        "odd": "invalidProperties",
    }
    assert made["notCreated"]["odd"]["properties"] == ["colour", "name", "replyTo"]
    moved = await ann.call("Identity/set", update={identity: {"email": "ann@hongyan.test"}})
    assert moved["notUpdated"][identity]["properties"] == ["email"]
    assert (await ann.call("Identity/set", destroy=[identity]))["destroyed"] == [identity]
    assert (await ann.call("Identity/get", ids=[identity]))["notFound"] == [identity]


# -- sending


async def test_a_draft_is_sent_to_all_whom_it_names_and_becomes_what_was_sent(server: Server, ann: JmapClient) -> None:
    bob, carl = await idling(server, "bob"), await idling(server, "user")
    boxes = await ann.mailboxes()
    email, identity = await draft(ann), await own_identity(ann)
    (set_one, then) = await ann.calls(
        (
            "EmailSubmission/set",
            {
                "create": {"s": {"identityId": identity, "emailId": email}},
                "onSuccessUpdateEmail": {
                    "#s": {f"mailboxIds/{boxes['Drafts']['id']}": None, f"mailboxIds/{boxes['Sent']['id']}": True}
                    | {"keywords/$draft": None}
                },
            },
        )
    )
    assert (set_one[0], then[0], then[2]) == ("EmailSubmission/set", "Email/set", set_one[2])
    made = set_one[1]["created"]["s"]
    assert made["undoStatus"] == "final"
    assert [one["email"] for one in made["envelope"]["rcptTo"]] == ["bob@hongyan.test", "user@hongyan.test"]
    assert then[1]["updated"] == {email: None}
    (got,) = (await ann.call("Email/get", ids=[email], properties=["mailboxIds", "keywords"]))["list"]
    assert (got["mailboxIds"], got["keywords"]) == ({boxes["Sent"]["id"]: True}, {})
    for imap in (bob, carl):
        await imap.until(b"* 1 EXISTS")
        imap.say("DONE")
        await imap.until(b"i OK")
        text = b"\n".join(await imap.command("f", "FETCH 1 BODY[]"))
        assert b"with HTTPS id" in text
        assert b"Bcc" not in text
        assert b"Bis gleich." in text


async def test_what_became_of_it_is_told_by_recipient(server: Server, ann: JmapClient) -> None:
    bob = await idling(server, "bob")
    made = (await send(ann, await draft(ann, bcc=None)))["created"]["s"]
    await bob.until(b"* 1 EXISTS")
    await server.app.services.directory.timelines.flush()
    got = await ann.call("EmailSubmission/get", ids=[made["id"]])
    (status,) = got["list"][0]["deliveryStatus"].values()
    assert status["delivered"] == "yes"
    assert status["smtpReply"].startswith("250 ")


async def test_a_message_is_taken_back_while_it_waits_and_may_be_sent_again(server: Server, ann: JmapClient) -> None:
    email = await draft(ann)
    held = envelope("bob@hongyan.test", HOLDFOR="30")
    made = (await send(ann, email, envelope=held))["created"]["s"]
    assert made["undoStatus"] == "pending"
    before = await ann.call("EmailSubmission/get", ids=None)
    undone = await ann.call("EmailSubmission/set", update={made["id"]: {"undoStatus": "canceled"}})
    assert undone["updated"] == {made["id"]: None}
    assert not await server.app.services.outgoing.store.list_messages(Selection())
    news = await ann.call("EmailSubmission/changes", sinceState=before["state"])
    assert (news["created"], news["updated"]) == ([], [made["id"]])
    (got,) = (await ann.call("EmailSubmission/get", ids=[made["id"]]))["list"]
    assert got["undoStatus"] == "canceled"
    again = await ann.call("EmailSubmission/set", update={made["id"]: {"undoStatus": "canceled"}})
    assert again["updated"] == {made["id"]: None}, "it is so already"
    bob = await idling(server, "bob")
    assert (await send(ann, email, envelope=envelope("bob@hongyan.test")))["created"]["s"]["undoStatus"] == "final"
    await bob.until(b"* 1 EXISTS")


async def test_what_has_left_is_not_taken_back(server: Server, ann: JmapClient) -> None:
    bob = await idling(server, "bob")
    made = (await send(ann, await draft(ann)))["created"]["s"]
    await bob.until(b"* 1 EXISTS")
    undone = await ann.call("EmailSubmission/set", update={made["id"]: {"undoStatus": "canceled"}})
    assert undone["notUpdated"][made["id"]]["type"] == "cannotUnsend"
    other = await ann.call("EmailSubmission/set", update={made["id"]: {"sendAt": "2030-01-01T00:00:00Z"}})
    assert other["notUpdated"][made["id"]]["properties"] == ["sendAt"]


async def test_a_submission_that_is_forgotten_is_sent_all_the_same(server: Server, ann: JmapClient) -> None:
    made = (await send(ann, await draft(ann), envelope=envelope("bob@hongyan.test", HOLDFOR="60")))["created"]["s"]
    assert (await ann.call("EmailSubmission/set", destroy=[made["id"]]))["destroyed"] == [made["id"]]
    assert len(await server.app.services.outgoing.store.list_messages(Selection())) == 1
    assert (await ann.call("EmailSubmission/get", ids=[made["id"]]))["notFound"] == [made["id"]]


async def test_what_may_not_be_sent_is_told_by_its_name(ann: JmapClient) -> None:
    email = await draft(ann)
    forged = await draft(ann, **{"from": [{"email": "bob@hongyan.test"}]})
    nobody = await draft(ann, to=None, bcc=None)
    assert (await refused(ann, forged, envelope=envelope("bob@hongyan.test")))[0] == "forbiddenFrom"
    assert (await refused(ann, forged))[0] == "forbiddenMailFrom"
    assert (await refused(ann, email, envelope=envelope("bob@hongyan.test", sender="bob@hongyan.test")))[0] == (
        "forbiddenMailFrom"
    )
    assert (await refused(ann, nobody))[0] == "noRecipients"
    kind, error = await refused(ann, email, envelope=envelope("bob@hongyan.test", "x@hongyan.test"))
    assert (kind, error["invalidRecipients"]) == ("invalidRecipients", ["x@hongyan.test"])
    kind, error = await refused(ann, email, envelope=envelope(*(f"a{n}@b.test" for n in range(1001))))
    assert (kind, error["maxRecipients"]) == ("tooManyRecipients", 1000)
    for wrong, name in (({"emailId": "M404"}, "emailId"), ({"identityId": "I404"}, "identityId"), ({"x": 1}, "x")):
        kind, error = await refused(ann, email, **wrong)
        assert (kind, error["properties"]) == ("invalidProperties", [name])


@pytest.mark.parametrize(
    "parameters",
    [{"HOLDFOR": "2592001"}, {"HOLDFOR": "1 AUTH=<>"}, {"X\r\nRCPT": None}, {"AUTH": "<>"}, {"RET": "ALL"}],
    ids=["too long", "two in one", "a line", "not offered", "unknown value"],
)
async def test_parameters_of_an_envelope_are_those_of_smtp(ann: JmapClient, parameters: dict[str, str | None]) -> None:
    kind, error = await refused(ann, await draft(ann), envelope=envelope("bob@hongyan.test", **parameters))
    assert (kind, error["properties"]) == ("invalidProperties", ["envelope"])


async def test_submissions_are_found_by_what_they_are_of(ann: JmapClient) -> None:
    first, second = await draft(ann), await draft(ann, subject="Zwei")
    one = (await send(ann, first, envelope=envelope("bob@hongyan.test", HOLDFOR="60")))["created"]["s"]["id"]
    two = (await send(ann, second, envelope=envelope("bob@hongyan.test", HOLDFOR="9")))["created"]["s"]["id"]
    assert (await ann.call("EmailSubmission/query", calculateTotal=True))["total"] == 2
    by = {"sort": [{"property": "sentAt"}]}
    assert (await ann.call("EmailSubmission/query", **by))["ids"] == [two, one]
    assert (await ann.call("EmailSubmission/query", filter={"emailIds": [first]}))["ids"] == [one]
    nor = {"operator": "NOT", "conditions": [{"emailIds": [first]}, {"undoStatus": "final"}]}
    assert (await ann.call("EmailSubmission/query", filter=nor))["ids"] == [two]
    assert (await ann.error("EmailSubmission/query", filter={"colour": 1}))["type"] == "unsupportedFilter"


async def test_what_follows_a_submission_is_of_this_call(ann: JmapClient) -> None:
    error = await ann.error("EmailSubmission/set", onSuccessDestroyEmail=["#nothing"])
    assert error["type"] == "invalidArguments"


async def test_what_failed_is_followed_by_nothing(ann: JmapClient) -> None:
    email = await draft(ann, to=None, bcc=None)
    record = {"identityId": await own_identity(ann), "emailId": email}
    told = await ann.calls(("EmailSubmission/set", {"create": {"s": record}, "onSuccessDestroyEmail": ["#s"]}))
    assert [name for name, _, _ in told] == ["EmailSubmission/set"]
    assert (await ann.call("Email/get", ids=[email], properties=["id"]))["list"]
