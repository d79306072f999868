"""The grammar of SEARCH: keys, return options, charsets (RFC 9051 §6.4.4, RFC 3501 §6.4.4).

What a client sends may nest and repeat only so far: `MAX_DEPTH`, `MAX_KEYS`.
"""

from __future__ import annotations

__all__ = ["MAX_DEPTH", "MAX_KEYS", "read_partial", "read_search_program", "read_search_return"]

import re
from collections.abc import Callable
from datetime import date

from hongyan.wire.imap.cursor import MAX_NUMBER, MAX_NUMBER64, Cursor
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.search import (
    All,
    And,
    EmailIdIs,
    Fuzzy,
    HasFlag,
    InBody,
    InHeader,
    InternalDate,
    InText,
    IsRecent,
    Larger,
    ModSeqSince,
    Not,
    Older,
    Or,
    Partial,
    SaveDate,
    SaveDateSupported,
    SearchKey,
    SearchOption,
    SearchReturn,
    SentDate,
    Seqs,
    Smaller,
    ThreadIdIs,
    Uids,
    UidsBeyond,
    When,
    Younger,
)
from hongyan.wire.imap.sequence import SequenceSet

MAX_DEPTH = 50
MAX_KEYS = 10_000


def read_search_return(cursor: Cursor) -> SearchReturn:
    """Read the options behind RETURN."""
    # search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    # search-return-opt  = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE" / search-ret-opt-ext
    cursor.require(b"(", "Return options stand in parentheses")
    options: set[SearchOption] = set()
    partial = None
    if not cursor.take(b")"):
        while True:
            word = cursor.read_word()
            if word == b"PARTIAL" and partial is None:
                cursor.space()
                partial = read_partial(cursor)
            elif word in _OPTIONS:
                options.add(_OPTIONS[word])
            else:
                cursor.fail(f"SEARCH knows no return option {word[:40].decode('ascii')}")
            if not cursor.take(b" "):
                break
        cursor.require(b")", "Return options stand in parentheses")
    if partial and SearchOption.ALL in options:
        cursor.fail("ALL and PARTIAL exclude each other")  # RFC 9394 §3.1
    if not options and not partial:
        options = {SearchOption.ALL}
    return SearchReturn(frozenset(options), partial)


def read_partial(cursor: Cursor) -> Partial:
    """Read the range of PARTIAL, which has one sign."""
    # partial-range-first = nz-number ":" nz-number
    # partial-range-last  = MINUS nz-number ":" MINUS nz-number
    sign = -1 if cursor.take(b"-") else 1
    first = cursor.read_number(MAX_NUMBER, 1)
    cursor.require(b":-" if sign < 0 else b":", "PARTIAL has the form 1:100 or -1:-100")
    return Partial(sign * first, sign * cursor.read_number(MAX_NUMBER, 1))


_OPTIONS = {option.value: option for option in SearchOption}

# US-ASCII and UTF-8 must be known (RFC 9051 §6.4.4); the others are what older mail programs speak.
_CHARSETS = {
    b"US-ASCII": "utf-8",  # 8-bit text under this name is UTF-8 if it is anything
    b"UTF-8": "utf-8",
    b"ISO-8859-1": "cp1252",
    b"GB18030": "gb18030",
    b"GBK": "gb18030",
    b"GB2312": "gb18030",
    b"BIG5": "big5hkscs",
    b"ISO-2022-JP": "iso2022_jp",
    b"SHIFT_JIS": "cp932",
    b"EUC-JP": "euc_jp",
    b"EUC-KR": "cp949",
    b"KOI8-R": "koi8_r",
    b"WINDOWS-1251": "cp1251",
    b"WINDOWS-1252": "cp1252",
}


def read_search_program(cursor: Cursor, *, charset: bytes | None = None) -> SearchKey:
    """Read keys up to the end of the command; several are joined by And."""
    # search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    if charset is None:
        charset = b"UTF-8"  # RFC 9051 §6.4.4
        if cursor.octets[cursor.at : cursor.at + 8].upper() == b"CHARSET ":
            cursor.at += 8
            charset = cursor.read_astring()
            cursor.space()
    reader = _KeyReader(cursor, charset)
    keys = [reader.read_key(0)]
    while cursor.take(b" "):
        keys.append(reader.read_key(0))
    cursor.end()
    return keys[0] if len(keys) == 1 else And(tuple(keys))


