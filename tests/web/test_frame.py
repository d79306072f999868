"""Hostile mail in a real browser: no script runs, no request leaves, and the frame alone would hold as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hongyan.demonstration import DOMAIN
from hongyan.message.html import CleanHtml, Images
from hongyan.web import reading
from hongyan.web.api import view
from tests.support.chromium import Browser, open_browser
from tests.support.hostile_html import HOSTILE
from tests.support.server import SECRET, Server, start_server
from tests.web.test_view import PNG, mail, put

pytestmark = pytest.mark.interop
_AT_ONCE = 15
SCRIPT = "<script>fetch('http://tap.test/run')</script><img src=x onerror=\"location='http://tap.test/run'\">"


@dataclass
class Stranger:
    """A web server of somebody else."""

    port: int = 0
    connections: list[bytes] = field(default_factory=list)
    met: asyncio.Event = field(default_factory=asyncio.Event)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(await reader.read(200))
        self.met.set()
        writer.close()


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    stranger = Stranger()
    async with await asyncio.start_server(stranger.meet, "127.0.0.1", 0) as listening:
        stranger.port = listening.sockets[0].getsockname()[1]
        yield stranger


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path / "data") as server:
        yield server


def rules(stranger: Stranger) -> tuple[str, ...]:
    """The host that hostile mail asks for is the stranger's; others, which the browser itself asks for, are nowhere."""
    return (f"--host-resolver-rules=MAP tap.test 127.0.0.1:{stranger.port}, MAP * ~NOTFOUND, EXCLUDE localhost",)


async def enter(browser: Browser, server: Server) -> str:
    """Log in; return where the web is."""
    origin = f"http://localhost:{server.app.endpoints['http'].port}"
    await browser.load(f"{origin}/healthz/live")
    await browser.call("Page.setBypassCSP", enabled=True)  # the page of health lets nothing out, not even a login
    await browser.load(f"{origin}/healthz/live")
    body = f"{{name: 'ann@{DOMAIN}', password: '{SECRET}'}}"
    done = await browser.evaluate(
        f"fetch('/api/v1/session', {{method: 'POST', headers: {{'content-type': 'application/json'}},"
        f" body: JSON.stringify({body})}}).then(answer => answer.status)"
    )
    assert done == 201
    await browser.call("Page.setBypassCSP", enabled=False)
    browser.requested.clear()
    browser.complaints.clear()
    return origin


async def hostile_mail(server: Server) -> list[str]:
    pages = list(HOSTILE.values())
    return [
        await put(
            server,
            mail(
                *(("Content-Type: text/html; charset=utf-8", page.encode()) for page in pages[start : start + _AT_ONCE])
            ),
        )
        for start in range(0, len(pages), _AT_ONCE)
    ]


async def test_hostile_mail_does_nothing_and_leaves_nothing_for_the_frame_to_stop(
    server: Server, stranger: Stranger, tmp_path: Path
) -> None:
    emails = await hostile_mail(server)
    async with open_browser(tmp_path / "browser", *rules(stranger)) as browser:
        origin = await enter(browser, server)
        for email in emails:
            await browser.load(f"{origin}/api/v1/emails/{email}/frame")
        assert {url for url in browser.requested if not url.startswith(("data:", f"{origin}/api/v1/emails/"))} == set()
    assert browser.complaints == []
    assert stranger.connections == []


async def test_the_frame_holds_without_the_cleaning(
    server: Server, stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(html: str, images: Images) -> CleanHtml:
        return CleanHtml(html, "", "", {}, ())

    monkeypatch.setattr(reading, "clean_html", leave)
    pages = (SCRIPT, *(HOSTILE[name] for name in ("meta-refresh", "link-sheet", "image", "svg-use", "iframe", "form")))
    emails = [await put(server, mail(("Content-Type: text/html; charset=utf-8", page.encode()))) for page in pages]
    async with open_browser(tmp_path / "browser", *rules(stranger)) as browser:
        origin = await enter(browser, server)
        for email in emails:
            await browser.load(f"{origin}/api/v1/emails/{email}/frame")
    # No policy reaches a connection that the browser opens in advance and says nothing on: the cleaning does.
    assert [said for said in stranger.connections if said] == []


async def test_what_leaves_is_noticed(
    server: Server, stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(html: str, images: Images) -> CleanHtml:
        return CleanHtml(html, "", "", {}, ())

    monkeypatch.setattr(reading, "clean_html", leave)
    monkeypatch.setattr(view, "FRAME_POLICY", "sandbox allow-scripts")
    email = await put(server, mail(("Content-Type: text/html; charset=utf-8", SCRIPT.encode())))
    async with open_browser(tmp_path / "browser", *rules(stranger)) as browser:
        origin = await enter(browser, server)
        await browser.load(f"{origin}/api/v1/emails/{email}/frame")
        await stranger.met.wait()


async def test_pictures_of_the_message_are_seen_in_the_frame(
    server: Server, stranger: Stranger, tmp_path: Path
) -> None:
    parts = (
        ("Content-Type: text/html; charset=utf-8", b'<img id="logo" src="cid:logo@here">'),
        ("Content-Type: image/png\r\nContent-ID: <logo@here>", PNG),
    )
    email = await put(server, mail(*parts, subtype="related"))
    async with open_browser(tmp_path / "browser", *rules(stranger)) as browser:
        origin = await enter(browser, server)
        await browser.load(f"{origin}/api/v1/emails/{email}/frame")
        assert await browser.width_of("#m-logo") == 1
