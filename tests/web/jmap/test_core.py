"""The session object, requests and their calls, and who may make them (RFC 8620 §2, §3)."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.store.accounts import Service
from hongyan.web.jmap.options import JmapOptions
from tests.support.jmap import CORE, MAIL, HttpAnswer, JmapClient, http
from tests.support.server import Server, start_server


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


# Who may.


async def test_the_session_tells_limits_accounts_and_places(ann: JmapClient, server: Server) -> None:
    found = await http(server, "GET", "/.well-known/jmap", headers=ann.authorization)
    assert (found.status, found.headers["location"]) == (307, "/jmap/session")
    answer = await ann.get("/jmap/session")
    session = answer.json()
    assert "no-store" in answer.headers["cache-control"]
    assert session["capabilities"][CORE]["maxCallsInRequest"] == JmapOptions().max_calls_in_request
    assert session["username"] == "ann@hongyan.test"
    assert session["primaryAccounts"][MAIL] == ann.account_id
    assert session["accounts"][ann.account_id]["accountCapabilities"][MAIL]["mayCreateTopLevelMailbox"] is True
    assert session["apiUrl"].startswith("https://localhost:")
    assert all(name in session["downloadUrl"] for name in ("{accountId}", "{blobId}", "{type}", "{name}"))
    assert all(name in session["eventSourceUrl"] for name in ("{types}", "{closeafter}", "{ping}"))
    response = (await ann.post({"using": [CORE], "methodCalls": []})).json()
    assert response == {"methodResponses": [], "sessionState": session["state"]}


async def test_nobody_comes_in_without_the_right_secret(server: Server) -> None:
    for headers in (
        {},
        _basic("ann@hongyan.test:wrong"),
        _basic("nobody@hongyan.test:x"),
        {"Authorization": "Basic ?"},
    ):
        for method, path in (("GET", "/jmap/session"), ("POST", "/jmap"), ("POST", "/jmap/upload/A1")):
            answer = await http(server, method, path, headers=headers)
            assert answer.status == 401, (headers, path)
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_script_of_our_page_is_told_without_a_dialog_of_the_browser(server: Server) -> None:
    answer = await http(server, "POST", "/jmap", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"})
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_another_site_may_not_ask_by_somebodys_browser(server: Server, ann: JmapClient) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert (await ann.get("/jmap/session", **{"Sec-Fetch-Site": site})).status == status, site


async def test_an_app_password_for_imap_opens_mail(server: Server) -> None:
    demo = server.accounts["user@hongyan.test"]
    assert (await JmapClient(server, "user", demo.app_password.reveal_text()).get("/jmap/session")).status == 200


@pytest.mark.parametrize("field", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Via"])
async def test_a_password_that_a_proxy_took_in_the_clear_opens_nothing(
    server: Server, ann: JmapClient, field: str
) -> None:
    plain = await http(server, "GET", "/jmap/session", headers=ann.authorization, tls=False)
    assert plain.status == 200
    handed_on = await http(server, "GET", "/jmap/session", headers=ann.authorization | {field: "x"}, tls=False)
    assert handed_on.status == 403


async def test_a_revoked_secret_opens_nothing_any_more(server: Server) -> None:
    services, account = server.app.services, await server.account("user")
    app_passwords = services.directory.app_passwords
    issued = await app_passwords.create(account.account_id, "phone", frozenset({Service.IMAP}), CLI)
    user = JmapClient(server, "user", issued.shown.reveal_text())
    assert (await user.get("/jmap/session")).status == 200
    assert services.entrance.revocations.live == 1
    await app_passwords.revoke(account.account_id, None, CLI)
    assert services.entrance.revocations.live == 0
    assert (await user.get("/jmap/session")).status == 401


async def test_an_app_password_that_is_not_for_imap_opens_no_mail(server: Server) -> None:
    app_passwords, account = server.app.services.directory.app_passwords, await server.account("user")
    issued = await app_passwords.create(account.account_id, "printer", frozenset({Service.SMTP}), CLI)
    assert (await JmapClient(server, "user", issued.shown.reveal_text()).get("/jmap/session")).status == 401


# Requests.


async def _problem(ann: JmapClient, body: object, **headers: str) -> tuple[int, str, Any]:
    answer: HttpAnswer = await ann.post(body, **headers)
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status, told["type"].removeprefix("urn:ietf:params:jmap:error:"), told.get("limit")


def _request(*calls: object, using: object = (CORE, MAIL), **more: object) -> dict[str, object]:
    return {"using": list(using) if isinstance(using, tuple) else using, "methodCalls": list(calls), **more}


async def test_what_is_no_request_is_told_why(ann: JmapClient) -> None:
    many = [["Core/echo", {}, "c"]] * 33
    deep = b'{"using":[],"methodCalls":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert await _problem(ann, b"{") == (400, "notJSON", None)
    assert await _problem(ann, b'{"using":[],"using":[],"methodCalls":[]}') == (400, "notJSON", None)
    assert await _problem(ann, deep) == (400, "notJSON", None)
    for value in (b'"\\ud800"', b"NaN", b"1e999"):
        body = b'{"using":[],"methodCalls":[["Core/echo",{"a":%b},"c"]]}' % value
        assert await _problem(ann, body) == (400, "notJSON", None), value
    assert await _problem(ann, b"\xff{}") == (400, "notJSON", None)
    assert await _problem(ann, b"{}", **{"Content-Type": "text/plain"}) == (400, "notJSON", None)
    assert await _problem(ann, []) == (400, "notRequest", None)
    assert await _problem(ann, {"using": [CORE]}) == (400, "notRequest", None)
    assert await _problem(ann, _request(["Core/echo", {}])) == (400, "notRequest", None)
    assert await _problem(ann, _request(["Core/echo", [], "c"])) == (400, "notRequest", None)
    assert await _problem(ann, _request(createdIds={"a": "§"})) == (400, "notRequest", None)
    assert await _problem(ann, _request(using=[7])) == (400, "notRequest", None)
    assert await _problem(ann, _request(using=["urn:none"])) == (400, "unknownCapability", None)
    assert await _problem(ann, _request(*many)) == (400, "limit", "maxCallsInRequest")


async def test_calls_are_made_in_order_and_one_that_fails_stops_none(ann: JmapClient) -> None:
    request = _request(
        ["Core/echo", {"hello": True, "high": 5}, "a"],
        ["Core/none", {}, "b"],
        ["Mailbox/get", {"accountId": "A999"}, "c"],
        ["Mailbox/get", {}, "d"],
        ["Mailbox/get", {"accountId": ann.account_id, "colour": 1}, "e"],
        ["Core/echo", {}, "a"],
    )
    told = (await ann.post(request)).json()["methodResponses"]
    assert told[0] == ["Core/echo", {"hello": True, "high": 5}, "a"]
    assert [one[1].get("type") for one in told] == [
        None,
        "unknownMethod",
        "accountNotFound",
        "invalidArguments",
        "invalidArguments",
        None,
    ]
    assert [one[2] for one in told] == ["a", "b", "c", "d", "e", "a"]
    only_core = (await ann.post(_request(["Mailbox/get", {"accountId": ann.account_id}, "a"], using=[CORE]))).json()
    assert only_core["methodResponses"][0][1] == {"type": "unknownMethod"}


async def test_an_account_that_is_anothers_and_one_that_is_nobodys_are_told_alike(
    server: Server, ann: JmapClient
) -> None:
    bob = await JmapClient(server, "bob").open()
    assert bob.account_id != ann.account_id
    for account in (bob.account_id, "A0", "A999999"):
        for name in ("Mailbox/get", "Mailbox/set", "Mailbox/changes", "Mailbox/query"):
            assert await ann.error(name, accountId=account, sinceState="s1") == {"type": "accountNotFound"}


async def test_created_ids_come_back_when_they_are_wanted(ann: JmapClient) -> None:
    make = ["Mailbox/set", {"accountId": ann.account_id, "create": {"k": {"name": "New", "parentId": "#p"}}}, "a"]
    sent = (await ann.mailboxes())["Sent"]["id"]
    told = (await ann.post(_request(make, createdIds={"p": sent}))).json()
    assert told["createdIds"] == {"p": sent, "k": told["methodResponses"][0][1]["created"]["k"]["id"]}
    assert "createdIds" not in (await ann.post(_request())).json()


async def test_a_result_is_referred_to_with_a_star_through_lists(ann: JmapClient) -> None:
    told = await ann.calls(
        ("Mailbox/query", {"filter": {"role": "sent"}}),
        ("Mailbox/get", {"#ids": {"resultOf": "c0", "name": "Mailbox/query", "path": "/ids"}, "properties": ["name"]}),
        ("Core/echo", {"#names": {"resultOf": "c1", "name": "Mailbox/get", "path": "/list/*/name"}}),
    )
    assert told[2][1] == {"names": ["Sent"]}
    for reference in (
        {"resultOf": "c9", "name": "Core/echo", "path": "/a"},
        {"resultOf": "c0", "name": "Core/none", "path": "/a"},
        {"resultOf": "c0", "name": "Core/echo", "path": "/none"},
        {"resultOf": "c0", "name": "Core/echo", "path": "/a/01"},
        {"resultOf": "c0", "name": "Core/echo", "path": "/a/9"},
        {"resultOf": "c0", "name": "Core/echo", "path": "a"},
    ):
        told = await ann.calls(("Core/echo", {"a": [1, 2]}), ("Core/echo", {"#b": reference}))
        assert told[1][1]["type"] == "invalidResultReference", reference
    both = await ann.calls(
        ("Core/echo", {}), ("Core/echo", {"a": 1, "#a": {"resultOf": "c0", "name": "x", "path": ""}})
    )
    assert both[1][1]["type"] == "invalidArguments"


async def test_references_that_double_a_list_again_and_again_meet_an_end(ann: JmapClient) -> None:
    seed = [[list(range(100))] * 100]
    calls: list[tuple[str, dict[str, Any]]] = [("Core/echo", {"a": seed, "b": seed})]
    for number in range(20):
        reference = {"resultOf": f"c{number}", "name": "Core/echo", "path": ""}
        calls.append(("Core/echo", {"#a": reference, "#b": reference}))
    told = await ann.calls(*calls)
    assert told[-1][1]["type"] == "invalidResultReference"
    assert len(json.dumps(told)) < 20_000_000


async def test_limits_of_the_session_hold(tmp_path: Path) -> None:
    options = JmapOptions(max_size_request=2048, max_objects_in_get=2, max_objects_in_set=2)

    def change(config: Config) -> Config:
        return dataclasses.replace(config, jmap=options)

    async with start_server(tmp_path, change=change) as server:
        ann = await JmapClient(server, "ann").open()
        large = await ann.post(b'{"using":[],"methodCalls":[]}' + b" " * 2048)
        assert large.status == 413
        assert (await ann.error("Mailbox/get", ids=["a", "b", "c"]))["type"] == "requestTooLarge"
        three = {name: {"name": name} for name in "xyz"}
        assert (await ann.error("Mailbox/set", create=three))["type"] == "requestTooLarge"
        assert len(await ann.mailboxes()) == 6


async def test_so_many_requests_of_an_account_are_under_way_and_no_more(
    server: Server, ann: JmapClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    mailboxes = type(server.app.services.mail.mailboxes)
    entered = asyncio.Semaphore(0)

    async def wait(_self: object, _account: object) -> int:
        entered.release()
        await gate.wait()
        return 1

    monkeypatch.setattr(mailboxes, "highestmodseq", wait)
    held = [asyncio.create_task(ann.call("Mailbox/get", ids=[])) for _ in range(8)]
    for _ in held:
        await entered.acquire()
    refused = await ann.post(_request())
    assert (refused.status, refused.json()["limit"]) == (429, "maxConcurrentRequests")
    gate.set()
    await asyncio.gather(*held)
    assert (await ann.post(_request())).status == 200
