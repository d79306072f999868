"""A service moves from SQLite to PostgreSQL and back, and nobody works on what was left behind."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.ports import free_port
from tests.support.server import start_demo

MESSAGES = 7


@pytest.fixture
def kept(cli: Cli, tmp_path: Path) -> Cli:
    """A service with some mail, which its configuration finds in SQLite."""
    box = mailbox.mbox(tmp_path / "box")
    for number in range(MESSAGES):
        box.add(f"From: a@b.test\nSubject: Goose {number}\n\nHonk {number}.\n")
    box.close()
    cli.json("import", "ann@geese.test", str(tmp_path / "box"))
    return cli


def configured(cli: Cli, dsn: str = "") -> Cli:
    """Return a command line whose configuration names one of the databases."""
    file = cli.data.parent / f"{'postgres' if dsn else 'sqlite'}.toml"
    database = f'engine = "postgres"\ndsn = "{dsn}"' if dsn else 'engine = "sqlite"'
    file.write_text(f'[server]\ndata = "{cli.data}"\n[database]\n{database}\n')
    return Cli(cli.data, {"HONGYAN_CONFIG": str(file)})


def contents(cli: Cli, folder: Path) -> dict[str, object]:
    """Return what operators and users find."""
    cli.json("export", "ann@geese.test", str(folder), on_data=False)
    return {
        "accounts": cli.json("account", "list", "--usage", on_data=False)["accounts"],
        "mail": {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()},
    }


def test_what_went_to_postgresql_and_back_is_the_same(kept: Cli, postgres_dsn: str, tmp_path: Path) -> None:
    sqlite, postgres = configured(kept), configured(kept, postgres_dsn)
    before = contents(sqlite, tmp_path / "before")
    moved = sqlite.json("move", "--to", postgres_dsn, on_data=False)
    assert (moved["engine"], moved["sound"]) == ("postgres", True)
    assert (moved["rows"]["messages"], moved["rows"]["accounts"]) == (MESSAGES, 2)
    assert contents(postgres, tmp_path / "there") == before
    left = sqlite.json("account", "list", code=1, on_data=False)["error"]
    assert "moved to another database" in left["sentence"]
    postgres.json("account", "add", "new@geese.test", on_data=False)
    there = contents(postgres, tmp_path / "later")
    postgres.json("move", "--to", "sqlite", on_data=False)
    assert contents(sqlite, tmp_path / "back") == there
    assert sqlite.json("verify", on_data=False)["sound"] is True
    assert postgres.json("account", "list", code=1, on_data=False)["error"]["kind"] == "configuration-error"


def test_people_are_told_what_to_do_next_in_their_language(kept: Cli, postgres_dsn: str) -> None:
    looked = kept("move", "--to", postgres_dsn, "--dry-run")
    assert (looked.code, looked.out) == (0, "It could be done. Nothing was changed.\n")
    moved = kept("move", "--to", postgres_dsn, language="zh_CN.UTF-8")
    assert moved.code == 0
    assert f"{MESSAGES} 封邮件" in moved.out
    assert 'engine = "postgres"' in moved.out


def test_a_database_with_mail_in_it_is_not_filled(kept: Cli, furnished: Path, postgres_dsn: str) -> None:
    kept.json("move", "--to", postgres_dsn)
    other = Cli(furnished)
    for dry in ((), ("--dry-run",)):
        assert other.json("move", "--to", postgres_dsn, *dry, code=1)["error"]["kind"] == "already-exists"
    assert len(other.json("account", "list")["accounts"]) == 2


def test_a_move_that_cannot_be_made_changes_nothing(kept: Cli) -> None:
    for nobody in (f"postgresql://x@127.0.0.1:{free_port()}/x", "postgresql://x:y/z", "postgresql://x/?sslmode=z"):
        assert kept.json("move", "--to", nobody, code=1)["error"]["kind"] == "unavailable"
    for wrong in ("mysql://x@y/z", "sqlite", "postgresql://[/x", ""):
        assert kept.json("move", "--to", wrong, code=2)["error"]["kind"] == "usage"
    assert len(kept.json("account", "list")["accounts"]) == 2


def test_data_that_a_server_works_on_are_not_moved(tmp_path: Path) -> None:
    with start_demo("--data", str(tmp_path / "data")):
        refused = Cli(tmp_path / "data").json("move", "--to", "postgresql://x@127.0.0.1/x", code=1)
    assert refused["error"]["kind"] == "directory-in-use"
