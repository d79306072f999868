"""Messages as they are shown: facts about one, its frame, its attachments one by one or as an archive.

The frame holds a document that the server has cleaned, under its own policy and without an origin. Pictures within it
carry their permission in their URLs, because from such a frame no cookie comes. Pictures elsewhere are shown when the
reader asks for them, or has trusted the sender and the message is proven to be from there; this server fetches them.
"""

from __future__ import annotations

__all__ = ["ViewResource"]

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from hongyan.addresses import Address, AddressFault
from hongyan.errors import NotFound, OverLimit
from hongyan.message.address_list import parse_address_list
from hongyan.message.headers import find_body, iterate_fields, unfold
from hongyan.message.html import Images
from hongyan.message.links import Suspicion, show_host
from hongyan.message.origin_words import Origin, OriginVerdict, read_origin
from hongyan.message.presentation import Attachment
from hongyan.store.trusted_senders import TrustedSenderStore
from hongyan.types import AccountId
from hongyan.web.api.declared import Access, Route, Visit
from hongyan.web.api.values import Number, Text
from hongyan.web.downloads import attachment_headers, can_preview, content_disposition, zip_octets
from hongyan.web.picture_proxy import PictureProxy
from hongyan.web.reading import EMPTY_FRAME, EMPTY_FRAME_POLICY, FRAME_POLICY, LoadedMessage, MessageReader
from hongyan.web.seals import Seals

_TAG: Final = "messages"
_PATH: Final = "/emails/{email}"
_PICTURE: Final = "picture"
_REMOTE: Final = "remote picture"
_KEPT: Final = 600  # seconds
_MAX_URL: Final = 1200  # characters; in a query each may take twelve octets, and a header has 16 KiB
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
_MAX_ARCHIVE: Final = 100 * 1024 * 1024

Email = Annotated[str, Text(2, 20, "The id of an email, as JMAP and IMAP tell it.")]
Part = Annotated[int, Number(0, 100_000, "The number of a part.")]


@dataclass(frozen=True, slots=True)
class HostShown:
    """A host that pictures of the message would come from."""

    host: str
    pictures: int


@dataclass(frozen=True, slots=True)
class LinkShown:
    """A link that is not what it seems: the host it leads to, as it is in the DNS, and the reasons."""

    text: str
    target: str
    host: str
    reasons: list[Suspicion]


@dataclass(frozen=True, slots=True)
class OriginShown:
    """Whether the message comes from whom it says, in a sentence and by each method."""

    verdict: OriginVerdict
    sentence: str
    domain: str
    methods: dict[str, str]


@dataclass(frozen=True, slots=True)
class AttachmentShown:
    """A part that is not the text. `is_inline`: a picture that the text shows."""

    part: int
    name: str
    media_type: str
    size: int
    is_inline: bool
    can_preview: bool
    url: str


@dataclass(frozen=True, slots=True)
class MessageShown:
    """What is told beside the frame in which a message is shown."""

    email: str
    frame: str
    frame_with_pictures: str
    """The same with pictures that are elsewhere, which this server fetches."""
    is_simplified: bool
    sender: str
    """The address in From; empty if there is not exactly one."""
    is_sender_trusted: bool
    """Whether the reader trusts the sender, and the origin is proven: the frame has the pictures."""
    remote: list[HostShown]
    links: list[LinkShown]
    origin: OriginShown
    attachments: list[AttachmentShown]


_SENTENCES: Final = {
    OriginVerdict.VERIFIED: "The sender's domain confirms this message.",
    OriginVerdict.FAILED: "The sender's domain says that this message is not from it.",
    OriginVerdict.UNKNOWN: "Nothing proves that this message is from whom it says.",
    OriginVerdict.UNCHECKED: "The origin of this message was not checked.",
}


