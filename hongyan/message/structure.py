"""ENVELOPE and BODYSTRUCTURE as ready octets of an IMAP response (RFC 9051 §7.5.2, RFC 3501 §7.4.2).

Two forms are made. The ASCII form suits every client. The UTF-8 form is for clients that said they take
UTF-8 in quoted strings (RFC 6855 §3, IMAP4rev2); where nothing differs it is not kept. What the forms do
with octets that are not ASCII:

- text for people (subject, names, description): encoded words made from it, or UTF-8 in a quoted string;
- parameter values: RFC 2231's extended notation under `name*`, or the decoded value under `name`.
  RFC 9051 §7.5.2 wants the decoded value under `name*`; programs take the asterisk for a promise of
  percent signs and would show no file name, and Dovecot drops it too;
- all else (addresses, ids, dates): a literal that holds the octets, or a quoted string if they are UTF-8.

message/global is a media type like any other to IMAP4rev1 (RFC 3501 §9, media-message) and a message in
the UTF-8 form (RFC 9051 §9). A missing domain or local part is given a name as Dovecot does, because NIL
there means a group. Several fields of one address kind are read as one, so that none can hide; of other fields that
may stand once the last counts, which is the one that a signature covers (RFC 6376 §5.4.2), as in Dovecot and Cyrus.
"""

from __future__ import annotations

__all__ = ["format_bodystructure", "format_envelope", "needs_utf8_form", "shorten_to_body"]

import re
from collections.abc import Callable
from functools import lru_cache

from hongyan.message.address_list import parse_address_list
from hongyan.message.encoded_words import decode_words, encode_words
from hongyan.message.parameters import Parameter
from hongyan.message.part_header import Kind, PartHeader
from hongyan.message.parts import Part
from hongyan.message.transfer import tell_encoding

_Fields = dict[bytes, list[bytes]]

# QUOTED-CHAR without what has to be escaped (RFC 9051 §9).
_is_plain = re.compile(rb"[ !#-\[\]-~]*").fullmatch
_LANGUAGE = re.compile(rb"[A-Za-z0-9-]+")

_REMEMBERED_LENGTH = 200
_MAX_LANGUAGES = 100
_MISSING_DOMAIN = b"MISSING_DOMAIN"
_MISSING_LOCAL_PART = b"MISSING_MAILBOX"


def _string(value: bytes, utf8: bool = False) -> bytes:
    """Format a string: quoted where that is possible, else as a literal. NUL fits neither and is left out."""
    if _is_plain(value):
        return b'"%b"' % value
    if b"\r" not in value and b"\n" not in value and (value.isascii() or (utf8 and _is_utf8(value))):
        return b'"%b"' % value.replace(b"\0", b"").replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    value = value.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(value), value)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(value: bytes, utf8: bool) -> bytes:
    """Format text that people read."""
    if _is_plain(value):
        return b'"%b"' % value
    if value.isascii():
        return _string(value)
    text = decode_words(value)
    return _string(text.encode("utf-8", "replace"), utf8=True) if utf8 else _string(encode_words(text))


def _field(fields: _Fields, name: bytes, format_: Callable[[bytes, bool], bytes], utf8: bool) -> bytes:
    values = fields.get(name)
    return b"NIL" if values is None else format_(values[-1], utf8)


def _addresses(fields: _Fields, name: bytes, utf8: bool) -> bytes:
    values = fields.get(name)
    if values is None:
        return b"NIL"
    value = values[0] if len(values) == 1 else b", ".join(values)
    return _remembered_list(value, utf8) if len(value) <= _REMEMBERED_LENGTH else _address_list(value, utf8)


def _address_list(value: bytes, utf8: bool) -> bytes:
    listed = []
    for display_name, route, local_part, domain in parse_address_list(value):
        if domain is None:
            mailbox, host = b"NIL" if local_part is None else _text(local_part, utf8), b"NIL"
        else:
            mailbox = _string(local_part or _MISSING_LOCAL_PART, utf8)
            host = _string(domain or _MISSING_DOMAIN, utf8)
        listed.append(
            b"(%b %b %b %b)"
            % (
                b"NIL" if display_name is None else _text(display_name, utf8),
                b"NIL" if route is None else _string(route, utf8),
                mailbox,
                host,
            )
        )
    return b"(%b)" % b"".join(listed) if listed else b"NIL"


