"""Reading IMAP answers when the clock has stopped: responses, their tokens, and the numbers in them.

A reader of its own: a benchmark that read with the server's grammar would share the server's faults.
"""

from __future__ import annotations

__all__ = ["Token", "fetched", "number_before", "responses", "search_hits", "status_count", "tokens"]

import re
from collections.abc import Iterator
from typing import TypeAlias

Token: TypeAlias = "bytes | list[Token] | None"

_QUOTE, _BACKSLASH, _BRACKET, _END_BRACKET = b'"\\[]'
_FETCH = re.compile(rb"\* \d+ FETCH \(")
_ESEARCH_ALL = re.compile(rb"^\* ESEARCH .*\bALL ([0-9:,]+)", re.MULTILINE)


def responses(octets: bytes) -> Iterator[list[bytes]]:
    """Yield each response as its parts: text, literal, text, literal, …, text."""
    parts: list[bytes] = []
    begin = at = 0
    while (end := octets.find(b"\n", at)) >= 0:
        literal = _literal_size(octets, at, end)
        if literal is None:
            yield [*parts, octets[begin : end + 1]]
            parts = []
            begin = at = end + 1
            continue
        parts += [octets[begin : end + 1], octets[end + 1 : end + 1 + literal]]
        begin = at = end + 1 + literal


def _literal_size(octets: bytes, begin: int, end: int) -> int | None:
    if octets[end - 2 : end - 1] != b"}":
        return None
    digits = octets[octets.rfind(b"{", begin, end) + 1 : end - 2]
    return int(digits) if digits.isdigit() else None


def tokens(parts: list[bytes]) -> list[Token]:
    """Return a response as nested lists of octets; NIL is None."""
    stack: list[list[Token]] = [[]]
    try:
        for nth, part in enumerate(parts):
            if nth % 2:
                stack[-1].append(part)
            else:
                _read_text(part, stack)
    except IndexError:
        raise ValueError(f"the response breaks off: {parts[-1][-80:]!r}") from None
    if len(stack) != 1:
        raise ValueError(f"the response has parentheses that do not match: {parts[-1][-80:]!r}")
    return stack[0]


def _read_text(text: bytes, stack: list[list[Token]]) -> None:
    at = 0
    while at < len(text):
        match text[at]:
            case 0x20 | 0x0D | 0x0A:
                at += 1
            case 0x28:
                stack.append([])
                at += 1
            case 0x29:
                done = stack.pop()
                stack[-1].append(done)
                at += 1
            case 0x22:
                at = _read_quoted(text, at, stack[-1])
            case 0x7B:
                return  # a literal follows
            case _:
                at = _read_atom(text, at, stack[-1])


def _read_quoted(text: bytes, begin: int, into: list[Token]) -> int:
    end = begin + 1
    while text[end] != _QUOTE:
        end += 2 if text[end] == _BACKSLASH else 1
    into.append(re.sub(rb"\\(.)", rb"\1", text[begin + 1 : end]))
    return end + 1


def _read_atom(text: bytes, begin: int, into: list[Token]) -> int:
    """An atom; in brackets, as those of BODY[…], spaces and parentheses belong to it."""
    end, depth = begin, 0
    while end < len(text) and (depth or text[end] not in b" ()\r\n"):
        depth += (text[end] == _BRACKET) - (text[end] == _END_BRACKET)
        end += 1
    atom = text[begin:end]
    into.append(None if atom.upper() == b"NIL" else atom)
    return end


def fetched(octets: bytes) -> Iterator[tuple[int, dict[bytes, Token]]]:
    """Yield the number and the items of each FETCH response."""
    for parts in responses(octets):
        if not _FETCH.match(parts[0]):
            continue
        _, number, _, items = tokens(parts)
        if not isinstance(number, bytes) or not isinstance(items, list):
            raise ValueError(f"not a FETCH response: {parts[0][:80]!r}")
        names = [name for name in items[::2] if isinstance(name, bytes)]
        yield int(number), {name.upper(): value for name, value in zip(names, items[1::2], strict=True)}


def search_hits(octets: bytes) -> int:
    """Count what SEARCH found, in either form of the answer (RFC 9051 §7.3.4, RFC 3501 §7.2.5)."""
    extended = _ESEARCH_ALL.search(octets)
    if extended is not None:
        bounds = [piece.partition(b":") for piece in extended[1].split(b",")]
        return sum(int(last or first) - int(first) + 1 for first, _, last in bounds)
    lines = [line for line in octets.split(b"\r\n") if line.startswith(b"* SEARCH")]
    return sum(len(line.split()) - 2 for line in lines)


def number_before(octets: bytes, word: bytes) -> int | None:
    """Return the number of the last `* 5 EXISTS` or the like."""
    found = re.findall(rb"^\* (\d+) " + word + rb"\r$", octets, re.MULTILINE)
    return int(found[-1]) if found else None


def status_count(octets: bytes, item: bytes) -> int | None:
    found = re.search(rb"\b" + item + rb" (\d+)", octets)
    return int(found[1]) if found else None
