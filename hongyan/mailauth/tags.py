"""Tag lists: `v=1; a=rsa-sha256; …`, the syntax of DKIM signatures and of key and policy records (RFC 6376 §3.2)."""

from __future__ import annotations

__all__ = ["TagListFault", "parse_tags", "unfold", "without_tag"]

import re

from hongyan.errors import PeerFault

_FWS = b" \t\r\n"
# tag-name = ALPHA *ALNUMPUNC
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_WHITE_SPACE = re.compile(rb"[ \t\r\n]+")


class TagListFault(PeerFault):
    """The octets are no tag list."""


def parse_tags(octets: bytes, *, limit: int = 64) -> dict[bytes, bytes]:
    """Return the values by name, in order, without the white space around them.

    A tag that comes twice makes the whole list void (RFC 6376 §3.2), and so does one beyond `limit`.
    """
    tags: dict[bytes, bytes] = {}
    specs = octets.split(b";", limit + 1)
    if len(specs) > limit + 1:
        raise TagListFault(cause="too many tags")
    if not specs[-1].strip(_FWS):
        specs.pop()  # One semicolon may end the list.
    for spec in specs:
        name, equals, value = spec.partition(b"=")
        name = name.strip(_FWS)
        if not equals or not _NAME.fullmatch(name):
            raise TagListFault(cause="not a tag list")
        if name in tags:
            raise TagListFault(cause=f"the tag {name.decode('ascii')} comes twice")
        tags[name] = value.strip(_FWS)
    return tags


def unfold(value: bytes) -> bytes:
    """Remove all white space from a value, as base64 and lists divided by colons allow it."""
    return _WHITE_SPACE.sub(b"", value)


def without_tag(octets: bytes, name: bytes) -> bytes:
    """Return a tag list with the value of one tag empty and everything else as it was (RFC 6376 §3.7)."""
    specs = octets.split(b";")
    for position, spec in enumerate(specs):
        before, equals, _ = spec.partition(b"=")
        if equals and before.strip(_FWS) == name:
            specs[position] = before + equals
    return b";".join(specs)
