"""ENVELOPE and BODYSTRUCTURE read back by the grammar of RFC 9051 §9, written apart from what makes them.

`check_envelope` and `check_bodystructure` assert that octets are what the ABNF allows, and return them
as Python values, so that tests can look at meaning.
"""

from __future__ import annotations

__all__ = ["Body", "Envelope", "Listed", "check_bodystructure", "check_envelope"]

import re
from dataclasses import dataclass, field

Item = bytes | int | None | list["Item"]
Listed = tuple[bytes | None, bytes | None, bytes | None, bytes | None]


@dataclass
class Envelope:
    date: bytes | None
    subject: bytes | None
    lists: dict[str, list[Listed]]
    in_reply_to: bytes | None
    message_id: bytes | None


@dataclass
class Body:
    type: bytes
    subtype: bytes
    parameters: dict[bytes, bytes]
    id: bytes | None = None
    description: bytes | None = None
    encoding: bytes = b""
    octets: int = 0
    lines: int | None = None
    md5: bytes | None = None
    disposition: tuple[bytes, dict[bytes, bytes]] | None = None
    envelope: Envelope | None = None
    parts: list[Body] = field(default_factory=list)


# quoted = DQUOTE *QUOTED-CHAR DQUOTE
_QUOTED = re.compile(rb'"([^"\\\r\n]*(?:\\["\\][^"\\\r\n]*)*)"')
_ESCAPED = re.compile(rb"\\(.)")


class _Reader:
    def __init__(self, octets: bytes, *, utf8: bool) -> None:
        self.octets = octets
        self.utf8 = utf8

    def whole(self) -> Item:
        item, position = self.item(0)
        assert position == len(self.octets), self.octets[position : position + 40]
        return item

    def item(self, position: int) -> tuple[Item, int]:
        """Read without recursion: the nesting is the peer's choice."""
        stack: list[list[Item]] = []
        octets = self.octets
        while True:
            value: Item
            if octets[position : position + 1] == b"(":
                stack.append([])
                position += 1
                assert octets[position : position + 1] != b")", "an empty list"
                continue
            value, position = self.atom(position)
            while True:
                if not stack:
                    return value, position
                stack[-1].append(value)
                mark = octets[position : position + 1]
                if mark == b")":
                    value = stack.pop()
                    position += 1
                elif mark == b" ":
                    position += 1
                    break
                else:  # Only addresses and bodies follow one another without a space.
                    assert mark == b"(", octets[position - 20 : position + 20]
                    assert isinstance(value, list), octets[position - 20 : position + 20]
                    break

    def atom(self, position: int) -> tuple[Item, int]:
        octets = self.octets
        if octets.startswith(b"NIL", position):
            return None, position + 3
        if octets.startswith(b'"', position):
            quoted = _QUOTED.match(octets, position)
            assert quoted is not None, octets[position : position + 40]
            assert b"\0" not in quoted[0]
            if self.utf8:
                quoted[1].decode()
            else:
                assert quoted[1].isascii(), quoted[1]
            return _ESCAPED.sub(rb"\1", quoted[1]), quoted.end()
        if octets.startswith(b"{", position):
            end = octets.index(b"}\r\n", position)
            size = int(octets[position + 1 : end])
            value_end = end + 3 + size
            assert b"\0" not in octets[end + 3 : value_end]
            assert value_end <= len(octets)
            return octets[end + 3 : value_end], value_end
        end = position
        while octets[end : end + 1].isdigit():
            end += 1
        assert end > position, octets[position : position + 40]
        return int(octets[position:end]), end


def _nstring(item: Item) -> bytes | None:
    assert item is None or isinstance(item, bytes), item
    return item


def _string(item: Item) -> bytes:
    assert isinstance(item, bytes), item
    return item


def _list(item: Item) -> list[Item]:
    assert isinstance(item, list), item
    return item


def _number(item: Item) -> int:
    assert isinstance(item, int), item
    return item


def _addresses(item: Item) -> list[Listed]:
    if item is None:
        return []
    addresses: list[Listed] = []
    in_group = False
    for entry in _list(item):
        name, route, mailbox, host = (_nstring(part) for part in _list(entry))
        if host is None:
            assert name is None
            assert route is None
            assert in_group == (mailbox is None), "groups open, then close, and do not nest"
            in_group = mailbox is not None
        else:
            assert mailbox is not None
        addresses.append((name, route, mailbox, host))
    assert not in_group, "a group that does not close"
    return addresses


def _envelope(item: Item) -> Envelope:
    parts = _list(item)
    assert len(parts) == 10
    names = ("from", "sender", "reply-to", "to", "cc", "bcc")
    lists = {name: _addresses(part) for name, part in zip(names, parts[2:8], strict=True)}
    return Envelope(_nstring(parts[0]), _nstring(parts[1]), lists, _nstring(parts[8]), _nstring(parts[9]))


def _parameters(item: Item) -> dict[bytes, bytes]:
    if item is None:
        return {}
    flat = [_string(part) for part in _list(item)]
    assert flat
    assert len(flat) % 2 == 0
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _extension(body: Body, items: list[Item]) -> None:
    """Check disposition, language and location."""
    disposition, language, location = items
    if disposition is not None:
        kind, parameters = _list(disposition)
        body.disposition = _string(kind), _parameters(parameters)
    if isinstance(language, list):
        assert [_string(tag) for tag in language]
    else:
        _nstring(language)
    _nstring(location)


def _body(item: Item, *, extensible: bool, utf8: bool) -> Body:
    items = _list(item)
    if isinstance(items[0], list):
        count = next(index for index, part in enumerate(items) if not isinstance(part, list))
        body = Body(b"multipart", _string(items[count]), {})
        body.parts = [_body(part, extensible=extensible, utf8=utf8) for part in items[:count]]
        rest = items[count + 1 :]
        if extensible:
            assert len(rest) == 4
            body.parameters = _parameters(rest[0])
            _extension(body, rest[1:])
        else:
            assert not rest
        return body
    body = Body(_string(items[0]), _string(items[1]), _parameters(items[2]))
    assert body.type.lower() != b"multipart"
    body.id, body.description = _nstring(items[3]), _nstring(items[4])
    body.encoding, body.octets = _string(items[5]), _number(items[6])
    rest = items[7:]
    kind = body.type.lower(), body.subtype.lower()
    if kind == (b"message", b"rfc822") or (kind == (b"message", b"global") and utf8):
        body.envelope = _envelope(rest[0])
        body.parts = [_body(rest[1], extensible=extensible, utf8=utf8)]
        body.lines = _number(rest[2])
        rest = rest[3:]
    elif body.type.lower() == b"text":
        body.lines = _number(rest[0])
        rest = rest[1:]
    if extensible:
        assert len(rest) == 4
        body.md5 = _nstring(rest[0])
        _extension(body, rest[1:])
    else:
        assert not rest
    return body


def check_envelope(octets: bytes, *, utf8: bool = False) -> Envelope:
    return _envelope(_Reader(octets, utf8=utf8).whole())


def check_bodystructure(octets: bytes, *, utf8: bool = False, extensible: bool = True) -> Body:
    """Check a BODYSTRUCTURE, or with `extensible=False` a BODY."""
    return _body(_Reader(octets, utf8=utf8).whole(), extensible=extensible, utf8=utf8)
