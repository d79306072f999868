"""What commands share: a bar that shows itself when something takes long, passwords that are asked for, ownership."""

from __future__ import annotations

import getpass
import io
import shutil
import sys
import threading
from pathlib import Path

import pytest

from hongyan.cli import acting, secrets
from hongyan.cli.acting import Bar, confirm, show_progress
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import console
from tests.support.cli import Cli


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def at_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let somebody sit there; to be called in the test itself, since pytest changes the streams before it."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    console.cache_clear()
    return stream


def test_a_bar_shows_itself_when_something_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch)
    monkeypatch.setattr(acting, "_PATIENCE", 0.0)
    shown = threading.Event()
    show = Bar._show
    monkeypatch.setattr(Bar, "_show", lambda bar: (show(bar), shown.set()))
    with show_progress(quiet=False) as bar:
        assert shown.wait(10)
        bar(3, 10)
    assert "3/10" in terminal.getvalue()


def test_a_bar_of_octets_counts_in_large_units(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch)
    monkeypatch.setattr(acting, "_PATIENCE", 0.0)
    shown = threading.Event()
    show = Bar._show
    monkeypatch.setattr(Bar, "_show", lambda bar: (show(bar), shown.set()))
    with show_progress(quiet=False, in_octets=True) as bar:
        assert shown.wait(10)
        bar(3 << 20, 10 << 20)
    assert "3.0/10.0 MiB" in terminal.getvalue()


@pytest.mark.parametrize("quiet", [True, False])
def test_a_bar_is_not_shown_to_programs_or_when_all_goes_fast(monkeypatch: pytest.MonkeyPatch, quiet: bool) -> None:
    terminal = at_terminal(monkeypatch)
    with show_progress(quiet=quiet) as bar:
        bar(3, 10)
    assert terminal.getvalue() == ""


def test_a_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    at_terminal(monkeypatch)
    answers = ["wild goose", "wild goose", "wild goose", "tame goose"]
    monkeypatch.setattr(getpass, "getpass", lambda prompt: answers.pop(0))
    assert secrets.read_password("prompt") == {"password": "wild goose"}
    with pytest.raises(UsageFault, match="differ"):
        secrets.read_password("prompt")


def test_somebody_at_a_terminal_is_asked_before_something_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    at_terminal(monkeypatch)
    confirm("Really?", yes=False, dry_run=False)
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    with pytest.raises(UsageFault):
        confirm("Really?", yes=False, dry_run=False)
    confirm("Really?", yes=True, dry_run=False)
    confirm("Really?", yes=False, dry_run=True)


@pytest.mark.root
def test_what_root_makes_among_the_services_data_is_the_services(cli: Cli) -> None:
    for path in (cli.data, *cli.data.rglob("*")):
        shutil.chown(path, 12345, 12345)
    cli.json("domain", "add", "swans.test")
    assert {path.stat().st_uid for path in (cli.data, *Path(cli.data).rglob("*"))} == {12345}
