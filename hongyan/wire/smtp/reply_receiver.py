"""Replies as they come from a server (RFC 5321 §4.2), made harmless for logs, notifications and pages.

    Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP [ textstring ] ] CRLF

A server that breaks the form is not believed any further: `ReplyFault` ends the session.
"""

from __future__ import annotations

__all__ = ["ReplyFault", "ReplyReceiver"]

import re
from typing import Final

from hongyan.errors import PeerFault
from hongyan.wire.lines import LineFault, LineReceiver
from hongyan.wire.smtp.replies import MAX_TEXT, Reply

_LINE_LIMIT: Final = 2048
"""Octets of a line. RFC 5321 §4.5.3.1.5 allows 512; servers that explain themselves write more."""

_LINES_LIMIT: Final = 100
"""Lines of one reply."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?: |$)", re.ASCII)
_UNFIT = re.compile(r"[^ -~]")


class ReplyFault(PeerFault):
    """What the server sent is no reply."""


class ReplyReceiver:
    """Collects octets and gives out whole replies."""

    __slots__ = ("_code", "_lines", "_texts")

    def __init__(self) -> None:
        self._lines = LineReceiver(_LINE_LIMIT)
        self._texts: list[str] = []
        self._code = b""

    @property
    def buffered(self) -> int:
        return self._lines.buffered

    def receive_data(self, octets: bytes) -> None:
        self._lines.receive_data(octets)

    def next_reply(self) -> Reply | None:
        """Return the next reply, or None until all of it is there. Raises ReplyFault."""
        while (line := self._next_line()) is not None:
            match = _LINE.fullmatch(line)
            if not match or (self._texts and match[1] != self._code):
                raise ReplyFault("The server's reply is not well formed")
            code, separator, text = match.groups(b"")
            self._code = code
            self._texts.append(_UNFIT.sub("?", text.decode("utf-8", "replace"))[:MAX_TEXT])
            if separator != b"-":
                texts, self._texts = self._texts, []
                return _reply(int(code), texts)
            if len(self._texts) >= _LINES_LIMIT:
                raise ReplyFault("The server's reply has too many lines")
        return None

    def clear(self) -> None:
        """Forget everything: what was said before TLS may have been said by anybody."""
        self._lines.clear()
        self._texts = []

    def _next_line(self) -> bytes | None:
        try:
            return self._lines.next_line()
        except LineFault as fault:
            raise ReplyFault("The server's reply is not well formed", cause=fault.sentence) from None


def _reply(code: int, texts: list[str]) -> Reply:
    match = _ENHANCED.match(texts[0])
    if not match or int(match[1]) != code // 100:
        return Reply(code, "", tuple(texts))
    # RFC 2034 §4: each line repeats the code.
    enhanced_code = match[0].strip()
    return Reply(code, enhanced_code, tuple(text.removeprefix(enhanced_code).strip() for text in texts))