class ViewResource:
    """`/emails/…`."""

    def __init__(
        self,
        reader: MessageReader,
        seals: Seals,
        trusted: TrustedSenderStore,
        proxy: PictureProxy,
        hostname: str,
        prefix: str,
    ) -> None:
        self._reader = reader
        self._seals = seals
        self._trusted = trusted
        self._proxy = proxy
        self._hostname = hostname
        self._prefix = prefix

    def routes(self) -> list[Route]:
        """Return what it answers."""
        return [
            Route(method="GET", path=f"{_PATH}/view", handler=self.view, tag=_TAG),
            Route(method="GET", path=f"{_PATH}/frame", handler=self.frame, tag=_TAG),
            Route(method="GET", path="/empty-frame", handler=self.empty_frame, access=Access.ANYBODY, tag=_TAG),
            Route(method="GET", path=f"{_PATH}/attachments", handler=self.attachments, tag=_TAG),
            Route(method="GET", path=f"{_PATH}/parts/{{part}}", handler=self.part, tag=_TAG),
            Route(method="GET", path="/pictures", handler=self.picture, access=Access.ANYBODY, tag=_TAG),
            Route(method="GET", path="/remote-pictures", handler=self.remote_picture, access=Access.ANYBODY, tag=_TAG),
        ]

    async def view(self, visit: Visit, *, email: Email) -> MessageShown:
        """Tell about a message what a reader should know: pictures elsewhere, links, origin, attachments."""
        message = await self._reader.load(visit.account.account_id, email)
        shown = await self._reader.render(message, Images())
        return MessageShown(
            email=email,
            frame=f"{self._prefix}/emails/{email}/frame",
            frame_with_pictures=f"{self._prefix}/emails/{email}/frame?pictures=true",
            is_simplified=shown.is_simplified,
            sender=_sender(message),
            is_sender_trusted=await self._is_trusted(visit.account.account_id, message),
            remote=[HostShown(show_host(host), count) for host, count in shown.remote_hosts.items()],
            links=[LinkShown(one.text, one.target, one.host, list(one.suspicions)) for one in shown.links],
            origin=self._origin(message),
            attachments=[self._attachment(email, one) for one in message.presentation.attachments],
        )

    async def frame(self, visit: Visit, *, email: Email, pictures: bool = False) -> Response:
        """Show the text of a message: a document for a frame, cleaned, without scripts and without an origin.

        `pictures`: with those that are elsewhere. Without, they are shown when the sender is trusted.
        """
        account = visit.account.account_id
        message = await self._reader.load(account, email)
        images = Images(map_cid=self._cids(account, email, message))
        if pictures or await self._is_trusted(account, message):
            images = replace(images, map_remote=RemoteMap(self._seals, self._prefix, account))
        shown = await self._reader.render(message, images)
        return _framed(shown.document, FRAME_POLICY)

    async def empty_frame(self, visit: Visit) -> Response:  # noqa: ARG002 - it holds nothing
        """Show an empty document, into which a page of ours lays a message that it cleaned once more."""
        return _framed(EMPTY_FRAME, EMPTY_FRAME_POLICY)

    async def part(self, visit: Visit, *, email: Email, part: Part, inline: bool = False) -> Response:
        """Download an attachment; `inline` shows it if its type can do no harm."""
        message = await self._reader.load(visit.account.account_id, email)
        found = _require(message, part)
        octets = await asyncio.to_thread(message.part, part)
        return Response(octets, headers=attachment_headers(found.name, found.media_type, inline=inline))

    async def attachments(self, visit: Visit, *, email: Email) -> Response:
        """Download all attachments as one archive (ZIP)."""
        message = await self._reader.load(visit.account.account_id, email)
        found = message.presentation.attachments
        if not found:
            raise NotFound("This message has no attachments.")
        if sum(one.size for one in found) > _MAX_ARCHIVE:
            raise OverLimit("The attachments are too large for an archive; download them one by one.")
        files = ((one.name, message.part(one.part)) for one in found)
        return StreamingResponse(
            _in_threads(zip_octets(files)),
            media_type="application/zip",
            headers={"content-disposition": content_disposition(f"{email}.zip")},
        )

    async def picture(
        self,
        visit: Visit,  # noqa: ARG002 - the seal says who may see it
        *,
        account: Annotated[int, Number(0, (1 << 53) - 1)],
        email: Email,
        part: Part,
        until: Annotated[int, Number(0, (1 << 53) - 1)],
        seal: Annotated[str, Text(1, 64)],
    ) -> Response:
        """Serve a picture of a message to its frame. The seal in its URL is the permission."""
        if not self._seals.is_whole(seal, until, _PICTURE, str(account), email, str(part)):
            raise NotFound("There is no such picture, or its time has passed.")
        message = await self._reader.load(AccountId(account), email)
        found = _require(message, part)
        if found.media_type not in _PICTURES:
            raise NotFound("This part is no picture that can be shown.")
        headers = attachment_headers(found.name, found.media_type, inline=True)
        # The frame has no origin, so nothing is of the same one.
        headers["cross-origin-resource-policy"] = "cross-origin"
        return Response(await asyncio.to_thread(message.part, part), headers=headers)

    async def remote_picture(
        self,
        visit: Visit,  # noqa: ARG002 - the seal says who may see it
        *,
        account: Annotated[int, Number(0, (1 << 53) - 1)],
        url: Annotated[str, Text(8, _MAX_URL, "Where the picture is.")],
        until: Annotated[int, Number(0, (1 << 53) - 1)],
        seal: Annotated[str, Text(1, 64)],
    ) -> Response:
        """Serve a picture that is elsewhere to the frame of a message. The seal in its URL is the permission."""
        if not self._seals.is_whole(seal, until, _REMOTE, str(account), url):
            raise NotFound("There is no such picture, or its time has passed.")
        picture = await self._proxy.fetch(url)
        headers = attachment_headers("picture", picture.media_type, inline=True)
        headers["cache-control"] = f"private, max-age={_KEPT}"
        headers["cross-origin-resource-policy"] = "cross-origin"
        return Response(picture.octets, headers=headers)

    async def _is_trusted(self, account: AccountId, message: LoadedMessage) -> bool:
        """Whether the reader trusts the sender. A name alone is nothing to trust: the origin has to be proven."""
        if _read_origin(message, self._hostname).verdict is not OriginVerdict.VERIFIED:
            return False
        try:
            return await self._trusted.is_trusted(account, Address.parse(_sender(message)))
        except AddressFault:
            return False

    def _cids(self, account: AccountId, email: str, message: LoadedMessage) -> CidMap:
        return CidMap(self._seals, self._prefix, account, email, message)

    def _attachment(self, email: str, one: Attachment) -> AttachmentShown:
        url = f"{self._prefix}/emails/{email}/parts/{one.part}"
        return AttachmentShown(
            one.part, one.name, one.media_type, one.size, one.is_inline, can_preview(one.media_type), url
        )

    def _origin(self, message: LoadedMessage) -> OriginShown:
        found = _read_origin(message, self._hostname)
        return OriginShown(found.verdict, _SENTENCES[found.verdict], found.domain, dict(found.results))


