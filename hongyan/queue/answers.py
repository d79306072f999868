"""One answer that a provider is known to give, and what it means. Data: the lists are in `answers_china` and others.

An answer is recognised by fragments of its text, all of which must occur, and by its code where the same words mean
different things. There are no patterns that repeat: to look for one takes time linear in the text, and the text is
bounded.
"""

from __future__ import annotations

__all__ = ["Answer", "Provider", "Row", "answers"]

from dataclasses import dataclass
from enum import StrEnum

_AND = " & "

Row = tuple[str, str, str]
"""Fragments joined by " & " (the first may be a code or its class: "554", "4yz"), the cause's name, a sample."""


class Provider(StrEnum):
    """Who answers. Each has its own list; what they have in common is ANY's."""

    TENCENT = "tencent"
    NETEASE = "netease"
    ALIYUN = "aliyun"
    GOOGLE = "google"
    MICROSOFT = "microsoft"
    YAHOO = "yahoo"
    APPLE = "apple"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is known."""

    provider: Provider
    code: str
    """The reply code, its class ("4yz"), or empty: any."""
    fragments: tuple[str, ...]
    """In lower case."""
    cause: str
    """The name of a cause."""
    sample: str
    """As the server says it."""
    source: str
    """Where it is documented, or was seen."""
    is_published: bool
    """Whether the provider documents it himself; otherwise it is known by reports of those who were refused."""

    def matches(self, code: int | None, text: str) -> bool:
        """Say whether a reply, its text in lower case, is this answer."""
        if self.code and (code is None or not str(code).startswith(self.code.rstrip("yz"))):
            return False
        return all(fragment in text for fragment in self.fragments)


def answers(provider: Provider, source: str, *rows: Row, is_published: bool) -> tuple[Answer, ...]:
    """Return the answers of one source, in the order in which they are tried."""
    return tuple(_answer(provider, source, row, is_published=is_published) for row in rows)


def _answer(provider: Provider, source: str, row: Row, *, is_published: bool) -> Answer:
    pattern, cause, sample = row
    parts = tuple(pattern.split(_AND))
    code = parts[0] if len(parts[0]) == 3 and parts[0][0] in "45" and parts[0][1:].strip("0123456789yz") == "" else ""
    fragments = parts[1:] if code else parts
    return Answer(provider, code, fragments, cause, sample, source, is_published)
