"""The built web client, as files: read once, served from memory, compressed beforehand.

Files below `assets/` carry the digest of their content in their name and are kept by browsers for ever (RFC 9111);
all others are asked for again each time, which an entity tag makes cheap (RFC 9110 §8.8.3). Each page of the client is
the same document: it reads its address itself. Its policy allows nothing but what comes from here, and no script or
style within the document.
"""

from __future__ import annotations

__all__ = ["CLIENT_POLICY", "ClientFiles", "client_routes"]

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

CLIENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "frame-src 'self'",  # A message in its frame; anything else of ours refuses to be framed.
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""What the pages of the client may do (CSP3)."""

_FOLDER: Final = Path(__file__).parent / "client"
_INDEX: Final = "index.html"
_PAGES: Final = frozenset({"login", "mail", "search", "compose", "contacts", "settings", "admin"})
"""The first part of each address that the client knows."""

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_CODINGS: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
_NOT_SERVED: Final = frozenset({".br", ".gz", ".map"})
_STAMP: Final = "build.json"
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NO_BUILD: Final = (
    "The web client has not been built. The released package contains it; from a checkout, `make run` builds it.\n"
    "网页客户端尚未构建。发布的软件包已包含它；若使用源代码，请运行 make run 来构建。\n"
)


@dataclass(frozen=True, slots=True)
class ClientFile:
    """A file in each coding that it has; "" is the file as it is."""

    octets: Mapping[str, bytes]
    media_type: str
    caching: str
    tag: str


class ClientFiles:
    """What was built, by path."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Read everything; a folder that is not there is a client that was not built."""
        found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
        self._files = {
            path.relative_to(folder).as_posix(): _read(path, folder)
            for path in found
            if path.suffix not in _NOT_SERVED and path.name != _STAMP
        }

    @property
    def is_built(self) -> bool:
        """Whether there is a page to show."""
        return _INDEX in self._files

    def find(self, path: str) -> ClientFile | None:
        """Return what is at a path: a file, or the document of every page."""
        if not path or path.partition("/")[0] in _PAGES:
            return self._files.get(_INDEX)
        return self._files.get(path)


def client_routes(files: ClientFiles) -> list[Route]:
    """Return the routes. They take what nobody else takes, and therefore come last."""

    async def show_client(request: Request) -> Response:
        path = request.path_params["path"]
        found = files.find(path)
        if found is not None:
            return _respond(request, found)
        if not files.is_built and not path:
            return PlainTextResponse(_NO_BUILD, 503)
        raise HTTPException(404)

    return [Route("/{path:path}", show_client)]


def _read(path: Path, folder: Path) -> ClientFile:
    octets = {"": path.read_bytes()}
    for coding, suffix in _CODINGS.items():
        compressed = path.with_name(path.name + suffix)
        if compressed.is_file():
            octets[coding] = compressed.read_bytes()
    is_hashed = path.relative_to(folder).parts[0] == "assets"
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return ClientFile(
        octets=octets,
        media_type=_TYPES.get(path.suffix, guessed),
        caching=_FOR_EVER if is_hashed else _ASK_AGAIN,
        tag=hashlib.sha256(octets[""]).hexdigest()[:24],
    )


def _respond(request: Request, file: ClientFile) -> Response:
    coding = _choose_coding(request.headers.get("accept-encoding", ""), file)
    # A strong entity tag names one form: each coding has its own (RFC 9110 §8.8.3.3).
    tag = f'"{file.tag}{coding and "-"}{coding}"'
    headers = {"cache-control": file.caching, "etag": tag, "vary": "accept-encoding"}
    if file.media_type.startswith("text/html"):
        headers["content-security-policy"] = CLIENT_POLICY
    if _is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if coding:
        headers["content-encoding"] = coding
    return Response(file.octets[coding], media_type=file.media_type, headers=headers)


def _choose_coding(accepted: str, file: ClientFile) -> str:
    """Return the smallest form that the browser takes; one that it refuses by a weight of 0 is not taken."""
    taken = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            taken.add(name.strip())
    return next((coding for coding in _CODINGS if coding in taken and coding in file.octets), "")


def _is_known(known: str, tag: str) -> bool:
    """RFC 9110 §13.1.2: compared weakly."""
    return known.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in known.split(",")}
