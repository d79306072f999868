"""Messages as a browser is shown them: facts, frame, attachments; and who may not."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.demonstration import DOMAIN
from tests.support.browser import Answer, Browser
from tests.support.server import SECRET, Server, start_server

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HTML = (
    '<body bgcolor="#eee"><script>steal()</script><p onclick="steal()">您好</p><img src="cid:logo@here">'
    '<img src="http://pixel.example/open.gif"><a href="https://elsewhere.example/">www.bank.example</a>'
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


def mail(*parts: tuple[str, bytes], subtype: str = "mixed") -> bytes:
    """Return a message of parts: the fields of each, and its octets."""
    lines = [b"From: shop@shop.example", b"Subject: x", b"MIME-Version: 1.0"]
    lines += [b'Content-Type: multipart/%b; boundary="b"' % subtype.encode(), b""]
    for fields, octets in parts:
        encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
        lines += [b"--b", fields.encode(), b"Content-Transfer-Encoding: base64", b"", encoded]
    return b"\r\n".join([*lines, b"--b--", b""])


async def put(server: Server, octets: bytes, name: str = "ann") -> str:
    """Put a message into somebody's INBOX; return its EMAILID."""
    imap = await server.imap(name)
    imap.say(f"b APPEND INBOX {{{len(octets)}+}}")
    imap.write(octets + b"\r\n")
    assert (await imap.until(b"b ")).startswith(b"b OK")
    await imap.command("c", "SELECT INBOX")
    found = b" ".join(await imap.command("d", "FETCH * EMAILID"))
    return found.partition(b"EMAILID (")[2].partition(b")")[0].decode()


async def entered(server: Server, name: str = "ann") -> Browser:
    endpoint = server.app.endpoints["https"]
    browser = Browser(endpoint.host, endpoint.port, server.tls)
    assert (await browser.log_in(f"{name}@{DOMAIN}", SECRET)).status == 201
    return browser


async def look(browser: Browser, email: str, what: str = "view") -> Answer:
    return await browser.ask("GET", f"/api/v1/emails/{email}/{what}")


async def test_a_message_is_shown_in_a_frame_of_its_own_and_what_is_odd_is_told_beside(server: Server) -> None:
    email = await put(
        server,
        mail(
            ("Content-Type: text/html; charset=utf-8", HTML.encode()),
            ("Content-Type: image/png\r\nContent-ID: <logo@here>", PNG),
            subtype="related",
        ),
    )
    browser = await entered(server)
    facts = (await look(browser, email)).json()
    assert facts["remote"] == [{"host": "pixel.example", "pictures": 1}]
    assert [(one["host"], one["reasons"]) for one in facts["links"]] == [("elsewhere.example", ["other-host"])]
    assert facts["origin"]["verdict"] == "unchecked"
    assert [(one["media_type"], one["is_inline"]) for one in facts["attachments"]] == [("image/png", True)]

    frame = await browser.ask("GET", facts["frame"])
    shown = frame.body.decode()
    assert "您好" in shown
    assert "steal" not in shown
    assert "pixel.example" not in shown
    policy = frame.header("content-security-policy")
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert frame.header("x-frame-options") == "SAMEORIGIN"

    picture = shown.partition('<img src="')[2].partition('"')[0].replace("&amp;", "&")
    stranger = Browser(browser.host, browser.port, server.tls)
    asked = await stranger.ask("GET", picture, headers={"Sec-Fetch-Site": "cross-site"})
    assert (asked.status, asked.body, asked.header("content-type")) == (200, PNG, "image/png")
    assert (await stranger.ask("GET", picture.replace("seal=", "seal=0"))).status == 404
    assert (await stranger.ask("GET", picture.replace("part=2", "part=1"))).status == 404


async def test_nobody_sees_the_messages_of_others(server: Server) -> None:
    email = await put(server, mail(("Content-Type: text/plain", b"secret"), ("Content-Type: image/png", PNG)))
    assert (await look(await entered(server), email)).status == 200
    for browser in (await entered(server, "bob"), Browser("127.0.0.1", server.app.endpoints["https"].port, server.tls)):
        for what in ("view", "frame", "attachments", "parts/2"):
            answer = await look(browser, email, what)
            assert answer.status in (401, 404)
            assert b"secret" not in answer.body
    for odd in ("M0", "Mffffffffffffff", "M" + "0" * 30, "x", "M-1", email.upper() + "0"):
        assert (await look(await entered(server), odd)).status in (404, 422)


