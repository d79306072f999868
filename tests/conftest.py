"""Fixtures that every suite may use, what is told at the end of a run, and CI's rule: nothing skips.

`postgres_dsn` is a new, empty database; `postgres_cluster` the server that holds it, one for each
worker, started when the first test asks. `count_cases` tells how many collected cases a test ran.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator

import hypothesis
import pytest

from tests.support.clock import FakeClock, FakeRandom
from tests.support.postgres import PostgresCluster, start_cluster
from tests.support.testdata import ABSENT

_CASES = "cases"
_LONGEST_ID = 40
_in_ci = os.environ.get("CI") == "true"

# A busy machine is no fault of the code; in CI a run is the same as the one before.
hypothesis.settings.register_profile(
    "hongyan",
    deadline=None,
    derandomize=_in_ci,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("hongyan")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def chance() -> FakeRandom:
    return FakeRandom()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    with start_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_dsn(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A database of this test's own."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.dsn(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(scope="module")
def postgres_module_dsn(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """A database that the tests of one module share."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.dsn(name)
    postgres_cluster.drop_database(name)


@pytest.fixture
def count_cases(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Tell that so many cases of a folder of the test data ran: `count_cases("mime-stalwart", 131)`."""

    def count(folder: str, cases: int) -> None:
        request.node.user_properties.append((_CASES, (folder, cases)))

    return count


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for PostgreSQL, by a fixture or as one of the engines."""
    for item in items:
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        fixtures = getattr(item, "fixturenames", ())
        if "postgres" in values or any(name.startswith("postgres") for name in fixtures):
            item.add_marker("postgres")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without root, what needs it cannot run."""
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        pytest.skip("it needs root")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long values by their argument: they say nothing, and a made key would differ from worker to worker."""
    return argname if isinstance(val, (str, bytes)) and len(val) > _LONGEST_ID else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that cannot run has failed: what is not set up there would never be noticed."""
    report = yield
    if _in_ci and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if ABSENT in str(reason):
            return report
        report.outcome, report.longrepr = "failed", f"{item.nodeid}: nothing skips in CI: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _in_ci and report.skipped:
        report.outcome, report.longrepr = "failed", f"{collector.nodeid}: nothing skips in CI: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cases of each collection ran, and why tests were skipped."""
    ran: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                ran.update({folder: cases for key, (folder, cases) in report.user_properties if key == _CASES})
            if getattr(report, "skipped", False) and isinstance(report.longrepr, tuple):
                skipped[report.longrepr[2].removeprefix("Skipped: ")] += 1
    for folder, cases in sorted(ran.items()):
        terminalreporter.write_line(f"testdata {folder}: {cases} cases ran")
    for reason, tests in skipped.most_common():
        terminalreporter.write_line(f"skipped {tests}: {reason}")
