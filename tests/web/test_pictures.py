"""Pictures elsewhere: by whom they are asked for, what is taken, and when they are shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hongyan.clients import https
from hongyan.config import Config
from hongyan.errors import NotFound, PeerFault
from hongyan.web.picture_proxy import MAX_PICTURE, PictureProxy, picture_type
from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.dns_server import serve_dns
from tests.support.server import Server, start_server
from tests.web.test_view import PNG, entered, look, put

HTML = b'<img src="https://pixel.example/open.gif?id=7&amp;x=%20y"><p style="background:url(http://pixel.example/b)">x'
PROVEN = b"Authentication-Results: mail.hongyan.test; dmarc=pass header.from=shop.example\r\n"
FRAMED = b"From: Shop <news@shop.example>\r\nContent-Type: text/html\r\n\r\n" + HTML


@dataclass
class Elsewhere:
    """Hosts that strangers chose."""

    answer: bytes = PNG
    asked: list[tuple[str, str]] = field(default_factory=list)
    limits: set[int] = field(default_factory=set)

    async def fetch(self, host: str, path: str, *, limit: int, deadline: float) -> bytes:
        assert deadline < 60
        self.asked.append((host, path))
        self.limits.add(limit)
        if not self.answer:
            raise PeerFault
        return self.answer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


async def test_a_picture_is_fetched_once_and_kept_for_a_while(clock: FakeClock) -> None:
    elsewhere = Elsewhere()
    proxy = PictureProxy(elsewhere, clock)
    for _ in range(2):
        assert (await proxy.fetch("http://pixel.example/a b?c=ü#d")).media_type == "image/png"
    assert elsewhere.asked == [("pixel.example", "/a%20b?c=%C3%BC")]
    assert elsewhere.limits == {MAX_PICTURE}
    clock.advance(601)
    await proxy.fetch("http://pixel.example/a b?c=ü")
    assert len(elsewhere.asked) == 2


async def test_what_is_kept_has_a_size(clock: FakeClock) -> None:
    elsewhere = Elsewhere(PNG + bytes(MAX_PICTURE - len(PNG)))
    proxy = PictureProxy(elsewhere, clock)
    for number in (*range(6), 0):
        await proxy.fetch(f"https://pixel.example/{number}")
    assert len(elsewhere.asked) == 7


@pytest.mark.parametrize("answer", [b"", b"<svg onload=x>", b"<html>", b"%PDF-1", b"RIFFxxxxWAVE"])
async def test_what_is_no_picture_is_not_passed_on_whatever_its_host_calls_it(clock: FakeClock, answer: bytes) -> None:
    with pytest.raises(NotFound):
        await PictureProxy(Elsewhere(answer), clock).fetch("https://pixel.example/a.png")


@pytest.mark.parametrize(
    "url",
    [
        *("https://pixel.example:8443/a", "https://pixel.example:22/", "ftp://a.example/", "https:///a"),
        *("http://[::1]/a", "https://a.example:x/", "javascript:x", "https://a.example:80/"),
        "https://a.example/" + "x" * 5000,
    ],
)
async def test_nothing_is_asked_for_at_ports_and_places_that_are_no_webs(clock: FakeClock, url: str) -> None:
    elsewhere = Elsewhere()
    with pytest.raises(NotFound):
        await PictureProxy(elsewhere, clock).fetch(url)
    assert elsewhere.asked == []


def test_a_picture_is_known_by_its_first_octets() -> None:
    assert picture_type(b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert picture_type(b"GIF89a") == "image/gif"
    assert picture_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    assert picture_type(b"\0\0\0 ftypavif") == "image/avif"
    assert picture_type(b"") is None


def sources(shown: str) -> list[str]:
    return [piece.partition('"')[0].replace("&amp;", "&") for piece in shown.split('<img src="')[1:]]


async def test_pictures_elsewhere_are_shown_when_the_reader_says_so_through_this_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def get(_: object, host: str, path: str, **bounds: float) -> https.Resource:
        asked.append((host, path))
        return https.Resource("text/html", PNG)

    monkeypatch.setattr(https.HttpsClient, "get", get)
    email = await put(server, FRAMED)
    web = await entered(server)
    view = (await look(web, email)).json()
    assert (view["sender"], view["is_sender_trusted"]) == ("news@shop.example", False)
    assert sources((await web.ask("GET", view["frame"])).body.decode()) == []
    shown = (await web.ask("GET", view["frame_with_pictures"])).body.decode()
    assert "pixel.example/" not in shown
    (source,) = sources(shown)
    assert shown.count("/api/v1/remote-pictures?") == 2
    stranger = Browser(web.host, web.port, server.tls)
    for changed in ("seal=0", "account=1&x=", "url=https%3A%2F%2F10.0.0.1%2F&x=", "until=1"):
        name = changed.partition("=")[0]
        assert (await stranger.ask("GET", source.replace(f"{name}=", changed))).status in (404, 422)
    assert asked == []
    picture = await stranger.ask("GET", source, headers={"Sec-Fetch-Site": "cross-site"})
    assert (picture.status, picture.body, picture.header("content-type")) == (200, PNG, "image/png")
    assert picture.header("x-content-type-options") == "nosniff"
    assert picture.header("cache-control") == "private, max-age=600"
    assert asked == [("pixel.example", "/open.gif?id=7&x=%20y")]


async def test_private_addresses_are_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    async def open_nothing(*arguments: object, **more: object) -> None:
        opened.append(arguments)
        raise OSError

    monkeypatch.setattr(https.OctetStream, "open", open_nothing)

    def careful(config: Config) -> Config:
        return replace(config, route=replace(config.route, private_addresses=False))

    async with serve_dns() as zone, start_server(tmp_path, change=careful, resolver=zone.server) as server:
        zone.records["A in.example"] = ["127.0.0.1", "10.0.0.7", "169.254.169.254", "100.64.0.1"]
        zone.records["AAAA in.example"] = ["::1", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::7f00:1"]
        for host in ("in.example", "127.0.0.1", "localhost", "169.254.169.254", "0x7f.1", "2130706433"):
            email = await put(server, FRAMED.replace(b"pixel.example", host.encode()))
            web = await entered(server)
            (source,) = sources((await look(web, email, "frame?pictures=true")).body.decode())
            assert (await web.ask("GET", source)).status == 404
    assert opened == []


async def test_a_trusted_sender_is_believed_where_its_origin_is_proven(server: Server) -> None:
    proven, claimed = await put(server, PROVEN + FRAMED), await put(server, FRAMED)
    web = await entered(server)
    assert (await web.ask("POST", "/api/v1/trusted-senders", {"address": "News@shop.example"})).status == 204
    known = (await web.ask("GET", "/api/v1/trusted-senders")).json()["trusted_senders"]
    assert [one["address"] for one in known] == ["news@shop.example"]
    assert (await look(web, proven)).json()["is_sender_trusted"]
    assert len(sources((await look(web, proven, "frame")).body.decode())) == 1
    assert not (await look(web, claimed)).json()["is_sender_trusted"]
    assert sources((await look(web, claimed, "frame")).body.decode()) == []

    two = await put(server, PROVEN + b"From: x@evil.example\r\n" + FRAMED)
    assert (await look(web, two)).json()["sender"] == ""
    assert sources((await look(web, two, "frame")).body.decode()) == []

    assert (await web.ask("DELETE", "/api/v1/trusted-senders?address=news%40shop.example")).status == 204
    assert (await web.ask("DELETE", "/api/v1/trusted-senders?address=news%40shop.example")).status == 404
    assert (await web.ask("POST", "/api/v1/trusted-senders", {"address": "news"})).status == 422
    assert sources((await look(web, proven, "frame")).body.decode()) == []
