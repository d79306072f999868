"""Messages that we write ourselves: header fields, text and parts, Message-ID (RFC 5322, RFC 2045, RFC 2047).

Whatever is put into a field stays in it: line breaks and other controls become spaces. A body is
seven-bit unless the caller knows that the way takes eight bits, and no line is longer than 998
octets (RFC 5322 §2.1.1).
"""

from __future__ import annotations

__all__ = [
    "Entity",
    "compose",
    "encode_base64",
    "encode_octets",
    "fold_field",
    "format_addresses",
    "format_field",
    "format_group",
    "format_mailbox",
    "format_parameter",
    "make_boundary",
    "make_message_id",
    "make_multipart",
    "make_text",
]

import binascii
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from hongyan.clock import Clock, Random
from hongyan.message.encoded_words import encode_words

MAX_LINE = 998
_FOLD_AT = 78
_LONGEST_VALUE = 60  # of a parameter in one piece

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BARE_LF = re.compile(rb"(?<!\r)\n")
_ATOM_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


@dataclass(frozen=True, slots=True)
class Entity:
    """A body with the fields that describe it: Content-Type first. `octets` are encoded, with CRLF."""

    fields: tuple[tuple[str, str], ...]
    octets: bytes


def make_message_id(domain: str, clock: Clock, random: Random) -> str:
    """Return a new Message-ID: time for people, chance for uniqueness (RFC 5322 §3.6.4)."""
    return f"<{clock.now():%Y%m%d%H%M%S}.{_token(random, 10)}@{domain}>"


def make_boundary(random: Random) -> str:
    """Return a boundary that no part can hold but by a miracle. "=_" is in no base64 or quoted-printable."""
    return f"=_{_token(random, 15)}"


def _token(random: Random, octets: int) -> str:
    return b32encode(random.token(octets)).decode("ascii").lower()


def format_field(name: str, value: str, *, utf8: bool = False) -> bytes:
    """Return a field with unstructured text, folded; encoded words where it is not ASCII and may not be UTF-8."""
    value = _CONTROLS.sub(" ", value).strip()
    octets = value.encode("utf-8", "replace") if utf8 else encode_words(value)
    return _fold(f"{name}: ".encode("ascii") + octets)


def fold_field(name: str, value: bytes) -> bytes:
    """Return a field whose value is written already, on one line, folded."""
    return _fold(f"{name}: ".encode("ascii") + value)


def format_addresses(name: str, mailboxes: Sequence[str]) -> bytes:
    """Return a field of addresses from `format_mailbox`, folded."""
    return _fold(f"{name}: {', '.join(mailboxes)}".encode("utf-8", "replace"))


def _fold(field: bytes) -> bytes:
    """Break a field at spaces so that lines hold 78 octets where they can (RFC 5322 §2.1.1)."""
    lines: list[bytes] = []
    while len(field) > _FOLD_AT:
        # A line of nothing but white space would end the header for some; so the break is before a word.
        space = field.rfind(b" ", 2, _FOLD_AT + 1)
        if space < 0 or not field[:space].strip() or (not lines and field[:space].endswith(b":")):
            space = field.find(b" ", _FOLD_AT)
        if space < 0 or not field[space:].strip():
            break
        lines.append(field[:space])
        field = field[space:]
    lines.append(field)
    return b"\r\n".join(lines) + b"\r\n"


def format_mailbox(name: str, address: str, *, utf8: bool = False) -> str:
    """Return `name <address>` for a field of addresses, the name quoted or in encoded words as it needs."""
    name = " ".join(_CONTROLS.sub(" ", name).split())
    address = _CONTROLS.sub("", address)
    if not name:
        return f"<{address}>"
    if not name.isascii() and not utf8:
        return f"{encode_words(name).decode('ascii')} <{address}>"
    if _ATOM_PHRASE.fullmatch(name) and "=?" not in name:
        return f"{name} <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def format_group(name: str, mailboxes: Sequence[str]) -> str:
    """Return a group of mailboxes from `format_mailbox` (RFC 5322 §3.4)."""
    phrase = format_mailbox(name, "").removesuffix("<>").strip()
    return f"{phrase}: {', '.join(mailboxes)};"