class _KeyReader:
    """Reads keys, and counts them."""

    __slots__ = ("_codec", "_cursor", "_keys")

    def __init__(self, cursor: Cursor, charset: bytes) -> None:
        codec = _CHARSETS.get(charset.upper())
        if codec is None:
            known = b" ".join(_CHARSETS)
            raise CommandFault("That charset is not known", status=b"NO", code=b"BADCHARSET (%b)" % known)
        self._cursor = cursor
        self._codec = codec
        self._keys = 0

    def read_key(self, depth: int) -> SearchKey:
        # search-key = "ALL" / "ANSWERED" / … / sequence-set / "(" search-key *(SP search-key) ")"
        cursor = self._cursor
        self._keys += 1
        if self._keys > MAX_KEYS:
            raise CommandFault(f"A search has at most {MAX_KEYS} keys", status=b"NO", code=b"LIMIT")
        if depth > MAX_DEPTH:
            raise CommandFault(f"Search keys are nested at most {MAX_DEPTH} deep", status=b"NO", code=b"LIMIT")
        match = _KEY_NAME.match(cursor.octets, cursor.at)
        if match:
            cursor.at = match.end()
            return self._read_named(match[0].upper(), depth)
        if not cursor.take(b"("):
            return Seqs(cursor.read_sequence_set())
        keys = [self.read_key(depth + 1)]
        while cursor.take(b" "):
            keys.append(self.read_key(depth + 1))
        cursor.require(b")", "A group of search keys ends with )")
        return keys[0] if len(keys) == 1 else And(tuple(keys))

    def _read_named(self, name: bytes, depth: int) -> SearchKey:
        if name in _PLAIN:
            return _PLAIN[name]
        self._require_known(name)
        self._cursor.space()
        match name:
            case b"NOT":
                return Not(self.read_key(depth + 1))
            case b"OR":
                left = self.read_key(depth + 1)
                self._cursor.space()
                return Or(left, self.read_key(depth + 1))
            case b"FUZZY":
                return Fuzzy(self.read_key(depth + 1))
        return _WITH_ARGUMENT[name](self)

    def _require_known(self, name: bytes) -> None:
        if name not in _WITH_ARGUMENT and name not in {b"NOT", b"OR", b"FUZZY"}:
            self._cursor.fail(f"SEARCH knows no key {name[:40].decode('ascii')}")

    def in_header(self, field: bytes) -> InHeader:
        return InHeader(field, self.text())

    def header(self) -> InHeader:
        # "HEADER" SP header-fld-name SP astring
        field = self._cursor.read_astring().lower()
        self._cursor.space()
        return self.in_header(field)

    def text(self) -> str:
        octets = self._cursor.read_astring()
        try:
            return octets.decode(self._codec)
        except UnicodeDecodeError:
            self._cursor.fail("The text to search for is not in the charset of the search")

    def keyword(self) -> HasFlag:
        # "KEYWORD" SP flag-keyword
        if self._cursor.peek() == b"\\":
            self._cursor.fail("A system flag is searched by its own key, not by KEYWORD")
        return HasFlag(self._cursor.read_flag())

    def date(self) -> date:
        return self._cursor.read_date()

    def number(self, largest: int = MAX_NUMBER64, smallest: int = 0) -> int:
        return self._cursor.read_number(largest, smallest)

    def sequence_set(self) -> SequenceSet:
        return self._cursor.read_sequence_set()

    def beyond(self, *, after: bool) -> UidsBeyond:
        # "UIDAFTER" / "UIDBEFORE" SP uniqueid, and `$`, as RFC 9738 §3.2 would have it follow another search
        return UidsBeyond(0 if self._cursor.take(b"$") else self.number(MAX_NUMBER, 1), after)

    def modseq(self) -> ModSeqSince:
        # search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer
        if self._cursor.peek() == b'"':
            name = self._cursor.read_string()
            self._cursor.space()
            kind = self._cursor.read_word()
            if not name.lower().startswith(b"/flags/") or kind not in {b"PRIV", b"SHARED", b"ALL"}:
                self._cursor.fail('MODSEQ has the form MODSEQ "/flags/\\\\Seen" all 4711')
            self._cursor.space()
        return ModSeqSince(self.number())

    def object_id(self) -> bytes:
        # objectid = 1*255(ALPHA / DIGIT / "_" / "-")
        octets = self._cursor.read_astring()
        if not _OBJECT_ID.fullmatch(octets):
            self._cursor.fail("That is no object id")
        return octets


