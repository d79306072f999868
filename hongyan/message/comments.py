"""Comments in header fields (RFC 5322 §3.2.2): they nest, and a backslash takes the meaning of a mark away."""

from __future__ import annotations

__all__ = ["find_comment_end"]

import re

_MARK = re.compile(rb"[()]|\\.", re.DOTALL)


def find_comment_end(value: bytes, start: int) -> int | None:
    """Return the position behind the comment that opens at `start`, or None if it is never closed."""
    depth = 0
    for mark in _MARK.finditer(value, start):
        if mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if not depth:
                return mark.end()
    return None
