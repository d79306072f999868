"""Who sent this: SPF, DKIM, ARC and DMARC of mail that comes to a running server, and what is made of it."""

from __future__ import annotations

import contextlib
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hongyan.addresses import Address, Domain
from hongyan.config import Config
from hongyan.inbound.origin import Origin, OriginServices
from hongyan.mailauth.author import UnfitAuthor, read_author
from hongyan.mailauth.dkim import SigningKey, sign_message
from hongyan.screening.origin import OriginOptions
from tests.support.arc import Relay, add_chain
from tests.support.clock import FakeClock
from tests.support.dns_server import Zone, serve_dns
from tests.support.resolver import FakeResolver
from tests.support.server import DOMAIN, SECRET, Server, start_server

ANN = f"ann@{DOMAIN}"
HERE = "mail.hongyan.test"


@contextlib.asynccontextmanager
async def serving(folder: Path, **origin: Any) -> AsyncIterator[tuple[Server, Zone]]:
    """A server whose DNS the test writes, with these settings of `[origin]`."""

    def change(config: Config) -> Config:
        return replace(config, origin=OriginOptions(**origin))

    async with serve_dns() as zone, start_server(folder, resolver=zone.server, change=change) as server:
        zone.records["TXT elsewhere.test"] = ['"v=spf1 ip4:127.0.0.1 -all"']
        zone.records["TXT forged.test"] = ['"v=spf1 ip4:192.0.2.1 -all"']
        zone.records["TXT _dmarc.strict.test"] = ['"v=DMARC1; p=reject"']
        zone.records["TXT _dmarc.careful.test"] = ['"v=DMARC1; p=quarantine"']
        yield server, zone


