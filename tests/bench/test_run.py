"""A small run, as a whole: every server does every kind of work and answers rightly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.terms import Terms
from bench.work import all_work

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--scale", "0.01", "--big", "300", "--repeat", "1", "--idle", "20"]


@pytest.mark.slow
@pytest.mark.parametrize("server", ["hongyan", pytest.param("dovecot", marks=[pytest.mark.interop, pytest.mark.root])])
def test_all_work_is_done_and_answered_rightly(server: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", "--servers", server, *SMALL, "--json", str(figures)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    names = [work.name for work in all_work(Terms(scale=1.0, big=300, idle=20, seed=1))]
    assert [measured["name"] for measured in json.loads(figures.read_text())["measurements"]] == names


@pytest.mark.slow
@pytest.mark.interop
@pytest.mark.root
def test_cyrus_answers_rightly(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    kinds = ["--only", "list/,single/,copy/", "--json", str(figures)]
    command = [sys.executable, "-m", "bench", "--servers", "cyrus", *SMALL, *kinds]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(figures.read_text())["measurements"]) > 5
