"""Each test over sockets runs on both loops, as those of the servers do; those of a whole server on the faster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from hongyan.clock import SystemClock
from hongyan.domains.local_authority import LocalCertificate, make_local_certificate

_WHOLE_SERVERS = frozenset(
    {
        "test_sessions.py",
        "test_second_factor.py",
        "test_api.py",
        "test_open_api.py",
        "test_own_account.py",
        "test_frame.py",
        "test_not_me.py",
        "test_notices.py",
        "test_passkeys.py",
        "test_phones.py",
        "test_requirements.py",
        "test_set_up.py",
        "test_transfer.py",
    }
)

_BROWSERS = frozenset({"test_passkeys_in_chromium.py", "test_mail_in_chromium.py", "test_settings_in_chromium.py"})
"""Those of a browser run where its pipes are let go of cleanly."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name in _BROWSERS:
        return {"asyncio": asyncio.new_event_loop}
    if item.path.name in _WHOLE_SERVERS:
        return {"uvloop": uvloop.new_event_loop}
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificate:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return make_local_certificate(folder, "hongyan.test", SystemClock())
