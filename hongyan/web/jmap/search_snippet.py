"""SearchSnippet/get: where in an email stands what was looked for (RFC 8621 §5).

What is marked is HTML: everything else in it is escaped. A text is looked for as the query does it, folded; where
folding changes the length of a text, nothing is marked rather than the wrong letters.
"""

from __future__ import annotations

__all__ = ["mark_text", "search_snippet_get", "snippet_of"]

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from hongyan.errors import Corrupt
from hongyan.message.anatomy import Anatomy
from hongyan.message.fold import fold_text
from hongyan.message.header_forms import Form, read_form
from hongyan.message.headers import iterate_fields
from hongyan.message.outline import Outline
from hongyan.message.text import message_text
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_filter import HasText, parse_email_filter, texts_of
from hongyan.web.jmap.email_services import EmailServices, locate, read_octets
from hongyan.web.jmap.ids import read_email_id
from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.filters import parse_filter

_MOST_OCTETS = 255  # RFC 8621 §5: a preview is not bigger
_BEFORE = 40
_AROUND = 200
_MAX_TEXT = 1 << 20
_MOST_EMAILS = 100
_OPEN, _CLOSE = "<mark>", "</mark>"


async def search_snippet_get(services: EmailServices, call: Call) -> Mapping[str, object]:
    """RFC 8621 §5.1."""
    search = parse_email_filter(parse_filter(call.arguments.take("filter")))
    asked = call.arguments.find_ids("emailIds", references=True)
    call.arguments.finish()
    if asked is None:
        raise invalid_arguments("emailIds is an array of Ids.")
    if len(asked) > _MOST_EMAILS:
        raise MethodError("requestTooLarge", f"At most {_MOST_EMAILS} emails.")
    texts = [one for one in texts_of(search) if isinstance(one, HasText)]
    of_subject = [one.needle for one in texts if one.where in ("subject", "text")]
    of_body = [one.needle for one in texts if one.where in ("body", "text")]
    named = {one: read_email_id(call.created.resolve(one) or "", call.account) for one in asked}
    located = await locate(services, call.account, [email for email in named.values() if email is not None])
    records = {record.email: record for record in await services.placements.read_emails(call.account, list(located))}
    found: list[Mapping[str, object]] = []
    not_found: list[str] = []
    for one, email in named.items():
        record = records.get(email)  # type: ignore[arg-type]  # None is no key
        if record is None:
            not_found.append(one)
            continue
        subject = mark_text(_subject(record.fields), of_subject)
        preview = None
        if of_body:
            try:
                octets = await read_octets(services, record)
            except Corrupt:
                octets = b""
            preview = await asyncio.to_thread(_preview, octets, of_body)
        found.append({"emailId": one, "subject": subject, "preview": preview})
    return {"accountId": call.account_id, "list": found, "notFound": not_found or None}


def _subject(fields: bytes) -> str:
    values = [value for name, value in iterate_fields(fields) if name.lower() == b"subject"]
    return str(read_form(Form.TEXT, values[-1])) if values else ""


def _preview(octets: bytes, needles: Sequence[str]) -> str | None:
    outline = Outline.from_parts(Anatomy(octets).parts)
    for text in message_text(outline, octets, _MAX_TEXT):
        snippet = snippet_of(text, needles)
        if snippet is not None:
            return snippet
    return None


def snippet_of(text: str, needles: Iterable[str]) -> str | None:
    """Return the part of a text where the first of the needles stands, marked, of at most 255 octets; None if none."""
    text = " ".join(text.split())
    needles = list(needles)
    places = _places(text, needles)
    if not places:
        return None
    start = max(places[0][0] - _BEFORE, 0)
    around = _AROUND
    while around > 0:
        cut = text[start : start + around]
        marked = mark_text(cut, needles)
        if marked is not None and len(marked.encode("utf-8", "replace")) <= _MOST_OCTETS:
            return marked
        around = around * 3 // 4
        start = max(places[0][0] - around // 4, 0)
    return None


def mark_text(text: str, needles: Iterable[str]) -> str | None:
    """Return a text as HTML with the needles marked; None if none stands there."""
    places = _places(text, needles)
    if not places:
        return None
    pieces: list[str] = []
    at = 0
    for start, stop in places:
        pieces += (escape(text[at:start], quote=False), _OPEN, escape(text[start:stop], quote=False), _CLOSE)
        at = stop
    return "".join([*pieces, escape(text[at:], quote=False)])


def _places(text: str, needles: Iterable[str]) -> list[tuple[int, int]]:
    """Return where the needles stand, ascending, joined where they overlap."""
    folded = fold_text(text)
    if len(folded) != len(text):
        folded = text.lower()
        if len(folded) != len(text):
            return []
    found: list[tuple[int, int]] = []
    for needle in needles:
        at = folded.find(needle)
        while needle and at >= 0 and len(found) < _AROUND:
            found.append((at, at + len(needle)))
            at = folded.find(needle, at + len(needle))
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
