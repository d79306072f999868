"""JMAP over WebSocket (RFC 8887)."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.store.accounts import Service
from tests.support.clock import FakeClock
from tests.support.jmap import CORE, MAIL, JmapClient, http
from tests.support.server import SECRET, Server, start_server
from tests.support.web_sockets import open_socket

SOCKET = "urn:ietf:params:jmap:websocket"
ECHO = ["Core/echo", {"hello": "世界"}, "c1"]


async def _until_nobody_is_left(server: Server) -> None:
    pushing = server.app.services.pushing
    async with asyncio.timeout(20):
        while pushing.streams.total or pushing.feeds.followed:
            await asyncio.sleep(0)


# Opening.


async def test_the_session_tells_where_the_socket_is(ann: JmapClient) -> None:
    session = (await ann.get("/jmap/session")).json()
    told = session["capabilities"][SOCKET]
    assert told["supportsPush"] is True
    assert told["url"] == session["apiUrl"].replace("https://", "wss://") + "/ws"


async def test_a_socket_is_opened_as_the_example_of_the_rfc(server: Server, ann: JmapClient) -> None:
    async with open_socket(server, ann.authorization) as socket:
        assert socket.status == 101
        assert socket.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert socket.headers["sec-websocket-protocol"] == "jmap"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Sec-WebSocket-Protocol": "chat"}, 400),
        ({"Sec-WebSocket-Protocol": None}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Upgrade": None}, 426),
        ({"Connection": "close"}, 426),
        ({"Authorization": None}, 401),
        ({"Origin": "https://elsewhere.test"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_what_opens_no_socket_is_refused(
    server: Server, ann: JmapClient, changed: dict[str, str | None], status: int
) -> None:
    async with open_socket(server, ann.authorization, changed=changed) as socket:
        assert socket.status == status
    assert server.app.services.pushing.streams.total == 0


async def test_a_browser_opens_it_from_our_own_pages_alone(server: Server) -> None:
    body = f'{{"name":"ann@{DOMAIN}","password":"{SECRET}"}}'.encode()
    own = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    login = await http(server, "POST", "/api/v1/session", headers=own, body=body)
    cookie = {"Cookie": login.headers["set-cookie"].partition(";")[0]}
    origin = f"https://localhost:{server.app.endpoints['https'].port}"
    async with open_socket(server, cookie) as socket:  # no browser says nothing of itself
        assert socket.status == 403
    async with open_socket(server, cookie | {"Origin": origin}) as socket:
        assert socket.status == 101
        assert (await socket.ask(ECHO))["methodResponses"] == [ECHO]
        assert (await http(server, "DELETE", "/api/v1/session", headers=own | cookie)).status == 204
        assert (await socket.hear(), socket.closed) == (None, 1008)


# Requests.


async def test_requests_are_answered_under_their_ids(server: Server, ann: JmapClient) -> None:
    async with open_socket(server, ann.authorization) as socket:
        answer = await socket.ask(ECHO, id="R1")
        assert (answer["@type"], answer["requestId"], answer["methodResponses"]) == ("Response", "R1", [ECHO])
        assert answer["sessionState"]
        got = await socket.ask(
            ["Mailbox/get", {"accountId": ann.account_id, "ids": None}, "c"], using=[CORE, MAIL], id="R2"
        )
        assert {box["name"] for box in got["methodResponses"][0][1]["list"]} == set(await ann.mailboxes())


async def test_what_is_no_request_is_told_why_and_the_socket_goes_on(server: Server, ann: JmapClient) -> None:
    errors = {
        "{": "notJSON",
        "[]": "notRequest",
        '{"using":[],"methodCalls":[]}': "notRequest",
        '{"@type":"Request","id":1,"using":[],"methodCalls":[]}': "notRequest",
        '{"@type":"WebSocketPushEnable","dataTypes":"all"}': "notRequest",
        '{"@type":"Request","using":["x:y"],"methodCalls":[]}': "unknownCapability",
    }
    async with open_socket(server, ann.authorization) as socket:
        for said, kind in errors.items():
            socket.say(said)
            answer = await socket.hear()
            assert (answer["@type"], answer["requestId"]) == ("RequestError", None)
            assert answer["type"] == f"urn:ietf:params:jmap:error:{kind}", said
        assert (await socket.ask(ECHO))["methodResponses"] == [ECHO]


async def test_limits_of_requests_are_those_of_http(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        jmap = dataclasses.replace(config.jmap, max_size_request=2000, max_concurrent_requests=1)
        return dataclasses.replace(config, jmap=jmap)

    async with start_server(tmp_path, change=change) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_socket(server, ann.authorization) as socket:
            answer = await socket.ask(*[ECHO] * 33, id="many")
            assert (answer["limit"], answer["requestId"]) == ("maxCallsInRequest", "many")
            socket.say("x" * 2001)
            assert (await socket.hear(), socket.closed) == (None, 1009)
        async with open_socket(server, ann.authorization) as socket:
            for _ in range(21):  # a message that comes in pieces is one
                socket.send(TextMessage("x" * 100, message_finished=False))
            assert (await socket.hear(), socket.closed) == (None, 1009)
        await _until_nobody_is_left(server)


async def test_what_comes_in_pieces_and_what_comes_early_is_read(server: Server, ann: JmapClient) -> None:
    frames = Connection(ConnectionType.CLIENT)
    early = frames.send(TextMessage('{"@type":"Request","id":"e","using":[],', message_finished=False))
    async with open_socket(server, ann.authorization, early) as socket:
        for octet in frames.send(TextMessage('"methodCalls":[]}')):
            socket.write(bytes([octet]))
        assert (await socket.hear())["requestId"] == "e"


async def test_pings_are_answered_and_goodbyes_too(server: Server, ann: JmapClient) -> None:
    async with open_socket(server, ann.authorization) as socket:
        socket.send(Ping(b"there?"))
        assert await socket.hear() == b"there?"
        socket.send(CloseConnection(1000))
        assert (await socket.hear(), socket.closed) == (None, 1000)
    async with open_socket(server, ann.authorization) as socket:
        socket.send(BytesMessage(b"\0"))
        assert (await socket.hear(), socket.closed) == (None, 1003)
    async with open_socket(server, ann.authorization) as socket:
        socket.write(b"\xff" * 100)  # no frame
        assert (await socket.hear(), socket.closed) == (None, 1002)
    await _until_nobody_is_left(server)


# What is pushed, and what ends it.


async def test_changes_are_pushed_when_they_are_wanted_and_no_longer_than_that(tmp_path: Path) -> None:
    clock = FakeClock()
    async with start_server(tmp_path, clock=clock) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_socket(server, ann.authorization) as socket:
            socket.say({"@type": "WebSocketPushEnable", "dataTypes": ["Email", "EmailDelivery"]})
            assert (await socket.ask(ECHO))["methodResponses"] == [ECHO]
            await server.bring(f"ann@{DOMAIN}")
            change = await socket.hear()
            assert (change["@type"], set(change["changed"][ann.account_id])) == (
                "StateChange",
                {"Email", "EmailDelivery"},
            )
            socket.say({"@type": "WebSocketPushDisable"})
            await socket.ask(ECHO)
            assert server.app.services.pushing.feeds.followed == 0
            await server.bring(f"ann@{DOMAIN}", "Second")
            socket.say(
                {
                    "@type": "WebSocketPushEnable",
                    "dataTypes": ["Email", "EmailDelivery"],
                    "pushState": change["pushState"],
                }
            )
            missed = await socket.hear()
            assert missed["changed"][ann.account_id]["Email"] == (await ann.call("Email/get", ids=[]))["state"]


async def test_a_socket_ends_with_the_secret_that_opened_it(server: Server) -> None:
    directory, account = server.app.services.directory, await server.account("user")
    issued = await directory.app_passwords.create(account.account_id, "phone", frozenset({Service.IMAP}), CLI)
    user = await JmapClient(server, "user", issued.shown.reveal_text()).open()
    async with open_socket(server, user.authorization) as socket:
        await directory.app_passwords.revoke(account.account_id, None, CLI)
        assert (await socket.hear(), socket.closed) == (None, 1008)
    await _until_nobody_is_left(server)


async def test_a_peer_that_is_silent_is_asked_and_then_taken_for_gone(tmp_path: Path) -> None:
    clock = FakeClock()
    async with start_server(tmp_path, clock=clock) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_socket(server, ann.authorization) as socket:
            await socket.ask(ECHO)
            for _ in range(7):
                clock.advance(50)
            while await socket.hear() is not None:
                pass
            assert socket.closed is None
        await _until_nobody_is_left(server)


async def test_sockets_and_streams_are_counted_together(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return dataclasses.replace(config, jmap=dataclasses.replace(config.jmap, push_streams=1))

    async with start_server(tmp_path, change=change) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_socket(server, ann.authorization) as one, open_socket(server, ann.authorization) as two:
            assert (one.status, two.status) == (101, 429)


async def test_a_socket_is_closed_when_the_server_stops(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_socket(server, ann.authorization) as socket:
            await socket.ask(ECHO)
            await server.app.front.drain(5)
            assert (await socket.hear(), socket.closed) == (None, 1001)
