"""For pytest: `-p tests.mutants.plugin --mutant NAME --mutant-outcome FILE` runs tests while a defence is off.

The file gets one JSON line for each test that failed: its node id and the first line of why.
"""

from __future__ import annotations

__all__: list[str] = []

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.mutants import find_mutants
from tests.mutants.change import apply


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutants")
    group.addoption("--mutant", default="", help="the defence that is switched off")
    group.addoption("--mutant-outcome", default="", help="a file that is told which tests failed")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Switch the defence off before any other module is imported: constants may be imported by name."""
    if name := early_config.known_args_namespace.mutant:
        apply(find_mutants()[name])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    outcome = item.config.getoption("mutant_outcome")
    if outcome and report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = (crash.message if crash else str(report.longrepr)).partition("\n")[0]
        with Path(outcome).open("a") as file:
            file.write(json.dumps([item.nodeid, why]) + "\n")
    return report
