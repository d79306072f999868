"""The side of a text index that writes, one batch at a time: all of a batch, or nothing.

Commits are not synced: a power loss may take the last ones, never part of one, and what is covered goes back with them.
"""

from __future__ import annotations

__all__ = ["IndexWriter"]

import threading
from collections.abc import Sequence
from pathlib import Path
from time import thread_time

from pyroaring import BitMap

from hongyan.engines.sqlite.index_file import FIELDS, GivenUp, IndexFile
from hongyan.errors import Corrupt
from hongyan.search.tokenize import Tokens
from hongyan.store.index import Document

_STEPS = 20_000  # of SQLite's machine, between two looks whether a batch was given up

_INSERT = f"INSERT INTO texts (rowid, {', '.join(field.value for field in FIELDS)}, grams) VALUES (?{', ?' * 8})"


class IndexWriter:
    """The side that writes, one batch at a time. It makes the file if there is none."""

    def __init__(self, path: Path, vfs: str | None) -> None:
        """Raises `Corrupt`, and what APSW raises."""
        self._known: set[str] | None = None  # words, once something is written
        self._given_up = threading.Event()
        self.file = IndexFile(path, vfs, make=True)
        self._connection = self.file.connection
        self._connection.set_progress_handler(self._is_given_up, _STEPS)

    def _is_given_up(self) -> bool:
        return self._given_up.is_set()

    def put(self, documents: Sequence[Document], after: int, covered: int, given_up: threading.Event) -> float:
        """Write a batch behind what is covered so far. Raises `Corrupt` if that is not `after`, and `GivenUp`."""
        began = thread_time()
        self._given_up = given_up
        fresh: dict[str, None] = {}
        if self._known is None:
            self._known = set(self._joined_words().split("\n"))
        with self._connection:
            if self.file.covered() != after:
                raise Corrupt(cause=f"the index {self.file.path.name} is not the one of before")
            # What lies behind what is covered was written by nobody who finished; it is written again.
            self._forget(BitMap([document.number for document in documents]))
            for document in documents:
                if given_up.is_set():
                    raise GivenUp(cause=f"a batch of {self.file.path.name}")
                self._put_one(document, fresh)
            if fresh:
                self._connection.execute("INSERT INTO words (words) VALUES (?)", ("\n".join(fresh),))
            self._connection.execute(
                "INSERT INTO state VALUES ('covered', ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (covered,),
            )
        self._known |= fresh.keys()
        return thread_time() - began

    def _put_one(self, document: Document, fresh: dict[str, None]) -> None:
        execute = self._connection.execute
        execute("INSERT INTO emails VALUES (?, ?)", (document.number, document.mark))
        if not document.is_whole:
            execute("INSERT INTO partial VALUES (?)", (document.number,))
            return
        known = self._known or set()
        grams: set[str] = set()
        values: list[str] = []
        for field in FIELDS:
            tokens = Tokens.of(document.texts.get(field, ()))
            grams |= tokens.grams
            fresh.update(dict.fromkeys(tokens.words(known)))
            values.append(tokens.text)
        execute(_INSERT, (document.number, *values, " ".join(sorted(grams))))

    def delete(self, numbers: BitMap, given_up: threading.Event) -> None:
        """Forget emails. Raises `GivenUp`; then all are there still."""
        self._given_up = given_up
        with self._connection:
            self._forget(numbers)

    def _forget(self, numbers: BitMap) -> None:
        if not numbers:
            return
        bounds = (numbers.min(), numbers.max())
        rows = self._connection.execute("SELECT number FROM emails WHERE number BETWEEN ? AND ?", bounds)
        for number in numbers & BitMap([number for (number,) in rows]):
            self._connection.execute("DELETE FROM emails WHERE number = ?", (number,))
            self._connection.execute("DELETE FROM texts WHERE rowid = ?", (number,))
            self._connection.execute("DELETE FROM partial WHERE number = ?", (number,))

    def _joined_words(self) -> str:
        return "\n".join(words for (words,) in self._connection.execute("SELECT words FROM words ORDER BY n"))
