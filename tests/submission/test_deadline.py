"""Whatever is asked about a message may fail to answer: its sender is told to try again, and nothing of it is left."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from hongyan.config import Config
from hongyan.screening.virus import VirusOptions
from hongyan.submission.deadline import Asked, Deadline, OutOfTime
from hongyan.submission.submit import SubmissionOptions
from hongyan.telemetry.metrics import REGISTRY
from tests.journeys.test_domain_care import submit
from tests.support.clock import FakeClock
from tests.support.lines import PATIENCE
from tests.support.operations import read_own
from tests.support.server import DOMAIN, start_server

_ANN, _BOB = f"ann@{DOMAIN}", f"bob@{DOMAIN}"
_FRIEND = "friend@elsewhere.test"
_UNJUDGED = b"451 4.4.3 What has to be asked about the message was not answered in time; try again later"


async def never(*_: object) -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


def impatient(config: Config, seconds: int = 1) -> Config:
    return replace(config, submission=SubmissionOptions(seconds=seconds))


def late(asked: Asked) -> float:
    return REGISTRY.get_sample_value("hongyan_submission_late_total", {"asked": asked.value}) or 0.0


async def test_all_questions_share_the_time() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, 30)
    clock.advance(20)
    assert deadline.left == 10
    assert await deadline.ask(Asked.SENDER, asyncio.sleep(0, result="yes")) == "yes"
    clock.advance(20)
    assert deadline.left == 0
    with pytest.raises(OutOfTime):
        async with asyncio.timeout(PATIENCE):
            await deadline.ask(Asked.ALLOWANCE, never())


@pytest.mark.parametrize("recipient", [_FRIEND, _BOB])
async def test_a_database_that_does_not_answer_puts_the_message_off_and_the_next_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipient: str
) -> None:
    before = late(Asked.ALLOWANCE)
    async with start_server(tmp_path, change=impatient) as server:
        store = server.app.services.sending.store
        with monkeypatch.context() as stalled:
            stalled.setattr(store, "look_up", never)
            stalled.setattr(store, "find_sender", never)
            assert await submit(server, recipient) == _UNJUDGED
        (message,) = await read_own(server, _ANN)
        (step,) = message["steps"]
        assert (message["state"], step["reason"], step["cause"]["class"]) == ("blocked", "late", "temporary")
        assert late(Asked.ALLOWANCE) == before + 1
        assert (await submit(server, recipient)).startswith(b"250"), "nothing keeps its place"


async def test_who_may_write_so_is_asked_no_longer_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = late(Asked.SENDER)
    async with start_server(tmp_path, change=impatient) as server:
        identities = server.app.services.directory.identities
        monkeypatch.setattr(identities, "find", lambda *_: None)
        answers = iter([asyncio.sleep(0, result=True), never()])  # to MAIL, and to the end of data
        monkeypatch.setattr(identities, "may_use", lambda *_: next(answers))
        assert await submit(server, _BOB) == _UNJUDGED
    assert late(Asked.SENDER) == before + 1


@pytest.mark.parametrize(("on_failure", "begins"), [("accept", b"250 2.0.0 "), ("defer", b"451 4.7.1 ")])
async def test_a_scanner_that_does_not_answer_counts_as_its_own_setting_says(
    tmp_path: Path, on_failure: str, begins: bytes
) -> None:
    async with silent_scanner() as place:
        virus = VirusOptions(clamd=place, on_failure=on_failure)  # type: ignore[arg-type]
        async with start_server(tmp_path, change=lambda config: replace(impatient(config, 5), virus=virus)) as server:
            assert (await submit(server, _BOB)).startswith(begins)


@asynccontextmanager
async def silent_scanner() -> AsyncIterator[str]:
    """Take connections and say nothing."""
    connections: list[asyncio.StreamWriter] = []
    service = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1")
    async with service:
        yield f"127.0.0.1:{service.sockets[0].getsockname()[1]}"
        for writer in connections:
            writer.close()


async def test_a_resolver_that_does_not_answer_keeps_no_sender_waiting(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = f"127.0.0.1:{silent.getsockname()[1]}"
        async with start_server(tmp_path, resolver=resolver, change=impatient) as server:
            reply = await submit(server, _FRIEND)
            assert reply.startswith(b"250"), "the DNS was asked before, or will be"
