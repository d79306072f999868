"""The side of a text index that answers: as of the last commit, without waiting for a batch that is being written."""

from __future__ import annotations

__all__ = ["IndexReader"]

from collections.abc import Callable, Sequence
from pathlib import Path

from pyroaring import BitMap

from hongyan.engines.sqlite.connection import roll_back
from hongyan.engines.sqlite.index_file import IndexFile, parts_of
from hongyan.errors import Corrupt
from hongyan.search.query import Phrase, Plan, Vocabulary, plan_needle
from hongyan.store.index import Clause, IndexField, IndexSize, TextMatch, TokenStart

_MAX_VOCABULARY = 64 << 20  # characters in memory


class IndexReader:
    """The side that answers."""

    def __init__(self, path: Path, vfs: str | None) -> None:
        """Raises `Corrupt`, and what APSW raises: also when there is no file."""
        self._vocabulary: Vocabulary | None = None  # once something is looked for
        self._newest_words = 0
        self.file = IndexFile(path, vfs, make=False)
        self._connection = self.file.connection

    def match(self, fields: Sequence[IndexField], needle: str) -> TextMatch | None:
        """Return where a folded needle stands, as of one moment."""
        plan = plan_needle(needle)
        if plan is None:
            return None
        return self._at_one_moment(lambda: self._match(fields, plan))

    def match_words(self, fields: Sequence[IndexField], clauses: Sequence[Clause]) -> TextMatch | None:
        """Return where each clause is met, as of one moment."""
        return self._at_one_moment(lambda: self._match_words(fields, clauses))

    def _at_one_moment(self, ask: Callable[[], TextMatch | None]) -> TextMatch | None:
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        try:
            return ask()
        finally:
            roll_back(cursor)

    def _match_words(self, fields: Sequence[IndexField], clauses: Sequence[Clause]) -> TextMatch | None:
        covered = self.file.covered()
        if not covered:
            return None
        words = " AND ".join(f"({' OR '.join(map(_quoted, clause))})" for clause in clauses)
        sure = self._select(f"{_columns(fields)} : ({words})")
        return TextMatch(sure, self._partial() - sure, covered)

    def _match(self, fields: Sequence[IndexField], plan: Plan) -> TextMatch | None:
        covered = self.file.covered()
        if not covered:
            return None
        phrases, is_all = plan.phrases(self._find_vocabulary())
        columns = _columns(fields)
        sure, doubtful = BitMap(), BitMap()
        for phrase in phrases:
            found = self._find(columns, phrase)
            if phrase.is_sure:
                sure |= found
            else:
                doubtful |= found
        doubtful |= self._partial()
        if not is_all:
            doubtful |= self.file.numbers()
        return TextMatch(sure, doubtful - sure, covered)

    def _find(self, columns: str, phrase: Phrase) -> BitMap:
        conditions = [f'grams : "{gram}"' for gram in dict.fromkeys(phrase.grams)]
        conditions += [f'grams : "{gram}" *' for gram in phrase.short_grams]
        if phrase.tokens:
            words = " ".join(phrase.tokens).replace('"', '""')
            conditions.append(f'{columns} : "{words}"{" *" * phrase.is_prefix}')
        return self._select(" AND ".join(conditions))

    def _select(self, condition: str) -> BitMap:
        rows = self._connection.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (condition,))
        return BitMap([number for (number,) in rows])

    def _partial(self) -> BitMap:
        """Return the emails that are not indexed whole."""
        return BitMap([number for (number,) in self._connection.execute("SELECT number FROM partial")])

    def _find_vocabulary(self) -> Vocabulary:
        """Return the words; to those that are known, only new ones are added."""
        newest = self.file.number("SELECT coalesce(max(n), 0) FROM words")
        known = self._vocabulary
        if known is None or newest != self._newest_words:
            rows = self._connection.execute("SELECT words FROM words WHERE n > ? ORDER BY n", (self._newest_words,))
            fresh = "\n".join(words for (words,) in rows)
            known = Vocabulary(fresh) if known is None else known.with_more(fresh)
            if known.size > _MAX_VOCABULARY:
                self._vocabulary, self._newest_words = None, 0
                return known
            self._vocabulary, self._newest_words = known, newest
        return known

    def newest_marks(self, limit: int) -> dict[int, int]:
        rows = self._connection.execute("SELECT number, mark FROM emails ORDER BY number DESC LIMIT ?", (limit,))
        return {number: mark for number, mark in rows if isinstance(number, int) and isinstance(mark, int)}

    def measure(self) -> IndexSize:
        octets = sum(part.stat().st_size for part in parts_of(self.file.path)[:2] if part.exists())
        emails = self.file.number("SELECT count(*) FROM emails")
        return IndexSize(self.file.covered(), emails, self.file.number("SELECT count(*) FROM partial"), octets)

    def check(self) -> None:
        """Read every page, and look whether all fits together. Raises `Corrupt`."""
        told = self._connection.execute("PRAGMA integrity_check(1)").fetchall()
        if told != [("ok",)]:
            raise Corrupt(cause=f"the index {self.file.path.name}: {told[0][0] if told else 'nothing is said of it'}")


def _columns(fields: Sequence[IndexField]) -> str:
    return "{" + " ".join(field.value for field in fields) + "}"


def _quoted(token: TokenStart) -> str:
    text = token.text.replace('"', '""')
    return f'"{text}"{" *" * token.is_open}'