_KEY_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9]*")
_OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}")

_RECENT = IsRecent()
_SEEN = HasFlag(b"\\Seen")
_PLAIN: dict[bytes, SearchKey] = {
    b"ALL": All(),
    b"ANSWERED": HasFlag(b"\\Answered"),
    b"DELETED": HasFlag(b"\\Deleted"),
    b"DRAFT": HasFlag(b"\\Draft"),
    b"FLAGGED": HasFlag(b"\\Flagged"),
    b"SEEN": _SEEN,
    b"UNANSWERED": Not(HasFlag(b"\\Answered")),
    b"UNDELETED": Not(HasFlag(b"\\Deleted")),
    b"UNDRAFT": Not(HasFlag(b"\\Draft")),
    b"UNFLAGGED": Not(HasFlag(b"\\Flagged")),
    b"UNSEEN": Not(_SEEN),
    b"RECENT": _RECENT,  # RFC 3501 §6.4.4, and the next two
    b"NEW": And((_RECENT, Not(_SEEN))),
    b"OLD": Not(_RECENT),
    b"SAVEDATESUPPORTED": SaveDateSupported(),
}
_WITH_ARGUMENT: dict[bytes, Callable[[_KeyReader], SearchKey]] = {
    b"BCC": lambda reader: reader.in_header(b"bcc"),
    b"BEFORE": lambda reader: InternalDate(When.BEFORE, reader.date()),
    b"BODY": lambda reader: InBody(reader.text()),
    b"CC": lambda reader: reader.in_header(b"cc"),
    b"EMAILID": lambda reader: EmailIdIs(reader.object_id()),
    b"FROM": lambda reader: reader.in_header(b"from"),
    b"HEADER": lambda reader: reader.header(),
    b"KEYWORD": lambda reader: reader.keyword(),
    b"LARGER": lambda reader: Larger(reader.number()),
    b"MODSEQ": lambda reader: reader.modseq(),
    b"OLDER": lambda reader: Older(reader.number(MAX_NUMBER, 1)),
    b"ON": lambda reader: InternalDate(When.ON, reader.date()),
    b"SAVEDBEFORE": lambda reader: SaveDate(When.BEFORE, reader.date()),
    b"SAVEDON": lambda reader: SaveDate(When.ON, reader.date()),
    b"SAVEDSINCE": lambda reader: SaveDate(When.SINCE, reader.date()),
    b"SENTBEFORE": lambda reader: SentDate(When.BEFORE, reader.date()),
    b"SENTON": lambda reader: SentDate(When.ON, reader.date()),
    b"SENTSINCE": lambda reader: SentDate(When.SINCE, reader.date()),
    b"SINCE": lambda reader: InternalDate(When.SINCE, reader.date()),
    b"SMALLER": lambda reader: Smaller(reader.number()),
    b"SUBJECT": lambda reader: reader.in_header(b"subject"),
    b"TEXT": lambda reader: InText(reader.text()),
    b"THREADID": lambda reader: ThreadIdIs(reader.object_id()),
    b"TO": lambda reader: reader.in_header(b"to"),
    b"UID": lambda reader: Uids(reader.sequence_set()),
    b"UIDAFTER": lambda reader: reader.beyond(after=True),
    b"UIDBEFORE": lambda reader: reader.beyond(after=False),
    b"UNKEYWORD": lambda reader: Not(reader.keyword()),
    b"YOUNGER": lambda reader: Younger(reader.number(MAX_NUMBER, 1)),
}
