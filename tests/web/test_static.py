"""The web client as a browser fetches it: forms, caching, policy, and what is said when it was not built."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from hongyan.web.static import CLIENT_POLICY, ClientFiles, client_routes

INDEX = b"<!doctype html><title>geese</title>"
SCRIPT = b"export const geese = 7;" * 40


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Browser:
    """Asks an application, without sockets."""

    def __init__(self, folder: Path) -> None:
        self._app = Starlette(routes=client_routes(ClientFiles(folder)))

    def get(self, path: str, **headers: str) -> Answer:
        return asyncio.run(self._get(path, headers))

    async def _get(self, path: str, headers: dict[str, str]) -> Answer:
        said: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            said.append(message)

        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": unquote(path), "headers": fields, "query_string": b""}
        await self._app(scope, receive, send)
        got = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return Answer(said[0]["status"], got, b"".join(part.get("body", b"") for part in said[1:]))


@pytest.fixture
def client(tmp_path: Path) -> Browser:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(INDEX)
    (tmp_path / "icon.svg").write_bytes(b"<svg/>")
    (tmp_path / "build.json").write_text("{}")
    (tmp_path / "assets" / "main-abc.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "main-abc.js.gz").write_bytes(gzip.compress(SCRIPT, mtime=0))
    (tmp_path / "assets" / "main-abc.js.br").write_bytes(b"brotli")
    return Browser(tmp_path)


@pytest.mark.parametrize("path", ["/", "/login", "/mail/m1/t2", "/search", "/settings/security"])
def test_each_page_is_the_same_document_under_a_policy_that_lets_nothing_in(client: Browser, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.headers["content-security-policy"] == CLIENT_POLICY
    assert answer.headers["cache-control"] == "no-cache"


def test_the_policy_allows_no_script_within_the_document_and_no_stranger() -> None:
    assert "unsafe" not in CLIENT_POLICY
    assert "http" not in CLIENT_POLICY
    assert "default-src 'none'" in CLIENT_POLICY


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/jmap", "/assets/old.js", "/build.json", "/x", "//login"])
def test_what_is_no_page_and_no_file_is_not_found(client: Browser, path: str) -> None:
    assert client.get(path).status == 404


@pytest.mark.parametrize("path", ["/assets/../../static.py", "/%2e%2e/static.py", "/assets/%2e%2e/%2e%2e/static.py"])
def test_nothing_above_the_folder_is_reached(client: Browser, path: str) -> None:
    assert client.get(path).status == 404


def test_files_named_by_their_digest_are_kept_for_ever(client: Browser) -> None:
    answer = client.get("/assets/main-abc.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_the_best_form_that_a_browser_takes_is_sent(client: Browser) -> None:
    zipped = client.get("/assets/main-abc.js", accept_encoding="gzip, br;q=0")
    assert (zipped.headers["content-encoding"], zipped.body) == ("gzip", gzip.compress(SCRIPT, mtime=0))
    brotli = client.get("/assets/main-abc.js", accept_encoding="gzip, br")
    assert (brotli.headers["content-encoding"], brotli.body) == ("br", b"brotli")
    assert client.get("/assets/main-abc.js").body == SCRIPT
    assert zipped.headers["vary"] == "accept-encoding"


def test_what_the_browser_has_is_not_sent_again(client: Browser) -> None:
    tag = client.get("/").headers["etag"]
    again = client.get("/", if_none_match=f'"other", W/{tag}')
    assert (again.status, again.body) == (304, b"")
    assert client.get("/", if_none_match='"other"').status == 200


def test_each_form_has_an_entity_tag_of_its_own(client: Browser) -> None:
    plain = client.get("/assets/main-abc.js").headers["etag"]
    assert client.get("/assets/main-abc.js", accept_encoding="gzip").headers["etag"] != plain


def test_without_a_build_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    answer = Browser(tmp_path / "missing").get("/")
    assert answer.status == 503
    assert "make run" in answer.body.decode()
    assert Browser(tmp_path / "missing").get("/elsewhere").status == 404
