"""The program itself: help, exit codes, errors, streams, and how soon it is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.cli.program import _COMMANDS
from tests.support.cli import Cli

GROUPS = ("config", "domain", "account", "app-password", "alias", "queue", "mail", "ban")
NAMES = {
    *("quickstart", "serve", "demo", "verify", "backup", "restore", "move", "import", "export"),
    *(f"config {name}" for name in ("check", "describe")),
    *(f"domain {name}" for name in ("add", "list", "remove", "dns", "check")),
    *(f"domain {name}" for name in ("waive", "require", "keys", "rotate", "publish")),
    *(f"domain {name}" for name in ("tls", "second-factor")),
    *(f"account {name}" for name in ("capabilities", "held", "hold", "imap", "limits", "pop3", "release")),
    "server check",
    *(f"certificate {name}" for name in ("list", "renew")),
    *(f"listener {name}" for name in ("report", "prolong")),
    *(f"spam {name}" for name in ("status", "train", "forget", "explain")),
    "virus status",
    "autoconfig probe",
    *(f"search {name}" for name in ("status", "rebuild")),
    *(f"account {name}" for name in ("add", "list", "disable", "enable", "remove", "password")),
    *(f"app-password {name}" for name in ("create", "list", "revoke")),
    *(f"client-certificate {name}" for name in ("issue", "list", "revoke")),
    *(f"alias {name}" for name in ("add", "list", "remove")),
    *(f"mailbox {name}" for name in ("share", "unshare", "shares")),
    *(f"queue {name}" for name in ("list", "show", "retry", "hold", "release", "cancel", "drop")),
    "mail trace",
    *(f"ban {name}" for name in ("list", "lift")),
    *(f"suppression {name}" for name in ("list", "remove")),
    *(f"report {name}" for name in ("list", "show", "pending", "optout")),
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_command_has_help(cli: Cli, name: str) -> None:
    done = cli(*name.split(), "--help", on_data=False)
    assert done.code == 0
    assert done.out.startswith(f"Usage: hongyan {name}")
    if name not in ("serve", "demo"):
        assert "--json" in done.out


def test_there_are_no_other_commands(cli: Cli) -> None:
    assert {name.split()[0] for name in NAMES} == {name for name, _, _ in _COMMANDS}


@pytest.mark.parametrize(
    "command",
    [
        ("nonsense",),
        ("domain", "nonsense"),
        ("domain", "add"),
        ("domain", "list", "--nonsense"),
        ("domain", "list", "nonsense"),
        ("account", "add", "no-address"),
        ("account", "add", "x@geese.test", "--language", "fr"),
        ("account", "add", "x@geese.test", "--quota", "-1"),
        ("queue", "show", "x"),
        ("queue", "hold"),
        ("queue", "hold", "--all", "5"),
        ("demo", "--port-base", "70000"),
        ("demo", "--account", "nonsense"),
        ("demo", "--accounts", "3"),
    ],
)
def test_a_command_that_is_wrong_ends_with_2_and_says_why_on_the_error_output(
    cli: Cli, command: tuple[str, ...]
) -> None:
    done = cli(*command, on_data=command[0] != "demo")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("Error: ")


def test_a_name_that_is_nearly_right_is_guessed(cli: Cli) -> None:
    assert 'Did you mean "account"?' in cli("acount", on_data=False).err
    assert 'Did you mean "remove"?' in cli("domain", "remov", on_data=False).err


def test_an_error_is_one_document_for_programs(cli: Cli) -> None:
    done = cli("account", "enable", "nobody@geese.test", "--json")
    assert done.code == 1
    assert done.document == {"error": {"kind": "not-found", "sentence": "There is no such account."}}
    assert done.err == ""


def test_without_a_configuration_a_command_asks_which_service_is_meant(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HONGYAN_CONFIG", raising=False)
    if not Path("/etc/hongyan/hongyan.toml").exists():
        assert cli.json("domain", "list", code=2, on_data=False)["error"]["kind"] == "usage"
    file = tmp_path / "hongyan.toml"
    file.write_text(f'[server]\ndata = "{cli.data}"\n')
    assert len(cli.json("domain", "list", on_data=False)["domains"]) == 1
    monkeypatch.chdir("/")
    assert len(cli.json("domain", "list", "--config", str(file), on_data=False)["domains"]) == 1
    monkeypatch.setenv("HONGYAN_CONFIG", str(file))
    assert len(cli.json("domain", "list", on_data=False)["domains"]) == 1


def test_data_that_are_not_there_are_not_made(tmp_path: Path) -> None:
    missing = Cli(tmp_path / "missing")
    assert missing.json("domain", "list", code=1)["error"]["kind"] == "configuration-error"
    assert not missing.data.exists()


def test_data_that_another_process_works_on_are_left_alone(cli: Cli) -> None:
    script = (
        "import fcntl, os, sys\n"
        f"fd = os.open({str(cli.data / 'lock')!r}, os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(fd, fcntl.LOCK_EX)\nprint('locked', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        assert cli.json("domain", "list", code=1)["error"]["kind"] == "directory-in-use"
        holder.communicate()


def run_program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hongyan", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def test_help_is_there_without_importing_the_service() -> None:
    script = (
        "import sys\nfrom hongyan.cli.program import run\nrun(['--help'])\n"
        "print(sorted({name.split('.')[1] for name in sys.modules if name.startswith('hongyan.')}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['cli', 'errors']"


def test_a_service_on_sqlite_starts_without_what_only_others_need() -> None:
    script = (
        "import sys\nimport hongyan.cli.program, hongyan.cli.demo, hongyan.cli.serve\n"
        "print(sorted({'asyncpg', 'rich'}.intersection(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_colours_are_for_terminals_and_for_those_who_want_them(furnished: Path) -> None:
    done = run_program("account", "list", "--data", str(furnished), FORCE_COLOR="1")
    assert "\x1b[" in done.stdout
    done = run_program("account", "list", "--data", str(furnished), FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[3" not in done.stdout
    assert "\x1b[" not in run_program("account", "list", "--data", str(furnished)).stdout


def test_the_version_is_told() -> None:
    import hongyan

    assert run_program("--version").stdout.strip() == hongyan.__version__