# People write to and hear from the same people again and again.
_remembered_list = lru_cache(maxsize=2048)(_address_list)


def format_envelope(fields: _Fields, *, utf8: bool = False) -> bytes:
    """Return the ENVELOPE of a message with these fields."""
    from_ = _addresses(fields, b"from", utf8)
    sender = _addresses(fields, b"sender", utf8)
    reply_to = _addresses(fields, b"reply-to", utf8)
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _field(fields, b"date", _string, utf8),
        _field(fields, b"subject", _text, utf8),
        from_,
        from_ if sender == b"NIL" else sender,
        from_ if reply_to == b"NIL" else reply_to,
        _addresses(fields, b"to", utf8),
        _addresses(fields, b"cc", utf8),
        _addresses(fields, b"bcc", utf8),
        _field(fields, b"in-reply-to", _string, utf8),
        _field(fields, b"message-id", _string, utf8),
    )


def needs_utf8_form(parts: list[Part]) -> bool:
    """Say whether the two forms can differ at all: a quick look, not a proof."""
    for part in parts:
        header = part.header
        if not header.is_plain or (part.kind is Kind.MESSAGE and header.content_type.subtype.lower() == b"global"):
            return True
    return False


def format_bodystructure(parts: list[Part], *, utf8: bool = False) -> bytes:
    """Return the BODYSTRUCTURE of a message from `scan_body`."""
    if len(parts) == 1:
        return _format_part(parts[0], b"", utf8)
    formatted: dict[Part, bytes] = {}
    for part in reversed(parts):  # What a container holds stands behind it.
        children = part.children
        inner = b"".join([formatted.pop(child) for child in children]) if children else b""
        formatted[part] = _format_part(part, inner, utf8)
    return formatted[parts[0]]


def _format_part(part: Part, inner: bytes, utf8: bool) -> bytes:
    header = part.header
    if part.kind is Kind.MULTIPART:
        return b"(%b %b %b %b)" % (
            inner,
            _string(header.content_type.subtype, utf8),
            _parameters(header.content_type.parameters, utf8),
            _extension(header, utf8),
        )
    if header.is_plain:  # Both forms are the same.
        if header.basic is None or header.extension is None:
            header.basic, header.extension = _basic(header, utf8), _extension_of_leaf(header, utf8)
        basic, extension = header.basic, header.extension
    else:
        basic, extension = _basic(header, utf8), _extension_of_leaf(header, utf8)
    size = part.body_end - part.body_start
    if header.is_text:
        return b"(%b %d %d %b)" % (basic, size, part.lines, extension)
    if part.kind is Kind.MESSAGE and (utf8 or header.content_type.subtype.lower() == b"rfc822"):
        envelope = format_envelope(part.children[0].fields, utf8=utf8)
        return b"(%b %d %b %b %d %b)" % (basic, size, envelope, inner, part.lines, extension)
    return b"(%b %d %b)" % (basic, size, extension)


def _basic(header: PartHeader, utf8: bool) -> bytes:
    """Format type, subtype, parameters, id, description and encoding (RFC 9051 §9, body-fields)."""
    type_, subtype, parameters = header.content_type
    encoding = header.fields.get(b"content-transfer-encoding")
    return b"%b %b %b %b %b %b" % (
        _string(type_, utf8),
        _string(subtype, utf8),
        _parameters(parameters, utf8),
        _field(header.fields, b"content-id", _string, utf8),
        _field(header.fields, b"content-description", _text, utf8),
        b'"7bit"' if encoding is None else _string(tell_encoding(encoding[0]), utf8),
    )


def _extension_of_leaf(header: PartHeader, utf8: bool) -> bytes:
    """Format MD5, disposition, language and location (RFC 9051 §9, body-ext-1part)."""
    return b"%b %b" % (_field(header.fields, b"content-md5", _string, utf8), _extension(header, utf8))