def format_parameter(name: str, value: str) -> list[str]:
    """Return a parameter of a Content-Disposition; what is not ASCII, or long, in the pieces of RFC 2231 §3, §4."""
    value = _CONTROLS.sub(" ", value)
    if value.isascii() and len(value) <= _LONGEST_VALUE:
        return [f"{name}={_quoted(value)}"]
    encoded = quote_from_bytes(value.encode("utf-8", "replace"), safe="!#$&+-.^_`|~")
    if len(encoded) <= _LONGEST_VALUE:
        return [f"{name}*=utf-8''{encoded}"]
    pieces: list[str] = []
    while encoded:
        # No piece ends within an escape.
        cut = min(len(encoded), _LONGEST_VALUE)
        while cut < len(encoded) and "%" in encoded[max(cut - 2, 0) : cut]:
            cut -= 1
        pieces.append(encoded[:cut])
        encoded = encoded[cut:]
    pieces[0] = f"utf-8''{pieces[0]}"
    return [f"{name}*{number}*={piece}" for number, piece in enumerate(pieces)]


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def make_text(text: str, *, subtype: str = "plain", eight_bit: bool = False) -> Entity:
    """Return text as a body in UTF-8."""
    octets = "\r\n".join(re.split(r"\r\n|\r|\n", text)).encode("utf-8", "replace").replace(b"\0", b"")
    charset = "us-ascii" if octets.isascii() else "utf-8"
    return encode_octets(f"text/{subtype}; charset={charset}", octets, eight_bit=eight_bit)


def encode_octets(content_type: str, octets: bytes, *, eight_bit: bool = False) -> Entity:
    """Return lines of text as they are if they may be, else in the shorter of the two encodings (RFC 2045 §6)."""
    fits = b"\0" not in octets and all(len(line) <= MAX_LINE for line in octets.split(b"\r\n"))
    if fits and octets.isascii():
        return Entity((("Content-Type", content_type),), octets)
    if fits and eight_bit:
        encoding = "8bit"
    else:
        quoted = _BARE_LF.sub(b"\r\n", binascii.b2a_qp(octets, istext=True))
        based = binascii.b2a_base64(octets, newline=False)
        if len(quoted) <= len(based):
            encoding, octets = "quoted-printable", quoted
        else:
            encoding = "base64"
            octets = b"\r\n".join(based[start : start + 76] for start in range(0, len(based), 76))
    return Entity((("Content-Type", content_type), ("Content-Transfer-Encoding", encoding)), octets)


def encode_base64(content_type: str, octets: bytes) -> Entity:
    """Return octets that are no text as a body."""
    based = binascii.b2a_base64(octets, newline=False)
    lines = b"\r\n".join(based[start : start + 76] for start in range(0, len(based), 76))
    return Entity((("Content-Type", content_type), ("Content-Transfer-Encoding", "base64")), lines)


def make_multipart(subtype: str, parts: Sequence[Entity], boundary: str, *parameters: str) -> Entity:
    """Return parts as one body; `parameters` are further ones of the Content-Type."""
    content_type = "; ".join([f"multipart/{subtype}", *parameters, f'boundary="{boundary}"'])
    fields = [("Content-Type", content_type)]
    encodings = {value for part in parts for name, value in part.fields if name == "Content-Transfer-Encoding"}
    if "8bit" in encodings:
        fields.append(("Content-Transfer-Encoding", "8bit"))  # RFC 2045 §6.4
    delimiter = f"--{boundary}".encode("ascii")
    pieces = [b"%b\r\n%b\r\n%b\r\n" % (delimiter, _header(part.fields), part.octets) for part in parts]
    return Entity(tuple(fields), b"".join(pieces) + delimiter + b"--\r\n")


def compose(fields: Sequence[bytes], body: Entity) -> bytes:
    """Return a whole message; the fields come from `format_field` and `format_addresses`."""
    return b"".join(fields) + b"MIME-Version: 1.0\r\n" + _header(body.fields) + b"\r\n" + body.octets


def _header(fields: Sequence[tuple[str, str]]) -> bytes:
    return b"".join(_fold(f"{name}: {value}".encode()) for name, value in fields)
