"""Blobs by method calls: Blob/upload, Blob/get, Blob/copy (RFC 9404, RFC 8620 §6.3)."""

from __future__ import annotations

__all__ = ["BLOB", "blob_capability", "blob_copy"]

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hongyan.web.jmap.call import Call, Capability, account_id_of, method
from hongyan.web.jmap.options import JmapOptions
from hongyan.web.jmap.uploads import FindBlob, Uploads
from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.faults import MethodError, SetError, invalid_arguments, invalid_properties
from hongyan.wire.jmap.values import is_unsigned

BLOB = "urn:ietf:params:jmap:blob"

_MAX_SOURCES = 64
_MAX_TYPE = 255
_UNKNOWN_TYPE = "application/octet-stream"
_MOST_IN_ANSWER = 50_000_000  # octets that one Blob/get tells
_DIGESTS: Mapping[str, Callable[[bytes], hashlib._Hash]] = {"sha": hashlib.sha1, "sha-256": hashlib.sha256}
_DATA = ("data", "data:asText", "data:asBase64")
_PROPERTIES = (*_DATA, *(f"digest:{name}" for name in _DIGESTS), "size")


def blob_capability(uploads: Uploads, find_blob: FindBlob, options: JmapOptions) -> Capability:
    """Return the capability (RFC 9404 §3.1)."""
    account = {
        "maxSizeBlobSet": options.max_size_upload,
        "maxDataSources": _MAX_SOURCES,
        "supportedTypeNames": [],
        "supportedDigestAlgorithms": list(_DIGESTS),
    }
    methods = {
        "Blob/upload": method(partial(_upload, uploads, find_blob, options)),
        "Blob/get": method(partial(_get, find_blob, options)),
        "Blob/lookup": method(_lookup),
    }
    return Capability(BLOB, methods, {}, account)


async def blob_copy(call: Call) -> Mapping[str, object]:
    """Copy blobs between accounts: there is no second one that the visitor has."""
    source = call.arguments.id("fromAccountId")
    if call.arguments.find_ids("blobIds") is None:
        raise invalid_arguments("blobIds is an array of Ids.")
    call.arguments.finish()
    if source == account_id_of(call.account):
        raise invalid_arguments("fromAccountId and accountId are not the same.")
    raise MethodError("fromAccountNotFound")


# -- Blob/upload


async def _upload(uploads: Uploads, find_blob: FindBlob, options: JmapOptions, call: Call) -> Mapping[str, object]:
    create = call.arguments.find_records("create") or {}
    call.arguments.finish()
    if len(create) > options.max_objects_in_set:
        raise MethodError("requestTooLarge")
    created: dict[str, object] = {}
    refused: dict[str, object] = {}
    for key, record in create.items():
        try:
            octets, media_type = await _gather(find_blob, options, call, record)
            blob_id = await uploads.save(call.account, octets, media_type)
        except SetError as error:
            refused[key] = error.as_json()
            continue
        created[key] = {"id": blob_id, "type": media_type, "size": len(octets)}
        call.created.add(key, blob_id)
    return {"accountId": call.account_id, "created": created or None, "notCreated": refused or None}


async def _gather(
    find_blob: FindBlob, options: JmapOptions, call: Call, record: Mapping[str, object]
) -> tuple[bytes, str]:
    """Return octets and type of an upload that is put together (RFC 9404 §4.1). Raises `SetError`."""
    sources, media_type = record.get("data"), record.get("type") or _UNKNOWN_TYPE
    if set(record) - {"data", "type"}:
        raise invalid_properties(set(record) - {"data", "type"})
    if not isinstance(media_type, str) or len(media_type) > _MAX_TYPE or not media_type.isprintable():
        raise invalid_properties(["type"])
    if not isinstance(sources, list) or len(sources) > _MAX_SOURCES:
        raise invalid_properties(["data"], f"data is an array of at most {_MAX_SOURCES} sources.")
    octets = bytearray()
    for source in sources:
        octets += await _read_source(find_blob, call, source)
        if len(octets) > options.max_size_upload:
            raise SetError("tooLarge")
    return bytes(octets), media_type


