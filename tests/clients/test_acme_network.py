"""Blocking steps in a thread: one at a time, each within a deadline."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hongyan.clients.acme_network import Steps
from hongyan.domains.authority import AuthorityFault


async def test_a_step_that_failed_makes_room_for_the_next_at_once() -> None:
    steps = Steps(60)
    for _ in range(200):
        with pytest.raises(ZeroDivisionError):
            await steps.run(lambda: 1 // 0)
    assert await steps.run(lambda: "next") == "next"


async def test_a_step_that_outlives_its_deadline_keeps_the_next_from_beginning_until_it_ends() -> None:
    steps, end = Steps(0.05), threading.Event()
    with pytest.raises(AuthorityFault, match="in time"):
        async with asyncio.timeout(10):
            await steps.run(end.wait)
    with pytest.raises(AuthorityFault, match="former answer"):
        await steps.run(lambda: "next")
    end.set()
    for thread in threading.enumerate():
        if thread.name == "acme":
            thread.join()
    assert await steps.run(lambda: "next") == "next"
