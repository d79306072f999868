"""Certificates that obtain themselves, from a directory that a test is master of."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hongyan import telemetry
from hongyan.clients.acme import AcmeAuthority
from hongyan.clients.acme_options import AcmeOptions
from hongyan.domains.certificate_store import CertificateStore, key_digest
from hongyan.domains.challenges import HttpChallenges
from hongyan.domains.issuance import Issuance, IssuancePolicy
from tests.support.acme_directory import AcmeDirectory, Answer, start_directory
from tests.support.clock import FakeClock, FakeRandom

HOST = "mail.example.org"


@dataclass
class World:
    """A server's certificates, and the authority that issues them."""

    directory: AcmeDirectory
    store: CertificateStore
    issuance: Issuance
    clock: FakeClock
    announced: Collection[str] | None = ()
    served: int = 0

    @property
    def certificate(self) -> x509.Certificate:
        live = self.store.open(HOST).load_live()
        assert live is not None
        return x509.load_pem_x509_certificates(live)[0]

    @property
    def orders(self) -> int:
        return len(self.directory.orders)


@pytest.fixture
def directory(tmp_path: Path, clock: FakeClock) -> Iterator[AcmeDirectory]:
    with start_directory(tmp_path / "ca", clock) as running:
        yield running


@pytest.fixture
def world(directory: AcmeDirectory, tmp_path: Path, clock: FakeClock) -> World:
    return make_world(directory, tmp_path / "data", clock)


def make_world(directory: AcmeDirectory, data: Path, clock: FakeClock, timeout: float = 60.0) -> World:
    options = AcmeOptions(
        enabled=True,
        accept_terms=True,
        directory=f"{directory.url}/dir",
        authority_file=directory.authority_file,
        timeout=timeout,
        patience=5 * timeout,
    )
    store = CertificateStore(data)

    async def find_wanted() -> dict[str, list[str]]:
        return {HOST: [HOST]}

    async def find_announced(name: str) -> Collection[str] | None:
        return world.announced

    async def in_service() -> None:
        world.served += 1

    policy = IssuancePolicy(find_wanted, find_announced, in_service)
    authority = AcmeAuthority(options, store.account(), clock)
    issuance = Issuance(store, authority, HttpChallenges(), policy, clock, FakeRandom())
    world = World(directory, store, issuance, clock)
    return world


async def pass_time(world: World, days: float) -> None:
    """Let days pass, with a look every six hours."""
    for _ in range(round(days * 4)):
        world.clock.advance(timedelta(hours=6))
        await world.issuance.look()


async def test_without_renewal_information_two_thirds_of_the_life_are_waited_for(world: World) -> None:
    await world.issuance.look()
    await pass_time(world, 56)
    assert (world.orders, world.served) == (1, 1)
    await pass_time(world, 5)
    assert (world.orders, world.served) == (2, 2)


async def test_the_window_that_the_authority_suggests_is_kept_and_the_order_says_what_it_replaces(
    world: World,
) -> None:
    now = world.clock.now()
    world.directory.window = (now + timedelta(days=10), now + timedelta(days=11))
    await world.issuance.look()
    first = world.certificate
    await pass_time(world, 9.75)
    assert world.orders == 1
    while world.orders < 2 and world.clock.now() < now + timedelta(days=11):
        await pass_time(world, 0.25)
    assert world.orders == 2
    issuer, _, number = world.directory.orders[1]["replaces"].partition(".")
    assert issuer
    assert number
    assert "replaces" not in world.directory.orders[0]
    assert world.certificate.serial_number != first.serial_number


async def test_an_authority_that_moves_its_window_to_the_past_has_its_certificate_replaced_at_once(
    world: World,
) -> None:
    """RFC 9773 §4.2: this is how it says that it is going to revoke."""
    now = world.clock.now()
    world.directory.window = (now + timedelta(days=50), now + timedelta(days=52))
    await world.issuance.look()
    await pass_time(world, 2)
    assert world.orders == 1
    world.directory.window = (now - timedelta(days=2), now - timedelta(days=1))
    await pass_time(world, 0.5)
    assert world.orders == 2


