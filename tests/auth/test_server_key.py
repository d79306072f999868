"""The server's key: made once, for its owner's eyes only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hongyan.auth.server_key import derive_key, load_server_key
from hongyan.clock import SystemRandom
from hongyan.errors import ConfigurationError, StorageFailed


def test_the_key_is_made_once_and_read_after(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    first = load_server_key(path, SystemRandom())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_server_key(path, SystemRandom()) == first
    assert len(first.reveal()) == 32
    assert os.listdir(tmp_path) == ["server.key"]
    assert derive_key(first, "one") != derive_key(first, "two")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    load_server_key(path, SystemRandom())
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_server_key(path, SystemRandom())


@pytest.mark.parametrize("octets", [b"", b"short", b"x" * 33])
def test_what_is_no_key_is_refused_and_never_replaced(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="backup"):
        load_server_key(path, SystemRandom())
    assert path.read_bytes() == octets


def test_a_key_that_cannot_be_made_or_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        load_server_key(tmp_path / "nowhere" / "server.key", SystemRandom())
    (tmp_path / "server.key").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_server_key(tmp_path / "server.key", SystemRandom())