async def bring(server: Server, message: str | bytes, *, sender: str = "friend@elsewhere.test", to: str = ANN) -> bytes:
    """Let another server bring a message; return the last reply."""
    octets = message.replace("\n", "\r\n").encode() if isinstance(message, str) else message
    smtp = await server.connect("smtp")
    await smtp.reply()
    for line in ("EHLO relay.elsewhere.test", f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"):
        smtp.say(line)
        reply = await smtp.reply()
        assert reply[:1] in b"23", reply
    smtp.write(octets + b"\r\n.\r\n")
    reply = await smtp.reply()
    await smtp.close()
    return reply


async def fetch(server: Server, what: str, mailbox: str = "INBOX", *, name: str = "ann") -> str:
    """Return what FETCH tells of the only message of a mailbox, unfolded."""
    imap = await server.imap(name)
    assert b"* 1 EXISTS" in await imap.command("s", f"SELECT {mailbox}")
    lines = await imap.command("f", f"FETCH 1 {what}")
    return b"\n".join(lines).decode().replace("\n\t", " ").replace("\r\n\t", " ")


async def results(server: Server, mailbox: str = "INBOX") -> str:
    return await fetch(server, "BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS)]", mailbox)


async def test_a_message_from_where_its_domain_says_passes(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, zone):
        zone.records["TXT _dmarc.elsewhere.test"] = ['"v=DMARC1; p=reject"']
        assert (await bring(server, "From: Friend <friend@elsewhere.test>\n\nHonk.")).startswith(b"250")
        told = await results(server)
    assert f"Authentication-Results: {HERE}; spf=pass" in told
    assert "smtp.mailfrom=friend@elsewhere.test" in told
    assert "dmarc=pass" in told
    assert "header.from=elsewhere.test" in told


async def test_a_message_that_its_author_s_policy_refuses_is_refused_and_not_stored(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):
        reply = await bring(server, "From: boss@strict.test\n\nPay this.")
        imap = await server.imap("ann")
        assert b"* 0 EXISTS" in await imap.command("s", "SELECT INBOX")
    assert reply.startswith(b"550 5.7.26")
    assert b"strict.test" in reply


async def test_a_message_that_its_author_s_policy_suspects_goes_to_junk(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):
        assert (await bring(server, "From: boss@careful.test\n\nPay this.")).startswith(b"250")
        told = await results(server, "Junk")
        imap = await server.imap("ann")
        assert b"* 0 EXISTS" in await imap.command("s", "SELECT INBOX")
    assert "dmarc=fail" in told
    assert "policy.dmarc=quarantine" in told


async def test_spf_of_the_name_in_helo_vouches_for_no_author(tmp_path: Path) -> None:
    """A null reverse-path says nothing of the author, whoever may send under the name in HELO (RFC 9989 §4.4.2)."""
    async with serving(tmp_path) as (server, zone):
        zone.records["TXT relay.elsewhere.test"] = ['"v=spf1 ip4:127.0.0.1 -all"']
        zone.records["TXT _dmarc.elsewhere.test"] = ['"v=DMARC1; p=reject"']
        reply = await bring(server, "From: boss@elsewhere.test\n\nPay this.", sender="")
    assert reply.startswith(b"550 5.7.26")


@pytest.mark.parametrize(("dmarc", "mailbox"), [("junk", "Junk"), ("note", "INBOX")])
async def test_an_operator_may_be_milder_than_the_policy(tmp_path: Path, dmarc: str, mailbox: str) -> None:
    async with serving(tmp_path, dmarc=dmarc) as (server, _):
        assert (await bring(server, "From: boss@strict.test\n\nPay this.")).startswith(b"250")
        assert "dmarc=fail" in await results(server, mailbox)


async def test_a_signature_vouches_for_the_author_whatever_way_a_message_comes(tmp_path: Path) -> None:
    key = SigningKey("strict.test", "s1", Ed25519PrivateKey.generate())
    message = b"From: boss@strict.test\r\nSubject: real\r\n\r\nPay this.\r\n"
    message = sign_message(message, [key], datetime.now(UTC)) + message
    async with serving(tmp_path) as (server, zone):
        publish(zone, key)
        assert (await bring(server, message, sender="list@forged.test")).startswith(b"250")
        told = await results(server)
    assert "spf=fail" in told
    assert "dkim=pass header.d=strict.test" in told
    assert "dmarc=pass" in told


async def test_a_signature_of_a_large_message_is_read_while_it_comes(tmp_path: Path) -> None:
    key = SigningKey("strict.test", "s1", Ed25519PrivateKey.generate())
    message = b"From: boss@strict.test\r\n\r\n" + b"A long line of text, as there are many.\r\n" * 40_000
    signed = sign_message(message, [key], datetime.now(UTC)) + message
    async with serving(tmp_path) as (server, zone):
        publish(zone, key)
        assert (await bring(server, signed[:-2])).startswith(b"250")
        assert (await bring(server, signed + b"One line more.")).startswith(b"550 5.7.26")


async def test_a_signature_below_a_very_long_header_is_read_once_all_is_there(tmp_path: Path) -> None:
    key = SigningKey("strict.test", "s1", Ed25519PrivateKey.generate())
    message = b"From: boss@strict.test\r\n\r\n" + b"A long line of text, as there are many.\r\n" * 5_000
    signed = b"X-Long: header\r\n" * 5_000 + sign_message(message, [key], datetime.now(UTC)) + message
    async with serving(tmp_path) as (server, zone):
        publish(zone, key)
        assert (await bring(server, signed[:-2])).startswith(b"250")
        assert (await bring(server, signed + b"One line more.")).startswith(b"550 5.7.26")


async def test_spf_that_fails_alone_leads_to_junk_or_to_where_the_operator_says(tmp_path: Path) -> None:
    message = "From: friend@forged.test\n\nHonk."
    async with serving(tmp_path / "default") as (server, _):
        assert (await bring(server, message, sender="friend@forged.test")).startswith(b"250")
        assert "spf=fail" in await results(server, "Junk")
    async with serving(tmp_path / "strict", spf_fail="reject") as (server, zone):
        zone.records["TXT forged.test"] = ['"v=spf1 -all exp=why.forged.test"']
        zone.records["TXT why.forged.test"] = ['"ask %{d} about it"']
        reply = await bring(server, message, sender="friend@forged.test")
    assert reply.startswith(b"550 5.7.23")
    assert b"forged.test explains: ask forged.test about it" in reply


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("Subject: nobody", b"no From field"),
        ("From: a@elsewhere.test\nFrom: b@strict.test", b"more than one From field"),
        ("From: undisclosed", b"no address with a domain"),
        ("From: a@[192.0.2.1]", b"an IP address"),
        ("From: " + ", ".join(f"a@d{n}.test" for n in range(9)), b"too many domains"),
    ],
)
async def test_a_message_without_one_author_that_can_be_answered_is_refused(
    tmp_path: Path, header: str, sentence: bytes
) -> None:
    async with serving(tmp_path) as (server, _):
        reply = await bring(server, f"{header}\n\nHonk.")
    assert reply.startswith(b"550 5.7.1")
    assert sentence in reply


async def test_whoever_is_locked_out_can_write_to_the_postmaster(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):
        reply = await bring(server, "From: boss@strict.test\n\nYou refuse my mail.", to=f"postmaster@{DOMAIN}")
        assert reply.startswith(b"250")
        assert "dmarc=fail" in await fetch(
            server, "BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS)]", "Junk", name="admin"
        )


async def test_when_the_dns_is_silent_mail_is_taken_and_the_results_say_so(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, zone):
        zone.silent = True
        assert (await bring(server, "From: boss@strict.test\n\nHonk.")).startswith(b"250")
        told = await results(server)
    assert "spf=temperror" in told
    assert "dmarc=temperror" in told


async def test_a_relay_of_ours_is_not_judged_by_its_address(tmp_path: Path) -> None:
    async with serving(tmp_path, trusted_networks=("127.0.0.0/8",)) as (server, _):
        assert (await bring(server, "From: boss@strict.test\n\nHonk.", sender="x@forged.test")).startswith(b"250")
        told = await results(server)
    assert "spf=" not in told
    assert "dmarc=fail" in told


