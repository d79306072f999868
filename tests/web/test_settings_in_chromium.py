"""The settings as a person uses them: Chromium over real sockets, and mail programs with what it was given."""

from __future__ import annotations

import asyncio
import imaplib
import json
import ssl
from base64 import b32decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hongyan.auth.totp import code_at, step_at
from hongyan.demonstration import DOMAIN
from tests.support.chromium import Browser, open_browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "webmail" / "node_modules" / "axe-core" / "axe.min.js"
ANN = f"ann@{DOMAIN}"
PAGES = ("services", "server", "mail", "general", "security", "devices")


@dataclass
class Desk:
    """A person's browser at a service whose time is the test's."""

    server: Server
    browser: Browser
    origin: str
    clock: FakeClock

    async def sees(self, text: str) -> None:
        await self.browser.wait_for(f"document.body?.innerText.includes({json.dumps(text)})")

    async def press(self, text: str, within: str = "body") -> None:
        """Press the button that says a text, once it is there."""
        button = (
            f"[...document.querySelectorAll({json.dumps(within + ' button')})]"
            f".findLast(each => each.innerText.trim() === {json.dumps(text)} && !each.disabled)"
        )
        await self.browser.wait_for(button)
        await self.browser.evaluate(f"{button}.click()")

    async def fill(self, selector: str, text: str) -> None:
        await self.browser.click(selector)
        await self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        await self.browser.type(text)

    async def open(self, page: str) -> None:
        await self.browser.go(f"{self.origin}/settings/{page}")
        await self.browser.wait_for("document.querySelector('.login-card, .settings-page')")

    async def log_in(self, secret: str = SECRET) -> None:
        await self.fill("input[name=username]", ANN)
        await self.fill("input[name=password]", secret)
        await self.browser.click(".login-card button[type=submit]")

    async def prove(self, secret: str = SECRET) -> None:
        """Answer the question that comes before what is risky."""
        await self.fill("dialog[open] input", secret)
        await self.browser.click("dialog[open] button[type=submit]")
        await self.browser.wait_for("!document.querySelector('dialog[open]')")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock()
    async with start_server(tmp_path / "data", clock=clock) as server, open_browser(tmp_path / "chromium") as browser:
        origin = f"http://localhost:{server.app.endpoints['http'].port}"
        await browser.call("Emulation.setLocaleOverride", locale="en-GB")
        await browser.show(1280, 860)
        desk = Desk(server, browser, origin, clock)
        await browser.go(f"{origin}/login")
        await browser.wait_for("document.querySelector('.login-card')")
        await browser.evaluate("localStorage.setItem('hongyan.language', 'en')")
        yield desk


def imap_log_in(server: Server, secret: str) -> str:
    endpoint = server.app.endpoints["imaps"]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with imaplib.IMAP4_SSL(endpoint.host, endpoint.port, ssl_context=context) as imap:
        try:
            return imap.login(ANN, secret)[0]
        except imaplib.IMAP4.error:
            return "NO"


async def test_an_app_password_made_in_the_page_opens_imap_until_it_is_revoked(desk: Desk) -> None:
    await desk.open("services")
    await desk.log_in()
    await desk.sees("App passwords")
    desk.clock.advance(6 * 60)  # The login's own password counts no more.
    await desk.fill("input[name=label]", "My phone")
    await desk.press("Make an app password")
    await desk.fill("dialog[open] input", "wild goose")
    await desk.browser.click("dialog[open] button[type=submit]")
    await desk.sees("The password is wrong.")
    await desk.prove()
    await desk.sees("App password for “My phone”")
    secret = str(await desk.browser.evaluate("document.querySelector('.secret').value"))
    assert await asyncio.to_thread(imap_log_in, desk.server, secret) == "OK"
    await desk.press("Done")
    await desk.server.app.services.entrance.logins.flush()
    await desk.browser.go(f"{desk.origin}/settings/services")
    await desk.sees("Last used")
    assert secret not in str(await desk.browser.evaluate("document.documentElement.outerHTML"))
    await desk.press("Revoke", ".thing:first-child")
    await desk.press("Revoke", "dialog[open]")
    await desk.browser.wait_for("!document.querySelector('.things').innerText.includes('My phone')")
    assert await asyncio.to_thread(imap_log_in, desk.server, secret) == "NO"


