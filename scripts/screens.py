"""Take the pictures of docs/screens: the web client at three sizes, in two themes and two languages.

`.venv/bin/python -m scripts.screens` starts a service of its own with a few messages, and Chromium from Debian's
package.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from hongyan.demonstration import DOMAIN
from tests.support.chromium import Browser, open_browser
from tests.support.server import SECRET, Server, start_server
from tests.web.test_view import PNG, mail, put

__all__ = ["main"]

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screens"
SIZES = {"desktop": (1280, 800), "tablet": (820, 1100), "phone": (390, 844)}
LOOKS = (("en", False), ("zh-CN", True))

_HTML = (
    '<div style="font-family:Georgia,serif"><h2 style="color:#1f479d">The geese are back</h2>'
    "<p>Four hundred of them rest on the north lake tonight. Bring your glasses.</p>"
    '<table cellpadding="8" border="1" style="border-collapse:collapse"><tr><th>Day</th><th>Seen</th></tr>'
    "<tr><td>Monday</td><td>120</td></tr><tr><td>Tuesday</td><td>402</td></tr></table>"
    '<p><a href="http://elsewhere.test/map">www.lake.test/map</a></p>'
    '<img src="http://tracker.test/pixel.png"></div>'
)
_LETTERS = (
    (
        "李雁 <li.yan@example.cn>",
        "下周例会改到周四",
        "各位好：\r\n\r\n下周例会改到周四上午十点，地点不变。\r\n\r\n李雁",
    ),
    ("Ann Gray <ann.gray@example.org>", "Invoice 2026-118", "Dear Ann,\r\n\r\nplease find our invoice.\r\n"),
    ("王建国 <wang@example.cn>", "会议纪要（草稿）", "请审阅。\r\n"),
    ("Lake Trust <news@lake.test>", "October newsletter", "Read it at https://lake.test/october\r\n"),
)


def _words(sender: str, subject: str, octets: bytes) -> bytes:
    fields = f"From: {sender}\r\nTo: ann@{DOMAIN}\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 09:30:00 +0800\r\n"
    return fields.encode() + octets


async def _furnish(server: Server) -> None:
    plain = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    for sender, subject, text in _LETTERS:
        await put(server, _words(sender, subject, f"{plain}{text}".encode()))
    parts = (
        ("Content-Type: text/html; charset=utf-8", _HTML.encode()),
        ("Content-Type: image/png\r\nContent-Disposition: attachment; filename=geese.png", PNG),
        ("Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=count.pdf", b"%PDF-1.4"),
    )
    rest = mail(*parts).partition(b"Subject: x\r\n")[2]
    await put(server, _words("Mei Lin <mei@lake.test>", "Geese over the lake", rest))


async def _shots(browser: Browser, origin: str) -> None:
    await browser.go(origin)
    await browser.wait_for("document.querySelector('input[name=username]')")
    for language, dark in LOOKS:
        await _in_language(browser, language)
        await _each_size(browser, "login", language, dark=dark)
    await browser.click("input[name=username]")
    await browser.evaluate("document.querySelector('input[name=username]').select()")
    await browser.type(f"ann@{DOMAIN}")
    await browser.click("input[name=password]")
    await browser.type(SECRET)
    await browser.click("button[type=submit]")
    await browser.wait_for("document.querySelector('.row-subject')")
    thread = await browser.evaluate(
        "(() => { document.querySelector('.row').click(); return location.pathname; })()",
    )
    for language, dark in LOOKS:
        await browser.go(f"{origin}/mail/inbox")
        await browser.wait_for("document.querySelector('.row-subject')")
        await _in_language(browser, language)
        await browser.wait_for("document.querySelector('.row-subject')")
        await _each_size(browser, "inbox", language, dark=dark)
        await browser.go(f"{origin}{thread}")
        await browser.wait_for("document.querySelector('.message-frame[data-filled]')")
        await _each_size(browser, "message", language, dark=dark)
        await browser.press("r")
        await browser.wait_for("document.activeElement?.matches('.compose-text')")
        await browser.type("雁南飞。" if language == "zh-CN" else "I will be there at dawn.")
        await browser.wait_for(
            f"{json.dumps(['Saved', '已保存'])}.includes(document.querySelector('.compose-saved')?.innerText)"
        )
        await _each_size(browser, "compose", language, dark=dark)


async def _in_language(browser: Browser, language: str) -> None:
    await browser.evaluate(f"localStorage.setItem('hongyan.language', {json.dumps(language)}); window.stays = true")
    await browser.call("Page.reload")
    await browser.wait_for(f"window.stays === undefined && document.documentElement?.lang === {json.dumps(language)}")
    await browser.wait_for("document.querySelector('h1')")


async def _each_size(browser: Browser, page: str, language: str, *, dark: bool) -> None:
    for size, (width, height) in SIZES.items():
        await browser.show(width, height, dark=dark, phone=size == "phone")
        await browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await browser.screenshot(TARGET / f"{page}-{size}-{language[:2]}-{'dark' if dark else 'light'}.png")


async def _take() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with start_server(Path(folder, "data")) as server, open_browser(Path(folder, "browser")) as browser:
            await _furnish(server)
            await _shots(browser, f"http://localhost:{server.app.endpoints['http'].port}")


def main() -> int:
    asyncio.run(_take())
    return 0


if __name__ == "__main__":
    sys.exit(main())
