"""What our users send is scanned before it is taken: nobody hears of a virus from us."""

from __future__ import annotations

import asyncio
import dataclasses
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hongyan.config import Config
from hongyan.screening.virus import VirusOptions
from tests.support.clamd import INFECTED, ClamdPlaces, start_clamd
from tests.support.cli import Cli
from tests.support.server import DOMAIN, SECRET, Server, start_server

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def daemon() -> Iterator[ClamdPlaces]:
    with start_clamd() as places:
        yield places


async def submit(server: Server, text: bytes) -> bytes:
    """Submit a message, and return the last reply."""
    smtp = await server.connect("submissions")
    await smtp.reply()
    login = b64encode(f"\0ann@{DOMAIN}\0{SECRET}".encode()).decode()
    for line in (
        "EHLO client.example",
        f"AUTH PLAIN {login}",
        "MAIL FROM:<ann@hongyan.test>",
        "RCPT TO:<bob@hongyan.test>",
        "DATA",
    ):
        smtp.say(line)
        assert (await smtp.reply())[:1] in b"23"
    smtp.say("From: ann@hongyan.test\r\nSubject: x\r\n\r\n" + text.decode() + "\r\n.")
    return await smtp.reply()


def scanned_by(place: str) -> Callable[[Config], Config]:
    def change(config: Config) -> Config:
        return dataclasses.replace(config, virus=VirusOptions(clamd=place))

    return change


async def test_an_infected_message_is_refused_and_a_clean_one_taken(tmp_path: Path, daemon: ClamdPlaces) -> None:
    async with start_server(tmp_path, change=scanned_by(daemon.socket)) as server:
        assert await submit(server, INFECTED) == b"554 5.7.1 The message is infected: Test.Goose.UNOFFICIAL"
        assert (await submit(server, b"Honk.")).startswith(b"250 ")


async def test_without_an_answer_of_the_scanner_the_user_is_asked_to_try_again(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=scanned_by("/nowhere/clamd.sock")) as server:
        assert (await submit(server, b"Honk.")).startswith(b"451 4.7.1 ")


async def test_the_operator_sees_whether_the_scanner_answers(tmp_path: Path, daemon: ClamdPlaces) -> None:
    async with start_server(tmp_path, change=scanned_by(daemon.tcp)):
        shown = await asyncio.to_thread(Cli(tmp_path), "virus", "status")
        assert (shown.code, "answers: ClamAV" in shown.out) == (0, True), shown
    async with start_server(tmp_path, change=scanned_by("/nowhere/clamd.sock")):
        shown = await asyncio.to_thread(Cli(tmp_path), "virus", "status", language="zh_CN.UTF-8")
        assert (shown.code, "没有应答" in shown.out) == (3, True), shown
