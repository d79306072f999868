"""Octets in and out: the resources for uploads and downloads (RFC 8620 §6.1, §6.2).

What is downloaded was written by strangers. It is always an attachment of the type that the client names, if it is one;
no browser guesses another or runs a script of it (`guard` and the sandbox here).
"""

from __future__ import annotations

__all__ = ["transfer_routes"]

import re
from collections import Counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hongyan.auth.principal import Principal
from hongyan.errors import StorageFull
from hongyan.types import AccountId
from hongyan.web.downloads import content_disposition
from hongyan.web.identity import Identities
from hongyan.web.jmap.call import account_id_of
from hongyan.web.jmap.options import JmapOptions
from hongyan.web.jmap.routes import guarded, problem, write_json
from hongyan.web.jmap.uploads import FindBlob, Uploads
from hongyan.wire.jmap.faults import RequestProblem

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
_TYPE = re.compile(rf"{_WORD}/{_WORD}(?:; ?{_WORD}=(?:{_WORD}|\"[ !#-\[\]-~]{{0,100}}\")){{0,5}}", re.ASCII)
_UNKNOWN_TYPE = "application/octet-stream"
_MAX_NAME = 255
_SAFE = {
    "cache-control": "private, immutable, max-age=31536000",
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}
_NOT_THERE = "There is no such thing."


def transfer_routes(identities: Identities, uploads: Uploads, find_blob: FindBlob, options: JmapOptions) -> list[Route]:
    """Return the routes."""
    busy: Counter[AccountId] = Counter()

    async def upload(request: Request, principal: Principal) -> Response:
        account = principal.account
        if request.path_params["account_id"] != account_id_of(account):
            return problem(404, _NOT_THERE)
        if busy[account] >= options.max_concurrent_upload:
            raise RequestProblem("limit", "Too many uploads are under way.", status=429, limit="maxConcurrentUpload")
        busy[account] += 1
        try:
            octets = await request.body()
            media_type = _checked_type(request.headers.get("content-type", ""))
            blob_id = await uploads.save(account, octets, media_type)
        except StorageFull:
            return problem(507, "There is no room just now.")
        finally:
            busy[account] -= 1
            if not busy[account]:
                del busy[account]
        told = {"accountId": account_id_of(account), "blobId": blob_id, "type": media_type, "size": len(octets)}
        return write_json(told, 201)

    async def download(request: Request, principal: Principal) -> Response:
        where = request.path_params
        is_own = where["account_id"] == account_id_of(principal.account)
        octets = await find_blob(principal.account, where["blob_id"]) if is_own else None
        if octets is None:
            return problem(404, _NOT_THERE)
        media_type = _checked_type(request.query_params.get("accept", ""))
        headers = _SAFE | {
            "content-type": media_type,
            "content-disposition": content_disposition(where["name"][:_MAX_NAME]),
        }
        return Response(octets, headers=headers)

    return [
        Route("/jmap/upload/{account_id}", guarded(identities, upload), methods=["POST"]),
        Route("/jmap/upload/{account_id}/", guarded(identities, upload), methods=["POST"]),
        Route("/jmap/download/{account_id}/{blob_id}/{name:path}", guarded(identities, download)),
    ]


def _checked_type(given: str) -> str:
    return given if _TYPE.fullmatch(given) else _UNKNOWN_TYPE
