"""VacationResponse over JMAP (RFC 8621 §8), and what it answers (RFC 5230, RFC 3834)."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from hongyan.audit.events import Actor
from hongyan.operations.calling import Caller
from tests.support.jmap import CORE, JmapClient
from tests.support.operations import call
from tests.support.server import Server, in_thread

VACATION = "urn:ietf:params:jmap:vacationresponse"
ANN = "ann@hongyan.test"
BEN = "ben@elsewhere.test"
TO_ANN = f"To: Ann <{ANN}>"


@pytest.fixture
def away(ann: JmapClient) -> JmapClient:
    ann.using = (CORE, VACATION)
    return ann


async def change(client: JmapClient, **patch: Any) -> dict[str, Any]:
    return await client.call("VacationResponse/set", update={"singleton": patch})


async def write(server: Server, *fields: str, sender: str = BEN) -> None:
    """Bring Ann a message from outside, and let it be considered."""
    octets = "".join(f"{one}\r\n" for one in ("From: ben@elsewhere.test", *fields)) + "\r\nHonk.\r\n"
    await in_thread(partial(_send, server, sender, octets))
    await server.app.services.screening.consumers.catch_up()


def _send(server: Server, sender: str, octets: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.app.endpoints["smtp"].port) as smtp:
        smtp.sendmail(sender, [ANN], octets.encode())


async def answers(server: Server) -> Sequence[Mapping[str, Any]]:
    """Return what waits to leave: nothing does, in a demonstration."""
    told = await call(server, "queue.list", Caller(Actor("cli")))
    return told["messages"]  # type: ignore[return-value]


async def test_there_is_one_and_it_is_off_at_first(away: JmapClient) -> None:
    got = await away.call("VacationResponse/get", ids=None)
    empty = dict.fromkeys(("fromDate", "toDate", "subject", "textBody", "htmlBody"))
    assert got["list"] == [{"id": "singleton", "isEnabled": False, **empty}]
    some = await away.call("VacationResponse/get", ids=["singleton", "x"], properties=["isEnabled"])
    assert (some["list"], some["notFound"]) == ([{"id": "singleton", "isEnabled": False}], ["x"])
    assert some["state"] == got["state"]


async def test_it_is_changed_and_neither_made_nor_destroyed(away: JmapClient) -> None:
    before = (await away.call("VacationResponse/get", ids=None))["state"]
    wanted = {
        "isEnabled": True,
        "fromDate": "2026-05-06T07:08:09Z",
        "toDate": "2027-05-06T07:08:09Z",
        "subject": "离开",
    }
    done = await away.call(
        "VacationResponse/set",
        ifInState=before,
        create={"a": {}},
        update={"singleton": wanted, "other": {}},
        destroy=["singleton"],
    )
    assert done["oldState"] == before != done["newState"]
    assert done["updated"] == {"singleton": None}
    assert done["notUpdated"]["other"]["type"] == "notFound"
    assert done["notCreated"]["a"]["type"] == "singleton"
    assert done["notDestroyed"]["singleton"]["type"] == "singleton"
    (record,) = (await away.call("VacationResponse/get", ids=["singleton"]))["list"]
    assert {name: record[name] for name in wanted} == wanted
    assert (await away.error("VacationResponse/set", ifInState=before, update={}))["type"] == "stateMismatch"
    assert (await change(away, subject=None))["updated"] == {"singleton": None}
    assert (await away.call("VacationResponse/get", ids=None))["list"][0]["subject"] is None


async def test_what_it_cannot_be_is_named(away: JmapClient) -> None:
    wrong = {
        "isEnabled": 1,
        "fromDate": "today",
        "subject": "x" * 501,
        "textBody": "\0",
        "htmlBody": 3,
        "colour": "red",
    }
    told = (await change(away, **wrong))["notUpdated"]["singleton"]
    assert (told["type"], set(told["properties"])) == ("invalidProperties", set(wrong))
    back = {"fromDate": "2026-05-06T07:08:09Z", "toDate": "2026-05-05T07:08:09Z"}
    assert (await change(away, **back))["notUpdated"]["singleton"]["properties"] == ["toDate"]


async def test_a_sender_gets_one_answer_and_the_second_message_none(server: Server, away: JmapClient) -> None:
    await write(server, TO_ANN, "Subject: before")
    assert await answers(server) == []
    await change(away, isEnabled=True, textBody="Away.")
    await write(server, TO_ANN, "Subject: Honk", "Message-ID: <1@elsewhere.test>")
    await write(server, TO_ANN, "Subject: Honk again")
    (answer,) = await answers(server)
    assert answer["sender"] in ("", "<>", None)
    assert [one["address"] for one in answer["recipients"]] == [BEN]


async def test_lists_programs_and_mail_to_nobody_get_none(server: Server, away: JmapClient) -> None:
    await change(away, isEnabled=True)
    await write(server, TO_ANN, "List-Id: <geese.test>")
    await write(server, TO_ANN, "Auto-Submitted: auto-replied")
    await write(server, TO_ANN, sender="")
    await write(server, "To: geese@elsewhere.test")
    assert await answers(server) == []


async def test_who_is_back_answers_nothing_more(server: Server, away: JmapClient) -> None:
    await change(away, isEnabled=True)
    await change(away, isEnabled=False)
    await write(server, TO_ANN)
    assert await answers(server) == []


async def test_mail_to_a_subaddress_is_answered(server: Server, away: JmapClient) -> None:
    await change(away, isEnabled=True)
    await write(server, "To: ann+geese@hongyan.test")
    assert len(await answers(server)) == 1
