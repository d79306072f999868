"""A message, read for somebody who looks at it in a browser: its parts, its text made safe, and its document.

The document is a page of its own for a frame without scripts, under a policy that lets nothing in but pictures of this
server: what the cleaning overlooked could still do nothing. Cleaning takes its time in a thread, two at a time.
"""

from __future__ import annotations

__all__ = [
    "EMPTY_FRAME",
    "EMPTY_FRAME_POLICY",
    "FRAME_POLICY",
    "LoadedMessage",
    "MessageReader",
    "Shown",
    "email_id_of",
    "render",
]

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hongyan.errors import NotFound, OverLimit
from hongyan.message.css import SCOPE
from hongyan.message.html import CleanHtml, Images, TooComplex, clean_html
from hongyan.message.links import Link
from hongyan.message.outline import Outline
from hongyan.message.plain_html import text_to_html
from hongyan.message.presentation import Presentation, decode_part, part_text, present
from hongyan.message.text import html_to_text
from hongyan.store.blobs import BlobStore
from hongyan.store.messages import Column, MessageStore
from hongyan.types import AccountId, EmailId

FRAME_POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""No script, no frame, no font, no connection; links open beside."""

EMPTY_FRAME_POLICY: Final = FRAME_POLICY.replace("sandbox ", "sandbox allow-same-origin ")
"""As that of a message. The page around it may lay the message in and measure it; still nothing in it can run."""

EMPTY_FRAME: Final = '<!DOCTYPE html><html><head><meta charset="utf-8"><title>-</title></head><body></body></html>'

_MAX_MESSAGE = 80 * 1024 * 1024
_MAX_TEXTS = 20
_AT_ONCE = 2
_COLUMNS = (Column.EMAIL_ID, Column.SIZE, Column.PREFIX, Column.BLOB, Column.SKIPPED, Column.OUTLINE)
_EMAIL_ID = re.compile(r"M([0-9a-f]{1,15})")
_BASE_STYLE = (
    "html{color-scheme:light dark}body{margin:0;padding:12px;font:15px/1.5 system-ui,'Noto Sans SC',sans-serif;"
    "overflow-wrap:anywhere}img{max-width:100%}blockquote{margin:0 0 0 .3em;padding-left:.8em;border-left:2px solid"
    " #8a8a8a}pre{white-space:pre-wrap}hr.parts{border:0;border-top:1px solid #8a8a8a;margin:1.5em 0}"
)


@dataclass(frozen=True, slots=True)
class LoadedMessage:
    """A message with all its octets, and how it is shown."""

    email: EmailId
    served: bytes
    outline: Outline
    presentation: Presentation

    def part(self, number: int) -> bytes:
        """Return the octets of a part, decoded."""
        return decode_part(self.outline, self.served, number, self.presentation.headers[number])


@dataclass(frozen=True, slots=True)
class Shown:
    """What the frame holds, and what is told beside it."""

    document: str
    is_simplified: bool
    """Whether some HTML was too much to be cleaned, and its text is shown instead."""
    remote_hosts: Mapping[str, int]
    links: tuple[Link, ...]


def email_id_of(account: AccountId, text: str) -> EmailId:
    """Return the email that an EMAILID (RFC 8474) names, as JMAP and IMAP tell it. Raises `NotFound`."""
    match = _EMAIL_ID.fullmatch(text)
    if match is None or int(match[1], 16) >> 32 != account:
        raise NotFound("There is no such message.")
    return EmailId(int(match[1], 16))


class MessageReader:
    """Reads and cleans."""

    def __init__(self, messages: MessageStore, blobs: BlobStore) -> None:
        self._messages = messages
        self._blobs = blobs
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def load(self, account: AccountId, email_id: str) -> LoadedMessage:
        """Return a message of the account. Raises `NotFound`, `OverLimit` for one that is too large to be shown."""
        email = email_id_of(account, email_id)
        rows = await self._messages.emails(account, _COLUMNS, EmailId(email - 1), limit=1)
        if not rows or rows[0][0] != email or rows[0][1] is None:
            raise NotFound("There is no such message.")
        _, size, prefix, ref, skipped, outline_octets = rows[0]
        if size > _MAX_MESSAGE:
            raise OverLimit("This message is too large to be shown here.")
        served = bytes(prefix + await self._blobs.read(ref, skipped))
        outline = Outline(outline_octets)
        async with self._places:
            return await asyncio.to_thread(lambda: LoadedMessage(email, served, outline, present(outline, served)))

    async def render(self, message: LoadedMessage, images: Images) -> Shown:
        """Return what is shown of a message."""
        async with self._places:
            return await asyncio.to_thread(render, message, images)


def render(message: LoadedMessage, images: Images) -> Shown:
    """Return what is shown of a message."""
    bodies: list[str] = []
    styles: list[str] = []
    hosts: dict[str, int] = {}
    links: list[Link] = []
    is_simplified = False
    for number in message.presentation.texts[:_MAX_TEXTS]:
        header = message.presentation.headers[number]
        text = part_text(message.part(number), header)
        if header.content_type.subtype.lower() == b"html":
            clean = _clean(text, images)
            if clean is not None:
                bodies.append(f'<div class="{SCOPE}"{_style(clean.body_style)}>{clean.body}</div>')
                styles.append(clean.style)
                links += clean.links
                for host, count in clean.remote_hosts.items():
                    hosts[host] = hosts.get(host, 0) + count
                continue
            is_simplified = True
            text = html_to_text(text)
        bodies.append(f"<div>{text_to_html(text, **_flow(message, number))}</div>")
    # One rule of the sender ends with what it is in: "</style" cannot occur in what the cleaner writes.
    document = (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta name="viewport" content="width=device-width"><title>-</title><style>{_BASE_STYLE}</style>'
        f"<style>{chr(10).join(filter(None, styles))}</style></head><body>"
        f"{'<hr class=parts>'.join(bodies)}</body></html>"
    )
    return Shown(document, is_simplified, hosts, tuple(links))


def _clean(html: str, images: Images) -> CleanHtml | None:
    try:
        return clean_html(html, images)
    except TooComplex:
        return None


def _style(declarations: str) -> str:
    return f' style="{declarations.replace("&", "&amp;").replace(chr(34), "&quot;")}"' if declarations else ""


def _flow(message: LoadedMessage, number: int) -> dict[str, bool]:
    """Return the parameters of text/plain (RFC 3676 §4)."""
    content_type = message.presentation.headers[number].content_type

    def says(name: bytes, value: str) -> bool:
        found = content_type.find(name)
        return found is not None and found.text.lower() == value

    is_flowed = content_type.subtype.lower() == b"plain" and says(b"format", "flowed")
    return {"flowed": is_flowed, "delsp": is_flowed and says(b"delsp", "yes")}
