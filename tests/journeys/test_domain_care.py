"""A domain from nothing to ready: its users wait, its records are published, its postmaster is told."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from dataclasses import replace
from email.header import decode_header, make_header
from pathlib import Path

from hongyan.addresses import Domain
from hongyan.clients.source_pools import PoolOptions
from hongyan.clock import SystemClock
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.domains.dns_records import wanted_records
from hongyan.domains.options import DomainOptions
from hongyan.operations.calling import Caller
from hongyan.operations.domains import domain_operations
from tests.support.dns_server import Zone, serve_dns
from tests.support.lines import PATIENCE
from tests.support.operations import read_own
from tests.support.server import SECRET, Server, start_server

_SUBJECT = re.compile(rb"Subject: ((?:[^\r]|\r\n[ \t])*)")

OURS = Domain(DOMAIN)
HOST = f"mail.{DOMAIN}"


def require_ready(config: Config) -> Config:
    return replace(config, domains=DomainOptions(require_ready=True, check_every=6))


async def publish(server: Server, zone: Zone) -> None:
    """Write all that is wanted into the zone."""
    found: dict[str, list[str]] = {}
    for record in wanted_records(await server.app.services.domain_care.facts.facts(OURS)):
        found.setdefault(f"{record.kind} {record.name}", []).append(record.data.removeprefix("( ").removesuffix(" )"))
    zone.records.update(found)


async def submit(server: Server, recipient: str) -> bytes:
    """Send from ann; return the reply to the message."""
    smtp = await server.connect("submissions")
    await smtp.reply()
    plain = b64encode(f"\0ann@{DOMAIN}\0{SECRET}".encode()).decode()
    for line in ("EHLO x", f"AUTH PLAIN {plain}", f"MAIL FROM:<ann@{DOMAIN}>", f"RCPT TO:<{recipient}>", "DATA"):
        smtp.say(line)
        assert (await smtp.reply())[:1] in b"23"
    smtp.say(f"From: ann@{DOMAIN}\r\nSubject: Hello\r\n\r\nHello\r\n.")
    return await smtp.reply()


async def letters(server: Server, count: int) -> list[str]:
    """Return the subjects in the admin's inbox once there are so many."""
    imap = await server.imap("admin")
    async with asyncio.timeout(PATIENCE):
        while True:
            await imap.command("s", "SELECT INBOX")
            lines = await imap.command("f", "FETCH 1:* BODY.PEEK[]")
            subjects = [
                str(make_header(decode_header(field.decode()))) for field in _SUBJECT.findall(b"\r\n".join(lines))
            ]
            if len(subjects) >= count:
                return subjects
            await asyncio.sleep(0.01)


async def test_mail_waits_until_the_domain_is_ready_and_the_postmaster_is_told_of_each_change(tmp_path: Path) -> None:
    async with serve_dns() as zone, start_server(tmp_path, resolver=zone.server, change=require_ready) as server:
        care = server.app.services.domain_care
        zone.records[f"A {HOST}"] = ["192.0.2.1"]
        reply = await submit(server, "friend@faraway.test")
        assert reply.startswith(b"451 4.7.1"), reply
        assert b"SPF, DKIM, DMARC, MX, PTR" in reply
        (message,) = await read_own(server, f"ann@{DOMAIN}")
        assert (message["state"], message["steps"][0]["cause"]["name"]) == ("blocked", "not-ready")
        assert (await submit(server, f"bob@{DOMAIN}")).startswith(b"250")  # nothing leaves

        await care.care(OURS)
        assert not care.readiness.find(OURS).is_ready
        await care.care(OURS)  # says the same again: nobody is told
        await publish(server, zone)
        server.app.services.outgoing.resolver._cache.clear()  # type: ignore[attr-defined]  # time has passed
        looked = await care.care(OURS)
        assert looked.readiness.is_ready, looked.findings
        assert (await submit(server, "friend@faraway.test")).startswith(b"250")

        subjects = await letters(server, 2)
        assert len(subjects) == 2
        assert sorted("not ready" in subject for subject in subjects) == [False, True]


async def test_an_operator_sees_what_is_wrong_and_waives_it_with_a_reason(tmp_path: Path) -> None:
    async with serve_dns() as zone, start_server(tmp_path, resolver=zone.server) as server:
        operations = domain_operations(server.app.services, server.app.config, SystemClock())
        zone.records[f"A {HOST}"] = ["192.0.2.1"]
        await publish(server, zone)
        del zone.records["PTR 1.2.0.192.in-addr.arpa"]
        checked = await operations["domain.check"](Caller(), domain=DOMAIN)
        assert checked["missing"] == ["ptr"]
        assert checked["trouble"]
        waived = await operations["domain.waive"](
            Caller(), domain=DOMAIN, aspect="ptr", reason="The provider will not."
        )
        assert waived["ready"]
        again = await operations["domain.check"](Caller(), domain=DOMAIN)
        assert [waiver["reason"] for waiver in again["waivers"]] == ["The provider will not."]  # type: ignore[attr-defined]
        audit = await server.app.services.directory.audit.query(event_prefix="directory:domain:waived")
        assert audit[0].detail["aspect"] == "ptr"
        required = await operations["domain.require"](Caller(), domain=DOMAIN, aspect="ptr")
        assert not required["ready"]


async def test_the_addresses_of_a_pool_belong_to_the_records_of_whose_mail_leaves_by_it(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        pools = {
            "news": PoolOptions(("8.8.4.4",), names=(f"news.{DOMAIN}",), senders=(f"news@{DOMAIN}",)),
            "bulk": PoolOptions(("8.8.4.8/30",), names=(f"bulk-{{address}}.{DOMAIN}",), senders=(f"bulk@{DOMAIN}",)),
            "others": PoolOptions(("8.8.8.8",), senders=("elsewhere.test",)),
        }
        return replace(config, pools=pools)

    async with start_server(tmp_path / "data", change=change) as server:
        records = wanted_records(await server.app.services.domain_care.facts.facts(OURS))
    wanted = {(record.kind.value, record.name): record.data for record in records}
    assert wanted["A", f"news.{DOMAIN}"] == "8.8.4.4"
    assert wanted["PTR", "4.4.8.8.in-addr.arpa"] == f"news.{DOMAIN}."
    assert "ip4:8.8.4.4" in wanted["TXT", DOMAIN]
    assert "ip4:8.8.4.8/30" in wanted["TXT", DOMAIN]
    assert "8.8.4.9" not in wanted["TXT", DOMAIN]
    assert wanted["PTR", "9.4.8.8.in-addr.arpa"] == f"bulk-8-8-4-9.{DOMAIN}."
    assert wanted["A", f"bulk-8-8-4-10.{DOMAIN}"] == "8.8.4.10"
    assert not any("8.8.8.8" in data for data in wanted.values())
