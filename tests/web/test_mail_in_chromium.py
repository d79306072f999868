"""The web client as a person uses it: Chromium over real sockets, from the login to the answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hongyan.demonstration import DOMAIN
from hongyan.web import static
from tests.support.chromium import Browser, open_browser
from tests.support.server import SECRET, Server, start_server
from tests.web.test_view import PNG, mail, put

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]
CLIENT = Path(static.__file__).parent / "client"
AXE = ROOT / "webmail" / "node_modules" / "axe-core" / "axe.min.js"
MOST_OCTETS = 250_000  # of everything that the mail view loads, as gzip sends it

HTML = (
    '<h1 id="hello">The geese are back</h1><p onclick="alert(1)">Come and see.</p>'
    '<img src="http://tracker.test/pixel.png"><script>document.title = "run"</script>'
    '<a href="http://elsewhere.test/login">www.bank.test</a>'
)
DROP = """
(() => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['south'], '雁.txt', {type: 'text/plain'}));
  const dropped = new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true});
  document.querySelector('.compose').dispatchEvent(dropped);
})()
"""
FRAME = "document.querySelector('.message-frame').contentDocument"


@dataclass
class Desk:
    """A person's browser at a service."""

    server: Server
    browser: Browser
    origin: str

    async def log_in(self, name: str = "ann") -> None:
        await self.browser.go(f"{self.origin}/mail/inbox")
        await self.browser.click("input[name=username]")
        await self.browser.type(f"{name}@{DOMAIN}")
        await self.browser.click("input[name=password]")
        await self.browser.type(SECRET)
        await self.browser.click("button[type=submit]")
        await self.browser.wait_for("document.querySelector('.list-title h1')")

    async def write(self, recipient: str, subject: str, text: str) -> None:
        await self.browser.press("c")
        await self.browser.wait_for("document.activeElement?.id === 'compose-to'")
        await self.browser.type(recipient)
        await self.browser.click("#compose-subject")
        await self.browser.type(subject)
        await self.browser.click(".compose-text")
        await self.browser.type(text)

    async def sees(self, text: str) -> None:
        await self.browser.wait_for(f"document.body?.innerText.includes({json.dumps(text)})")

    async def open(self, subject: str) -> None:
        row = f"[...document.querySelectorAll('.row')].find(row => row.innerText.includes({json.dumps(subject)}))"
        await self.browser.wait_for(row)
        await self.browser.evaluate(f"{row}.click()")
        await self.browser.wait_for("document.querySelector('.message')")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    if not (CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built: scripts/webclient.py builds it")
    async with start_server(tmp_path / "data") as server, open_browser(tmp_path / "browser") as browser:
        await browser.show(1280, 800)
        yield Desk(server, browser, f"http://localhost:{server.app.endpoints['http'].port}")


def letter(subject: str = "x") -> bytes:
    text = ("Content-Type: text/html; charset=utf-8", HTML.encode())
    attached = ("Content-Type: image/png\r\nContent-Disposition: attachment; filename=goose.png", PNG)
    note = ("Content-Type: text/plain\r\nContent-Disposition: attachment; filename=note.txt", b"a note")
    return mail(text, attached, note).replace(b"Subject: x", f"Subject: {subject}".encode())


async def test_mail_arrives_in_the_open_list_is_read_searched_and_answered(desk: Desk) -> None:
    await desk.log_in()
    await desk.sees("Enjoy the quiet")
    await desk.server.bring(f"ann@{DOMAIN}", "Geese over the lake", size=40)
    await desk.open("Geese over the lake")
    await desk.browser.wait_for("document.querySelector('.message .text')")
    await desk.browser.press("r")
    await desk.browser.wait_for("document.activeElement?.matches('.compose-text')")
    await desk.browser.type("They fly south.")
    await desk.browser.wait_for("document.querySelector('.compose-saved')?.innerText === 'Saved'")
    await desk.browser.press("Escape")
    await desk.browser.wait_for("document.querySelector('.compose') === null")
    await desk.browser.go(f"{desk.origin}/mail/drafts")
    await desk.sees("They fly south.")
    await put(desk.server, mail(("Content-Type: text/plain", b"the swans")).replace(b"Subject: x", b"Subject: Swans"))
    await desk.browser.click("#search")
    await desk.browser.type("主题:swans")
    await desk.browser.press("Enter")
    await desk.browser.wait_for("document.querySelectorAll('.row-subject').length === 1")
    await desk.sees("Swans")


async def test_mail_to_somebody_else_arrives_in_their_window_and_is_answered(desk: Desk, tmp_path: Path) -> None:
    await desk.log_in()
    async with open_browser(tmp_path / "other") as other:
        await other.show(1280, 800)
        theirs = Desk(desk.server, other, desk.origin)
        await theirs.log_in("bob")
        await theirs.sees("Enjoy the quiet")
        for each in (desk, theirs):  # what cannot be taken back leaves at once
            await each.browser.evaluate("localStorage.setItem('hongyan.undo', '0')")
            await each.browser.go(f"{desk.origin}/mail/inbox")
            await each.sees("Enjoy the quiet")
        await desk.write(f"bob@{DOMAIN}", "你好，鸿雁", "The geese are back. 雁南飞。")
        await desk.browser.click(".compose .primary")
        await theirs.open("你好，鸿雁")
        await theirs.sees("雁南飞。")
        await theirs.browser.press("r")
        await theirs.browser.wait_for("document.activeElement?.matches('.compose-text')")
        await theirs.browser.type("I saw them too.")
        await theirs.browser.click(".compose .primary")
        await desk.open("你好，鸿雁")
        await desk.sees("I saw them too.")
        await desk.sees("The geese are back. 雁南飞。")
        await desk.browser.wait_for("document.querySelectorAll('.message').length === 2")


async def test_a_file_that_is_dropped_goes_along_and_a_forgotten_one_is_missed(desk: Desk) -> None:
    await desk.log_in()
    await desk.browser.evaluate("localStorage.setItem('hongyan.undo', '0')")
    await desk.browser.go(f"{desk.origin}/mail/inbox")
    await desk.sees("Enjoy the quiet")
    await desk.write(f"ann@{DOMAIN}", "To myself", "See the attachment.")
    await desk.browser.click(".compose .primary")
    await desk.sees("nothing is attached")
    await desk.browser.evaluate(DROP)
    await desk.sees("雁.txt")
    await desk.browser.wait_for("document.querySelector('.compose-saved')?.innerText === 'Saved'")
    await desk.browser.click(".compose .primary")
    await desk.open("To myself")
    await desk.sees("雁.txt")


async def test_a_letter_is_taken_back_and_is_as_it_was(desk: Desk) -> None:
    await desk.log_in()
    await desk.sees("Enjoy the quiet")
    await desk.write(f"ann@{DOMAIN}", "Too early", "Wait.")
    await desk.browser.click(".compose .primary")
    await desk.browser.click(".toast button")
    await desk.browser.wait_for("document.querySelector('.compose-text')?.value === 'Wait.'")
    assert await desk.browser.evaluate("document.querySelector('#compose-to').value") == f"ann@{DOMAIN}"
    await desk.browser.go(f"{desk.origin}/mail/drafts")
    await desk.sees("Too early")
    await desk.browser.go(f"{desk.origin}/mail/sent")
    await desk.sees("Nothing here")


async def test_a_session_that_ended_asks_for_the_login_and_nothing_typed_is_lost(desk: Desk) -> None:
    await desk.log_in()
    await desk.sees("Enjoy the quiet")
    await desk.browser.press("c")
    await desk.browser.wait_for("document.activeElement?.id === 'compose-to'")
    await desk.browser.call("Network.clearBrowserCookies")
    await desk.browser.click(".compose-text")
    await desk.browser.type("Half a sentence")
    await desk.sees("Your session has ended")
    await desk.browser.click("input[name=password]")
    await desk.browser.type(SECRET)
    await desk.browser.click("button[type=submit]")
    await desk.browser.wait_for("document.querySelector('.compose-text')?.value === 'Half a sentence'")
    await desk.browser.click(".compose-text")
    await desk.browser.type(" more")
    await desk.browser.wait_for("document.querySelector('.compose-saved')?.innerText === 'Saved'")


async def test_html_lies_in_its_frame_without_scripts_and_asks_nobody_for_pictures(desk: Desk) -> None:
    await put(desk.server, letter())
    await desk.log_in()
    await desk.open("x")
    await desk.browser.wait_for("document.querySelector('.message-frame[data-filled]')")
    assert await desk.browser.evaluate(f"{FRAME}.querySelector('h1').innerText") == "The geese are back"
    assert await desk.browser.evaluate(f"{FRAME}.querySelectorAll('script, [onclick]').length") == 0
    assert await desk.browser.evaluate(f"{FRAME}.querySelector('a').target") == "_blank"
    height = "document.querySelector('.message-frame').clientHeight"
    await desk.browser.wait_for(f"{height} >= {FRAME}.body.scrollHeight")
    await desk.sees("Pictures from tracker.test are not loaded")
    await desk.sees("leads to elsewhere.test")
    assert await desk.browser.evaluate(f"{FRAME}.documentElement.style.colorScheme") == "light"
    strangers = {url for url in desk.browser.requested if not url.startswith((desk.origin, "data:", "blob:"))}
    assert strangers == set()
    assert [one for one in desk.browser.complaints if "401" not in one] == []
    await desk.browser.press("r")
    await desk.browser.wait_for("document.querySelector('.compose-text')?.value.includes('> The geese are back')")


async def test_attachments_are_listed_and_looked_at(desk: Desk) -> None:
    await put(desk.server, letter())
    await desk.log_in()
    await desk.open("x")
    await desk.browser.wait_for("document.querySelector('.message-frame[data-filled]')")
    await desk.sees("goose.png")
    await desk.sees("Download all as ZIP")
    await desk.browser.click("button[title='Look at goose.png']")
    await desk.browser.wait_for("document.querySelector('.look[open] img')?.naturalWidth > 0")
    await desk.browser.press("Escape")
    await desk.browser.wait_for("document.querySelector('.look') === null")
    await desk.browser.click("button[title='Look at note.txt']")
    await desk.browser.wait_for("document.querySelector('.look-text')?.innerText === 'a note'")


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_at_the_login_the_inbox_a_message_and_writing(desk: Desk, dark: bool) -> None:
    await put(desk.server, letter())
    await desk.browser.show(1280, 800, dark=dark)
    await desk.browser.go(desk.origin)
    await desk.browser.wait_for("document.querySelector('input[name=username]')")
    found = {"login": await violations(desk.browser)}
    await desk.log_in()
    await desk.browser.wait_for("document.querySelector('.row-subject')")
    found["inbox"] = await violations(desk.browser)
    await desk.open("x")
    await desk.browser.wait_for("document.querySelector('.message-frame[data-filled]')")
    found["message"] = await violations(desk.browser)
    await desk.browser.press("c")
    await desk.browser.wait_for("document.querySelector('.compose')")
    found["compose"] = await violations(desk.browser)
    assert found == dict.fromkeys(found, "[]")


async def violations(browser: Browser) -> object:
    """Return what axe finds wrong with the page that is shown."""
    await browser.evaluate(f"{AXE.read_text()}; true")
    told = "({id, nodes}) => [id, ...nodes.map(({target, failureSummary}) => [target.join(), failureSummary])]"
    return await browser.evaluate(f"axe.run().then(({{violations}}) => JSON.stringify(violations.map({told})))")


def test_the_mail_view_is_small() -> None:
    if not (CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built: scripts/webclient.py builds it")
    loaded = [path for path in CLIENT.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in loaded) < MOST_OCTETS
