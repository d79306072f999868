"""Mailboxes made ready before the clock starts: filled, emptied, counted."""

from __future__ import annotations

__all__ = [
    "Appendable",
    "corpus_message",
    "count_messages",
    "empty",
    "ensure_filled",
    "make_fresh",
    "remove",
    "seed_big",
]

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from operator import methodcaller

from bench.answers import number_before, status_count
from bench.clients import ImapClient, Unexpected
from bench.corpus.vocabulary import internal_date
from bench.server import Server
from bench.terms import Terms
from bench.work.piece import BIG_BOX, BIG_USER, FAULTS, together

_BATCH = 50
_SEEDERS = 24  # connections that fill the big mailbox: commits then go in groups

Appendable = tuple[bytes, bytes]  # flags and date, with a space after; the message


async def count_messages(client: ImapClient, mailbox: bytes) -> int:
    answer = await client.ok(b"STATUS %b (MESSAGES)" % mailbox)
    count = status_count(answer.octets, b"MESSAGES")
    if count is None:
        raise Unexpected(f"STATUS was answered {answer.octets[:120]!r}")
    return count


async def make_fresh(server: Server, user: int, mailbox: bytes) -> None:
    """Make a mailbox that is empty and new."""
    client = await server.imap(user)
    await client.command(b"DELETE " + mailbox)  # NO when it was not there
    await client.ok(b"CREATE " + mailbox)
    await client.logout()


async def remove(server: Server, user: int, mailbox: bytes) -> None:
    client = await server.imap(user)
    await client.ok(b"DELETE " + mailbox)
    await client.logout()


async def empty(server: Server, user: int, mailbox: bytes = b"INBOX") -> None:
    client = await server.imap(user)
    answer = await client.ok(b"SELECT " + mailbox)
    if number_before(answer.octets, b"EXISTS"):
        await client.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        await client.ok(b"EXPUNGE")
    await client.logout()


async def ensure_filled(
    server: Server, user: int, mailbox: bytes, count: int, message: Callable[[int], Appendable]
) -> None:
    """Let a mailbox hold messages 0 to count - 1 in this order; one that holds as many is taken as it is."""
    client = await server.imap(user)
    answer = await client.command(b"STATUS %b (MESSAGES)" % mailbox)
    held = status_count(answer.octets, b"MESSAGES") if answer.ok else None
    if held != count:
        if held is None:
            await client.ok(b"CREATE " + mailbox)
        elif held:
            await empty(server, user, mailbox)
        for first in range(0, count, _BATCH):
            await client.append_all(mailbox, [message(number) for number in range(first, min(first + _BATCH, count))])
        server.is_fed = True
    await client.logout()


def corpus_message(terms: Terms, number: int) -> Appendable:
    """A message of the corpus with its flags and date."""
    facts = terms.corpus.facts(number)
    options = b"(%b) %b " % (" ".join(facts.flags).encode(), internal_date(facts.received))
    return options, terms.corpus.message(number)


async def seed_big(terms: Terms, servers: Sequence[Server]) -> dict[str, BaseException]:
    """Fill the big mailbox of each server that lacks it, all at the same time, with messages made once.

    Return what went wrong, by server; a server at fault does not keep the others from it.
    """
    crews = [_Crew(server) for server in servers]
    await _each(crews, methodcaller("come", terms.big))
    step = _SEEDERS * _BATCH
    for begin in range(0, terms.big, step):
        busy = [crew for crew in crews if crew.clients and crew.fault is None]
        if not busy:
            break
        messages = [corpus_message(terms, number) for number in range(begin, min(begin + step, terms.big))]
        await _each(busy, methodcaller("append", messages))
    await _each([crew for crew in crews if crew.fault is None], methodcaller("leave"))
    for server in servers:
        server.is_fed = True
    return {crew.server.name: crew.fault for crew in crews if crew.fault is not None}


class _Crew:
    """Connections that fill the big mailbox of one server; none if it is filled."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.clients: list[ImapClient] = []
        self.fault: BaseException | None = None

    async def come(self, wanted: int) -> None:
        first = await self.server.imap(BIG_USER)
        answer = await first.command(b"STATUS %b (MESSAGES)" % BIG_BOX)
        held = status_count(answer.octets, b"MESSAGES") if answer.ok else None
        if held == wanted:
            await first.logout()
            return
        if held is not None:
            await first.ok(b"DELETE " + BIG_BOX)
        await first.ok(b"CREATE " + BIG_BOX)
        self.clients = [first, *[await self.server.imap(BIG_USER) for _ in range(_SEEDERS - 1)]]

    async def append(self, messages: list[Appendable]) -> None:
        shares = [messages[nth * _BATCH : (nth + 1) * _BATCH] for nth in range(_SEEDERS)]
        await together(
            client.append_all(BIG_BOX, share) for client, share in zip(self.clients, shares, strict=True) if share
        )

    async def leave(self) -> None:
        await together(client.logout() for client in self.clients)


async def _each(crews: Sequence[_Crew], doing: Callable[[_Crew], Awaitable[None]]) -> None:
    """Let all crews do something at the same time, and take down whose fault kept one from it."""
    outcomes = await asyncio.gather(*map(doing, crews), return_exceptions=True)
    for crew, outcome in zip(crews, outcomes, strict=True):
        if isinstance(outcome, FAULTS):
            crew.fault = outcome
        elif outcome is not None:
            raise outcome
