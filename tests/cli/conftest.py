"""A service without a server: one data directory with a domain, an admin and a user."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cli import Cli


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data that are copied for each test: they are made once."""
    data = tmp_path_factory.mktemp("furnished") / "data"
    data.mkdir()
    cli = Cli(data)
    cli.json("domain", "add", "geese.test")
    cli.json("account", "add", "ann@geese.test", "--admin")
    cli.json("account", "add", "bob@geese.test", "--password", "none")
    return data


@pytest.fixture
def cli(furnished: Path, tmp_path: Path) -> Cli:
    """Return a command line on data of this test's own."""
    data = tmp_path / "data"
    shutil.copytree(furnished, data)
    return Cli(data)
