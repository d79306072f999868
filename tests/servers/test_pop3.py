"""POP3 over real sockets, on real stores: what a client gets, byte for byte, and what becomes of the mail."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import poplib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.audit.events import CLI
from hongyan.domains.certificates import Certificates
from hongyan.domains.local_authority import LocalCertificate
from hongyan.errors import Corrupt, StorageFailed, Unavailable
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.mail import Mail
from hongyan.servers.driver import ConnectionOptions
from hongyan.servers.pop3 import Pop3Options
from hongyan.store.accounts import AccountChange, Service
from hongyan.store.blobs import BlobStore
from hongyan.store.mailboxes import INBOX_ID
from hongyan.telemetry import metrics
from hongyan.types import BlobRef
from hongyan.wire.sasl import plain_message
from tests.servers.harness import client_context
from tests.support.clock import FakeClock
from tests.support.mail import new_message
from tests.support.pop3 import ANN, PATIENCE, Pop3Client, Pop3Server, serve_pop3

ONE = b"Subject: one\r\n\r\nfirst\r\n"
TWO = b"Subject: two\r\n\r\nsecond\r\n.dot\r\nthird\r\n"
THREE = b"Subject: three\r\n\r\n"
LONG = b"x\r\n" * 40_000


def stuffed(message: bytes) -> bytes:
    """Say how a message stands on the wire, line by line (RFC 1939 §3)."""
    lines = message.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines) + b".\r\n"


@pytest.fixture
def certificates(certificate: LocalCertificate) -> Certificates:
    return Certificates([certificate.files])


# Reading.


async def test_poplib_reads_lists_and_deletes(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO, THREE)

        def session() -> None:
            client = poplib.POP3("127.0.0.1", server.port, timeout=PATIENCE)
            assert client.capa()["SASL"] == ["SCRAM-SHA-256", "PLAIN"]
            client.user(ANN)
            client.pass_(server.secret)
            assert client.stat() == (3, len(ONE + TWO + THREE))
            assert client.list()[1] == [b"1 %d" % len(ONE), b"2 %d" % len(TWO), b"3 %d" % len(THREE)]
            assert client.retr(2)[1] == TWO.split(b"\r\n")[:-1]
            assert client.top(2, 1)[1] == [b"Subject: two", b"", b"second"]
            assert len({line.split()[1] for line in client.uidl()[1]}) == 3
            client.dele(1)
            assert client.stat() == (2, len(TWO + THREE))
            client.rset()
            client.dele(3)
            client.quit()

        await asyncio.to_thread(session)
        assert await server.uids() == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        b"A: b\r\n\r\n.\r\n..\r\n...\r\n.x\r\nx.\r\n\r\n.\r\n",
        b".\r\n",
        b"..\r\n\r\n.",
        b"\r\n.\r\n",
        b"",
        b"A: b\r\n\r\nno line end",
        b"A: \xe9\xff\x80\r\n\r\n8-bit \xe4\xb8\xad\xe6\x96\x87\x00NUL\r\n.\x00\r\n",
        b"A: b\r\n\r\n" + b".\r\n" * 40_000,
        b"A: b\r\n\r\n" + bytes(range(1, 10)) * 100,
    ],
)
async def test_a_message_is_served_byte_for_byte(clock: FakeClock, tmp_path: Path, message: bytes) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(message)
        client = await server.enter()
        assert await client.ask("LIST 1") == b"+OK 1 %d" % len(message)
        assert await client.ask("RETR 1") == b"+OK %d octets" % len(message)
        assert await client.body() == stuffed(message)
        assert await client.retrieve("RETR 1") == stuffed(message), "and again, when it is at hand"


async def test_trace_fields_are_served_before_the_octets(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        prefix = b"Return-Path: <a@b.test>\r\n.odd: field\r\n"
        await server.add(ONE, prefix=prefix)
        client = await server.enter()
        assert await client.ask("LIST 1") == b"+OK 1 %d" % len(prefix + ONE)
        assert await client.retrieve("RETR 1") == stuffed(prefix + ONE)
        assert await client.retrieve("TOP 1 0") == stuffed(prefix + b"Subject: one\r\n\r\n")


def noise(octets: int, seed: int) -> bytes:
    lines = base64.b64encode(random.Random(seed).randbytes(octets)).decode()
    return b"A: b\r\n\r\n" + b"".join(b".%b\r\n" % lines[at : at + 75].encode() for at in range(0, len(lines), 75))


@pytest.mark.parametrize("octets", [40_000, 300_000, 1_200_000])
async def test_a_message_of_any_size_is_streamed_to_a_slow_reader(
    clock: FakeClock, tmp_path: Path, octets: int
) -> None:
    async with serve_pop3(tmp_path, clock, connection=ConnectionOptions(write_ahead=2048)) as server:
        messages = [noise(octets, 1), noise(octets, 2)]
        await server.add(*messages)
        client = await server.enter()
        client.send(b"RETR 1\r\nTOP 2 3\r\nRETR 2\r\nNOOP\r\n")
        for wanted in (messages[0], b"\r\n".join(messages[1].split(b"\r\n")[:5]) + b"\r\n", messages[1]):
            assert (await client.line()).startswith(b"+OK")
            assert await client.body() == stuffed(wanted)
        assert await client.line() == b"+OK Nothing done"


async def test_bare_line_ends_leave_as_crlf(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(b"A: b\n\n.one\n..\r\n.\rtwo\n")
        client = await server.enter()
        assert await client.retrieve("RETR 1") == b"A: b\r\n\r\n..one\r\n...\r\n..\r\ntwo\r\n.\r\n"


async def test_pipelined_commands_are_answered_in_order(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.door.messages.append(
            server.account, INBOX_ID, [new_message(f"n{number}") for number in range(300)]
        )
        client = await server.enter()
        asked = [*range(1, 301), *range(300, 0, -7), 5, 5, 299, 1]
        client.send(b"".join(b"RETR %d\r\n" % number for number in asked) + b"DELE 7\r\nQUIT\r\n")
        for number in asked:
            assert (await client.line()).startswith(b"+OK")
            assert b"\r\nSubject: n%d\r\n" % (number - 1) in await client.body()
        assert await client.rest() == b"+OK Message will be deleted at QUIT\r\n+OK Bye\r\n"
        assert 7 not in await server.uids()


async def test_any_chunking_gives_the_same_session(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO)
        commands = (
            f"USER {ANN}\r\nPASS {server.secret}\r\nUIDL\r\nTOP 2 1\r\nRETR 1\r\nRETR 9\r\nXX\r\nQUIT\r\n".encode()
        )
        answers = set()
        for size in (1, 2, 7, len(commands)):
            client = await server.call()
            for at in range(0, len(commands), size):
                client.send(commands[at : at + size])
                await client.writer.drain()
                await asyncio.sleep(0)
            answers.add(await client.rest())
        assert len(answers) == 1
        assert answers.pop().endswith(b"-ERR There is no such message\r\n-ERR Unknown command\r\n+OK Bye\r\n")


async def test_unique_ids_are_the_same_in_every_session(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO, THREE)
        client = await server.enter()
        first = (await client.retrieve("UIDL")).split(b"\r\n")[:-2]
        client.send(b"DELE 2\r\nQUIT\r\n")
        await client.rest()
        again = await server.enter()
        second = (await again.retrieve("UIDL")).split(b"\r\n")[:-2]
        ids = [line.split()[1] for line in first]
        assert [line.split()[1] for line in second] == [ids[0], ids[2]]
        assert all(len(one) <= 70 and one.isascii() for one in ids)
        assert len(set(ids)) == 3


async def test_a_large_maildrop_is_listed_whole(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        message = new_message()
        await server.door.messages.append(server.account, INBOX_ID, [message] * 9000)
        await expunge(server.mail, server.account, INBOX_ID, BitMap(range(10, 9000, 1000)))
        client = await server.enter()
        size = message.analysis.size
        client.send(b"LIST\r\nUIDL\r\nSTAT\r\n")
        assert await client.line() == b"+OK"
        assert await client.body() == b"".join(b"%d %d\r\n" % (n, size) for n in range(1, 8992)) + b".\r\n"
        assert await client.line() == b"+OK"
        lines = (await client.body()).split(b"\r\n")
        assert [line.split()[0] for line in lines[:-2]] == [b"%d" % n for n in range(1, 8992)]
        assert len({line.split()[1] for line in lines[:-2]}) == 8991
        assert await client.line() == b"+OK 8991 %d" % (size * 8991)


async def test_a_copy_of_a_message_has_an_id_of_its_own(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE)
        await server.door.messages.copy(server.account, INBOX_ID, BitMap([1]), {}, INBOX_ID)
        client = await server.enter()
        client.send(b"UIDL\r\n")
        assert await client.line() == b"+OK"
        first, second = (line.split()[1] for line in (await client.body()).split(b"\r\n")[:-2])
        assert second == first + b".2"
        client.send(b"UIDL 2\r\n")
        assert await client.line() == b"+OK 2 " + second


async def test_retrieving_marks_nothing_as_seen(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE)
        client = await server.enter()
        await client.retrieve("RETR 1")
        client.send(b"QUIT\r\n")
        await client.rest()
        assert (await server.mail.live.open(server.account, INBOX_ID)).unseen() == 1


# What others do meanwhile.


async def test_a_session_sees_inbox_as_it_was_at_login(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO, THREE)
        client = await server.enter()
        await expunge(server.mail, server.account, INBOX_ID, BitMap([2]))
        await server.add(b"Subject: late\r\n\r\n")
        assert await client.ask("STAT") == b"+OK 3 %d" % len(ONE + TWO + THREE)
        assert await client.ask("LIST 2") == b"+OK 2 %d" % len(TWO)
        assert await client.ask("LIST 4") == b"-ERR There is no such message"
        assert (await client.ask("RETR 2")).startswith(b"-ERR This message was removed")
        assert await client.retrieve("RETR 3") == stuffed(THREE)
        assert await client.ask("DELE 2") == b"+OK Message will be deleted at QUIT"
        assert await client.ask("DELE 1") == b"+OK Message will be deleted at QUIT"
        assert await client.ask("QUIT") == b"+OK Bye; 1 of them were removed by another program"
        assert await server.uids() == [3, 4]
        again = await server.enter()
        assert (await again.ask("STAT")).startswith(b"+OK 2 ")


async def test_what_was_read_ahead_is_served_though_it_is_gone(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO, THREE)
        client = await server.enter()
        assert await client.retrieve("RETR 1") == stuffed(ONE)
        await expunge(server.mail, server.account, INBOX_ID, BitMap([1, 2, 3]))
        assert await client.retrieve("RETR 2") == stuffed(TWO)


async def test_sessions_of_one_account_do_not_lock_each_other_out(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO, THREE)
        first, second = await server.enter(), await server.enter()
        first.send(b"DELE 1\r\nDELE 2\r\nQUIT\r\n")
        await first.rest()
        assert (await second.ask("STAT")).startswith(b"+OK 3 ")
        second.send(b"DELE 2\r\nDELE 3\r\nQUIT\r\n")
        assert (await second.rest()).endswith(b"+OK Bye; 1 of them were removed by another program\r\n")
        assert await server.uids() == []


async def test_that_two_programs_delete_is_written_down(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO)
        first, second = await server.enter(), await server.enter()
        for client in (first, second):
            client.send(b"DELE 1\r\nQUIT\r\n")
            await client.rest()
        (entry,) = await server.door.audit.query(account=server.account, event_prefix="mail:messages:")
        assert (entry.actor, dict(entry.detail)) == (ANN, {"marked": "1", "missing": "1"})


async def test_messages_that_left_during_the_login_have_no_number(clock: FakeClock, tmp_path: Path) -> None:
    class Racing:
        """The store of messages; while sizes are read first, somebody removes one."""

        def __init__(self, mail: Mail) -> None:
            self.mail = mail

        async def rows(self, *arguments: object, **options: object) -> object:
            await expunge(self.mail, server.account, INBOX_ID, BitMap([2]))
            return await self.mail.messages.rows(*arguments, **options)  # type: ignore[arg-type]

    def wrap(mail: Mail) -> Mail:
        return replace(mail, messages=Racing(mail))  # type: ignore[arg-type]

    async with serve_pop3(tmp_path, clock, wrap=wrap) as server:
        await server.add(ONE, TWO, THREE)
        client = await server.enter()
        assert await client.ask("STAT") == b"+OK 2 %d" % len(ONE + THREE)
        assert await client.retrieve("RETR 2") == stuffed(THREE)


# Deleting.


async def test_nothing_is_deleted_before_quit(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO, THREE)
        client = await server.enter()
        assert await client.ask("DELE 1") == b"+OK Message will be deleted at QUIT"
        assert await client.ask("DELE 1") == b"-ERR There is no such message"
        assert await server.uids() == [1, 2, 3]
        assert await client.ask("RSET") == b"+OK 3 messages"
        assert await client.ask("DELE 3") == b"+OK Message will be deleted at QUIT"
        assert await client.ask("QUIT") == b"+OK Bye"
        assert await server.uids() == [1, 2]
        assert await client.rest() == b""


async def test_quit_deletes_though_the_client_hangs_up_at_once(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO)
        client = await server.enter()
        client.send(b"DELE 1\r\nQUIT\r\n")
        client.writer.write_eof()
        await client.rest()
        assert await server.uids() == [2]


def reset(server: Pop3Server, client: Pop3Client) -> None:
    client.reset()


def hang_up(server: Pop3Server, client: Pop3Client) -> None:
    client.writer.close()


def fall_silent(server: Pop3Server, client: Pop3Client) -> None:
    server.pass_time(605)


def half_a_quit(server: Pop3Server, client: Pop3Client) -> None:
    client.send(b"QUIT")
    client.writer.close()


@pytest.mark.parametrize("end", [reset, hang_up, fall_silent, half_a_quit])
async def test_a_session_without_quit_deletes_nothing(
    clock: FakeClock, tmp_path: Path, end: Callable[[Pop3Server, Pop3Client], None]
) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO)
        client = await server.enter()
        await client.ask("DELE 1")
        end(server, client)
        client.writer.close()
        await server.gone()
        assert await server.uids() == [1, 2]
        assert server.door.revocations.live == 0


async def test_a_server_that_stops_still_takes_quit(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE, TWO)
        first, second = await server.enter(), await server.enter()
        await first.ask("DELE 1")
        await second.ask("DELE 2")
        for connection in server.connections:
            connection.shutdown()
        assert await first.ask("QUIT") == b"+OK Bye"
        assert (await second.ask("NOOP")).startswith(b"-ERR [SYS/TEMP]")
        assert await second.rest() == b""
        assert await server.uids() == [2]


async def test_what_cannot_be_deleted_is_said_and_stays(clock: FakeClock, tmp_path: Path) -> None:
    class Failing:
        def __init__(self, mail: Mail) -> None:
            self.rows = mail.messages.rows

        async def expunge(self, *_arguments: object) -> object:
            raise StorageFailed(cause="the disk is gone")

    def wrap(mail: Mail) -> Mail:
        return replace(mail, messages=Failing(mail))  # type: ignore[arg-type]

    async with serve_pop3(tmp_path, clock, wrap=wrap) as server:
        await server.add(ONE)
        client = await server.enter()
        client.send(b"DELE 1\r\nQUIT\r\n")
        assert (await client.line()).startswith(b"+OK")
        assert (await client.line()).startswith(b"-ERR [SYS/TEMP] Some of the deleted messages")
        assert await client.rest() == b""
        assert await server.uids() == [1]


async def test_nothing_is_deleted_when_the_uids_mean_other_messages_now(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE)
        client = await server.enter()
        state = await server.mail.live.open(server.account, INBOX_ID)
        state.uidvalidity = type(state.uidvalidity)(state.uidvalidity + 1)
        client.send(b"DELE 1\r\nQUIT\r\n")
        assert b"\r\n-ERR [SYS/TEMP]" in await client.rest()
        assert await server.uids() == [1]


# What cannot be read.


class Blobs:
    """The blobs, of which some cannot be read: all, or what lies after the first so many octets."""

    def __init__(self, blobs: BlobStore, readable: int) -> None:
        self.blobs = blobs
        self.readable = readable

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
        return None

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        if start >= self.readable:
            raise Corrupt(cause="wrong checksum")
        return await self.blobs.read(ref, start, stop)


def broken(readable: int) -> Callable[[Mail], Mail]:
    return lambda mail: replace(mail, blobs=Blobs(mail.blobs, readable))  # type: ignore[arg-type]


async def test_a_message_that_cannot_be_read_is_refused_and_the_session_goes_on(
    clock: FakeClock, tmp_path: Path
) -> None:
    async with serve_pop3(tmp_path, clock, wrap=broken(0)) as server:
        await server.add(ONE, TWO)
        client = await server.enter()
        assert (await client.ask("RETR 1")).startswith(b"-ERR [SYS/PERM]")
        assert (await client.ask("TOP 2 0")).startswith(b"-ERR [SYS/PERM]")
        assert await client.ask("DELE 1") == b"+OK Message will be deleted at QUIT"


async def test_a_message_that_breaks_off_has_no_end(clock: FakeClock, tmp_path: Path) -> None:
    message = noise(2_000_000, 3)
    async with serve_pop3(tmp_path, clock, wrap=broken(100_000)) as server:
        await server.add(message)
        client = await server.enter()
        client.send(b"RETR 1\r\nQUIT\r\n")
        assert (await client.line()).startswith(b"+OK")
        rest = await client.rest()
        assert stuffed(message).startswith(rest)
        assert not rest.endswith(b"\r\n.\r\n")


async def test_blobs_that_are_not_at_hand_are_waited_for(clock: FakeClock, tmp_path: Path) -> None:
    messages = [ONE, noise(200_000, 4), noise(2_000_000, 5)]
    async with serve_pop3(tmp_path, clock, wrap=broken(1 << 40)) as server:
        await server.add(*messages)
        client = await server.enter()
        client.send(b"RETR 1\r\nRETR 2\r\nRETR 3\r\n")
        for message in messages:
            await client.line()
            assert await client.body() == stuffed(message)


async def test_a_blob_that_has_moved_since_its_place_was_read_ahead_is_found(clock: FakeClock, tmp_path: Path) -> None:
    class Moving:
        """Blobs, of which the next that is asked for is not where it was said to be."""

        has_moved = False

        def __init__(self, blobs: BlobStore) -> None:
            self.read = blobs.read
            self.find = blobs.read_now

        def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
            if Moving.has_moved:
                Moving.has_moved = False
                raise Corrupt(cause="no such segment")
            return self.find(ref, start, stop)

    def wrap(mail: Mail) -> Mail:
        return replace(mail, blobs=Moving(mail.blobs))  # type: ignore[arg-type]

    large = noise(100_000, 6)
    async with serve_pop3(tmp_path, clock, wrap=wrap) as server:
        await server.add(ONE, TWO, large)
        client = await server.enter()
        for number, message, has_moved in ((1, ONE, 0), (2, TWO, 1), (1, ONE, 0), (2, TWO, 0), (3, large, 1)):
            Moving.has_moved = bool(has_moved)
            assert await client.retrieve(f"RETR {number}") == stuffed(message)
            assert not Moving.has_moved


async def test_an_inbox_that_cannot_be_opened_is_a_passing_trouble(clock: FakeClock, tmp_path: Path) -> None:
    class Failing:
        async def rows(self, *_arguments: object, **_options: object) -> object:
            raise Unavailable(cause="the database is gone")

    def wrap(mail: Mail) -> Mail:
        return replace(mail, messages=Failing())  # type: ignore[arg-type]

    async with serve_pop3(tmp_path, clock, wrap=wrap) as server:
        await server.add(ONE)
        client = await server.call()
        await client.ask(f"USER {ANN}")
        assert (await client.ask(f"PASS {server.secret}")).startswith(b"-ERR [SYS/TEMP] Your mail")
        assert server.door.revocations.live == 0
        assert await client.ask("STAT") == b"-ERR Log in first"


# Coming in.


async def test_a_wrong_secret_is_told_by_its_code(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        client = await server.call()
        for name in (ANN, "nobody@geese.test"):
            assert await client.ask(f"USER {name}") == b"+OK Say PASS"
            assert (await client.ask("PASS wrong secret")).startswith(b"-ERR [AUTH] Wrong name or secret.")
        await client.log_in()


async def test_plain_logs_in_with_and_without_an_initial_response(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        response = base64.b64encode(plain_message(ANN, server.secret)).decode()
        client = await server.call()
        assert (await client.ask(f"AUTH PLAIN {response}")).startswith(b"+OK 0 messages")
        client = await server.call()
        assert await client.ask("AUTH PLAIN") == b"+ "
        assert (await client.ask("*")).startswith(b"-ERR")
        assert await client.ask("AUTH PLAIN") == b"+ "
        assert (await client.ask(response)).startswith(b"+OK 0 messages")
        client = await server.call()
        wrong = base64.b64encode(plain_message(ANN, "wrong")).decode()
        assert (await client.ask(f"AUTH PLAIN {wrong}")).startswith(b"-ERR [AUTH]")
        odd = base64.b64encode(b"no such form").decode()
        assert (await client.ask(f"AUTH PLAIN {odd}")).startswith(b"-ERR [AUTH]")
        assert (await client.ask("AUTH CRAM-MD5")).startswith(b"-ERR")


def scram_final(secret: str, first: bytes, challenge: bytes) -> bytes:
    """Return the client's last message of SCRAM-SHA-256 (RFC 7677 §3)."""
    nonce, salt, count = (part[2:] for part in challenge.split(b","))
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(salt), int(count))
    key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof = b"c=biws,r=" + nonce
    spoken = b",".join((first, challenge, without_proof))
    signature = hmac.digest(hashlib.sha256(key).digest(), spoken, "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    return without_proof + b",p=" + base64.b64encode(proof)


async def test_scram_logs_in(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        client = await server.call()
        first = b"n=" + ANN.encode() + b",r=abc"
        challenge = await client.ask("AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,," + first).decode())
        assert challenge.startswith(b"+ ")
        final = scram_final(server.secret.replace(" ", ""), first, base64.b64decode(challenge[2:]))
        answer = await client.ask(base64.b64encode(final).decode())
        assert base64.b64decode(answer[2:]).startswith(b"v=")
        assert (await client.ask("")).startswith(b"+OK 0 messages")


async def test_a_switched_off_service_is_told_to_whoever_has_the_secret(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.door.accounts.change(server.account, AccountChange(services=frozenset({Service.IMAP})), CLI)
        client = await server.call()
        await client.ask(f"USER {ANN}")
        answer = await client.ask(f"PASS {server.secret}")
        assert answer.startswith(b"-ERR [SYS/PERM] POP3 is switched off")


async def test_too_many_failed_logins_close_the_connection(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        answer = b""
        for _ in range(1000):
            client = await server.call()
            client.send(f"USER {ANN}\r\nPASS wrong\r\nUSER {ANN}\r\nPASS wrong\r\n".encode())
            await client.line()
            answer = await client.line()
            if answer.startswith(b"-ERR [SYS/TEMP]"):
                break
            client.reset()
        assert answer.startswith(b"-ERR [SYS/TEMP] Too many failed logins")
        assert await client.rest() == b""


async def test_secrets_are_taken_under_tls_only(
    clock: FakeClock, tmp_path: Path, certificate: LocalCertificate, certificates: Certificates
) -> None:
    async with serve_pop3(tmp_path, clock, certificates=certificates, plaintext=False) as server:
        client = await server.call()
        capabilities = await client.retrieve("CAPA")
        assert b"STLS\r\n" in capabilities
        assert b"SASL" not in capabilities
        for command in (f"USER {ANN}", "PASS x", "AUTH PLAIN", "AUTH PLAIN AGEAYg=="):
            assert (await client.ask(command)).startswith(b"-ERR [AUTH] Say STLS")
        client.send(b"STLS\r\nUSER injected\r\nPASS injected\r\n")
        assert await client.line() == b"+OK Begin TLS"
        await client.start_tls(client_context(certificate))
        capabilities = await client.retrieve("CAPA")
        assert b"STLS\r\n" not in capabilities
        assert b"SASL SCRAM-SHA-256 PLAIN\r\n" in capabilities
        await client.log_in()
        assert (await client.ask("STLS")).startswith(b"-ERR")


async def test_poplib_comes_in_by_both_kinds_of_tls(
    clock: FakeClock, tmp_path: Path, certificate: LocalCertificate, certificates: Certificates
) -> None:
    for implicit_tls in (True, False):
        folder = tmp_path / str(implicit_tls)
        folder.mkdir()
        async with serve_pop3(
            folder, clock, certificates=certificates, implicit_tls=implicit_tls, plaintext=False
        ) as server:
            await server.add(ONE)

            def session(port: int, secret: str, *, implicit: bool) -> Sequence[bytes]:
                context = client_context(certificate)
                if implicit:
                    client: poplib.POP3 = poplib.POP3_SSL("localhost", port, context=context, timeout=PATIENCE)
                else:
                    client = poplib.POP3("localhost", port, timeout=PATIENCE)
                    client.stls(context)
                client.user(ANN)
                client.pass_(secret)
                lines: Sequence[bytes] = client.retr(1)[1]
                client.quit()
                return lines

            lines = await asyncio.to_thread(session, server.port, server.secret, implicit=implicit_tls)
            assert b"\r\n".join(lines) + b"\r\n" == ONE
            await server.gone()


async def test_whoever_does_not_log_in_has_a_minute(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock, options=Pop3Options(login_timeout=60)) as server:
        silent, busy, known = await server.call(), await server.call(), await server.enter()
        for _ in range(7):
            assert await busy.ask("NOOP") == b"+OK Nothing done"
            server.pass_time(9)
        assert await silent.rest() == b"", "RFC 1939 §3: without a word"
        assert await busy.rest() == b""
        assert await known.ask("NOOP") == b"+OK Nothing done"


async def test_a_revoked_app_password_ends_its_session_and_nothing_is_deleted(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(ONE)
        client = await server.enter()
        await client.ask("DELE 1")
        await server.door.app_passwords.revoke(server.account, None, CLI)
        assert await client.rest() == b""
        assert await server.uids() == [1]
        again = await server.call()
        await again.ask(f"USER {ANN}")
        assert (await again.ask(f"PASS {server.secret}")).startswith(b"-ERR [AUTH]")


@pytest.mark.parametrize("values", [{"login_timeout": 0}, {"idle_timeout": 599}])
def test_time_outs_that_break_the_standard_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="second"):
        Pop3Options(**values)


# Metrics.


def seconds(command: str, result: str) -> float:
    """Return how many commands of a kind were measured."""
    labels = {"cmd": command, "result": result}
    return metrics.REGISTRY.get_sample_value("hongyan_pop3_command_duration_seconds_count", labels) or 0.0


def logged_in() -> float:
    return metrics.REGISTRY.get_sample_value("hongyan_pop3_connections", {"state": "authenticated"}) or 0.0


async def test_each_command_is_measured_once_by_its_verb_and_result(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        await server.add(*[ONE] * 3000, LONG)
        client = await server.call()
        times = {
            ("capa", "ok"): 1,
            ("user", "ok"): 2,
            ("pass", "err"): 1,
            ("pass", "ok"): 1,
            ("list", "ok"): 2,
            ("uidl", "ok"): 1,
            ("retr", "ok"): 2,
            ("top", "ok"): 1,
            ("dele", "ok"): 1,
            ("other", "err"): 3,
            ("quit", "ok"): 1,
        }
        before, others = {key: seconds(*key) for key in times}, logged_in()
        await client.retrieve("CAPA")
        await client.ask(f"USER {ANN}")
        assert (await client.ask("PASS wrong")).startswith(b"-ERR")
        await client.log_in()
        assert logged_in() == others + 1
        for command in ("LIST", "UIDL", "RETR 1", "RETR 3001", "TOP 1 0"):
            await client.retrieve(command)
        for command in ("LIST 1", "DELE 1", "RETR 1", "HONK", "Geheimnis 4711", "QUIT"):
            await client.ask(command)
        client.reset()
        await server.gone()
        assert logged_in() == others
    assert {key: seconds(*key) - before[key] for key in times} == times
    assert b"ehei" not in metrics.render()


async def test_an_exchange_of_several_steps_is_one_command(clock: FakeClock, tmp_path: Path) -> None:
    async with serve_pop3(tmp_path, clock) as server:
        client = await server.call()
        before = {result: seconds("auth", result) for result in ("ok", "err")}
        assert await client.ask("AUTH PLAIN") == b"+ "
        assert (await client.ask("*")).startswith(b"-ERR")
        assert await client.ask("AUTH PLAIN") == b"+ "
        shown = base64.b64encode(plain_message(ANN, server.secret)).decode()
        assert (await client.ask(shown)).startswith(b"+OK")
        await client.ask("QUIT")
        client.reset()
        await server.gone()
        assert {result: seconds("auth", result) - before[result] for result in before} == {"ok": 1, "err": 1}
