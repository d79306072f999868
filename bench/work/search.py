"""SEARCH the big mailbox by flags and by headers."""

from __future__ import annotations

__all__ = ["work"]

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from bench.answers import search_hits
from bench.clients import Answer, ImapClient
from bench.corpus import BigMailbox
from bench.corpus.vocabulary import CHINESE_WORD, SUBJECT_WORD
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


_CASES = {
    "unseen": _Case(b"UNSEEN", None, lambda big: big.unseen, 10),
    "flagged": _Case(b"FLAGGED", None, lambda big: big.flagged, 10),
    "from": _Case(b"FROM", lambda big: big.corpus.sender, lambda big: big.from_sender, 1),
    "subject": _Case(b"SUBJECT", lambda _: SUBJECT_WORD, lambda big: big.with_word, 1),
    "subject-chinese": _Case(b"CHARSET UTF-8 SUBJECT", lambda _: CHINESE_WORD, lambda big: big.chinese, 1),
    "message-id": _Case(b"HEADER Message-ID", lambda big: big.corpus.message_id(big.count // 2), lambda _: 1, 1),
}


def work(terms: Terms) -> list[Work]:
    return [Work(f"search/{name}", "SEARCH", _Search(terms, case).lap, needs_big=True) for name, case in _CASES.items()]


@dataclass(frozen=True, slots=True)
class _Search:
    terms: Terms
    case: _Case

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
