"""FETCH responses in bulk: rows of values to lines of octets, with no object in between (RFC 9051 §7.5.2).

What a command asks for is compiled once into a template; each row is then one `%`, and a batch one
`join`. A batch of some hundred rows is fastest: its pieces stay in the processor's cache.
"""

from __future__ import annotations

__all__ = ["ROW_END", "FlagRows", "RowFormat", "begin_literal", "form_of"]

from collections.abc import Iterable, Sequence
from itertools import chain, repeat

from hongyan.wire.imap.fetch import BinarySize, FetchItem, Item, Preview

ROW_END = b")\r\n"
"""What ends a row that `RowFormat.open` began."""

_NAMES = {False: b"FETCH", True: b"UIDFETCH"}
_NUMBERS = {
    Item.UID: b"UID %d",
    Item.SIZE: b"RFC822.SIZE %d",
    Item.MODSEQ: b"MODSEQ (%d)",  # RFC 7162 §7, fetch-mod-resp
}
_IN_PARENTHESES = {
    Item.FLAGS: b"FLAGS (%b)",
    Item.EMAILID: b"EMAILID (%b)",  # RFC 8474 §7, fetch-emailid-resp
}


class RowFormat:
    """The form of one FETCH response, for a row of values in the order of `items`.

    Values of UID, RFC822.SIZE, MODSEQ and BINARY.SIZE are numbers. All others are octets as they go out:
    FLAGS and EMAILID without their parentheses, INTERNALDATE with its quotes, ENVELOPE, BODY and
    BODYSTRUCTURE with theirs, and of sections and PREVIEW a string, a literal or NIL (see `strings`).
    """

    __slots__ = ("_begin", "_open", "_template", "items")

    def __init__(self, items: Sequence[FetchItem], *, by_uid: bool = False) -> None:
        """With `by_uid` the number that begins a row is the message's UID, and the row a UIDFETCH (RFC 9586 §3.3)."""
        self.items = tuple(items)
        self._begin = b"* %%d %b (" % _NAMES[by_uid]
        self._open = self._begin + b" ".join(map(form_of, self.items))
        self._template = self._open + ROW_END

    def encode(self, rows: Iterable[tuple[int | bytes, ...]]) -> bytes:
        """Write rows: the number, then a value for each item."""
        return b"".join(map(self._template.__mod__, rows))

    def begin(self, number: int | bytes) -> bytes:
        """Write what stands before the items."""
        return self._begin % number

    def open(self, row: tuple[int | bytes, ...]) -> bytes:
        """Write a row without its end: streamed sections follow, each behind a space if it is not the first item."""
        return self._open % row


def form_of(item: FetchItem) -> bytes:
    """Return the template of one item: its label and a place for its value."""
    if isinstance(item, Item):
        return _NUMBERS.get(item) or _IN_PARENTHESES.get(item) or item.value + b" %b"
    if isinstance(item, BinarySize):
        return item.label.replace(b"%", b"%%") + b" %d"
    if isinstance(item, Preview):
        return b"PREVIEW %b"
    return item.label.replace(b"%", b"%%") + b" %b"


class FlagRows:
    """FETCH responses that tell FLAGS and nothing else, with `uid` also the UID: what mail programs ask most."""

    __slots__ = ("_begin", "_ends")

    def __init__(self, texts: Iterable[bytes], *, uid: bool, by_uid: bool = False) -> None:
        """Take the flags that each code stands for, without parentheses. `by_uid`: see `RowFormat`."""
        name = _NAMES[by_uid].decode("ascii")
        self._begin = f" {name} (UID "
        begin = " FLAGS" if uid else f" {name} (FLAGS"
        # The end of one row holds the start of the next: one piece less to join.
        self._ends = [f"{begin} ({text.decode('ascii')}))\r\n* " for text in texts]

    def encode(self, numbers: Iterable[int], codes: Iterable[int], uids: Iterable[int] | None = None) -> bytes:
        """Write a row for each number; `uids` must be given if and only if they are to be told."""
        ends = map(self._ends.__getitem__, codes)
        if uids is None:
            rows = "".join(chain.from_iterable(zip(map(str, numbers), ends, strict=True)))
        else:
            pieces = zip(map(str, numbers), repeat(self._begin), map(str, uids), ends, strict=False)
            rows = "".join(chain.from_iterable(pieces))
        return f"* {rows}"[:-2].encode("ascii")


def begin_literal(label: bytes, size: int, *, binary: bool = False) -> bytes:
    """Announce a section of `size` octets that are streamed behind; `binary` where they may hold NUL."""
    return b"%b ~{%d}\r\n" % (label, size) if binary else b"%b {%d}\r\n" % (label, size)
