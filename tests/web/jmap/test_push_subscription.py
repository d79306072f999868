"""Web Push: subscriptions of a login, what is pushed to them, and what hostile ones come to (RFC 8620 §7.2)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hongyan.audit.events import CLI
from hongyan.clock import Clock, SystemClock
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.store.accounts import Service
from hongyan.telemetry.metrics import REGISTRY
from hongyan.web.jmap import push_delivery
from hongyan.web.jmap.push_delivery import find_push_target
from hongyan.web.jmap.vapid import WEBPUSH_VAPID
from hongyan.wire.jmap.values import write_utc_date
from tests.support.authority import Authority
from tests.support.clock import FakeClock
from tests.support.dns_server import serve_dns
from tests.support.jmap import CORE, MAIL, JmapClient, http
from tests.support.push_service import HOST, Push, PushReceiver, PushService, serve_pushes
from tests.support.server import SECRET, Server, start_server

GEESE = Authority()
_PATIENCE = 20.0

Places = Callable[..., contextlib.AbstractAsyncContextManager["Geese"]]


@dataclass
class Geese:
    """A server that pushes to a push service on loopback."""

    server: Server
    service: PushService
    brought: int = 0

    async def client(self, name: str = "ann", secret: str | None = None) -> JmapClient:
        return await JmapClient(self.server, name, secret).open()

    async def bring(self, name: str = "ann") -> None:
        self.brought += 1
        assert (await self.server.bring(f"{name}@{DOMAIN}", f"Goose {self.brought}")).startswith(b"250")

    async def subscribe(self, client: JmapClient, name: str = "a", **more: Any) -> str:
        """Make a subscription, and return its id when the code that came has been sent back."""
        made = await create(client, self.service.url(name), **more)
        code = (await self.service.pushed()).json()
        assert code["pushSubscriptionId"] == made["id"]
        await update(client, made["id"], verificationCode=code["verificationCode"])
        return str(made["id"])

    async def nothing_is_left(self) -> None:
        """Wait until nobody is pushed to."""
        await until(lambda: not self.server.app.services.pushing.web_push.followed)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    @contextlib.asynccontextmanager
    async def open_places(clock: Clock | None = None, *, private: bool = True, **jmap: Any) -> AsyncIterator[Geese]:
        async with serve_pushes(GEESE) as running, serve_dns() as zone:
            zone.records[f"A {HOST}"] = ["127.0.0.1"]

            def change(config: Config) -> Config:
                return replace(
                    config,
                    outgoing_tls=replace(config.outgoing_tls, policy_port=running.port, authorities=str(GEESE.file())),
                    route=replace(config.route, private_addresses=private),
                    jmap=replace(config.jmap, **{"push_apart": 1.0, **jmap}),
                )

            async with start_server(tmp_path, change=change, clock=clock, resolver=zone.server) as server:
                yield Geese(server, running)

    return open_places


@pytest.fixture
async def geese(places: Places) -> AsyncIterator[Geese]:
    async with places() as geese:
        yield geese


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not is_so():
            await asyncio.sleep(0.005)


async def set_one(client: JmapClient, **arguments: Any) -> dict[str, Any]:
    return await client.call("PushSubscription/set", **arguments)


async def create(client: JmapClient, url: str, **more: Any) -> dict[str, Any]:
    made = await set_one(client, create={"k": {"deviceClientId": "phone", "url": url, **more}})
    assert made["created"], made
    return dict(made["created"]["k"])


async def refusal(client: JmapClient, record: Mapping[str, Any]) -> dict[str, Any]:
    made = await set_one(client, create={"k": record})
    assert made["created"] is None
    return dict(made["notCreated"]["k"])


async def update(client: JmapClient, subscription: str, **patch: Any) -> dict[str, Any] | None:
    done = await set_one(client, update={subscription: patch})
    assert done["updated"] is not None, done
    found: dict[str, Any] | None = done["updated"][subscription]
    return found


async def listed(client: JmapClient) -> list[dict[str, Any]]:
    return list((await client.call("PushSubscription/get", ids=None))["list"])


def failed() -> float:
    return REGISTRY.get_sample_value("hongyan_push_total", {"result": "failed"}) or 0.0


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def changed(push: Push, client: JmapClient) -> dict[str, str]:
    told = push.json()
    assert told["@type"] == "StateChange"
    assert list(told["changed"]) == [client.account_id]
    return dict(told["changed"][client.account_id])


def check_token(push: Push, public: str) -> None:
    """RFC 8292 §2, §3: signed for this push service by the key that clients know."""
    scheme, _, rest = push.headers["authorization"].partition(" ")
    given = dict(one.split("=", 1) for one in rest.split(", "))
    assert (scheme, given["k"]) == ("vapid", public)
    head, claims, signature = given["t"].split(".")
    told = json.loads(octets(claims))
    assert told["aud"] == f"https://{HOST}"
    assert told["sub"] == f"mailto:postmaster@mail.{DOMAIN}"
    assert 0 < told["exp"] - SystemClock().timestamp() <= 24 * 3600
    pair = octets(signature)
    r, s = int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big")
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets(public))
    key.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ECDSA(SHA256()))


# A subscription, from its making to its first push.


async def test_a_url_gets_a_code_and_once_that_came_back_what_changes(geese: Geese) -> None:
    ann = await geese.client()
    public = (await ann.get("/jmap/session")).json()["capabilities"][WEBPUSH_VAPID]["applicationServerKey"]
    assert len(octets(public)) == 65
    made = await create(ann, geese.service.url("a"))
    assert made["keys"] is made["types"] is made["verificationCode"] is None
    push = await geese.service.pushed()
    assert push.path == "/push/a"
    assert push.headers["content-type"] == "application/json"
    assert int(push.headers["ttl"]) > 0
    check_token(push, public)
    told = push.json()
    assert (told["@type"], told["pushSubscriptionId"]) == ("PushVerification", made["id"])
    assert await update(ann, made["id"], verificationCode=told["verificationCode"]) is None
    await geese.bring()
    push = await geese.service.pushed()
    states = changed(push, ann)
    assert states["Email"] == (await ann.call("Email/get", ids=[]))["state"]
    assert {"Email", "Mailbox", "Thread", "EmailDelivery"} <= set(states)
    assert push.headers["urgency"] == "normal"
    assert len(push.headers["topic"]) <= 32
    check_token(push, public)


async def test_nothing_but_the_code_is_pushed_before_it_came_back(geese: Geese) -> None:
    ann = await geese.client()
    made = await create(ann, geese.service.url("a"))
    code = (await geese.service.pushed()).json()["verificationCode"]
    await geese.bring()
    other = await geese.subscribe(ann, "b")
    await geese.bring()
    assert (await geese.service.pushed()).path == "/push/b"
    assert [push.path for push in geese.service.pushes].count("/push/a") == 1
    for wrong in ("", code[:-1], code.upper() + "x", "ü"):
        done = await set_one(ann, update={made["id"]: {"verificationCode": wrong}})
        assert done["notUpdated"][made["id"]]["properties"] == ["verificationCode"]
    assert {one["id"]: one["verificationCode"] is None for one in await listed(ann)} == {made["id"]: True, other: False}


async def test_a_code_that_came_back_is_not_taken_back(geese: Geese) -> None:
    ann = await geese.client()
    name = await geese.subscribe(ann)
    done = await set_one(ann, update={name: {"verificationCode": None}})
    assert done["notUpdated"][name]["properties"] == ["verificationCode"]
    await geese.bring()
    assert "Email" in changed(await geese.service.pushed(), ann)


async def test_what_is_pushed_to_a_subscription_with_keys_its_owner_alone_reads(geese: Geese) -> None:
    ann, receiver = await geese.client(), PushReceiver()
    made = await create(ann, geese.service.url("a"), keys=receiver.keys)
    code = receiver.read(await geese.service.pushed())
    assert code["@type"] == "PushVerification"
    await update(ann, made["id"], verificationCode=code["verificationCode"])
    await geese.bring()
    push = await geese.service.pushed()
    assert b"StateChange" not in push.body
    assert ann.account_id in receiver.read(push)["changed"]
    first, second = (one.body[:16] for one in geese.service.pushes)
    assert first != second


async def test_only_the_types_that_were_asked_for_are_pushed(geese: Geese) -> None:
    ann = await geese.client()
    await geese.subscribe(ann, types=["EmailDelivery", "Unheard"])
    inbox = (await ann.mailboxes())["Inbox"]
    await ann.call("Mailbox/set", update={inbox["id"]: {"sortOrder": inbox["sortOrder"] + 1}})
    await geese.bring()
    assert list(changed(await geese.service.pushed(), ann)) == ["EmailDelivery"]


async def test_what_is_no_new_mail_is_not_urgent(geese: Geese) -> None:
    ann = await geese.client()
    await geese.subscribe(ann)
    inbox = (await ann.mailboxes())["Inbox"]
    await ann.call("Mailbox/set", update={inbox["id"]: {"sortOrder": inbox["sortOrder"] + 1}})
    push = await geese.service.pushed()
    assert "EmailDelivery" not in changed(push, ann)
    topic = push.headers["topic"]
    assert push.headers["urgency"] == "low"
    await geese.bring()
    assert (await geese.service.pushed()).headers["topic"] != topic  # it must not replace what says less


async def test_a_burst_of_changes_is_few_pushes_and_the_last_tells_how_it_stands(geese: Geese) -> None:
    ann = await geese.client()
    await geese.subscribe(ann, types=["Email"])
    for _ in range(12):
        await geese.bring()
    state = (await ann.call("Email/get", ids=[]))["state"]
    while changed(await geese.service.pushed(), ann)["Email"] != state:
        pass
    assert len(geese.service.pushes) < 8


# Who sees a subscription.


async def test_a_subscription_is_told_without_its_url_and_keys(geese: Geese) -> None:
    ann = await geese.client()
    name = await geese.subscribe(ann, types=["Email"])
    (told,) = await listed(ann)
    assert set(told) == {"id", "deviceClientId", "verificationCode", "expires", "types"}
    assert (told["id"], told["deviceClientId"], told["types"]) == (name, "phone", ["Email"])
    got = await ann.call("PushSubscription/get", ids=[name, "Pnone"], properties=["types"])
    assert got == {"list": [{"id": name, "types": ["Email"]}], "notFound": ["Pnone"]}
    for secret in ("url", "keys"):
        assert (await ann.error("PushSubscription/get", properties=[secret]))["type"] == "forbidden"
    assert (await ann.error("PushSubscription/get", properties=["told"]))["type"] == "invalidArguments"
    for name_of in ("PushSubscription/get", "PushSubscription/set"):
        assert (await ann.error(name_of, accountId=ann.account_id))["type"] == "invalidArguments"
    assert (await ann.error("PushSubscription/set", ifInState="s1"))["type"] == "invalidArguments"


async def test_a_subscription_is_of_the_login_that_made_it_alone(geese: Geese) -> None:
    ann, bob = await geese.client(), await geese.client("bob")
    directory, account = geese.server.app.services.directory, await geese.server.account("ann")
    issued = await directory.app_passwords.create(account.account_id, "other", frozenset({Service.IMAP}), CLI)
    phone = await geese.client("ann", issued.shown.reveal_text())
    name = await geese.subscribe(ann)
    for other in (bob, phone):
        assert await listed(other) == []
        assert (await other.call("PushSubscription/get", ids=[name]))["notFound"] == [name]
        done = await set_one(other, update={name: {"types": []}}, destroy=[])
        assert done["notUpdated"][name]["type"] == "notFound"
        done = await set_one(other, destroy=[name])
        assert done["notDestroyed"][name]["type"] == "notFound"
    assert [one["id"] for one in await listed(ann)] == [name]


async def test_a_subscription_that_is_destroyed_hears_nothing_more(geese: Geese) -> None:
    ann = await geese.client()
    name, _ = await geese.subscribe(ann), await geese.subscribe(ann, "b")
    assert (await set_one(ann, destroy=[name]))["destroyed"] == [name]
    await geese.bring()
    assert (await geese.service.pushed()).path == "/push/b"
    assert [push.path for push in geese.service.pushes].count("/push/a") == 1
    assert (await set_one(ann, destroy=[name]))["notDestroyed"][name]["type"] == "notFound"


# What is refused.


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        *(("url", url) for url in ("http://push.geese.test/a", "https://push.geese.test:8443/", "ftp://x.example", 7)),
        *(("url", url) for url in ("https://u:p@push.geese.test/", "https://127.0.0.1/", "https://[::1]/", "")),
        *(("url", url) for url in ("https://push.geese.test/\r\nX: y", "https://push.geese.test/#a", None)),
        ("url", "https://push.geese.test/" + "x" * 3000),
        *(("keys", keys) for keys in ("x", {}, {"p256dh": "AA", "auth": "AA"}, {"p256dh": 1, "auth": "x"})),
        ("keys", {**PushReceiver().keys, "auth": base64.urlsafe_b64encode(bytes(15)).decode()}),
        ("keys", {**PushReceiver().keys, "p256dh": base64.urlsafe_b64encode(b"\4" + bytes(64)).decode()}),
        ("keys", {**PushReceiver().keys, "more": "x"}),
        *(("expires", when) for when in ("2001-01-01T00:00:00Z", "soon", 7, "2126-01-01T00:00:00+01:00")),
        *(("types", types) for types in ("Email", [1], [""], ["x" * 300], ["Email"] * 101)),
        *(("deviceClientId", name) for name in ("", None, 7, "x" * 256, "a\nb")),
        ("verificationCode", "guess"),
        ("id", "P1"),
        ("told", "x"),
    ],
)
async def test_what_is_no_subscription_is_refused_by_the_name_of_what_is_wrong(
    ann: JmapClient, wrong: str, value: object
) -> None:
    record = {"deviceClientId": "phone", "url": f"https://{HOST}/a", wrong: value}
    fault = await refusal(ann, record)
    assert (fault["type"], fault["properties"]) == ("invalidProperties", [wrong])


def test_what_may_be_pushed_to() -> None:
    assert find_push_target("https://Push.Example:443/a?b=c%20") == ("push.example", "/a?b=c%20")
    assert find_push_target("https://push.example") == ("push.example", "/")
    assert find_push_target("https://push.example?x") is None
    for number in ("2130706433", "127.1", "0x7f.1", "127.0.0.1"):
        assert find_push_target(f"https://{number}/") is None


async def test_what_a_subscription_is_cannot_be_changed(geese: Geese) -> None:
    ann = await geese.client()
    name = await geese.subscribe(ann)
    for patch in ({"url": geese.service.url("b")}, {"keys": None}, {"deviceClientId": "x"}, {"id": "P1"}):
        done = await set_one(ann, update={name: patch})
        assert done["notUpdated"][name]["properties"] == list(patch)
    assert await update(ann, name, types=["Email"]) is None
    assert (await listed(ann))[0]["types"] == ["Email"]


async def test_an_account_has_so_many_subscriptions_and_makes_so_many_an_hour(places: Places) -> None:
    async with places(push_subscriptions=2, push_verifications=3) as geese:
        ann, bob = await geese.client(), await geese.client("bob")
        record = {"deviceClientId": "phone", "url": geese.service.url("a")}
        first = await create(ann, record["url"])
        await create(ann, record["url"])
        assert (await refusal(ann, record))["type"] == "overQuota"
        await set_one(ann, destroy=[first["id"]])
        assert (await refusal(ann, record))["type"] == "rateLimit"
        await create(bob, record["url"])


async def test_where_no_subscriptions_are_allowed_nothing_is_pushed_to_urls_any_more(places: Places) -> None:
    async with places() as geese:
        await geese.subscribe(await geese.client())
    async with places(push_subscriptions=0) as geese:
        ann = await geese.client()
        assert (await refusal(ann, {"deviceClientId": "x", "url": geese.service.url("b")}))["type"] == "overQuota"
        await geese.bring()
        assert "web-push" not in dict(geese.server.app.services.pushing.background())
        assert geese.service.connections == 0


# Its end.


async def test_a_subscription_lasts_a_week_at_most_and_is_renewed(places: Places) -> None:
    clock = FakeClock()
    async with places(clock) as geese:
        ann = await geese.client()
        week = write_utc_date(clock.now() + timedelta(days=7))
        day = write_utc_date(clock.now() + timedelta(days=1))
        assert (await create(ann, geese.service.url("a"), expires="2126-01-01T00:00:00Z"))["expires"] == week
        assert (await create(ann, geese.service.url("a")))["expires"] == week
        short = await create(ann, geese.service.url("a"), expires=day)
        assert "expires" not in short
        clock.advance(timedelta(hours=1))
        later = write_utc_date(clock.now() + timedelta(days=7))
        assert await update(ann, short["id"], expires="2126-01-01T00:00:00Z") == {"expires": later}
        assert await update(ann, short["id"], expires=None) == {"expires": later}
        assert await update(ann, short["id"], expires=day) is None
        clock.advance(timedelta(days=1))
        assert short["id"] not in [one["id"] for one in await listed(ann)]
        done = await set_one(ann, update={short["id"]: {"types": None}})
        assert done["notUpdated"][short["id"]]["type"] == "notFound"


async def test_nothing_is_pushed_after_a_subscription_expired(places: Places) -> None:
    clock = FakeClock()
    async with places(clock) as geese:
        ann = await geese.client()
        await geese.subscribe(ann, expires=write_utc_date(clock.now() + timedelta(days=1)))
        pushed = len(geese.service.pushes)
        clock.advance(timedelta(days=1))
        await geese.bring()
        await geese.nothing_is_left()
        assert len(geese.service.pushes) == pushed


async def test_a_subscription_ends_with_the_secret_that_made_it(geese: Geese) -> None:
    directory, account = geese.server.app.services.directory, await geese.server.account("ann")
    issued = await directory.app_passwords.create(account.account_id, "phone", frozenset({Service.IMAP}), CLI)
    phone = await geese.client("ann", issued.shown.reveal_text())
    await geese.subscribe(phone)
    pushed = len(geese.service.pushes)
    await directory.app_passwords.revoke(account.account_id, None, CLI)
    await geese.bring()
    await geese.nothing_is_left()
    assert len(geese.service.pushes) == pushed
    assert await geese.server.app.services.pushing.subscriptions.store.list_all() == []


async def test_a_subscription_ends_with_its_account(geese: Geese) -> None:
    account = await geese.server.account("ann")
    await geese.subscribe(await geese.client())
    await geese.server.app.services.directory.accounts.suspend(account.account_id, CLI)
    assert await geese.server.app.services.pushing.web_push.forget_old() == 1
    await geese.nothing_is_left()


async def test_a_subscription_of_a_browser_ends_when_it_logs_out_and_not_before(geese: Geese) -> None:
    server = geese.server
    body = json.dumps({"name": f"ann@{DOMAIN}", "password": SECRET}).encode()
    own = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    login = await http(server, "POST", "/api/v1/session", headers=own, body=body)
    browser = JmapClient(server, "ann")
    browser.authorization = own | {"Cookie": login.headers["set-cookie"].partition(";")[0]}
    await browser.open()
    made = await create(browser, geese.service.url("a"))
    assert made["expires"] is None  # the session has an end of its own (RFC 8620 §7.2)
    code = (await geese.service.pushed()).json()["verificationCode"]
    await update(browser, made["id"], verificationCode=code)
    web_push = server.app.services.pushing.web_push
    assert await web_push.forget_old() == 0
    await geese.bring()
    assert "Email" in changed(await geese.service.pushed(), browser)
    assert (await http(server, "DELETE", "/api/v1/session", headers=browser.authorization)).status == 204
    assert await web_push.forget_old() == 1
    assert not web_push.followed


@pytest.mark.parametrize("status", [b"404 Not Found", b"410 Gone"])
async def test_a_url_that_is_gone_ends_its_subscription(geese: Geese, status: bytes) -> None:
    ann = await geese.client()
    await geese.subscribe(ann)
    geese.service.answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    await geese.bring()
    await geese.service.pushed()
    await geese.nothing_is_left()
    assert await listed(ann) == []


# Push services that are away, slow or hostile.


async def test_what_could_not_be_pushed_is_pushed_later_with_what_came_since(places: Places) -> None:
    clock = FakeClock()
    async with places(clock) as geese:
        ann = await geese.client()
        await geese.subscribe(ann)
        clock.advance(60)
        good, before = geese.service.answer, failed()
        geese.service.answer = b"HTTP/1.1 429 Slow Down\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"
        await geese.bring()
        await geese.service.pushed()
        await until(lambda: failed() == before + 1)
        geese.service.answer = good
        await geese.bring()
        clock.advance(60)
        pushed = len(geese.service.pushes)
        await geese.subscribe(ann, "b")  # a whole round trip, in which the first is left in peace
        assert [push.path for push in geese.service.pushes[pushed:]] == ["/push/b"]
        for _ in range(13):
            clock.advance(60)
        push = await geese.service.pushed()
        assert push.path == "/push/a"
        assert changed(push, ann)["Email"] == (await ann.call("Email/get", ids=[]))["state"]


async def test_what_was_missed_is_pushed_when_the_server_is_there_again(places: Places) -> None:
    async with places() as geese:
        ann, before = await geese.client(), failed()
        await geese.subscribe(ann)
        geese.service.answer = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"
        await geese.bring()
        await until(lambda: failed() == before + 1)
    async with places() as geese:
        push = await geese.service.pushed()
        ann = await geese.client()
        assert changed(push, ann)["Email"] == (await ann.call("Email/get", ids=[]))["state"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 307 Elsewhere\r\nLocation: https://push.geese.test/push/other\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 201 Created\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        b"\0" * 100_000,
    ],
)
async def test_redirects_and_giant_answers_lead_nowhere_and_hold_up_nobody(geese: Geese, answer: bytes) -> None:
    ann, before = await geese.client(), failed()
    geese.service.answer, geese.service.endless = answer, True
    await create(ann, geese.service.url("a"))
    await until(lambda: failed() == before + 1)
    geese.service.answer, geese.service.endless = PushService().answer, False
    bob = await geese.client("bob")
    geese.service.pushes.clear()
    await geese.subscribe(bob, "b")
    assert {push.path for push in geese.service.pushes} == {"/push/b"}


async def test_a_private_address_is_never_connected_to(places: Places) -> None:
    async with places(private=False) as geese:
        ann, before = await geese.client(), failed()
        await create(ann, geese.service.url("a"))
        await until(lambda: failed() == before + 1)
        assert geese.service.connections == 0


async def test_who_has_slow_push_services_holds_up_nobody_else(geese: Geese) -> None:
    ann, bob = await geese.client(), await geese.client("bob")
    geese.service.silent |= {"a"}
    for _ in range(18):
        await create(ann, geese.service.url("a"))
    await until(lambda: len(geese.service.pushes) == 2)
    made = await create(bob, geese.service.url("b"))
    await until(lambda: len(geese.service.pushes) == 3)
    assert geese.service.pushes[2].json()["pushSubscriptionId"] == made["id"]


async def test_a_push_service_has_so_much_time_and_no_more(geese: Geese, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_delivery, "_DEADLINE", 0.5)
    ann, before = await geese.client(), failed()
    geese.service.silent |= {"a"}
    await create(ann, geese.service.url("a"))
    await geese.service.pushed()
    await until(lambda: failed() == before + 1)


async def test_a_code_is_pushed_so_often_and_no_more(places: Places) -> None:
    clock = FakeClock()
    async with places(clock) as geese:
        ann = await geese.client()
        geese.service.answer = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"
        await create(ann, geese.service.url("a"))
        web_push = geese.server.app.services.pushing.web_push
        async with asyncio.timeout(_PATIENCE):
            while web_push.followed:
                clock.advance(60)
                await asyncio.sleep(0.01)
        assert len(geese.service.pushes) == 4


# The key by which push services know this server.


async def test_another_key_is_for_new_subscriptions_and_the_session_tells_it(places: Places) -> None:
    async with places() as geese:
        ann = await geese.client()
        old = (await ann.get("/jmap/session")).json()
        await geese.subscribe(ann)
    async with places(push_key=2) as geese:
        ann = await geese.client()
        new = (await ann.get("/jmap/session")).json()
        keys = [session["capabilities"][WEBPUSH_VAPID]["applicationServerKey"] for session in (old, new)]
        assert keys[0] != keys[1]
        assert old["state"] != new["state"]
        await geese.bring()
        check_token(await geese.service.pushed(), keys[0])
        await create(ann, geese.service.url("b"))
        check_token(await geese.service.pushed(), keys[1])


async def test_the_methods_belong_to_the_core(ann: JmapClient) -> None:
    body = {"using": [CORE], "methodCalls": [["PushSubscription/get", {"ids": None}, "c"]]}
    (told,) = (await ann.post(body)).json()["methodResponses"]
    assert told == ["PushSubscription/get", {"list": [], "notFound": []}, "c"]
    body = {"using": [MAIL], "methodCalls": [["PushSubscription/get", {"ids": None}, "c"]]}
    (told,) = (await ann.post(body)).json()["methodResponses"]
    assert told[1]["type"] == "unknownMethod"