async def test_renewal_information_is_not_asked_for_more_often_than_the_authority_wants(world: World) -> None:
    now = world.clock.now()
    world.directory.window = (now + timedelta(days=50), now + timedelta(days=52))
    await world.issuance.look()
    for _ in range(10):
        world.clock.advance(timedelta(minutes=15))
        await world.issuance.look()
    assert world.directory.heard.count("renewal") == 2, "2 h of Retry-After in 2.5 h"


async def test_garbage_about_renewal_leaves_the_rule_of_two_thirds(world: World) -> None:
    now = world.clock.now()
    world.directory.window = (now, now + timedelta(days=1))
    world.directory.replies["renewal"] = lambda: (200, {}, b'{"suggestedWindow": {"start": 7}}')
    await world.issuance.look()
    await pass_time(world, 56)
    assert world.orders == 1
    await pass_time(world, 5)
    assert world.orders == 2


def deep() -> Answer:
    return 200, {"Content-Type": "application/json"}, b"[" * 500_000


@pytest.mark.parametrize("part", ["dir", "account", "order", "finalize", "chain", "nonce"])
@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b""),
        (200, {"Content-Type": "application/json"}, b"[1, 2]"),
        (200, {"Content-Type": "application/json"}, b'{"status": 7, "authorizations": {"a": 1}}'),
        (200, {}, b"x" * (2 << 20)),
        (500, {}, b"\xff\xfe"),
        (302, {"Location": "https://127.0.0.1:1/dir"}, b""),
        (429, {"Content-Type": "application/problem+json"}, b'{"type": "urn:ietf:params:acme:error:rateLimited"}'),
        deep(),
    ],
    ids=["nothing", "a list", "other types", "too much", "an error", "a redirect", "a limit", "a pit"],
)
async def test_whatever_the_authority_answers_the_server_lives_and_waits(
    world: World, part: str, answer: Answer
) -> None:
    world.directory.replies[part] = lambda: answer
    await world.issuance.look()
    if part == "nonce" and answer[0] == 200:
        return  # a nonce is in the header, whatever the body is
    before = len(world.directory.heard)
    await world.issuance.look()
    assert len(world.directory.heard) == before, "it is left alone for a while"
    assert world.store.open(HOST).load_live() is None
    del world.directory.replies[part]
    await pass_time(world, 1.5)
    assert world.served == 1


async def causes(world: World) -> list[object]:
    with telemetry.capture() as events:
        await world.issuance.look()
    return [event.fields.get("cause") for event in events]


async def test_an_authority_cannot_send_us_to_another_host(world: World) -> None:
    elsewhere = json.dumps(dict.fromkeys(("newNonce", "newAccount", "newOrder"), "https://127.0.0.1:1/x")).encode()
    world.directory.replies["dir"] = lambda: (200, {"Content-Type": "application/json"}, elsewhere)
    assert "The authority sends us to another host." in await causes(world)


async def test_an_authority_cannot_redirect_us(world: World) -> None:
    world.directory.replies["dir"] = lambda: (302, {"Location": f"{world.directory.url}/elsewhere"}, b"")
    await world.issuance.look()
    assert world.directory.heard == ["dir"]


async def test_an_answer_without_end_is_cut_off(world: World) -> None:
    world.directory.replies["dir"] = lambda: (200, {}, b"[" + b" " * (2 << 20) + b"]")
    assert "The authority's answer is too large." in await causes(world)