def _extension(header: PartHeader, utf8: bool) -> bytes:
    disposition = header.disposition
    return b"%b %b %b" % (
        b"NIL"
        if disposition is None
        else b"(%b %b)" % (_string(disposition.kind, utf8), _parameters(disposition.parameters, utf8)),
        _languages(header.fields, utf8),
        _field(header.fields, b"content-location", _string, utf8),
    )


def _languages(fields: _Fields, utf8: bool) -> bytes:
    values = fields.get(b"content-language")
    languages = _LANGUAGE.findall(values[0])[:_MAX_LANGUAGES] if values else []
    return b"(%b)" % b" ".join(_string(language, utf8) for language in languages) if languages else b"NIL"


def _parameters(parameters: tuple[Parameter, ...], utf8: bool) -> bytes:
    if not parameters:
        return b"NIL"
    extended = {parameter.name.lower() for parameter in parameters if parameter.charset is not None}
    formatted = []
    for parameter in parameters:
        name, value, charset, _ = parameter
        if utf8 and charset is None and name.lower() in extended:
            continue  # The plain stand-in of an extended value.
        if charset is None and value.isascii():
            formatted.append(b"%b %b" % (_string(name), _string(value)))
        elif utf8:
            formatted.append(b"%b %b" % (_string(name, utf8), _string(parameter.text.encode("utf-8", "replace"), utf8)))
        else:
            formatted.append(b"%b %b" % (_string(name + b"*"), _string(parameter.extended)))
    return b"(%b)" % b" ".join(formatted)


_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*"|\{([0-9]+)\}\r\n|[()]|[^\s()"{]++|\s++', re.DOTALL)


def shorten_to_body(bodystructure: bytes, *, utf8: bool = False) -> bytes:
    """Return the BODY form of a BODYSTRUCTURE made here: the same without extension data (RFC 9051 §7.5.2)."""
    kept: list[bytes] = []
    stack: list[_OpenList] = []
    position = 0
    while position < len(bodystructure) and (token := _TOKEN.match(bodystructure, position)):
        text, position = token[0], token.end()
        if token[1] is not None:
            position += int(token[1])
            text = bodystructure[token.start() : position]
        around = stack[-1] if stack else None
        if text == b"(":
            opened = _OpenList(around is None or around.expects_body(), around is not None and around.drops(), utf8)
            stack.append(opened)
            if not opened.dropped:
                kept.append(text)
        elif text == b")":
            closed = stack.pop()
            if not closed.dropped:
                kept.append(text)
            if stack:
                stack[-1].add(b"", closed.is_body)
        elif around is not None:
            if not around.drops():
                kept.append(text)
            if not text.isspace():
                around.add(text, False)
    return b"".join(kept)


class _OpenList:
    """A list that `shorten_to_body` is within: how many items came, and how many a body of its type keeps."""

    __slots__ = ("_bodies", "_count", "_kept", "_main", "_utf8", "dropped", "is_body")

    def __init__(self, is_body: bool, dropped: bool, utf8: bool) -> None:
        self.is_body = is_body
        self.dropped = dropped
        self._utf8 = utf8
        self._bodies = 0
        self._count = 0
        self._main = b""
        self._kept = 7  # type subtype parameters id description encoding size

    def expects_body(self) -> bool:
        if not self.is_body:
            return False
        return self._count == self._bodies or (self._kept == 10 and self._count == 8)

    def drops(self) -> bool:
        if self.dropped or not self.is_body:
            return self.dropped
        return self._count >= (self._bodies + 1 if self._bodies else self._kept)

    def add(self, text: bytes, is_body: bool) -> None:
        if self.is_body and not self._bodies and self._count < 2 and not is_body:
            text = text.lower()
            if self._count == 0:
                self._main = text
                self._kept = 8 if text == b'"text"' else 7  # … lines
            elif self._main == b'"message"' and (text == b'"rfc822"' or (self._utf8 and text == b'"global"')):
                self._kept = 10  # … envelope body lines
        if is_body and self._count == self._bodies:
            self._bodies += 1
        self._count += 1