async def test_attachments_are_downloaded_and_only_harmless_ones_are_shown(server: Server) -> None:
    page = b"<script>alert(1)</script>"
    email = await put(
        server,
        mail(
            ("Content-Type: text/plain", b"See below."),
            ("Content-Type: text/html\r\nContent-Disposition: attachment; filename=a.html", page),
            ("Content-Type: image/svg+xml\r\nContent-Disposition: attachment; filename=a.svg", b"<svg onload=x>"),
            (
                "Content-Type: image/png\r\nContent-Disposition: attachment; filename*=utf-8''%E5%90%88%E5%90%8C.png",
                PNG,
            ),
        ),
    )
    browser = await entered(server)
    attachments = (await look(browser, email)).json()["attachments"]
    assert [(one["name"], one["can_preview"]) for one in attachments] == [
        ("a.html", False),
        ("a.svg", False),
        ("合同.png", True),
    ]
    for one in attachments:
        answer = await browser.ask("GET", f"{one['url']}?inline=true")
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("content-disposition").startswith("inline" if one["can_preview"] else "attachment")
        assert answer.header("content-type") in ("image/png", "application/octet-stream")
        assert "sandbox" in answer.header("content-security-policy")
    assert "filename*=UTF-8''%E5%90%88%E5%90%8C.png" in answer.header("content-disposition")
    assert answer.header("content-type") == "image/png"


async def test_all_attachments_come_as_one_archive_with_safe_names_of_any_script(server: Server) -> None:
    email = await put(
        server,
        mail(
            ("Content-Type: text/plain", b"See below."),
            ('Content-Type: application/pdf; name="=?utf-8?B?5ZCI5ZCMLnBkZg==?="', b"%PDF-1"),
            ('Content-Type: application/x-a\r\nContent-Disposition: attachment; filename="../../etc/passwd"', b"2"),
            ("Content-Type: application/x-a\r\nContent-Disposition: attachment; filename=PASSWD", b"3"),
            (
                "Content-Type: application/x-a\r\nContent-Disposition: attachment; filename*=utf-8''%E2%80%AEgpj.exe",
                b"4",
            ),
        ),
    )
    answer = await look(await entered(server), email, "attachments")
    assert answer.header("content-type") == "application/zip"
    with zipfile.ZipFile(io.BytesIO(unchunked(answer))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["合同.pdf", "passwd", "PASSWD (2)", "_gpj.exe"]
        assert archive.read("合同.pdf") == b"%PDF-1"


async def test_html_that_is_too_much_to_clean_is_shown_as_text(server: Server) -> None:
    octets = b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>" * 3000 + b"deep"
    email = await put(server, octets)
    browser = await entered(server)
    assert (await look(browser, email)).json()["is_simplified"]
    frame = await look(browser, email, "frame")
    assert frame.status == 200
    assert b"deep" in frame.body


async def test_plain_text_is_shown_with_its_links_and_quotes(server: Server) -> None:
    text = b"Content-Type: text/plain; format=flowed\r\n\r\n> said \r\n> before\r\nsee https://a.example/x <script>\r\n"
    email = await put(server, text)
    shown = (await look(await entered(server), email, "frame")).body.decode()
    assert "<blockquote><div>said before</div></blockquote>" in shown
    assert '<a href="https://a.example/x"' in shown
    assert "&lt;script&gt;" in shown


async def test_the_origin_is_told_in_plain_words(server: Server) -> None:
    await server.bring(f"ann@{DOMAIN}", "Hello")
    imap = await server.imap("ann")
    await imap.command("c", "SELECT INBOX")
    found = b" ".join(await imap.command("d", "FETCH * EMAILID"))
    email = found.partition(b"EMAILID (")[2].partition(b")")[0].decode()
    origin = (await look(await entered(server), email)).json()["origin"]
    assert origin["verdict"] in ("unknown", "unchecked", "failed")
    assert origin["sentence"]


def unchunked(answer: Answer) -> bytes:
    """Return the body of an answer that came in chunks."""
    if answer.header("transfer-encoding") != "chunked":
        return answer.body
    rest, octets = answer.body, b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        octets += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return octets
