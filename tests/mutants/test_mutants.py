"""The mutants fit the code, name tests that are there, and are noticed: a few of them, so that the rest can be."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from hongyan.wire.lines import LineReceiver
from tests.dialogues.test_dialogues import all_scenes
from tests.mutants import Change, Constant, Mutant, find_mutants
from tests.mutants import __main__ as runner
from tests.mutants.__main__ import Notes, try_mutant
from tests.mutants.change import MutantFault, changed_code, check

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "hostile.md"
MUTANTS = find_mutants()
SAMPLE = ("data-ends-with-lf-dot-lf", "from-twice", "sts-is-not-enforced", "srs-of-anybody", "tarpit-without-bound")


def test_each_mutant_fits_the_code() -> None:
    unfit = []
    for mutant in MUTANTS.values():
        assert mutant.changes, mutant.name
        assert mutant.tests, mutant.name
        try:
            check(mutant)
        except MutantFault as fault:
            unfit.append(f"{mutant.name}: {fault}")
    assert unfit == []


@cache
def names_in(path: str) -> set[str]:
    """The tests of a file as node ids have them, without parameters; of dialogues with them."""
    if path.startswith("tests/dialogues/"):
        return {f"test_dialogue[{scene.id}]" for scene in all_scenes()}  # type: ignore[attr-defined]
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if hasattr(inner, "name")}
    return found


def test_the_tests_that_stand_guard_are_there() -> None:
    named = {test for mutant in MUTANTS.values() for test in mutant.tests}
    missing = []
    for test in sorted(named):
        path, _, name = test.partition("::")
        if name not in names_in(path):
            missing.append(test)
    assert missing == []


def table() -> dict[str, str]:
    """The rows of the page by their first cell."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {line.strip("|").split("|")[0].strip(): line for line in lines}


def test_the_page_of_hostile_input_names_each_mutant_in_its_row() -> None:
    page = table()
    assert {mutant.row for mutant in MUTANTS.values()} - page.keys() == set()
    named = {
        row: re.findall(r"`([a-z0-9-]+)`", line.rpartition("|")[0].rpartition("|")[2]) for row, line in page.items()
    }
    wanted = {row: [name for name, mutant in MUTANTS.items() if mutant.row == row] for row in page}
    assert {row: sorted(names) for row, names in named.items()} == {row: sorted(names) for row, names in wanted.items()}


def test_the_page_of_hostile_input_names_modules_and_suites_that_are_there() -> None:
    text = PAGE.read_text()
    modules = re.findall(r"`([a-z_]+/[a-z0-9_/]+\.py)`", text)
    assert modules
    missing = [path for path in modules if not any((ROOT / root / path).exists() for root in ("hongyan", "tests", "."))]
    assert missing == []


def test_a_function_keeps_its_identity_and_its_names() -> None:
    change = Change("hongyan.wire.lines:LineReceiver.next_line", "if length > self.limit:", "if False:")
    function, code = changed_code(change)
    assert function is inspect.getattr_static(LineReceiver, "next_line")
    assert code is not function.__code__
    assert code.co_firstlineno == function.__code__.co_firstlineno


@pytest.mark.parametrize(
    "change",
    [
        Change("hongyan.wire.lines:LineReceiver.next_line", "no such text", "pass"),
        Change("hongyan.wire.lines:LineReceiver.next_line", "self", "that"),
        Change("hongyan.wire.lines:LineReceiver.no_such_function", "if", "pass"),
        Change("hongyan.no_such_module:function", "if", "pass"),
        Constant("hongyan.wire.lines:NO_SUCH_NAME", 1),
    ],
    ids=["other text", "text that stands there often", "no function", "no module", "no constant"],
)
def test_a_mutant_that_does_not_fit_is_told(change: Change | Constant) -> None:
    with pytest.raises(MutantFault):
        check(Mutant("unfit", "TLS", (change,), ("tests/test_clock.py::test_x",)))


def test_a_run_goes_on_where_it_was_ended_unless_the_sources_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "NOTES", tmp_path / "notes.json")
    Notes("a", resume=False).add("one")
    assert Notes("a", resume=True).noticed == {"one"}
    assert Notes("b", resume=True).noticed == set()
    assert Notes("a", resume=False).noticed == set()


@pytest.mark.slow
def test_a_mutant_that_nobody_notices_survives(tmp_path: Path) -> None:
    mutant = Mutant(SAMPLE[1], "TLS", (), ("tests/mutants/test_mutants.py::test_the_tests_that_stand_guard_are_there",))
    trial = try_mutant(mutant, tmp_path)
    assert (trial.killed_by, trial.words) == ("", "")


@pytest.mark.slow
def test_some_defences_that_are_switched_off_are_noticed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", *SAMPLE], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SAMPLE)} defences switched off in turn: each was noticed" in done.stdout
