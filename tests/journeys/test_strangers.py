"""Strangers on port 25, over real sockets: greeted late, slowed down, sent away, and known in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.config import Config
from hongyan.limits.smtp_rates import SmtpRateOptions
from hongyan.screening.dnsbl import BlockList
from hongyan.screening.dnsbl_service import DnsblOptions
from hongyan.screening.gate import GateOptions
from hongyan.screening.greylist import GreylistOptions
from hongyan.servers.proxy import ProxyOptions
from tests.support.clock import FakeClock
from tests.support.lines import Lines
from tests.support.resolver import FakeResolver
from tests.support.server import Server, start_server


def as_strangers(config: Config) -> Config:
    """Whoever comes from loopback is a stranger like any other."""
    return replace(config, smtp_rates=SmtpRateOptions(exempt_own=False))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path / "data", change=as_strangers, clock=clock) as started:
        yield started


async def pass_time(server: Server, clock: FakeClock, seconds: float) -> None:
    """Let time pass for the server, which looks once a second."""
    for _ in range(round(seconds)):
        clock.advance(1)
        server.app.wheel.turn()
        await asyncio.sleep(0)


async def is_silent(lines: Lines) -> bool:
    """Whether nothing comes, although the server had every chance."""
    for _ in range(20):
        await asyncio.sleep(0)
    return not lines.has_octets()


async def open_session(server: Server, clock: FakeClock) -> Lines:
    """Come, wait for the greeting and greet."""
    smtp = await server.connect("smtp")
    while not smtp.has_octets():
        await pass_time(server, clock, 1)
        await asyncio.sleep(0.001)
    assert (await smtp.reply()).startswith(b"220 ")
    smtp.say("EHLO mx.elsewhere.test")
    assert (await smtp.reply()).startswith(b"250 ")
    return smtp


async def test_a_stranger_waits_for_the_greeting_and_is_known_once_its_mail_was_taken(
    server: Server, clock: FakeClock
) -> None:
    smtp = await server.connect("smtp")
    await asyncio.sleep(0.05)
    assert await is_silent(smtp)
    await pass_time(server, clock, 3)
    assert (await smtp.reply()).startswith(b"220 ")
    for line in ("EHLO mx.elsewhere.test", "MAIL FROM:<friend@elsewhere.test>", "RCPT TO:<ann@hongyan.test>"):
        smtp.say(line)
        assert (await smtp.reply()).startswith(b"250")
    smtp.say("DATA")
    await smtp.reply()
    smtp.say("From: friend@elsewhere.test\r\nSubject: hello\r\n\r\nhello\r\n.")
    assert (await smtp.reply()).startswith(b"250")
    again = await server.connect("smtp")
    assert (await again.reply()).startswith(b"220 ")


async def test_who_speaks_before_the_greeting_is_refused_and_after_six_times_banned(
    server: Server, clock: FakeClock
) -> None:
    for _ in range(6):
        smtp = await server.connect("smtp")
        smtp.say("EHLO pushy.elsewhere.test")
        while not smtp.has_octets():
            await pass_time(server, clock, 1)
            await asyncio.sleep(0.001)
        (farewell,) = await smtp.ended()
        assert farewell.startswith(b"554 5.5.0 ")
    smtp = await server.connect("smtp")
    (farewell,) = await smtp.ended()
    assert farewell.startswith(b"554 5.7.1 ")
    (ban,) = server.app.services.entrance.bans.list_bans()
    assert (ban.network, ban.rule, ban.why) == (
        "127.0.0.1",
        "early-talk",
        "5 connections that spoke first within an hour",
    )
    imap = await server.imap("ann")
    await imap.command("n", "NOOP")


async def test_who_puts_commands_behind_starttls_is_not_heard_and_banned_after_six_times(
    server: Server, clock: FakeClock
) -> None:
    for _ in range(6):
        smtp = await open_session(server, clock)
        smtp.say("STARTTLS\r\nEHLO fox.elsewhere.test\r\nMAIL FROM:<fox@elsewhere.test>")
        assert (await smtp.reply()).startswith(b"220 ")
        await smtp.start_tls(server.tls)
        smtp.say("MAIL FROM:<friend@elsewhere.test>")
        assert (await smtp.reply()).startswith(b"503 ")
        smtp.say("EHLO mx.elsewhere.test")
        assert (await smtp.reply()).startswith(b"250 ")
        await smtp.close()
    (ban,) = server.app.services.entrance.bans.list_bans()
    assert (ban.network, ban.rule) == ("127.0.0.1", "early-talk")


async def test_who_guesses_names_waits_for_each_refusal(server: Server, clock: FakeClock) -> None:
    smtp = await open_session(server, clock)
    smtp.say("MAIL FROM:<friend@elsewhere.test>")
    await smtp.reply()
    for number in range(3):
        smtp.say(f"RCPT TO:<guess{number}@hongyan.test>")
        assert (await smtp.reply()).startswith(b"550 5.1.1")
    smtp.say("RCPT TO:<guess3@hongyan.test>\r\nNOOP")
    await asyncio.sleep(0.05)
    assert await is_silent(smtp)
    assert server.app.services.gatehouse.gate.tarpitted == 1
    await pass_time(server, clock, 6)
    assert (await smtp.reply()).startswith(b"550 5.1.1")
    assert (await smtp.reply()).startswith(b"250 2.0.0")
    await smtp.close()
    async with asyncio.timeout(10):
        while server.app.services.gatehouse.gate.tarpitted:
            await asyncio.sleep(0.001)


async def test_nonsense_is_answered_and_then_the_next_command_waits(server: Server, clock: FakeClock) -> None:
    smtp = await open_session(server, clock)
    for _ in range(4):
        smtp.say("GIVE ME ALL")
        assert (await smtp.reply()).startswith(b"500 ")
    smtp.say("NOOP")
    await asyncio.sleep(0.05)
    assert await is_silent(smtp)
    await pass_time(server, clock, 6)
    assert (await smtp.reply()).startswith(b"250 ")


async def test_a_stranger_with_our_name_is_refused_and_may_say_another(server: Server, clock: FakeClock) -> None:
    smtp = await open_session(server, clock)
    smtp.say("EHLO mail.hongyan.test")
    assert (await smtp.reply()).startswith(b"550 5.7.1")
    smtp.say("EHLO mx.elsewhere.test")
    assert (await smtp.reply()).startswith(b"250")


async def test_a_message_that_trickles_in_is_cut_off(server: Server, clock: FakeClock) -> None:
    smtp = await open_session(server, clock)
    for line in ("MAIL FROM:<friend@elsewhere.test>", "RCPT TO:<ann@hongyan.test>", "DATA"):
        smtp.say(line)
        await smtp.reply()
    for _ in range(190):
        if smtp.has_octets():
            break
        smtp.say("x")
        await pass_time(server, clock, 1)
        await asyncio.sleep(0.001)
    assert (await smtp.ended())[-1] == b"421 4.4.2 The message comes too slowly; closing the connection"


async def test_a_command_that_trickles_in_is_cut_off(server: Server, clock: FakeClock) -> None:
    smtp = await open_session(server, clock)
    for _ in range(320):
        if smtp.has_octets():
            break
        smtp.write(b"N")
        await pass_time(server, clock, 1)
        await asyncio.sleep(0.001)
    assert (await smtp.ended())[-1].startswith(b"421 4.4.2 ")


async def test_our_own_addresses_meet_no_gate(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        smtp = await server.connect("smtp")
        assert (await smtp.reply()).startswith(b"220 ")


async def test_a_suspicious_first_contact_is_put_off_and_its_second_try_is_taken(
    tmp_path: Path, clock: FakeClock
) -> None:
    def change(config: Config) -> Config:
        return replace(as_strangers(config), greylist=GreylistOptions(enabled=True))

    async with start_server(tmp_path / "data", change=change, clock=clock) as server:
        for expected in (b"450 4.7.1", b"250 2.1.5"):
            smtp = await open_session(server, clock)
            smtp.say("EHLO localhost")
            await smtp.reply()
            smtp.say("MAIL FROM:<friend@elsewhere.test>")
            await smtp.reply()
            smtp.say("RCPT TO:<postmaster@hongyan.test>")
            assert (await smtp.reply()).startswith(b"250 2.1.5")
            smtp.say("RCPT TO:<ann@hongyan.test>")
            assert (await smtp.reply()).startswith(expected)
            await smtp.close()
            clock.advance(300)


async def test_a_flood_for_one_account_is_put_off_and_the_others_get_their_mail(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(
            config, smtp_rates=SmtpRateOptions(exempt_own=False, account_messages=2), gate=GateOptions(enabled=False)
        )

    async with start_server(tmp_path / "data", change=change) as server:
        assert (await server.bring("ann@hongyan.test")).startswith(b"250")
        assert (await server.bring("ann@hongyan.test")).startswith(b"250")
        assert (await server.bring("ann@hongyan.test")).startswith(b"450 4.2.1 The recipient gets more mail")
        assert (await server.bring("bob@hongyan.test")).startswith(b"250")


PROXIED = b"PROXY TCP4 192.0.2.99 203.0.113.5 4000 25\r\n"


def behind_a_proxy(config: Config) -> Config:
    """Whoever comes says by the PROXY header where from; one block list is asked."""
    listen = {**config.listen, "smtp": replace(config.listen["smtp"], proxy=ProxyOptions(networks=("127.0.0.0/8",)))}
    lists = DnsblOptions(lists=(BlockList(zone="bl.test", weight=2.0),))
    return replace(config, listen=listen, dnsbl=lists)


async def bring_from_afar(server: Server, clock: FakeClock) -> bytes:
    """Let 192.0.2.99 bring ann a message; return the last reply."""
    smtp = await server.connect("smtp")
    smtp.write(PROXIED)
    while not smtp.has_octets():
        await pass_time(server, clock, 1)
        await asyncio.sleep(0.001)
    await smtp.reply()
    for line in ("EHLO mx.elsewhere.test", "MAIL FROM:<a@elsewhere.test>", "RCPT TO:<ann@hongyan.test>", "DATA"):
        smtp.say(line)
        reply = await smtp.reply()
        assert reply[:1] in b"23", reply
    smtp.say("From: a@elsewhere.test\r\nSubject: hello\r\n\r\nhello\r\n.")
    return await smtp.reply()


async def count_in(server: Server, mailbox: str) -> bytes:
    imap = await server.imap("ann")
    return (await imap.command("s", f"STATUS {mailbox} (MESSAGES)"))[0]


@pytest.fixture
async def proxied(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path / "data", change=behind_a_proxy, clock=clock) as started:
        started.app.services.gatehouse.listings.resolver = (
            FakeResolver().add_address("2.0.0.127.bl.test", "127.0.0.2").add_address("99.2.0.192.bl.test", "127.0.0.2")
        )
        yield started


async def test_mail_of_a_listed_stranger_is_refused(proxied: Server, clock: FakeClock) -> None:
    reply = await bring_from_afar(proxied, clock)
    assert reply == b"550 5.7.1 Mail from your address is refused: 192.0.2.99 is listed by bl.test"


async def test_a_listed_stranger_whose_mail_went_to_junk_is_asked_about_again(tmp_path: Path, clock: FakeClock) -> None:
    def milder(config: Config) -> Config:
        lists = DnsblOptions(lists=(BlockList(zone="bl.test", weight=1.0),))
        return replace(behind_a_proxy(config), dnsbl=lists)

    async with start_server(tmp_path / "data", change=milder, clock=clock) as server:
        server.app.services.gatehouse.listings.resolver = (
            FakeResolver().add_address("2.0.0.127.bl.test", "127.0.0.2").add_address("99.2.0.192.bl.test", "127.0.0.2")
        )
        assert (await bring_from_afar(server, clock)).startswith(b"250 ")
        clock.advance(1801)  # what the list said is not remembered for longer
        assert (await bring_from_afar(server, clock)).startswith(b"250 ")
        assert await count_in(server, "Junk") == b'* STATUS "Junk" (MESSAGES 2)'


async def test_mail_from_a_network_that_the_account_knows_as_bad_is_filed_in_junk(
    proxied: Server, clock: FakeClock
) -> None:
    gatehouse = proxied.app.services.gatehouse
    gatehouse.listings.resolver = FakeResolver()
    ann = await proxied.account("ann")
    for _ in range(8):
        await gatehouse.reputation.note(ann.account_id, None, None, "192.0.2.99", good=False)
    assert (await bring_from_afar(proxied, clock)).startswith(b"250")
    assert await count_in(proxied, "Junk") == b'* STATUS "Junk" (MESSAGES 1)'
