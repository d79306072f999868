"""Attachments on their way to a browser: what may be shown by itself, and under which headers.

Nothing that a sender attached is ever a page of ours: it is saved, or, if its type is one of a few that do nothing,
shown under a policy that forbids the rest (ASVS v5.0.0-3.2.1, 5.4). The type is what is written here, not what the
sender says: HTML, SVG and XML are never shown.
"""

from __future__ import annotations

__all__ = ["attachment_headers", "can_preview", "content_disposition", "zip_octets"]

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

_PREVIEWED: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "application/pdf"}
    | {"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/aac", "audio/flac"}
    | {"video/mp4", "video/webm", "video/ogg"}
)
_AS_TEXT: Final = frozenset(
    {"text/plain", "text/csv", "text/markdown", "text/x-log", "application/json", "text/x-patch"}
)
_POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)
_YEAR_1980: Final = (1980, 1, 1, 0, 0, 0)


def can_preview(media_type: str) -> bool:
    """Whether an attachment of this type may be shown by itself."""
    return media_type in _PREVIEWED or media_type in _AS_TEXT


def attachment_headers(name: str, media_type: str, *, inline: bool) -> dict[str, str]:
    """Return the headers of an attachment; `inline` is obeyed for types that may be."""
    shown = inline and can_preview(media_type)
    kind = "application/octet-stream"
    if shown:
        kind = "text/plain; charset=utf-8" if media_type in _AS_TEXT else media_type
    # A PDF's viewer does not open in a sandbox; what is in a PDF has no origin of ours all the same.
    sandbox = "" if kind == "application/pdf" else "; sandbox"
    return {
        "content-type": kind,
        "content-disposition": content_disposition(name, inline=shown),
        "content-security-policy": _POLICY + sandbox,
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN" if shown else "DENY",
        "cache-control": "private, max-age=3600",
    }


def content_disposition(name: str, *, inline: bool = False) -> str:
    """Return the field (RFC 6266): the name in UTF-8, and one in ASCII for programs that are old."""
    plain = "".join(one if " " <= one <= "~" and one not in '"\\%;' else "_" for one in name)
    exact = quote(name.encode("utf-8", "replace"), safe="")
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def zip_octets(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield an archive, piece by piece. Names are UTF-8, and marked so; what is compressed already stays as it is."""
    buffer = _Pieces()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, octets in files:
            info = zipfile.ZipInfo(name, _YEAR_1980)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            archive.writestr(info, octets)
            yield buffer.take()
    yield buffer.take()


class _Pieces(io.RawIOBase):
    """What is written, to be taken away; it cannot be sought, so the archive is made in one go."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, octets: object) -> int:
        piece = bytes(octets)  # type: ignore[call-overload] # whatever has a buffer
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
