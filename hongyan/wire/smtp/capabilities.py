"""What a server said it can do: the answer to EHLO, read by the client (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

__all__ = ["NO_CAPABILITIES", "Capabilities", "read_capabilities"]

from dataclasses import dataclass
from typing import Final

from hongyan.wire.smtp.replies import Reply

_MAX_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The extensions that we use. None where a number was not said; a `size` of 0 says that there is no limit."""

    size: int | None = None
    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    chunking: bool = False
    starttls: bool = False
    dsn: bool = False
    requiretls: bool = False
    auth: frozenset[str] = frozenset()
    max_recipients: int | None = None
    max_messages: int | None = None


NO_CAPABILITIES: Final = Capabilities()
"""What HELO promises."""


def read_capabilities(reply: Reply) -> Capabilities:
    """Return what a positive reply to EHLO offers. What is not understood is passed over."""
    words: dict[str, list[str]] = {}
    for line in reply.lines[1:]:  # The first line is the server's name.
        # "AUTH=LOGIN PLAIN" is how it was written before RFC 2554.
        keyword, *values = line.replace("AUTH=", "AUTH ", 1).upper().split(" ")
        words.setdefault(keyword, []).extend(filter(None, values))
    limits = dict(value.split("=", 1) for value in words.get("LIMITS", []) if "=" in value)  # RFC 9422
    size = words.get("SIZE")
    return Capabilities(
        size=None if size is None else _number(size[0] if size else "0") or 0,
        pipelining="PIPELINING" in words,
        eight_bit="8BITMIME" in words,
        smtputf8="SMTPUTF8" in words,
        chunking="CHUNKING" in words,
        starttls="STARTTLS" in words,
        dsn="DSN" in words,
        requiretls="REQUIRETLS" in words,
        auth=frozenset(words.get("AUTH", [])),
        max_recipients=_number(limits.get("RCPTMAX", "")),
        max_messages=_number(limits.get("MAILMAX", "")),
    )


def _number(text: str) -> int | None:
    """Return a positive number, None for what is none."""
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        return int(text) or None
    return None
