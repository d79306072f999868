"""An account is stolen: spam goes out, the server notices, the owner is told, an operator lets mail flow again."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.assembly.ground import Ground
from hongyan.audit.events import CLI, AuditEvent
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.errors import Unavailable
from hongyan.operations.calling import Caller, Document
from hongyan.operations.operations import Operations
from hongyan.queue.acts import QueueActs
from hongyan.screening.origin import OriginOptions
from hongyan.servers.wheel import Wheel
from hongyan.store.audit import LoginKind
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.messages import Column
from hongyan.store.queue import Selection
from hongyan.store.sending import Hold, Trigger
from tests.support.cli import Cli, Result
from tests.support.dns_server import serve_dns
from tests.support.lines import PATIENCE, Lines
from tests.support.server import SECRET, Server, in_thread, start_server
from tests.support.smtp_peer import OK, SmtpPeer

LATER = "451 4.3.0 Later"


class Sender:
    """A mail program that is logged in and sends."""

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines = lines
        self._name = name

    async def send(self, recipients: Sequence[str], body: str = "Honk.", fields: str = "") -> bytes:
        """Submit a message; return the last reply."""
        lines = self._lines
        lines.say(f"MAIL FROM:<{self._name}@{DOMAIN}>")
        assert (await lines.reply()).startswith(b"250")
        for recipient in recipients:
            lines.say(f"RCPT TO:<{recipient}>")
            reply = await lines.reply()
            assert reply.startswith(b"250"), reply
        lines.say("DATA")
        await lines.reply()
        lines.say(f"From: {self._name}@{DOMAIN}\r\nSubject: hi\r\n{fields}\r\n{body}\r\n.")
        return await lines.reply()


async def log_in(server: Server, name: str = "ann") -> Sender:
    lines = await server.connect("submissions")
    await lines.reply()
    lines.say("EHLO program.example")
    await lines.reply()
    lines.say("AUTH PLAIN " + b64encode(f"\0{name}@{DOMAIN}\0{SECRET}".encode()).decode())
    assert (await lines.reply()).startswith(b"235")
    return Sender(lines, name)


async def operate(server: Server, name: str, **parameters: object) -> Document:
    """Do what an operator does by the command line."""
    app = server.app
    ground = Ground(app.config, app.engines, app._clock, app._random, Wheel(app._clock))
    return await Operations(ground, app.services).call(name, parameters, Caller(CLI))


async def states(server: Server) -> dict[str, str]:
    """Return the state of each recipient in the queue."""
    answer = await operate(server, "queue.list")
    messages = answer["messages"]
    assert isinstance(messages, list)
    recipients = [one for message in messages for one in message["recipients"]]
    return {one["address"]: one["state"] for one in recipients if not one["address"].endswith(f"@{DOMAIN}")}


def strangers(first: int, count: int) -> list[str]:
    return [f"stranger{number}@victims.test" for number in range(first, first + count)]


async def test_a_stolen_account_is_held_its_owner_told_and_after_release_mail_flows(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        peer.script("RCPT", LATER)
        thief = await log_in(server)
        # Thirty strangers within an hour are let pass; the next are refused, and who goes on is no person.
        assert (await thief.send(strangers(0, 30))).startswith(b"250")
        refused = await thief.send(strangers(30, 10))
        assert refused.startswith(b"450 4.7.1 At most 30 new recipients within an hour are allowed, of which 30")
        assert b"try again in" in refused
        held = await thief.send(strangers(40, 15))
        assert held.startswith(b"450 4.7.1 Sending from this account is on hold")
        assert b"first-time-recipients" in held
        # Neither to strangers nor to colleagues goes anything now, and what waited is held.
        assert (await thief.send([f"bob@{DOMAIN}"])).startswith(b"450 4.7.1 Sending")
        assert set((await states(server)).values()) == {"held"}
        # The owner reads the notice by IMAP, in both languages; so does postmaster.
        notice = await read_inbox(server, "ann")
        assert "Sending from your account" in notice
        assert "您的账户" in notice
        assert "具体情况：一小时内要求发给 55 个从未联系过的收件人" in notice
        assert "hongyan account release ann@hongyan.test" in await read_inbox(server, "admin")
        (account,) = (await operate(server, "account.held"))["accounts"]  # type: ignore[misc]  # a list
        assert (account["address"], account["trigger"]) == (f"ann@{DOMAIN}", "first-time-recipients")
        # The operator releases it.
        peer.script("RCPT", OK)
        released = await operate(server, "account.release", address=f"ann@{DOMAIN}", reason="password changed")
        assert released["recipients"] == 30
        await operate(server, "queue.retry")
        async with asyncio.timeout(PATIENCE):
            while sum(len(message.recipients) for message in peer.messages) < 30:
                await asyncio.sleep(0.002)
        # The same evidence does not hold it again; the quota still stands.
        owner = await log_in(server)
        assert (await owner.send(strangers(60, 15))).startswith(b"450 4.7.1 At most 30")
        assert (await owner.send([f"bob@{DOMAIN}"])).startswith(b"250")
        events = [entry.event for entry in await server.app.services.directory.audit.query(event_prefix="limits:")]
        assert events == ["limits:sending:released", "limits:sending:held"]


async def test_a_hold_that_was_cut_short_by_a_kill_is_carried_out_at_the_next_start(tmp_path: Path) -> None:
    async with SmtpPeer() as peer:
        peer.script("RCPT", LATER)
        async with start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
            assert (await (await log_in(server)).send(strangers(0, 3))).startswith(b"250")
            directory, sending = server.app.services.directory, server.app.services.sending
            account = (await directory.accounts.get(Address.parse(f"ann@{DOMAIN}"))).account_id
            # What is stored when the process is killed between the account's row and the queue's.
            hold = Hold(Trigger.OPERATOR, "asked to", "cli", server.app.services.mail.clock.now())
            entry = directory.audit.entry(AuditEvent.SENDING_HELD, CLI, account=account)
            assert await sending.store.hold(account, hold, audit=entry)
            assert "held" not in (await states(server)).values()
        async with start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
            assert set((await states(server)).values()) == {"held"}


async def test_who_is_held_as_the_process_is_killed_is_told_after_the_next_start_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object, **__: object) -> int:
        raise asyncio.CancelledError

    async with start_server(tmp_path) as server:
        server.app.services.outgoing.worker.stop()  # Nothing is delivered any more,
        monkeypatch.setattr(QueueActs, "hold", die)  # and nothing comes after the unit that holds the account.
        account = (await server.account("ann")).account_id
        with pytest.raises(asyncio.CancelledError):
            await server.app.services.sending.holds.hold(account, Trigger.OPERATOR, "asked to", CLI)
    monkeypatch.undo()
    for _ in range(2):
        async with start_server(tmp_path) as server:
            assert "asked to" in await read_inbox(server, "ann")
            assert "account release" in await read_inbox(server, "admin")
            async with asyncio.timeout(PATIENCE):
                while await server.app.services.outgoing.store.list_messages(Selection()):
                    await asyncio.sleep(0.002)
            assert (await count_inbox(server, "ann"), await count_inbox(server, "admin")) == (1, 1)


async def test_a_release_that_was_cut_short_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        peer.script("RCPT", LATER)
        assert (await (await log_in(server)).send(strangers(0, 3))).startswith(b"250")
        await operate(server, "account.hold", address=f"ann@{DOMAIN}", reason="asked to")

        async def fail(*_: object, **__: object) -> int:
            raise Unavailable(cause="the database is away")

        with monkeypatch.context() as broken:
            broken.setattr(QueueActs, "release", fail)
            with pytest.raises(Unavailable):
                await operate(server, "account.release", address=f"ann@{DOMAIN}", reason="all is well")
        released = await operate(server, "account.release", address=f"ann@{DOMAIN}", reason="all is well")
        assert released["recipients"] == 3


async def read_inbox(server: Server, name: str) -> str:
    """Return the text of the first message in an INBOX, when it is there, read by IMAP."""
    async with asyncio.timeout(PATIENCE):
        while not await count_inbox(server, name):
            await asyncio.sleep(0.002)
    imap = await server.imap(name)
    await imap.command("b", "SELECT INBOX")
    answer = b"\r\n".join(line.rstrip(b"\r\n") for line in await imap.command("c", "FETCH 1 BODY.PEEK[]"))
    head, _, literal = answer.partition(b"}\r\n")
    octets = literal[: int(head.rpartition(b"{")[2])]
    return str(message_from_bytes(octets, policy=default).get_content())


async def count_inbox(server: Server, name: str) -> int:
    account = (await server.account(name)).account_id
    return len(await server.app.services.mail.messages.rows(account, INBOX_ID, (Column.BLOB,), [(1, 100)]))


async def bring_question(server: Server, reverse_path: str = "friend@elsewhere.test") -> bytes:
    """Let another server bring a message that can be answered."""
    smtp = await server.connect("smtp")
    await smtp.reply()
    for line in (
        *("EHLO elsewhere.test", f"MAIL FROM:<{reverse_path}>", f"RCPT TO:<ann@{DOMAIN}>", "DATA"),
        "From: friend@elsewhere.test\r\nMessage-ID: <question@elsewhere.test>\r\n\r\nWell?\r\n.",
    ):
        smtp.say(line)
        reply = await smtp.reply()
    return reply


async def put_into_inbox(server: Server, message_id: str) -> None:
    """Append a message, as a thief who wants to have something to answer."""
    imap = await server.imap("ann")
    octets = f"From: friend@elsewhere.test\r\nMessage-ID: <{message_id}>\r\n\r\nx"
    imap.say(f"z APPEND INBOX {{{len(octets)}+}}\r\n{octets}")
    await imap.until(b"z OK")


async def test_replies_and_colleagues_count_for_no_quota(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, origin=OriginOptions())

    async with (
        SmtpPeer() as peer,
        serve_dns() as zone,
        start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", resolver=zone.server, change=change) as server,
    ):
        # Who wrote is known where SPF vouches for it.
        zone.records["TXT elsewhere.test"] = ['"v=spf1 ip4:127.0.0.1 -all"']
        await operate(
            server, "account.limits", address=f"ann@{DOMAIN}", messages_per_day=1, first_per_day=1, first_per_hour=1
        )
        assert (await bring_question(server)).startswith(b"250")
        sender = await log_in(server)
        assert (await sender.send(["first@elsewhere.test"])).startswith(b"250")
        assert (await sender.send(["second@elsewhere.test"])).startswith(b"450")
        assert (await sender.send(["first@elsewhere.test"])).startswith(b"450 4.7.1 At most 1 messages within a day")
        assert (await sender.send([f"bob@{DOMAIN}"] * 3)).startswith(b"250")
        # An answer is one to a message that was delivered, and goes to who wrote it.
        answer = "In-Reply-To: <question@elsewhere.test>\r\n"
        assert (await sender.send(["friend@elsewhere.test"])).startswith(b"450")
        assert (await sender.send(["friend@elsewhere.test"], fields="In-Reply-To: <made@up>\r\n")).startswith(b"450")
        assert (await sender.send(["second@elsewhere.test"], fields=answer)).startswith(b"450")
        assert (await sender.send(["Friend+x@elsewhere.test"], fields=answer)).startswith(b"250")
        await put_into_inbox(server, "forged@own.test")
        forged = "In-Reply-To: <forged@own.test>\r\n"
        assert (await sender.send(["friend@elsewhere.test"], fields=forged)).startswith(b"450")
        usage = await operate(server, "account.sending", address=f"ann@{DOMAIN}")
        assert usage["used"] == {"messages_per_day": 1, "first_per_day": 1, "first_per_hour": 1}


async def test_an_answer_to_the_author_of_mail_from_a_service_is_a_reply(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, origin=OriginOptions())

    async with (
        SmtpPeer() as peer,
        serve_dns() as zone,
        start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", resolver=zone.server, change=change) as server,
    ):
        zone.records["TXT bounces.elsewhere.test"] = ['"v=spf1 ip4:127.0.0.1 -all"']
        zone.records["TXT _dmarc.elsewhere.test"] = ['"v=DMARC1; p=reject"']
        await operate(
            server, "account.limits", address=f"ann@{DOMAIN}", messages_per_day=1, first_per_day=1, first_per_hour=1
        )
        assert (await bring_question(server, "b-4711@bounces.elsewhere.test")).startswith(b"250")
        sender = await log_in(server)
        assert (await sender.send(["first@elsewhere.test"])).startswith(b"250")
        answer = "In-Reply-To: <question@elsewhere.test>\r\n"
        assert (await sender.send(["b-4711@bounces.elsewhere.test"], fields=answer)).startswith(b"450")
        assert (await sender.send(["friend@elsewhere.test"], fields=answer)).startswith(b"250")


async def test_a_thousand_recipients_in_one_message_are_refused_for_good(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        sender = await log_in(server)
        reply = await sender.send(strangers(0, 1000))
        assert reply.startswith(b"550 5.5.3 The message has 1000 recipients elsewhere; at most 100")
        assert (await operate(server, "account.held"))["accounts"] == []
        sent = await sender.send(["Ann+1@Victims.test", "ann+2@victims.test", "ANN@victims.test"])
        assert sent.startswith(b"250")
        usage = await operate(server, "account.sending", address=f"ann@{DOMAIN}")
        assert usage["used"] == {"messages_per_day": 1, "first_per_day": 1, "first_per_hour": 1}


async def test_an_account_that_writes_to_nobody_is_held(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        peer.script("RCPT", "550 5.1.1 No such user")
        sender = await log_in(server)
        assert (await sender.send(strangers(0, 25))).startswith(b"250")
        await until_held(server, "bounces")
        assert (await sender.send(["friend@elsewhere.test"])).startswith(b"450 4.7.1 Sending from this account is on")


async def test_logins_from_many_new_networks_hold_an_account(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        account = (await server.account("ann")).account_id
        services = server.app.services
        now = server.app._clock.now()
        await services.sending.store.note_place(account, "8.8.0.0/16", now - timedelta(days=30), keep=50)
        for number in range(11):
            # What the door does at a login: the test's own logins all come from loopback, which is no place.
            kind = LoginKind(account, f"9.{number}.1.1", "imap", "PLAIN", "TLSv1.3", "ok", "phone", "program")
            services.entrance.logins.record(kind, now, network=f"9.{number}.1.1")
        await until_held(server, "places")


async def until_held(server: Server, trigger: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (accounts := (await operate(server, "account.held"))["accounts"]):
            await asyncio.sleep(0.01)
    assert [one["trigger"] for one in accounts] == [trigger]  # type: ignore[attr-defined]  # a list


async def test_an_operator_holds_and_releases_by_the_command_line(tmp_path: Path) -> None:
    async with start_server(tmp_path):
        address, cli = f"ann@{DOMAIN}", Cli(tmp_path)

        async def run(*arguments: str, language: str = "C.UTF-8") -> Result:
            return await in_thread(lambda: cli("account", *arguments, language=language))

        assert "dry" not in (await run("hold", address, "--reason", "asked to", "--dry-run")).err
        assert (await run("held")).out == "No account is on hold.\n"
        assert "is on hold" in (await run("hold", address, "--reason", "asked to")).out
        assert (await run("hold", address, "--reason", "asked to")).code == 1
        assert "管理员" in (await run("held", language="zh_CN.UTF-8")).out
        assert "asked to" in (await run("limits", address)).out
        assert "may send again" in (await run("release", address, "--reason", "all is well")).out
        assert (await run("release", address, "--reason", "all is well")).code == 1
        shown = (await run("limits", address, "--new-per-hour", "99", "--exempt")).out
        assert "this account" in shown
        assert "99" in shown
        assert "never put on hold" in shown
        assert "this account" not in (await run("limits", address, "--reset")).out
