"""The tokens of IMAP, read one after another from the octets of a command (RFC 9051 §9, RFC 3501 §9).

A command's octets hold its literals where they stood, `{n}` CRLF and n octets, and no CRLF at the end.
Nothing is ever read twice or looked up beyond the end, so reading takes time linear in the length.
"""

from __future__ import annotations

__all__ = ["MAX_NUMBER", "MAX_NUMBER64", "Cursor"]

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NoReturn

from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.mailbox_name import decode_mailbox, decode_pattern
from hongyan.wire.imap.sequence import SEQUENCE_SET, SequenceSet, parse_matched

MAX_NUMBER = 0xFFFFFFFF
MAX_NUMBER64 = 0x7FFFFFFFFFFFFFFF

MAX_KEYWORD = 200
"""Characters of a keyword. All of a mailbox are told each time it is selected."""

# atom-specials   = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
# atom            = 1*ATOM-CHAR
_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
# ASTRING-CHAR    = ATOM-CHAR / resp-specials
_ASTRING_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
# list-char       = ATOM-CHAR / list-wildcards / resp-specials
_LIST_ATOM = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]+')
# quoted          = DQUOTE *QUOTED-CHAR DQUOTE
# QUOTED-CHAR     = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
_QUOTED = re.compile(rb'"([^"\\\r\n\x00]*(?:\\["\\][^"\\\r\n\x00]*)*)"')
_ESCAPE = re.compile(rb"\\(.)")
# literal         = "{" number64 ["+"] "}" CRLF *CHAR8
# literal8        = "~{" number64 ["+"] "}" CRLF *OCTET
_LITERAL = re.compile(rb"(~?)\{([0-9]{1,19})\+?\}\r\n")
_DIGITS = re.compile(rb"[0-9]+")
# flag            = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
_FLAG = re.compile(rb'\\?[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
# date            = date-text / DQUOTE date-text DQUOTE
# date-text       = date-day "-" date-month "-" date-year
_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1(?=[ )]|\Z)')
# date-time       = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
_DATE_TIME = re.compile(
    rb'"([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)
_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
# The flags of RFC 9051 §2.3.2 are told apart without regard to case; they leave here in the spelling of the RFC.
_KNOWN_FLAGS = {
    name.lower(): name
    for name in (
        b"\\Answered",
        b"\\Flagged",
        b"\\Deleted",
        b"\\Seen",
        b"\\Draft",
        b"$MDNSent",
        b"$Forwarded",
        b"$Junk",
        b"$NotJunk",
        b"$Phishing",
    )
}


class Cursor:
    """A place in a command. Each `read_` method moves behind a token or raises CommandFault."""

    __slots__ = ("at", "octets", "utf8")

    def __init__(self, octets: bytes, at: int = 0, *, utf8: bool = False) -> None:
        self.octets = octets
        self.at = at
        self.utf8 = utf8
        """Whether names are UTF-8 as they stand (RFC 6855 §3)."""

    def fail(self, sentence: str) -> NoReturn:
        raise CommandFault(sentence)

    # What stands between tokens

    def take(self, octets: bytes) -> bool:
        """Move behind these octets if they are next."""
        if self.octets.startswith(octets, self.at):
            self.at += len(octets)
            return True
        return False

    def require(self, octets: bytes, sentence: str) -> None:
        if not self.take(octets):
            self.fail(sentence)

    def space(self) -> None:
        """Move behind exactly one space (RFC 9051 §9, note 2)."""
        if not self.octets.startswith(b" ", self.at):
            self.fail("An argument is missing" if self.at >= len(self.octets) else "One space stands between arguments")
        self.at += 1

    def peek(self) -> bytes:
        """Return the next octet, or nothing at the end."""
        return self.octets[self.at : self.at + 1]

    def end(self) -> None:
        if self.at != len(self.octets):
            self.fail("The command goes on after its last argument")

    # Tokens

    def read_atom(self) -> bytes:
        match = _ATOM.match(self.octets, self.at)
        if not match:
            self.fail("An atom is missing")
        self.at = match.end()
        return match[0]

    def read_word(self) -> bytes:
        """Read an atom that is a keyword, in capitals."""
        return self.read_atom().upper()

    def read_astring(self) -> bytes:
        """Read what may be an atom, quoted or a literal: `astring = 1*ASTRING-CHAR / string`."""
        match = _ASTRING_ATOM.match(self.octets, self.at)
        if match:
            self.at = match.end()
            return match[0]
        return self.read_string()

    def read_list_mailbox(self) -> str:
        """Read a pattern of LIST: `list-mailbox = 1*list-char / string`."""
        match = _LIST_ATOM.match(self.octets, self.at)
        if match:
            self.at = match.end()
            return decode_pattern(match[0], self.utf8)
        return decode_pattern(self.read_string(), self.utf8)

    def read_string(self) -> bytes:
        """Read `string = quoted / literal`."""
        match = _QUOTED.match(self.octets, self.at)
        if match:
            self.at = match.end()
            return _ESCAPE.sub(rb"\1", match[1]) if b"\\" in match[1] else match[1]
        match = _LITERAL.match(self.octets, self.at)
        if not match:
            self.fail("A string is missing or not well formed")
        return self._read_literal(match)

    def _read_literal(self, match: re.Match[bytes]) -> bytes:
        self.at = match.end() + int(match[2])
        if self.at > len(self.octets):
            self.fail("A literal is shorter than it said")
        literal = self.octets[match.end() : self.at]
        if b"\0" in literal:  # CHAR8 = %x01-ff. No argument of a command is a literal8 but a message.
            self.fail("A literal holds no NUL")
        return literal

    def read_nstring(self) -> bytes | None:
        """Read `nstring = string / nil`."""
        if self.octets[self.at : self.at + 3].upper() == b"NIL":
            self.at += 3
            return None
        return self.read_string()

    def read_value(self) -> bytes | None:
        """Read `value = nstring / literal8` (RFC 5464 §5): any octets, or NIL."""
        match = _LITERAL.match(self.octets, self.at)
        if match and match[1]:
            self.at = match.end() + int(match[2])
            if self.at > len(self.octets):
                self.fail("A literal is shorter than it said")
            return self.octets[match.end() : self.at]
        return self.read_nstring()

    def read_text(self) -> str:
        """Read an astring of UTF-8 text."""
        octets = self.read_astring()
        try:
            return octets.decode()
        except UnicodeDecodeError:
            self.fail("An argument is in UTF-8, and this is not")

    def read_number(self, largest: int = MAX_NUMBER, smallest: int = 0) -> int:
        """Read digits: `number`, `nz-number` where `smallest` is 1, and their 64-bit kin where `largest` says so."""
        match = _DIGITS.match(self.octets, self.at)
        if not match:
            self.fail("A number is missing")
        self.at = match.end()
        digits = match[0]
        if len(digits) > 19 or not smallest <= (number := int(digits)) <= largest:
            self.fail(f"A number here is from {smallest} to {largest}")
        if smallest and digits.startswith(b"0"):
            self.fail("A number here does not start with 0")  # nz-number = digit-nz *DIGIT
        return number

    def read_sequence_set(self) -> SequenceSet:
        """Read the set of messages that a command speaks of."""
        match = SEQUENCE_SET.match(self.octets, self.at)
        if not match:
            self.fail("A set of message numbers is missing or not well formed")
        self.at = match.end()
        return parse_matched(match[0])

    def read_mailbox(self) -> str:
        return decode_mailbox(self.read_astring(), self.utf8)

    def read_mailbox_and_oldname(self) -> tuple[str, str | None]:
        """Read a name, and return with it how it was written if that was not its normal form (RFC 9051 §6.3.9.7)."""
        octets = self.read_astring()
        name = decode_mailbox(octets, self.utf8)
        written = octets.decode() if self.utf8 else ""
        return name, written if written and not written.isascii() and written != name else None

    def read_flags(self) -> tuple[bytes, ...]:
        """Read `flag-list = "(" [flag *(SP flag)] ")"`."""
        self.require(b"(", "A list of flags stands in parentheses")
        if self.take(b")"):
            return ()
        flags = self.read_bare_flags()
        self.require(b")", "A list of flags stands in parentheses")
        return flags

    def read_bare_flags(self) -> tuple[bytes, ...]:
        """Read `flag *(SP flag)`, each once."""
        flags = {self.read_flag(): None}
        while self.take(b" "):
            flags[self.read_flag()] = None
        return tuple(flags)

    def read_flag(self) -> bytes:
        """Read a flag that a client may set."""
        match = _FLAG.match(self.octets, self.at)
        if not match:
            self.fail("A flag is missing or not well formed")
        self.at = match.end()
        flag = match[0]
        known = _KNOWN_FLAGS.get(flag.lower())
        if known:
            return known
        if len(flag) > MAX_KEYWORD:
            self.fail(f"A keyword has at most {MAX_KEYWORD} characters")
        if flag.startswith(b"\\"):  # "\Recent" cannot be set, and a flag-extension needs an RFC (RFC 9051 §2.3.2).
            self.fail(f"There is no system flag {flag[:40].decode('ascii')}")
        return flag

    def read_date(self) -> date:
        match = _DATE.match(self.octets, self.at)
        month = _MONTHS.get(match[3].lower()) if match else None
        if not match or not month:
            self.fail("A date has the form 1-Feb-2026")
        self.at = match.end()
        try:
            return date(int(match[4]), month, int(match[2]))
        except ValueError:
            self.fail("There is no such date")

    def read_date_time(self) -> datetime:
        """Read a date-time; return it in UTC."""
        match = _DATE_TIME.match(self.octets, self.at)
        month = _MONTHS.get(match[2].lower()) if match else None
        if not match or not month:
            self.fail('A date and time has the form " 1-Feb-2026 13:45:00 +0800"')
        self.at = match.end()
        day, _, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        try:
            zone = timezone(-offset if sign == b"-" else offset)
            # A leap second is told as the second before it.
            local = datetime(int(year), month, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("There is no such date and time")