async def _read_source(find_blob: FindBlob, call: Call, source: object) -> bytes:
    match source:
        case {"data:asText": str(text), **rest} if not rest:
            return text.encode("utf-8", "replace")
        case {"data:asBase64": str(text), **rest} if not rest:
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                raise invalid_properties(["data"], "The base64 cannot be read.") from None
        case {"blobId": str(blob), **rest} if not set(rest) - {"offset", "length"}:
            start, length = _range_value(rest.get("offset")), _range_value(rest.get("length"))
            resolved = call.created.resolve(blob)
            octets = None if resolved is None else await find_blob(call.account, resolved)
            if octets is None:
                raise SetError("blobNotFound", notFound=[blob])
            return _part(octets, start or 0, length, must_be_whole=True)
    raise invalid_properties(["data"], "A source is data:asText, data:asBase64 or a blobId.")


def _range_value(value: object) -> int | None:
    if value is None or is_unsigned(value):
        return value
    raise invalid_properties(["data"], "offset and length are numbers.")


def _part(octets: bytes, start: int, length: int | None, *, must_be_whole: bool) -> bytes:
    stop = len(octets) if length is None else start + length
    if must_be_whole and stop > len(octets):
        raise invalid_properties(["data"], "The range is beyond the blob.")
    return octets[start:stop]


# -- Blob/get


async def _get(find_blob: FindBlob, options: JmapOptions, call: Call) -> Mapping[str, object]:
    of = call.arguments
    ids, properties = of.find_ids("ids", references=True), of.find_strings("properties")
    start, length = of.find_unsigned("offset") or 0, of.find_unsigned("length")
    of.finish()
    if ids is None:
        raise invalid_arguments("ids is an array of Ids.")
    if len(ids) > options.max_objects_in_get:
        raise MethodError("requestTooLarge")
    wanted = list(properties) if properties else ["data", "size"]
    if set(wanted) - set(_PROPERTIES):
        raise invalid_arguments("There is no such property.")
    found, missing, told = [], [], 0
    for one in ids:
        resolved = call.created.resolve(one)
        octets = None if resolved is None else await find_blob(call.account, resolved)
        if octets is None:
            missing.append(one)
            continue
        chosen = octets[start:] if length is None else octets[start : start + length]
        told += len(chosen) if set(wanted) & set(_DATA) else 0
        if told > _MOST_IN_ANSWER:
            raise MethodError("requestTooLarge", "Ask for less, or by ranges.")
        is_cut = length is not None and start + length > len(octets)
        found.append({"id": resolved, **_describe(octets, chosen, wanted), **({"isTruncated": True} if is_cut else {})})
    return {"accountId": call.account_id, "list": found, "notFound": missing}


def _describe(whole: bytes, chosen: bytes, wanted: Sequence[str]) -> dict[str, object]:
    """Return the properties of a blob (RFC 9404 §4.2)."""
    told: dict[str, object] = {}
    for name in wanted:
        match name:
            case "size":
                told[name] = len(whole)
            case "data:asBase64":
                told[name] = base64.b64encode(chosen).decode("ascii")
            case "data" | "data:asText":
                told |= _as_text(chosen, otherwise_base64=name == "data")
            case _:
                digest = _DIGESTS[name.removeprefix("digest:")](chosen).digest()
                told[name] = base64.b64encode(digest).decode("ascii")
    return told


def _as_text(octets: bytes, *, otherwise_base64: bool) -> dict[str, object]:
    try:
        return {"data:asText": octets.decode("utf-8")}
    except UnicodeDecodeError:
        problem: dict[str, object] = {"isEncodingProblem": True}
        if otherwise_base64:
            return problem | {"data:asBase64": base64.b64encode(octets).decode("ascii")}
        return problem | {"data:asText": None}


# -- Blob/lookup


async def _lookup(call: Call) -> Mapping[str, object]:
    """RFC 9404 §4.3. No type is looked up; the capability says so."""
    of: Arguments = call.arguments
    names, ids = of.find_strings("typeNames"), of.find_ids("ids")
    of.finish()
    if names is None or ids is None:
        raise invalid_arguments("typeNames and ids are arrays.")
    if names:
        raise MethodError("unknownDataType")
    found = [{"id": one, "matchedIds": {}} for one in ids]
    return {"accountId": call.account_id, "list": found}
