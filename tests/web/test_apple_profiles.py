"""A profile for iPhone: a link after a step-up, once; in it an app password that works, under our signature."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hongyan.demonstration import DOMAIN
from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.server import Server, start_server
from tests.web.test_view import entered

ANN = f"ann@{DOMAIN}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


async def promise(web: Browser) -> str:
    answer = await web.ask("POST", "/api/v1/apple-profiles", {"label": "iPhone"})
    assert answer.status == 201, answer.body
    assert answer.json()["qr_code"].startswith("<svg")
    return str(urlsplit(answer.json()["url"]).path)


def unsigned(signed: bytes, tmp_path: Path, server: Server) -> dict[str, Any]:
    """Return what was signed, as OpenSSL verifies it."""
    program = shutil.which("openssl")
    assert program
    authority = next(tmp_path.rglob("ca.pem"))
    done = subprocess.run(
        [program, "cms", "-verify", "-inform", "DER", "-CAfile", str(authority), "-purpose", "any"],
        input=signed,
        capture_output=True,
        check=True,
    )
    return dict(plistlib.loads(done.stdout))


async def test_a_telephone_that_takes_the_picture_is_set_up(server: Server, tmp_path: Path) -> None:
    web = await entered(server)
    path = await promise(web)
    telephone = Browser(web.host, web.port, server.tls)
    before = (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]
    answer = await telephone.ask("GET", path)
    assert (answer.status, answer.header("content-type")) == (200, "application/x-apple-aspen-config")
    assert answer.header("cache-control") == "no-store"
    profile = unsigned(answer.body, tmp_path, server)
    (mail,) = profile["PayloadContent"]
    ports = server.app.endpoints
    assert mail["IncomingMailServerPortNumber"] == ports["imaps"].port
    assert mail["OutgoingMailServerPortNumber"] == ports["submissions"].port
    assert mail["IncomingMailServerHostName"] == f"mail.{DOMAIN}"
    imap = await server.connect("imaps")
    await imap.line()
    imap.say(f'a LOGIN {ANN} "{mail["IncomingPassword"]}"')
    assert (await imap.until(b"a ")).startswith(b"a OK")
    *others, known = (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]
    assert [one["number"] for one in others] == [one["number"] for one in before]
    assert (known["label"], known["services"]) == ("iPhone", ["imap", "smtp"])
    assert (await telephone.ask("GET", path)).status == 404, "a link works once"


async def test_a_link_is_for_who_has_stepped_up_and_ends(tmp_path: Path) -> None:
    clock = FakeClock()
    async with start_server(tmp_path, clock=clock) as server:
        web = await entered(server)
        path = await promise(web)
        assert (await web.ask("GET", path[:-1] + ("0" if path[-1] != "0" else "1"))).status == 404
        clock.advance(601)
        assert (await web.ask("GET", path)).status == 404
        assert (await web.ask("POST", "/api/v1/apple-profiles", {})).problem == "step-up-needed"
        web = await entered(server)
        for _ in range(5):
            await promise(web)
        assert (await web.ask("POST", "/api/v1/apple-profiles", {})).problem == "over-limit"
        known = (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]
        assert [one["label"] for one in known] == ["demonstration"]
