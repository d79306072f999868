"""SEARCH the big mailbox by flags, by headers, and by what it says.

A server may keep an index, and is given the time to make it: texts are looked for once its CPU rests.
"""

from __future__ import annotations

__all__ = ["work"]

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from bench.answers import search_hits
from bench.clients import Answer, ImapClient
from bench.corpus import BigMailbox
from bench.corpus.vocabulary import CHINESE_PAIR, CHINESE_WORD, FIRST_HOST, SUBJECT_WORD
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.piece import BIG_BOX, BIG_USER, Work


@dataclass(frozen=True, slots=True)
class _Case:
    keys: bytes
    word: Callable[[BigMailbox], str] | None  # travels as a literal
    hits: Callable[[BigMailbox], int]
    times: int
    is_text: bool = False


def _rare(big: BigMailbox) -> str:
    return big.corpus.message_id(big.count // 2).partition("@")[0]


_CASES = {
    "unseen": _Case(b"UNSEEN", None, lambda big: big.unseen, 10),
    "flagged": _Case(b"FLAGGED", None, lambda big: big.flagged, 10),
    "from": _Case(b"FROM", lambda big: big.corpus.sender, lambda big: big.from_sender, 1),
    "subject": _Case(b"SUBJECT", lambda _: SUBJECT_WORD, lambda big: big.with_word, 1),
    "subject-chinese": _Case(b"CHARSET UTF-8 SUBJECT", lambda _: CHINESE_WORD, lambda big: big.chinese, 1),
    "message-id": _Case(b"HEADER Message-ID", lambda big: big.corpus.message_id(big.count // 2), lambda _: 1, 1),
    "body-rare": _Case(b"TEXT", _rare, lambda big: big.naming(big.count // 2), 3, is_text=True),
    "text-common": _Case(b"TEXT", lambda _: FIRST_HOST, lambda big: big.from_first_host, 3, is_text=True),
    "text-nowhere": _Case(b"TEXT", lambda _: "zyzzyvas", lambda _: 0, 3, is_text=True),
    "chinese": _Case(b"CHARSET UTF-8 BODY", lambda _: CHINESE_PAIR, lambda big: big.chinese_bodies, 3, is_text=True),
}
_REST = 5.0  # seconds in which a server that has nothing to do takes less than this share of a core
_RESTING = 0.02


def work(terms: Terms) -> list[Work]:
    searches = [(name, _Search(terms, case)) for name, case in _CASES.items()]
    return [Work(f"search/{name}", "SEARCH", search.lap, search.prepare, needs_big=True) for name, search in searches]


@dataclass(frozen=True, slots=True)
class _Search:
    terms: Terms
    case: _Case

    async def prepare(self, server: Server) -> None:
        """Wait until the server rests, if it is to look for what an index may hold."""
        while self.case.is_text:
            before = server.meter.cpu()
            await asyncio.sleep(_REST)
            if server.meter.cpu() - before < _REST * _RESTING:
                return

    async def lap(self, server: Server, lap: Lap) -> None:
        mailbox = self.terms.mailbox
        word = None if self.case.word is None else self.case.word(mailbox).encode()
        client = await server.imap(BIG_USER, BIG_BOX)
        answers = []
        async with lap.clock():
            for _ in range(self.case.times):
                begun = perf_counter()
                answers.append(await self._search(client, word))
                lap.took(begun)
        lap.operations = self.case.times
        await client.logout()
        wanted = self.case.hits(mailbox)
        for answer in answers:
            found = search_hits(answer.octets)
            lap.check([] if found == wanted else [f"{found} messages found instead of {wanted}"])

    async def _search(self, client: ImapClient, word: bytes | None) -> Answer:
        if word is None:
            return await client.ok(b"SEARCH " + self.case.keys)
        return await client.search(self.case.keys, word)
