"""What this server finds out by itself."""

from __future__ import annotations

import re

import pytest

from hongyan.queue.causes import Cause


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_a_status_and_a_line(cause: Cause) -> None:
    assert re.fullmatch(r"[45]\.\d\.\d{1,2}", cause.status)
    assert cause.line.isascii()
    assert not cause.line.endswith(".")


def test_causes_are_distinct() -> None:
    assert len({cause.line for cause in Cause}) == len(list(Cause)) == len(Cause.__members__)
