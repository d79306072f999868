"""A few seconds of what `make torture` does for an hour."""

from __future__ import annotations

import pytest

from tests.support.server import SECRET, start_demo
from tests.views.sockets import play

pytestmark = pytest.mark.slow


def test_clients_that_write_all_at_once_know_what_is_true() -> None:
    with start_demo("--accounts", "1", "--secret", SECRET, "--limits", "off") as demo:
        assert play(demo.told, demo.endpoint("imaps"), 8.0, 1, 12) == 0