async def test_an_authority_that_says_when_to_come_again_is_left_alone_until_then(world: World) -> None:
    problem = json.dumps({"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}).encode()
    headers = {"Content-Type": "application/problem+json", "Retry-After": str(3 * 24 * 3600)}
    world.directory.replies["order"] = lambda: (429, headers, problem)
    await world.issuance.look()
    del world.directory.replies["order"]
    await pass_time(world, 2.75)
    assert world.orders == 0
    await pass_time(world, 0.5)
    assert world.orders == 1


async def test_an_authority_that_never_answers_is_given_up_and_not_asked_by_a_second_thread(
    directory: AcmeDirectory, tmp_path: Path, clock: FakeClock
) -> None:
    world = make_world(directory, tmp_path / "data", clock, timeout=2.0)
    release = threading.Event()

    def hang() -> Answer:
        release.wait(30)
        return 200, {}, b""

    world.directory.replies["dir"] = hang
    with telemetry.capture() as events:
        await world.issuance.look()
    release.set()
    assert any(
        "does not answer" in str(event.fields.get("cause")) or "timed out" in str(event.fields) for event in events
    )
    assert world.directory.heard == ["dir"]


async def test_a_certificate_for_another_key_is_not_taken_into_service(world: World) -> None:
    world.directory.signs_for = ec.generate_private_key(ec.SECP256R1()).public_key()
    with telemetry.capture() as events:
        await world.issuance.look()
    assert "The certificate is for another key." in [event.fields.get("cause") for event in events]
    assert world.store.open(HOST).load_live() is None
    assert world.served == 0


async def test_a_clock_that_jumps_does_not_make_orders_follow_one_another(world: World) -> None:
    await world.issuance.look()
    start = world.clock.now()
    world.directory.life = timedelta(days=90)
    for year in (10, -10, 20, 0):
        world.clock.set(start + timedelta(days=365 * year))
        for _ in range(5):
            await world.issuance.look()
    assert world.orders <= 4


async def test_a_wait_that_was_noted_by_a_wrong_clock_is_not_waited_for(world: World) -> None:
    start = world.clock.now()
    world.clock.set(start + timedelta(days=3650))
    world.directory.replies["order"] = lambda: (500, {}, b"")
    await world.issuance.look()
    del world.directory.replies["order"]
    world.clock.set(start)
    await world.issuance.look()
    assert world.orders == 1


async def test_each_renewal_has_a_new_key_unless_only_the_present_one_is_announced(world: World) -> None:
    folder = world.store.open(HOST)

    def keys() -> tuple[str, str]:
        live = folder.load_live_key()
        assert live is not None
        return key_digest(live), key_digest(folder.load_next_key())

    await world.issuance.look()
    first, following = keys()
    world.announced = (first,)
    await pass_time(world, 61)
    assert keys() == (first, following), "the next key is not in DNS yet"
    world.announced = None
    await pass_time(world, 61)
    assert keys() == (first, following), "nobody knows"
    world.announced = (first, following)
    await pass_time(world, 61)
    assert keys()[0] == following
    assert keys()[1] not in (first, following)
    world.announced = ()
    third = keys()[1]
    await pass_time(world, 61)
    assert keys()[0] == third
    assert world.orders == 5


async def test_an_account_that_the_authority_has_forgotten_is_made_anew(world: World) -> None:
    await world.issuance.look()
    problem = {"type": "urn:ietf:params:acme:error:accountDoesNotExist", "detail": "who?"}
    world.directory.replies["order"] = lambda: (400, {"Content-Type": "application/json"}, json.dumps(problem).encode())
    await pass_time(world, 61)
    del world.directory.replies["order"]
    await pass_time(world, 2)
    assert world.orders == 2
    assert world.directory.heard.count("account") >= 2


async def test_a_restart_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    await world.issuance.look()
    again = make_world(world.directory, tmp_path / "data", world.clock)
    await again.issuance.look()
    assert again.orders == 1
    assert world.directory.heard.count("account") == 1


async def test_a_state_that_is_damaged_is_as_if_there_were_none(world: World, tmp_path: Path) -> None:
    await world.issuance.look()
    (tmp_path / "data" / "acme" / HOST / "state.json").write_text('{"failures": 7')
    await world.issuance.look()
    assert world.orders == 1
