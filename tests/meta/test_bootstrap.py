"""`make` on a fresh machine: which pip fills .venv, and when there is nothing to do."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

Answer = Callable[[list[str]], str | None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script as a module, with an empty .venv of its own."""
    monkeypatch.syspath_prepend(SCRIPTS)
    module = importlib.reload(importlib.import_module("environment"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(module, "VENV", tmp_path)
    return module


@pytest.fixture
def pips(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What programs of this machine answer to `--version`; one that is not in it does not start."""
    answers: dict[str, str] = {}

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        told = answers.get(" ".join(map(str, command[:-1])))
        return subprocess.CompletedProcess(command, 1 if told is None else 0, told or "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return answers


def test_the_interpreters_own_pip_is_asked_first(environment: ModuleType, pips: dict[str, str]) -> None:
    pips[f"{sys.executable} -m pip"] = "pip 22.3 from /usr/lib (python 3.11)"
    assert environment.find_pip()[:3] == [sys.executable, "-m", "pip"]


def test_a_pip_too_old_to_reach_in_gives_way_to_ensurepip(environment: ModuleType, pips: dict[str, str]) -> None:
    pips[f"{sys.executable} -m pip"] = "pip 22.2.2 from /usr/lib (python 3.11)"
    assert environment.find_pip() == [str(environment.PYTHON), "-m", "pip"]


def test_without_pip_and_ensurepip_any_other_pip_will_do(
    environment: ModuleType, pips: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert environment.find_pip() is None
    pips["/usr/bin/pip3"] = "pip 25.0.dev1 from /usr/lib (python 3.13)"
    assert environment.find_pip() == ["/usr/bin/pip3", "--python", str(environment.PYTHON)]


def test_what_tests_need_is_enough_to_run(environment: ModuleType) -> None:
    assert not environment.is_fresh("runtime")
    environment.stamp("dev").write_text(environment.fingerprint("dev"))
    assert environment.is_fresh("runtime")
    assert environment.is_fresh("dev")


def test_a_changed_lock_is_installed_anew(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.stamp("runtime").write_text(environment.fingerprint("runtime"))
    assert environment.is_fresh("runtime")
    changed = tmp_path / "runtime.lock"
    changed.write_text("another==1.0\n")
    monkeypatch.setitem(environment.LOCKS, "runtime", changed)
    assert not environment.is_fresh("runtime")


def test_the_package_is_compiled_when_it_is_installed(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "hongyan"
    package.mkdir()
    (package / "goose.py").write_text("HONK = 1\n")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "find_pip", lambda: ["true"])
    monkeypatch.setattr(environment, "is_ours", lambda _venv: True)
    monkeypatch.setattr(environment, "link_package", lambda: None)
    assert environment.make("runtime") == 0
    assert list(package.glob("__pycache__/goose.*.pyc"))
