"""Uploads, downloads and blobs by method calls (RFC 8620 §6, RFC 9404)."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from pathlib import Path

import pytest

from hongyan.config import Config
from hongyan.web.jmap.options import JmapOptions
from tests.support.clock import FakeClock
from tests.support.jmap import CORE, JmapClient, http
from tests.support.server import Server, start_server

BLOB = "urn:ietf:params:jmap:blob"
GEESE = "雁 fly south".encode()


@pytest.fixture
def blobs(ann: JmapClient) -> JmapClient:
    ann.using = (CORE, BLOB)
    return ann


async def _download(client: JmapClient, blob: str, name: str = "a.txt", account: str = "", accept: str = "") -> bytes:
    answer = await client.get(f"/jmap/download/{account or client.account_id}/{blob}/{name}?accept={accept}")
    return answer.body if answer.status == 200 else str(answer.status).encode()


async def test_what_is_uploaded_comes_back_as_an_attachment_that_runs_nothing(ann: JmapClient) -> None:
    told = await ann.upload(GEESE, "text/html")
    assert told.status == 201
    upload = told.json()
    assert (upload["accountId"], upload["type"], upload["size"]) == (ann.account_id, "text/html", len(GEESE))
    place = f"/jmap/download/{ann.account_id}/{upload['blobId']}"
    assert (await ann.get(f"{place}/a%0d%0ab.html")).status == 404, "no name has control characters"
    answer = await ann.get(f"{place}/%E9%9B%81%22.html?accept=text/html")
    assert (answer.status, answer.body) == (200, GEESE)
    assert answer.headers["content-type"].startswith("text/html")
    assert (
        answer.headers["content-disposition"] == "attachment; filename=\"__.html\"; filename*=UTF-8''%E9%9B%81%22.html"
    )
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]


async def test_a_type_that_is_none_is_not_told_to_the_browser(ann: JmapClient) -> None:
    blob = (await ann.upload(b"x")).json()["blobId"]
    for accept in ("", "text/html%0d%0aSet-Cookie:a=b", "text", "a/b;" + "x" * 500):
        answer = await ann.get(f"/jmap/download/{ann.account_id}/{blob}/x?accept={accept}")
        assert answer.headers["content-type"] == "application/octet-stream", accept
        assert "set-cookie" not in answer.headers


async def test_nobody_else_has_an_upload_whatever_account_is_named(server: Server, ann: JmapClient) -> None:
    bob = await JmapClient(server, "bob").open()
    bob.using = (CORE, BLOB)
    blob = (await ann.upload(GEESE)).json()["blobId"]
    assert await _download(ann, blob) == GEESE
    assert await _download(bob, blob) == b"404"
    assert await _download(bob, blob, account=ann.account_id) == b"404"
    assert (await bob.upload(GEESE, account=ann.account_id)).status == 404
    assert (await bob.call("Blob/get", ids=[blob]))["notFound"] == [blob]
    path = f"/jmap/download/{ann.account_id}/{blob}/x"
    assert (await http(server, "GET", path)).status == 401
    assert (await http(server, "POST", f"/jmap/upload/{ann.account_id}", body=b"x")).status == 401


async def test_blobs_are_put_together_and_read_in_parts(blobs: JmapClient) -> None:
    made, got = await blobs.calls(
        (
            "Blob/upload",
            {
                "create": {
                    "a": {"data": [{"data:asText": "雁 fly"}, {"data:asBase64": base64.b64encode(b" south").decode()}]},
                    "b": {"data": [{"data:asBase64": "!"}]},
                    "c": {"data": [{"blobId": "#none"}]},
                    "d": {"data": [{"data:asText": "x"}] * 65},
                }
            },
        ),
        ("Blob/get", {"ids": ["#a"], "properties": ["data", "size", "digest:sha-256"], "offset": 4, "length": 3}),
    )
    assert set(made[1]["notCreated"]) == {"b", "c", "d"}
    assert made[1]["notCreated"]["c"] == {"type": "blobNotFound", "notFound": ["#none"]}
    record = got[1]["list"][0]
    digest = base64.b64encode(hashlib.sha256(b"fly").digest()).decode()
    assert record == {"id": made[1]["created"]["a"]["id"], "size": 13, "data:asText": "fly", "digest:sha-256": digest}
    source = {"blobId": record["id"], "offset": 4, "length": 3}
    whole = await blobs.call("Blob/upload", create={"e": {"data": [source]}})
    cut = await blobs.call("Blob/get", ids=[whole["created"]["e"]["id"]], offset=1, length=99)
    assert cut["list"][0] | {"id": ""} == {"id": "", "data:asText": "ly", "size": 3, "isTruncated": True}
    half = await blobs.call("Blob/get", ids=[record["id"]], properties=["data"], offset=0, length=2)
    assert half["list"][0]["isEncodingProblem"] is True
    assert base64.b64decode(half["list"][0]["data:asBase64"]) == "雁".encode()[:2]


async def test_uploads_leave_when_their_time_or_their_room_is_over(tmp_path: Path, clock: FakeClock) -> None:
    options = JmapOptions(uploads=2, upload_hours=1, max_size_upload=100, upload_room=100)

    def change(config: Config) -> Config:
        return dataclasses.replace(config, jmap=options)

    async with start_server(tmp_path, change=change, clock=clock) as server:
        ann = await JmapClient(server, "ann").open()
        ids = [(await ann.upload(b"%d" % number)).json()["blobId"] for number in range(2)]
        clock.advance(1)
        ids.append((await ann.upload(b"2")).json()["blobId"])
        assert [await _download(ann, one) for one in ids].count(b"404") == 1
        assert await _download(ann, ids[2]) == b"2"
        large = (await ann.upload(b"x" * 100)).json()["blobId"]
        assert await _download(ann, ids[2]) == b"404"
        assert (await ann.upload(b"x" * 101)).status == 413
        clock.advance(3700)
        await server.app.services.upkeep.run_once()
        assert await _download(ann, large) == b"404"
