"""`python -m bench.search [messages]`: the text index alone: indexing, its size, and needles, without a server.

Prints milliseconds of CPU; `index` is FTS5 with the vocabulary at hand, the reading of doubtful messages not included.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.corpus import Corpus
from bench.corpus.vocabulary import CHINESE_WORD, SUBJECT_WORD
from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.message.analyze import analyze
from hongyan.message.outline import Outline
from hongyan.message.searchable import body_texts, header_block, header_texts
from hongyan.store.index import Document, IndexField
from hongyan.types import AccountId

_ACCOUNT = AccountId(1)
_BATCH = 50
_TIMES = 5


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(count, Path(folder)))


async def _measure(count: int, folder: Path) -> None:
    corpus, index = Corpus(), SqliteIndex(folder)
    octets = 0
    reading = writing = 0.0
    for start in range(1, count + 1, _BATCH):
        served = [corpus.message(number) for number in range(start, min(start + _BATCH, count + 1))]
        analyses = [analyze(b"", one) for one in served]
        octets += sum(map(len, served))
        began = time.process_time()
        documents = [
            Document(
                number,
                {
                    IndexField.FROM: (of.from_text,),
                    IndexField.TO: (of.to_text,),
                    IndexField.SUBJECT: (of.subject_text,),
                    IndexField.HEADER: list(header_texts(header_block(one))),
                    IndexField.BODY: list(body_texts(Outline(of.outline), one)),
                },
            )
            for number, (one, of) in enumerate(zip(served, analyses, strict=True), start)
        ]
        read = time.process_time()
        await index.put(_ACCOUNT, documents, start - 1, start + len(served) - 1)
        reading += read - began
        writing += time.process_time() - read
    index.close()  # what the log holds goes into the file
    index = SqliteIndex(folder)
    size = await index.measure(_ACCOUNT)
    print(f"{count} messages of {octets // count} octets")
    print(f"text {1000 * reading / count:.3f} ms, index {1000 * writing / count:.3f} ms a message")
    print(f"{size.octets // count} octets of index a message, {size.octets / octets:.2f} of the mail")
    for name, fields, needle in _needles(corpus, count):
        await _look(index, name, fields, needle)
    index.close()


def _needles(corpus: Corpus, count: int) -> Iterator[tuple[str, Sequence[IndexField], str]]:
    text = (IndexField.HEADER, IndexField.BODY)
    yield "rare", text, corpus.message_id(count // 2).strip("<>").partition("@")[0]
    yield "nowhere", text, "zyzzyvas"
    yield "subject", (IndexField.SUBJECT,), SUBJECT_WORD.lower()
    yield "subject, part", (IndexField.SUBJECT,), SUBJECT_WORD.lower()[1:-1]
    yield "chinese", text, CHINESE_WORD
    yield "sender", (IndexField.FROM,), corpus.sender.lower()
    yield "part of words", text, "tion"
    yield "one letter", text, "q"
    yield "common", text, "the"


async def _look(index: SqliteIndex, name: str, fields: Sequence[IndexField], needle: str) -> None:
    match = await index.match(_ACCOUNT, fields, needle)
    began = time.process_time()
    for _ in range(_TIMES):
        await index.match(_ACCOUNT, fields, needle)
    took = 1000 * (time.process_time() - began) / _TIMES
    found = (len(match.sure), len(match.doubtful)) if match is not None else (0, 0)
    print(f"{name:14} {needle[:30]!r:34} {took:8.2f} ms  sure {found[0]:6}  doubtful {found[1]:6}")


if __name__ == "__main__":
    main()
