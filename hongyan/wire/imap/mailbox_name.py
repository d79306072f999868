"""Names of mailboxes, between the wire and the text that the rest of the server knows.

Within the server a name is text in Unicode's normal form C, its levels parted by `/`, free of control
characters, and the first level is `INBOX` in capitals however it was written. On the wire it is
modified UTF-7 for clients of IMAP4rev1 (RFC 3501 §5.1.3), and UTF-8 once IMAP4rev2 or UTF8=ACCEPT
was enabled (RFC 9051 §5.1, RFC 6855 §3).

Only the canonical spelling of modified UTF-7 is read: with two spellings of a name, what one program
checked and what another opens could differ.
"""

from __future__ import annotations

__all__ = [
    "DELIMITER",
    "INBOX",
    "MAX_LEVELS",
    "MAX_OCTETS",
    "OTHERS",
    "decode_mailbox",
    "decode_name",
    "decode_pattern",
    "encode_mailbox",
    "find_fault_of_new_name",
    "from_modified_utf7",
    "normalize_name",
    "to_modified_utf7",
]

import re
import unicodedata
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from hongyan.wire.imap.faults import CommandFault

DELIMITER = "/"
INBOX = "INBOX"
OTHERS = "Other Users"
"""The root of the mailboxes of other users (RFC 2342 §5). No account has mailboxes of its own there."""

MAX_OCTETS = 1000
"""How long a name may be in UTF-8. Modified UTF-7 of such a name still fits a line."""

MAX_LEVELS = 50
"""How deep mailboxes may be nested."""

# C0, C1 and DEL, the separators of lines and paragraphs, and what is no character: Net-Unicode (RFC 5198 §2, §3).
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]")
_ENCODED = re.compile(rb"&([^-&]*)-")
_NOT_DIRECT = re.compile(r"&|[^\x20-\x7e]+")


def decode_mailbox(octets: bytes, utf8: bool) -> str:
    """Return the canonical name of a mailbox, or raise CommandFault if the octets are no name."""
    return _fold_inbox(decode_name(octets, utf8))


def normalize_name(name: str) -> str:
    """Return the canonical spelling of a name that comes as text."""
    return _fold_inbox(unicodedata.normalize("NFC", name))


def _fold_inbox(name: str) -> str:
    first, delimiter, rest = name.partition(DELIMITER)
    # mailbox = "INBOX" / astring; all case variants are INBOX (RFC 9051 §5.1), and so for the mailboxes below it.
    if first.isascii() and first.upper() == INBOX:
        return INBOX + delimiter + rest
    return name


def decode_name(octets: bytes, utf8: bool) -> str:
    """Return a name, a pattern or a reference as normal text, INBOX as it was written."""
    if octets.isascii() and (utf8 or b"&" not in octets):
        name = octets.decode("ascii")
    elif utf8:
        name = _from_utf8(octets)
    else:
        name = from_modified_utf7(octets)
    if _FORBIDDEN.search(name):
        raise CommandFault("A mailbox name holds no control characters", status=b"NO", code=b"CANNOT")
    if _is_too_long(name):
        raise CommandFault(f"A mailbox name has at most {MAX_OCTETS} octets", status=b"NO", code=b"LIMIT")
    return name


def _is_too_long(name: str) -> bool:
    return len(name) * 4 > MAX_OCTETS and len(name.encode("utf-8", "replace")) > MAX_OCTETS


def decode_pattern(octets: bytes, utf8: bool) -> str:
    """Return a pattern of LIST. A wildcard may cut a run of modified UTF-7 in two: it is then taken by its letters."""
    try:
        return decode_name(octets, utf8)
    except CommandFault:
        if utf8 or not octets.isascii() or not octets.decode("ascii").isprintable():
            raise
        return octets.decode("ascii")


def _from_utf8(octets: bytes) -> str:
    try:
        return unicodedata.normalize("NFC", octets.decode())
    except UnicodeDecodeError:
        raise CommandFault("A mailbox name is in UTF-8, and this is not") from None


def from_modified_utf7(octets: bytes) -> str:
    """Decode modified UTF-7 (RFC 3501 §5.1.3); raise CommandFault unless it is canonical."""
    if not octets.isascii():
        raise CommandFault("A mailbox name is in modified UTF-7 until UTF8=ACCEPT or IMAP4rev2 is enabled")
    try:
        name = "".join(_decoded_runs(octets))
    except (Base64Error, UnicodeDecodeError):
        name = ""
    if to_modified_utf7(name) != octets:
        sentence = "A mailbox name is in canonical modified UTF-7, and this is not"
        raise CommandFault(sentence, status=b"NO", code=b"CANNOT")
    return unicodedata.normalize("NFC", name)


def _decoded_runs(octets: bytes) -> list[str]:
    runs = []
    for index, run in enumerate(_ENCODED.split(octets)):
        if index % 2 == 0:
            runs.append(run.decode("ascii"))
        elif run:
            padding = b"=" * (-len(run) % 4)
            runs.append(b64decode(run.replace(b",", b"/") + padding, validate=True).decode("utf-16-be"))
        else:
            runs.append("&")
    return runs


def to_modified_utf7(name: str) -> bytes:
    """Encode a name in modified UTF-7 (RFC 3501 §5.1.3)."""
    if name.isascii() and name.isprintable() and "&" not in name:
        return name.encode("ascii")
    return _NOT_DIRECT.sub(_encoded_run, name).encode("ascii")


def _encoded_run(match: re.Match[str]) -> str:
    run = match[0]
    if run == "&":
        return "&-"
    base64 = b64encode(run.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
    return f"&{base64.decode('ascii')}-"


def encode_mailbox(name: str, utf8: bool) -> bytes:
    """Write a name as the quoted string that a client of this dialect reads."""
    octets = name.encode() if utf8 else to_modified_utf7(name)
    if b'"' in octets or b"\\" in octets:
        octets = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % octets


def find_fault_of_new_name(name: str) -> str | None:
    """Return why no mailbox may be created by this canonical name, as a sentence; None if one may.

    What exists is found by any name; only new names are held to this.
    """
    levels = name.split(DELIMITER)
    if not all(levels):
        return "A level of a mailbox name is empty"
    if _FORBIDDEN.search(name):
        return "A mailbox name holds no control characters"
    if _is_too_long(name):
        return f"A mailbox name has at most {MAX_OCTETS} octets"
    if len(levels) > MAX_LEVELS:
        return f"Mailboxes are nested at most {MAX_LEVELS} levels deep"
    if "%" in name or "*" in name:
        return "A mailbox name holds neither % nor *"  # RFC 9051 §5.1: LIST could not name it.
    if name.startswith("#"):
        return "A mailbox name does not start with #"  # RFC 9051 §5.1.2.1: namespaces do.
    if levels[0] == OTHERS:
        return f"Below {OTHERS} are the mailboxes of others"
    if any(level != level.strip() for level in levels):
        return "A level of a mailbox name does not start or end with a space"
    if any(level in {".", ".."} for level in levels):
        return "No level of a mailbox name is one dot or two"
    return None
