"""The fast set of the durability harness: a few blows of each kind, and a broken promise that must be found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.torture.mutations import MUTATIONS

pytestmark = pytest.mark.torture


def _torture(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    return done.stdout


@pytest.mark.parametrize("scenario", ["kill", "power"])
def test_what_was_acknowledged_is_there_after_blows(scenario: str) -> None:
    assert "all promises kept" in _torture(scenario, "--cycles", "3", "--seconds", "1.5")


def test_a_great_mailbox_is_whole_after_kills() -> None:
    # How soon it is served is judged by `make torture`, on a machine that runs nothing else.
    restart = ("restart", "--messages", "2000", "--cycles", "2", "--seconds", "1", "--limit", "60")
    assert "all promises kept" in _torture(*restart)


def test_a_server_that_breaks_a_promise_is_found_out() -> None:
    assert "found after" in _torture("mutations", "--mutation", next(iter(MUTATIONS)))
