"""What a FETCH asks for, compiled: which columns to read, and how a row becomes octets."""

from __future__ import annotations

__all__ = ["FetchPlan", "compile_plan"]

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from hongyan.mailboxes.object_ids import email_object_id, thread_object_id
from hongyan.message.anatomy import STORED_FIELDS
from hongyan.message.headers import field_finder
from hongyan.message.structure import shorten_to_body
from hongyan.servers.imap.selected import Selected
from hongyan.store.messages import Column, Row
from hongyan.wire.imap.encoder import RowFormat, form_of
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Item, Preview, Section, SectionText
from hongyan.wire.imap.strings import NIL, encode_date_time, encode_literal, encode_string

Value = int | bytes
FromRow = Callable[[Row, int], Value]

_FLAG_ROWS: dict[tuple[FetchItem, ...], str] = {(Item.FLAGS,): "plain", (Item.UID, Item.FLAGS): "uid"}
_MEMORY = frozenset({Item.UID, Item.FLAGS, Item.MODSEQ})


class FetchPlan:
    """The compiled form of one list of items, shared by all who ask the same."""

    __slots__ = (
        "_makers",
        "_pieces",
        "by_uid",
        "columns",
        "flag_rows",
        "form",
        "is_from_memory",
        "items",
        "marks_seen",
        "sections",
        "tells_modseq",
    )

    def __init__(self, items: tuple[FetchItem, ...], *, utf8: bool, by_uid: bool) -> None:
        self.items = items
        self.by_uid = by_uid
        """Whether messages go by their UIDs: rows are UIDFETCH (RFC 9586 §3.3)."""
        self.is_from_memory = _MEMORY.issuperset(items)
        """Whether no row is needed."""
        self.tells_modseq = Item.MODSEQ in items
        """Whether MODSEQ is asked for, which enables CONDSTORE (RFC 7162 §3.1)."""
        self.form = RowFormat(items, by_uid=by_uid)
        self._pieces = [form_of(item) for item in items]
        self.sections = tuple(item for item in items if _needs_blob(item))
        self.marks_seen = any(isinstance(item, Section | Binary) and not item.peek for item in items)
        self.columns: tuple[Column, ...] = (Column.UID,)
        self._makers: list[tuple[Item | None, Callable[[Row], Value] | None]] = []
        for item in items:
            self._makers.append(self._compile(item, utf8=utf8))
        if self.sections:
            for column in (Column.PREFIX, Column.BLOB, Column.SKIPPED, Column.OUTLINE, Column.SIZE):
                self._column(column)
        self.flag_rows = _FLAG_ROWS.get(items)

    def _column(self, column: Column) -> int:
        if column not in self.columns:
            self.columns += (column,)
        return self.columns.index(column)

    def _compile(self, item: FetchItem, *, utf8: bool) -> tuple[Item | None, Callable[[Row], Value] | None]:
        """Return (memory item, None), or (None, what makes the value of a row)."""
        if isinstance(item, Item) and item in _MEMORY:
            return item, None
        if _needs_blob(item):
            return None, None
        column, make = _source(item, utf8=utf8)
        at = self._column(column)
        if make is None:
            return None, lambda row: row[at]
        return None, lambda row: make(row[at])

    def piece(self, number: int, value: Value) -> bytes:
        """Write the label and the value of one item, for rows that are sent in pieces."""
        return self._pieces[number] % value

    def encode(self, pairs: Sequence[tuple[int, int]], selected: Selected, rows: Sequence[Row] | None) -> bytes:
        """Write rows; without `rows` from memory alone."""
        return self.form.encode(self.values(pairs, selected, rows))

    def values(
        self, pairs: Sequence[tuple[int, int]], selected: Selected, rows: Sequence[Row] | None
    ) -> list[tuple[Value, ...]]:
        """Return the tuples that the form is filled with."""
        state = selected.state
        uids, codes, texts, modseqs = state.uids, state.column.codes, state.column.texts, state.modseqs
        columns: list[Sequence[Value]] = [[uids[at] for _, at in pairs] if self.by_uid else [at + 1 for at, _ in pairs]]
        for memory, make in self._makers:
            match memory:
                case Item.UID:
                    columns.append([uids[at] for _, at in pairs])
                case Item.FLAGS:
                    columns.append([texts[codes[at]] for _, at in pairs])
                case Item.MODSEQ:
                    columns.append([modseqs[at] for _, at in pairs])
                case _ if make is not None and rows is not None:
                    columns.append([make(row) for row in rows])
                case _:
                    columns.append([b""] * len(pairs))
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=1024)
def compile_plan(
    items: tuple[FetchItem, ...], *, uid: bool, modseq: bool, utf8: bool, by_uid: bool = False
) -> FetchPlan:
    """Return the plan of a FETCH; of a UID FETCH the UID is told in any case, and with CHANGEDSINCE the MODSEQ.

    With `by_uid` the UID begins each row and is an item only where it is asked for (RFC 9586 §3.3).
    """
    if uid and not by_uid and Item.UID not in items:
        items = (Item.UID, *items)
    if modseq and Item.MODSEQ not in items:
        items = (*items, Item.MODSEQ)
    return FetchPlan(items, utf8=utf8, by_uid=by_uid)


def _needs_blob(item: FetchItem) -> bool:
    match item:
        case Section(text=SectionText.HEADER_FIELDS, part=(), fields=fields):
            return not STORED_FIELDS.issuperset(fields)
        case Section() | Binary() | BinarySize():
            return True
        case _:
            return False


def _source(item: FetchItem, *, utf8: bool) -> tuple[Column, Callable[[Any], Value] | None]:
    """Return from which column a value comes, and what is made of it."""
    match item:
        case Item.INTERNALDATE:
            return Column.INTERNAL_TEXT, None
        case Item.SIZE:
            return Column.SIZE, None
        case Item.ENVELOPE:
            return (Column.ENVELOPE_UTF8 if utf8 else Column.ENVELOPE), None
        case Item.BODYSTRUCTURE:
            return (Column.BODYSTRUCTURE_UTF8 if utf8 else Column.BODYSTRUCTURE), None
        case Item.BODY:
            shorten = partial(shorten_to_body, utf8=utf8)
            return (Column.BODYSTRUCTURE_UTF8 if utf8 else Column.BODYSTRUCTURE), shorten
        case Item.EMAILID:
            return Column.EMAIL_ID, email_object_id
        case Item.THREADID:
            return Column.THREAD_ID, lambda thread: NIL if thread is None else b"(%b)" % thread_object_id(thread)
        case Item.SAVEDATE:
            return Column.SAVED_AT, lambda value: encode_date_time(datetime.fromtimestamp(value, UTC))
        case Preview():
            return Column.PREVIEW, lambda value: encode_string(value.encode(), utf8=utf8)
        case Section(fields=fields, partial=wanted):
            return Column.FIELDS, _field_selector(frozenset(fields), wanted)
        case _:
            raise ValueError(item)


def _field_selector(fields: frozenset[bytes], wanted: tuple[int, int] | None) -> Callable[[bytes], bytes]:
    find = field_finder(fields)

    def select(stored: bytes) -> bytes:
        octets = find(stored) + b"\r\n"
        if wanted is not None:
            octets = octets[wanted[0] : wanted[0] + wanted[1]]
        return encode_literal(octets)

    return select
