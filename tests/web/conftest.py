"""Each test over sockets runs on both loops, as those of the servers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from hongyan.clock import SystemClock
from hongyan.domains.local_authority import LocalCertificate, make_local_certificate


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificate:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return make_local_certificate(folder, "hongyan.test", SystemClock())