class CidMap:
    """Where the pictures of one message are, by Content-ID."""

    def __init__(self, seals: Seals, prefix: str, account: AccountId, email: str, message: LoadedMessage) -> None:
        self._seals = seals
        self._prefix = prefix
        self._account = account
        self._email = email
        self._message = message

    def __call__(self, content_id: str) -> str | None:
        found = self._message.presentation.find_cid(content_id)
        if found is None or found.media_type not in _PICTURES:
            return None
        values = (str(self._account), self._email, str(found.part))
        until, seal = self._seals.seal(_PICTURE, *values)
        account, email, part = map(quote, values)
        return f"{self._prefix}/pictures?account={account}&email={email}&part={part}&until={until}&seal={seal}"


class RemoteMap:
    """Where pictures elsewhere are had from: this server, with its seal."""

    def __init__(self, seals: Seals, prefix: str, account: AccountId) -> None:
        self._seals = seals
        self._prefix = prefix
        self._account = account

    def __call__(self, url: str) -> str | None:
        if len(url) > _MAX_URL:
            return None
        until, seal = self._seals.seal(_REMOTE, str(self._account), url)
        shown = quote(url, safe="")
        return f"{self._prefix}/remote-pictures?account={self._account}&url={shown}&until={until}&seal={seal}"


def _header(message: LoadedMessage) -> bytes:
    return message.served[: find_body(message.served, 0, len(message.served))]


def _read_origin(message: LoadedMessage, hostname: str) -> Origin:
    return read_origin(_header(message), hostname)


def _sender(message: LoadedMessage) -> str:
    """Return the address in From, empty unless the message has one field with one address (RFC 9989 §5.3)."""
    fields = [value for name, value in iterate_fields(_header(message)) if name.lower() == b"from"]
    found = parse_address_list(unfold(fields[0])) if len(fields) == 1 else []
    if len(found) != 1 or not found[0].local_part or not found[0].domain:
        return ""
    return f"{found[0].local_part.decode('utf-8', 'replace')}@{found[0].domain.decode('utf-8', 'replace')}"


def _framed(document: str, policy: str) -> Response:
    headers = {
        "content-security-policy": policy,
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "no-referrer",
        "x-dns-prefetch-control": "off",
        "x-content-type-options": "nosniff",
    }
    return Response(document, media_type="text/html", headers=headers)


def _require(message: LoadedMessage, part: int) -> Attachment:
    found = message.presentation.find(part)
    if found is None:
        raise NotFound("There is no such part.")
    return found


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what takes its time to make, each piece in a thread."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        if piece:
            yield piece