@pytest.mark.parametrize(("trusted", "code"), [(("lists.test",), b"250"), ((), b"550"), (("other.test",), b"550")])
async def test_a_sealer_that_is_trusted_may_say_that_it_saw_dmarc_pass(
    tmp_path: Path, trusted: tuple[str, ...], code: bytes
) -> None:
    relay = Relay(
        SigningKey("lists.test", "arc", Ed25519PrivateKey.generate()),
        results="lists.test; dmarc=pass header.from=strict.test",
    )
    header, body = b"From: boss@strict.test\r\nSubject: [list] real\r\n\r\n", b"Pay this.\r\n"
    async with serving(tmp_path, trusted_sealers=trusted) as (server, zone):
        publish(zone, relay.key)
        reply = await bring(server, add_chain(header, body, [relay]) + body[:-2])
    assert reply.startswith(code)


FORGED = f"""Authentication-Results: {HERE}; dkim=pass header.d=bank.test
Subject: forged
authentication-results: (why)
 {HERE.upper()} ; dmarc=pass
From: Friend <friend@elsewhere.test>
Authentication-Results: mx.elsewhere.test; dkim=pass header.d=elsewhere.test
Content-Type: text/plain

The first line of it.
"""


async def test_results_that_pretend_to_be_ours_are_kept_and_never_served(tmp_path: Path) -> None:
    large = FORGED + "Another line, and so on, and so on.\n" * 40_000
    async with serving(tmp_path) as (server, _):
        for message in (FORGED, large):
            assert (await bring(server, message)).startswith(b"250")
        imap = await server.imap("ann")
        await imap.command("s", "SELECT INBOX")
        for number, message in enumerate((FORGED, large), 1):
            whole = b"\r\n".join(await imap.command("w", f"FETCH {number} BODY.PEEK[]"))
            assert whole.lower().count(b"authentication-results:") == 2
            assert b"bank.test" not in whole
            assert b"mx.elsewhere.test" in whole
            assert b"The first line of it." in whole
            (line,) = [one for one in await imap.command("z", f"FETCH {number} RFC822.SIZE") if b"SIZE" in one]
            size = int(line.rpartition(b"SIZE ")[2].rstrip(b")"))
            assert f"BODY[] {{{size}}}".encode() in whole
            text = b"\r\n".join(await imap.command("t", f"FETCH {number} BODY.PEEK[TEXT]<0.22>"))
            assert b"{22}\r\nThe first line of it.\r" in text
            expected = message.partition("\n\n")[2].replace("\n", "\r\n").encode() + b"\r\n"
            assert f"BODY[1] {{{len(expected)}}}".encode() in b"\r\n".join(
                await imap.command("p", f"FETCH {number} BODY.PEEK[1]")
            )
        assert b"* SEARCH" in await imap.command("h", 'SEARCH HEADER Authentication-Results "bank.test"')
        assert b"* SEARCH 1 2" in await imap.command("h", 'SEARCH HEADER Authentication-Results "mx.elsewhere"')
        assert b"* SEARCH 1 2" in await imap.command("h", 'SEARCH BODY "first line of it"')
        messages = await retrieve(server, 2)
    for message in messages:
        assert b"bank.test" not in message
        assert message.count(b"mx.elsewhere.test") == 1
        assert b"\r\n\r\nThe first line of it.\r\n" in message
        assert message.startswith(b"Return-Path: <friend@elsewhere.test>\r\nAuthentication-Results: " + HERE.encode())


def publish(zone: Zone, key: SigningKey) -> None:
    """Let the zone hold a key's record."""
    public = b64encode(key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    zone.records[f"TXT {key.selector}._domainkey.{key.domain}"] = [f'"k=ed25519; p={public}"']


async def retrieve(server: Server, count: int) -> list[bytes]:
    """Return the first messages as POP3 gives them."""
    pop3 = await server.connect("pop3s")
    await pop3.line()
    for command in (f"USER {ANN}", f"PASS {SECRET}"):
        pop3.say(command)
        assert (await pop3.line()).startswith(b"+OK")
    messages = []
    for number in range(1, count + 1):
        pop3.say(f"RETR {number}")
        assert (await pop3.line()).startswith(b"+OK")
        lines = []
        while (line := await pop3.line()) != b".":
            lines.append(line)
        messages.append(b"\r\n".join(lines))
    return messages


@pytest.mark.parametrize(("fields", "beside"), [(1, False), (2000, True)])
async def test_thousands_of_authors_are_read_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch, fields: int, beside: bool
) -> None:
    readers: list[threading.Thread] = []

    def note(header: bytes) -> tuple[tuple[Domain, ...] | UnfitAuthor, Address | None]:
        readers.append(threading.current_thread())
        return read_author(header)

    monkeypatch.setattr("hongyan.inbound.origin.read_author", note)
    services = OriginServices(resolver=FakeResolver(), clock=FakeClock(), hostname=HERE, seconds=20)
    origin = Origin(services, "192.0.2.1", "x.test", None, asks_spf=False)
    octets = b"From: a@b.test\r\n" * fields + b"\r\nbody\r\n"
    origin.add(octets)
    found = await origin.find(octets)
    assert isinstance(found.authors, UnfitAuthor) is beside
    assert (readers[0] is not threading.main_thread()) is beside
