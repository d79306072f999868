"""DANE where the signatures are real: BIND signs, Unbound validates, Postfix and Exim are the other servers."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.authority import Authority, tlsa
from tests.support.dnssec import SignedDns, SignedZone, start_signed_dns
from tests.support.exim import Exim, start_exim
from tests.support.ports import free_addresses
from tests.support.postfix import Postfix, start_postfix
from tests.support.public import (
    HOSTNAME,
    WRITER,
    count_sessions,
    our_zone,
    serve_policy,
    serve_publicly,
    submit,
    wait_for_mail,
    wait_for_outcome,
)
from tests.support.server import in_thread
from tests.support.smtp_peer import SmtpPeer

pytestmark = [pytest.mark.interop, pytest.mark.root]

GEESE, FOXES = Authority(), Authority("Foxes")
SENDER = "gander@right.test"
DOMAINS = ("right.test", "root.test", "wrong.test", "tampered.test", "lost.test", "unsigned.test", "policy.test")
STOLEN = ("stolen.test", "held.test")
CHAIN = GEESE.issue(*(f"mx.{domain}" for domain in DOMAINS))
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.policy.test\r\nmx: mx.held.test\r\nmax_age: 604800\r\n"


@dataclass(frozen=True)
class World:
    """Who is where."""

    dns: SignedDns
    ours: str
    theirs: str
    """Another program is here, as it should be."""
    stolen: str
    """Somebody else answers here, for the domains `STOLEN`."""
    peer: str
    policy: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    ours, theirs, stolen, peer, policy = free_addresses(5)
    key, root = tlsa(3, 1, 1, CHAIN.certificate), tlsa(2, 0, 1, GEESE.root.certificate)
    fox = tlsa(3, 1, 1, FOXES.signer.certificate)
    host = ["@ MX 10 mx", f"mx A {theirs}"]
    known = [*host, f"_25._tcp.mx TLSA 3 1 1 {key.data.hex()}"]
    stranger = [*host, f"_25._tcp.mx TLSA 3 1 1 {fox.data.hex()}"]
    thieves = ["@ MX 10 mx", f"mx A {stolen}"]
    has_policy = ['_mta-sts TXT "v=STSv1; id=1"', f"mta-sts A {policy}"]
    hostile = ["@ MX 10 mx", f"mx A {peer}", f"_25._tcp.mx TLSA 3 1 1 {key.data.hex()}"]
    zones = [
        our_zone(ours),
        SignedZone("right.test", known),
        SignedZone("root.test", [*host, f"_25._tcp.mx TLSA 2 0 1 {root.data.hex()}"]),
        SignedZone("wrong.test", stranger),
        SignedZone("tampered.test", known, tampered="TLSA"),
        SignedZone("lost.test", known, tampered="A"),
        SignedZone("unsigned.test", stranger, is_signed=False),
        SignedZone("policy.test", [*host, *has_policy], is_signed=False),
        SignedZone("stolen.test", [*thieves, f"_25._tcp.mx TLSA 3 1 1 {key.data.hex()}"]),
        SignedZone("held.test", [*thieves, *has_policy], is_signed=False),
        SignedZone("hostile.test", hostile),
    ]
    with start_signed_dns(tmp_path_factory.mktemp("dns"), zones) as dns:
        yield World(dns, ours, theirs, stolen, peer, policy)


@contextlib.contextmanager
def run_postfix(dns: SignedDns, host: str, domains: Sequence[str], chain: Path) -> Iterator[Postfix]:
    """Run Postfix on an address; it sends to none but hosts that DANE vouches for."""
    shown = [f"smtpd_tls_chain_files = {chain}", "smtpd_tls_security_level = may", f"smtp_bind_address = {host}"]
    with start_postfix(
        domains=domains,
        hostname=f"mx.{domains[0]}",
        tls="dane-only",
        extra=shown,
        at=(host, 25),
        resolver=dns.address,
    ) as postfix:
        yield postfix


@contextlib.contextmanager
def run_exim(dns: SignedDns, host: str, domains: Sequence[str], chain: Path) -> Iterator[Exim]:
    """Run Exim on an address; it sends to none but hosts that DANE vouches for."""
    with start_exim(
        host=host,
        resolver=dns.address,
        chain=chain,
        domains=domains,
        hostname=f"mx.{domains[0]}",
        sending=["hosts_require_dane = *"],
    ) as exim:
        yield exim


Program = Callable[[SignedDns, str, Sequence[str], Path], contextlib.AbstractContextManager[Postfix | Exim]]
PROGRAMS: dict[str, Program] = {"postfix": run_postfix, "exim": run_exim}


@pytest.fixture(scope="module", params=list(PROGRAMS.values()), ids=list(PROGRAMS))
def other(request: pytest.FixtureRequest, world: World) -> Iterator[Postfix | Exim]:
    """The other server, as it should be."""
    with request.param(world.dns, world.theirs, DOMAINS, CHAIN.write()) as running:
        yield running


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        ("right.test", "tlsa"),
        ("root.test", "tlsa"),
        ("unsigned.test", "no-policy-found"),  # its record is wrong, and nobody vouches for it
        ("policy.test", "sts"),
    ],
)
async def test_mail_goes_out_by_what_the_domain_is_known_by(
    world: World, other: Postfix | Exim, tmp_path: Path, domain: str, kind: str
) -> None:
    before, sessions = len(other.messages()), count_sessions(kind)
    async with (
        serve_policy(world.policy, POLICY, GEESE.server("mta-sts.policy.test")) as (port, _),
        serve_publicly(tmp_path, world.dns, world.ours, authorities=GEESE.file(), policy_port=port) as server,
    ):
        await submit(server, f"goose@{domain}", "honk")
        messages = await in_thread(lambda: other.wait_for_messages(before + 1))
    assert b"Subject: honk\n" in messages[-1]
    assert b"TLSv1.3" in messages[-1] or b"TLS1.3" in messages[-1]
    assert count_sessions(kind) > sessions


@pytest.mark.parametrize(
    ("domain", "cause"),
    [
        ("wrong.test", "TLSA"),
        ("tampered.test", "TLSA"),
        ("lost.test", "looked up"),
    ],
)
async def test_mail_waits_where_signed_records_do_not_fit_or_signatures_do_not_hold(
    world: World, other: Postfix | Exim, tmp_path: Path, domain: str, cause: str
) -> None:
    before = len(other.messages())
    async with serve_publicly(tmp_path, world.dns, world.ours, authorities=GEESE.file()) as server:
        await submit(server, f"goose@{domain}", "honk")
        told = await wait_for_outcome(tmp_path)
    assert cause in told
    assert len(other.messages()) == before
    assert f"goose@{domain}" not in other.log


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
@pytest.mark.parametrize("domain", STOLEN)
async def test_mail_waits_where_somebody_else_answers(
    world: World, program: Program, tmp_path: Path, domain: str
) -> None:
    forged = FOXES.issue(f"mx.{domain}").write()
    with program(world.dns, world.stolen, STOLEN, forged) as impostor:
        async with (
            serve_policy(world.policy, POLICY, GEESE.server("mta-sts.held.test")) as (port, _),
            serve_publicly(tmp_path, world.dns, world.ours, authorities=GEESE.file(), policy_port=port) as server,
        ):
            await submit(server, f"goose@{domain}", "honk")
            told = await wait_for_outcome(tmp_path)
        assert ("DANE" if domain == "stolen.test" else "MTA-STS") in told
        assert not impostor.messages()


@pytest.mark.parametrize("way", ["no STARTTLS", "refuses STARTTLS", "injects replies", "another key"])
async def test_a_hostile_host_of_a_signed_domain_gets_nothing(world: World, tmp_path: Path, way: str) -> None:
    peer = SmtpPeer(host=world.peer, port=25)
    if way != "no STARTTLS":
        peer.tls = FOXES.server("mx.hostile.test")
    if way == "refuses STARTTLS":
        peer.script("STARTTLS", "454 4.7.0 Not now")
    if way == "injects replies":
        peer.after_starttls = b"250-mx.hostile.test\r\n250 OK\r\n250 OK\r\n250 OK\r\n354 OK\r\n250 OK\r\n"
    async with peer, serve_publicly(tmp_path, world.dns, world.ours) as server:
        await submit(server, "goose@hostile.test", "honk")
        assert "DANE" in await wait_for_outcome(tmp_path)
    assert not {"MAIL", "RCPT", "DATA", "BDAT"} & set(peer.verbs)
    assert not peer.messages


# -- the other way -----------------------------------------------------------------------------------------------------


def send(host: str, recipient: str) -> None:
    """Give a program a message for one of us."""
    with smtplib.SMTP(host, 25) as smtp:
        smtp.sendmail(SENDER, [recipient], f"From: {SENDER}\r\nSubject: honk\r\n\r\nHonk.\r\n")


async def test_others_know_us_by_the_record_that_we_print(world: World, other: Postfix | Exim, tmp_path: Path) -> None:
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await in_thread(lambda: send(world.theirs, WRITER))
        (message,) = await wait_for_mail(server, 1)
    assert b"with ESMTPS id" in message


async def test_others_bring_nothing_where_our_certificate_is_not_that_of_the_record(
    world: World, other: Postfix | Exim, tmp_path: Path
) -> None:
    digest = tlsa(3, 1, 1, FOXES.signer.certificate).data.hex()
    refusal = "Server certificate not verified" if isinstance(other, Postfix) else "DANE attempt failed"
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await in_thread(lambda: world.dns.publish("hongyan.test", f"_25._tcp.{HOSTNAME}. IN TLSA 3 1 1 {digest}"))
        await in_thread(lambda: send(world.theirs, "bob@hongyan.test"))
        await in_thread(lambda: other.wait_for_log(refusal, 20))
        imap = await server.imap("bob")
        assert b"* 0 EXISTS" in await imap.command("s", "SELECT INBOX")
