"""SIGKILL beside a great mailbox: how soon it is served again, and whether all of it is there.

The first kill falls right after the mailbox was filled, with a long log of the database and no snapshot of the
mailbox's end; the others while mail comes in and flags are set on thousands of messages at a time. Before every other
start the kernel forgets what it has of the files in memory. A start is over when SELECT of that mailbox was answered.
"""

from __future__ import annotations

__all__ = ["LIMIT", "MESSAGES", "restarts"]

import asyncio
import contextlib
import os
import random
import statistics
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.torture.clients import Gone, ImapClient, Refused, SmtpClient
from tests.torture.cycles import Options, Outcome, folder_of
from tests.torture.load import DOMAIN, SECRET, address
from tests.torture.service import Service, ServiceFailed
from tests.torture.verify import verify

MESSAGES = 100_000
LIMIT = 5.0  # seconds from the start of the process to the answer of SELECT
_AT_ONCE = 250  # messages in one APPEND (RFC 3502)
_FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "$Work", "$Later")
_MOST_FLAGGED = 5_000


async def restarts(options: Options, messages: int, limit: float = LIMIT) -> Outcome:
    """Fill a mailbox, then kill and start, again and again; a start of more than `limit` seconds is a violation."""
    outcome = Outcome("restart")
    with folder_of(options) as folder:
        service = Service(folder / "data", folder / "log", [address("anna")], SECRET)
        run = _Restarts(options, service, outcome, limit)
        try:
            await run.fill(messages)
            for _ in range(options.cycles):
                await run.cycle()
            await run.end_in_peace()
        except (Gone, Refused, ServiceFailed) as error:
            run.blame(f"{type(error).__name__}: {error}")
        finally:
            service.kill()
            await service.ended()
            outcome.log = service.last_words()
    if outcome.starts:
        least, middle, most = min(outcome.starts), statistics.median(outcome.starts), max(outcome.starts)
        print(f"{messages} messages: started in {least:.2f} s to {most:.2f} s, in the median {middle:.2f} s")
    return outcome


class _Restarts:
    def __init__(self, options: Options, service: Service, outcome: Outcome, limit: float) -> None:
        self._options = options
        self._service = service
        self._outcome = outcome
        self._limit = limit
        self._chance = random.Random(options.seed)
        self._acknowledged = 0
        self._asked = 0  # what was not answered may be there
        self._is_over = False

    def blame(self, sentence: str) -> None:
        self._outcome.violations.append(sentence)
        print(f"  VIOLATION {sentence}", flush=True)

    async def fill(self, messages: int) -> None:
        """Save so many messages in one mailbox."""
        await self._service.start()
        client = await ImapClient.open(self._service.endpoints["imap"], address("anna"), SECRET)
        while self._acknowledged < messages:
            count = min(_AT_ONCE, messages - self._acknowledged)
            texts = [_message(self._asked + number) for number in range(count)]
            self._asked += count
            await client.command("APPEND INBOX" + "".join(f" {{{len(text)}+}}\r\n{text}" for text in texts))
            self._acknowledged += count
        self._outcome.counts["appended"] = messages
        await self._kill()

    async def cycle(self) -> None:
        """Start, look, and kill under load."""
        await self._start()
        self._is_over = False
        work = [asyncio.create_task(self._until_killed(one)) for one in (self._deliver(), self._flag())]
        await asyncio.sleep(self._chance.uniform(0.2, self._options.seconds))
        self._is_over = True
        await self._kill()
        await asyncio.gather(*work)

    async def end_in_peace(self) -> None:
        """Start once more, and let the service look at itself."""
        await self._start()
        self._outcome.violations += await verify(self._service)

    async def _start(self) -> None:
        if is_cold := len(self._outcome.starts) % 2 == 1:
            await asyncio.to_thread(_forget_pages, self._service.data)
        took = await self._service.start()
        self._outcome.starts.append(took)
        client = await ImapClient.open(self._service.endpoints["imap"], address("anna"), SECRET)
        said = await client.command("SELECT INBOX")
        exists = max(one.exists for one in said.untagged if one.exists is not None)
        newest = (await client.command("FETCH * (UID FLAGS BODY.PEEK[])")).fetches()
        client.close()
        cold = ", from the disk" if is_cold else ""
        print(f"restart {len(self._outcome.starts)}: {took:.2f} s{cold}, {exists} messages", flush=True)
        if took > self._limit:
            self.blame(f"SELECT was answered {took:.1f} s after the start")
        if not self._acknowledged <= exists <= self._asked:
            self.blame(f"{exists} messages are there, {self._acknowledged} were acknowledged of {self._asked}")
        if not newest or not newest[0].literals:
            self.blame("the newest message cannot be read")
        self._outcome.unanswered += self._asked - self._acknowledged
        self._outcome.stored_unanswered += exists - self._acknowledged
        self._acknowledged = self._asked = exists

    async def _kill(self) -> None:
        self._outcome.blows += 1
        self._service.kill()
        await self._service.ended()

    async def _until_killed(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (Gone, Refused) as error:
            if not self._is_over:
                self.blame(f"a connection ended by itself: {error}")

    async def _deliver(self) -> None:
        client = await SmtpClient.open(self._service.endpoints["smtp"])
        with contextlib.closing(client):
            while not self._is_over:
                self._asked += 1
                octets = _message(self._asked).encode()
                await client.deliver("peer@elsewhere.example", [address("anna")], octets)
                self._acknowledged += 1
                self._outcome.counts["delivered"] = self._outcome.counts.get("delivered", 0) + 1

    async def _flag(self) -> None:
        client = await ImapClient.open(self._service.endpoints["imap"], address("anna"), SECRET)
        chance = self._chance
        with contextlib.closing(client):
            await client.command("SELECT INBOX")
            while not self._is_over:
                first = chance.randint(1, self._acknowledged)
                last = first + chance.randint(0, _MOST_FLAGGED)
                action = f"{chance.choice('+-')}FLAGS.SILENT ({chance.choice(_FLAGS)})"
                await client.command(f"UID STORE {first}:{last} {action}")
                self._outcome.counts["flagged"] = self._outcome.counts.get("flagged", 0) + 1


def _forget_pages(folder: Path) -> None:
    """Let the kernel drop what it keeps of these files in memory."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _message(number: int) -> str:
    return (
        f"From: <peer@elsewhere.example>\r\nTo: <anna@{DOMAIN}>\r\nSubject: one of many, {number}\r\n"
        f"Message-ID: <{number}@torture.test>\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n\r\n"
        f"{'Wild geese, and the mail they carry. ' * (number % 40 + 1)}\r\n"
    )