async def test_a_service_that_is_switched_off_in_the_page_is_off(desk: Desk) -> None:
    await desk.open("services")
    await desk.log_in()
    await desk.browser.click(".toggle:nth-of-type(2) input")
    await desk.browser.wait_for("!document.querySelectorAll('.toggle input')[1].checked")
    services = {service.value for service in (await desk.server.account("ann")).services}
    assert "pop3" not in services
    assert "imap" in services
    await desk.open("server")
    await desk.sees("This service is off for your account.")
    await desk.sees(str(desk.server.app.endpoints["imaps"].port))
    await desk.browser.wait_for("document.querySelector('.drawing')?.naturalWidth > 0")


async def test_the_second_factor_set_up_in_the_page_is_asked_at_the_next_login(desk: Desk) -> None:
    await desk.open("security")
    await desk.log_in()
    await desk.press("Set up an authenticator")
    await desk.browser.wait_for("document.querySelector('.drawing')?.naturalWidth > 0")
    shown = str(await desk.browser.evaluate("document.querySelector('.secret').value")).replace(" ", "")
    key = b32decode(shown + "=" * (-len(shown) % 8))
    await desk.fill("input[name=code]", "000000")
    await desk.press("Turn on")
    await desk.browser.wait_for("document.querySelector('.field-error')")
    await desk.fill("input[name=code]", code_at(key, step_at(desk.clock.now())))
    await desk.press("Turn on")
    await desk.browser.wait_for("document.querySelectorAll('.recovery li').length === 10")
    code = str(await desk.browser.evaluate("document.querySelector('.recovery li').innerText"))
    await desk.press("I have kept them")
    await desk.sees("Recovery codes left: 10")
    await desk.browser.evaluate("fetch('/api/v1/session', {method: 'DELETE'})")
    await desk.open("security")
    await desk.log_in()
    await desk.fill("input[name=code]", code)
    await desk.browser.click(".login-card button[type=submit]")
    await desk.sees("Recovery codes left: 9")


async def test_what_is_typed_outlives_the_session(desk: Desk) -> None:
    await desk.open("services")
    await desk.log_in()
    await desk.fill("input[name=label]", "A name that took thought")
    await desk.browser.evaluate("fetch('/api/v1/session', {method: 'DELETE'})")
    await desk.press("Make an app password")
    await desk.sees("Your session has ended.")
    await desk.log_in()
    await desk.browser.wait_for("!document.querySelector('.inside').hidden")
    assert await desk.browser.evaluate("document.querySelector('input[name=label]').value") == (
        "A name that took thought"
    )


async def test_a_password_that_is_refused_is_named_beside_its_field(desk: Desk) -> None:
    await desk.open("security")
    await desk.log_in()
    await desk.sees("Set up an authenticator")
    for name in ("new-password", "new-password-again"):
        await desk.fill(f"input[name={name}]", "\u2028 goose")
    await desk.press("Change password")
    await desk.browser.wait_for("document.querySelector('input[name=new-password]').ariaInvalid === 'true'")
    for name in ("new-password", "new-password-again"):
        await desk.fill(f"input[name={name}]", "a goose that flew south")
    await desk.press("Change password")
    await desk.sees("Your password is changed.")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [(1280, 860), (390, 844)])
async def test_axe_finds_nothing_in_any_page(desk: Desk, dark: bool, size: tuple[int, int]) -> None:
    await desk.browser.call("Page.setBypassCSP", enabled=True)
    await desk.browser.show(*size, dark=dark, phone=size[0] < 720)
    await desk.open("services")
    await desk.log_in()
    await desk.browser.wait_for("document.querySelector('.settings-page')")
    for page in PAGES:
        await desk.open(page)
        await desk.browser.wait_for("document.querySelector('.card') && !document.querySelector('.waiting')")
        await desk.browser.evaluate(AXE.read_text())
        found = await desk.browser.evaluate(
            "axe.run().then(({violations}) => JSON.stringify(violations.map(each =>"
            " [each.id, each.nodes.map(node => node.html.slice(0, 120))])))"
        )
        assert json.loads(str(found)) == [], page
