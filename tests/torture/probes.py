"""One of each thing that a client may want, and what the server answers: for a server in trouble."""

from __future__ import annotations

__all__ = ["Probes"]

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable

from tests.torture.clients import Gone, ImapClient, Pop3Client, Refused, SmtpClient
from tests.torture.journal import Copy, Journal, Mail, Presence
from tests.torture.load import SECRET, address, make_message, send
from tests.torture.service import Endpoints

_LARGE = 3_000_000  # octets of a message that does not wait in memory
_SECONDS = 20.0


class Probes:
    """Asks, and writes everything into the journal: what was answered OK must be there afterwards."""

    def __init__(self, journal: Journal) -> None:
        self.at: Endpoints = {}
        self._journal = journal
        self._chance = random.Random(1)
        self._all: dict[str, Callable[[], Awaitable[None]]] = {
            "deliver": self._deliver,
            "deliver a large one": self._deliver_large,
            "submit": self._submit,
            "append": self._append,
            "read": self._read,
            "flag": self._flag,
            "copy": self._copy,
            "expunge": self._expunge,
            "create": self._create,
            "fetch by POP3": self._fetch,
            "delete by POP3": self._delete,
        }

    async def ask(self, names: Iterable[str] = ()) -> dict[str, str]:
        """Return what was answered: `OK`, or how it was refused."""
        return {name: await self._ask(self._all[name]) for name in names or self._all}

    async def _ask(self, probe: Callable[[], Awaitable[None]]) -> str:
        try:
            async with asyncio.timeout(_SECONDS):
                await probe()
        except Refused as error:
            return error.said
        except Gone as error:
            return f"the connection ended: {error}"
        except TimeoutError:
            return "no answer"
        return "OK"

    # -- SMTP

    async def _deliver(self) -> None:
        await self._send(b"", submission=False)

    async def _deliver_large(self) -> None:
        lines = self._chance.randbytes(_LARGE // 2).hex("\n", 32).encode().split(b"\n")
        await self._send(b"\r\n".join(lines) + b"\r\n", submission=False)

    async def _submit(self) -> None:
        await self._send(b"", submission=True)

    async def _send(self, more: bytes, *, submission: bool) -> None:
        login = (address("emil"), SECRET) if submission else None
        sender = address("emil") if submission else "peer@one.example"
        client = await SmtpClient.open(self.at["submission" if submission else "smtp"], login)
        token = self._journal.new_token()
        octets = make_message(token, sender, [address("anna")], self._chance) + more
        try:
            await send(client, Mail(token, octets, sender, ("anna", "dora"), submission, False), self._journal)
        finally:
            client.close()

    # -- IMAP

    async def _open(self, name: str = "INBOX") -> ImapClient:
        client = await ImapClient.open(self.at["imap"], address("anna"), SECRET)
        await client.command(f'SELECT "{name}"')
        return client

    def _inbox(self) -> list[Copy]:
        found = self._journal.inbox("anna").present()
        if not found:
            raise Refused("the harness knows of no message")
        return found

    async def _append(self) -> None:
        journal, client = self._journal, await self._open()
        token = journal.new_token()
        octets = make_message(token, address("anna"), [address("anna")], self._chance)
        copy = journal.appending(journal.inbox("anna"), token, octets, frozenset())
        try:
            said = await client.command("APPEND INBOX", octets)
        except Refused:
            if not journal.refusal_is_doubt:
                copy.presence = Presence.REFUSED
            raise
        finally:
            client.close()
        journal.appended(copy, int((said.code("APPENDUID") or "0 0").split()[1]))

    async def _read(self) -> None:
        client = await self._open()
        said = await client.command("UID FETCH 1:* (UID FLAGS BODY.PEEK[])")
        there = {fetched.number(b"UID") for fetched in said.fetches() if fetched.literals}
        client.close()
        if missing := [copy.uid for copy in self._inbox() if copy.uid not in there]:
            raise Refused(f"UIDs {missing} cannot be read")

    async def _flag(self) -> None:
        journal, client, copies = self._journal, await self._open(), self._inbox()[-3:]
        keyword = f"$Probe{self._chance.randrange(1 << 20)}"  # one that is new, so that there is something to store
        journal.flagging(copies, frozenset({keyword}), "")
        try:
            await client.command(f"UID STORE {','.join(str(copy.uid) for copy in copies)} FLAGS.SILENT ({keyword})")
        finally:
            client.close()
        journal.flagged(copies)

    async def _copy(self) -> None:
        journal, client = self._journal, await self._open()
        target = journal.box("anna", "Archive")
        copies = [copy for copy in self._inbox() if copy.token not in target.copies][:1]
        made = journal.copying(copies, target, move=False)
        try:
            said = await client.command(f'UID COPY {copies[0].uid} "Archive"')
        finally:
            client.close()
        journal.copied(copies, made, [int((said.code("COPYUID") or "0 0 0").split()[2])], move=False)

    async def _expunge(self) -> None:
        journal, client, copies = self._journal, await self._open(), self._inbox()[:1]
        journal.removing(copies)
        copies[0].is_followed = False  # It may be left marked as deleted.
        try:
            await client.command(f"UID STORE {copies[0].uid} +FLAGS.SILENT (\\Deleted)")
            await client.command(f"UID EXPUNGE {copies[0].uid}")
        finally:
            client.close()
        journal.removed(copies)

    async def _create(self) -> None:
        journal, client = self._journal, await self._open()
        box = journal.box("anna", f"Made {journal.new_token()}")
        box.presence = Presence.MAYBE
        try:
            await client.command(f'CREATE "{box.name}"')
        finally:
            client.close()
        box.presence = Presence.THERE

    # -- POP3

    async def _fetch(self) -> None:
        client = await Pop3Client.open(self.at["pop3"], address("dora"), SECRET)
        for line in await client.listing("LIST"):
            await client.listing(f"RETR {line.split()[0].decode()}")
        client.close()

    async def _delete(self) -> None:
        journal, client = self._journal, await Pop3Client.open(self.at["pop3"], address("dora"), SECRET)
        found = b"".join(await client.listing("TOP 1 0"))
        token = found.partition(b"X-Torture: ")[2].split()[0].decode()
        copy = journal.inbox("dora").find(token)
        await client.command("DELE 1")
        journal.removing([copy])
        try:
            await client.command("QUIT")
        finally:
            client.close()
        journal.removed([copy])
