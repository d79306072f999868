"""Documents say what is: pages made from the code are fresh, and paths, commands and links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hongyan.cli.commands import DONE
from hongyan.cli.program import run

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "hongyan"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
STATUSES = {"done", "partly", "not begun"}


def test_pages_that_are_made_from_the_code_are_fresh() -> None:
    done = subprocess.run([sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_citation_is_read_with_its_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from rfcs import citations

    source = "# RFC 5321 §4.1.1.4, §4.5.2 and RFC 9051\n#   §6.4.5; see RFC 3501 (RFC 8474 §5)"
    assert citations(source) == [(5321, {"4.1.1.4", "4.5.2"}), (9051, {"6.4.5"}), (3501, set()), (8474, {"5"})]


def test_each_word_that_is_announced_to_clients_is_on_the_page_of_rfcs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from extensions import EXTENSIONS, announced

    parts = {"CREATE-SPECIAL-USE", "LITERAL-", "RIGHTS=kxte", "STARTTLS", "LOGINDISABLED"}
    parts |= {f"QUOTA=RES-{kind}" for kind in ("STORAGE", "MESSAGE", "MAILBOX")}
    for protocol, words in announced().items():
        named = {extension.name for extension in EXTENSIONS if extension.protocol == protocol}
        extra = {word for word in words if not word.startswith("AUTH=")} - named - parts
        assert extra - {"AUTH", "localhost"} == set(), protocol


def test_what_is_said_of_an_rfc_is_said_of_one_that_is_cited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from rfc_status import STATUS
    from rfcs import citations

    cited = {number for path in PACKAGE.rglob("*.py") for number, _ in citations(path.read_text())}
    assert STATUS.keys() - cited == set()


def rows(page: str) -> list[list[str]]:
    """The rows of a page's tables, without their heads."""
    lines = [line for line in (ROOT / "docs" / page).read_text().splitlines() if line.startswith("| ")]
    table = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
    return [row for row in table if row[0] not in {"looking for", "row", "word", "RFC", "client"}]


def paths_of(row: list[str]) -> list[str]:
    return re.findall(r"`([a-z0-9_]+(?:/[a-z0-9_]+)*(?:/|\.py))`", " ".join(row))


def test_each_path_of_where_exists_but_for_those_that_are_not_yet() -> None:
    table = rows("where.md")
    promised = {path for row in table for path in re.findall(r"`([a-z_/.]+)` \*not yet\*", " ".join(row))}
    named = {path for row in table for path in paths_of(row)}
    assert promised <= named
    assert {path for path in named - promised if not (PACKAGE / path).exists()} == set()
    assert {path for path in promised if born(PACKAGE / path)} == set(), "built: drop *not yet*"


@pytest.mark.parametrize("page", ["flow.md", "architecture.md"])
def test_each_module_and_name_that_a_page_walks_through_is_there(page: str) -> None:
    """`delivery/spool.Spool` is a class or a function of hongyan/delivery/spool.py."""
    named = re.findall(r"`([a-z_]+(?:/[a-z0-9_]+)+)/?(?:\.([A-Za-z_]+))?`", (ROOT / "docs" / page).read_text())
    assert named
    missing = [(path, name) for path, name in named if not is_there(PACKAGE / path, name)]
    assert missing == []


def is_there(path: Path, name: str) -> bool:
    if path.is_dir():
        return not name
    module = path.with_suffix(".py")
    outer, _, inner = name.partition(".")
    source = module.read_text() if module.is_file() else ""
    return bool(source) and all(re.search(rf"(?:def|class) {part}\b", source) for part in (outer, inner) if part)


def born(path: Path) -> bool:
    return path.is_file() or (path / "__init__.py").exists()


def test_each_package_has_a_line_in_where() -> None:
    tops = {path.split("/")[0].removesuffix(".py") for row in rows("where.md") for path in paths_of(row)}
    present = {path.stem for path in PACKAGE.iterdir() if born(path) and path.suffix in {"", ".py"}}
    assert present - tops - {"__init__", "__main__"} == set()


def test_the_product_page_has_each_row_with_its_status() -> None:
    table = {row[0]: row for row in rows("product.md")}
    assert list(table) == [f"S{number:02}" for number in range(1, 109)]
    for name, (*_, status, command) in table.items():
        assert status in STATUSES, name
        assert bool(command) == (status != "not begun"), f"{name}: a row that is begun names what shows it"
        assert ("Missing: " in command) == (status == "partly"), f"{name}: what is partly done says what is missing"
    counts = Counter(row[3] for row in table.values())
    told = ", ".join(f"{counts[status]} {status}" for status in ("done", "partly", "not begun"))
    assert f"Today: {told}." in (ROOT / "docs" / "product.md").read_text()


def test_the_suites_that_the_product_page_names_are_there() -> None:
    named = set(re.findall(r"\btests/[a-z0-9_/]+(?:\.py)?", (ROOT / "docs" / "product.md").read_text()))
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"])
def test_the_targets_that_a_page_names_are_in_the_makefile(page: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE))
    declared = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named - declared == set()


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = (shell_lines(ROOT / page) for page in ("README.md", "README.zh-CN.md"))
    assert english == chinese


def shell_lines(page: Path) -> list[str]:
    """The lines to type, without comments; the line that takes the reader's secret is in the reader's language."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    return [re.sub(r"\s*(#.*|SECRET=.*)", "", line) for block in blocks for line in block.splitlines()]


def commands_of(page: Path) -> set[str]:
    """The commands of ours that a page shows, without options: `hongyan account add`. Rows not begun show none."""
    lines = [line for line in page.read_text().splitlines() if "| not begun |" not in line]
    found = re.findall(r"(?:^|`)(?:\.venv/bin/)?hongyan((?: [a-z][a-z0-9-]*)+)", "\n".join(lines), re.MULTILINE)
    return {command.strip() for command in found}


def test_the_commands_that_pages_show_exist(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {command for page in PAGES for command in commands_of(page)}
    unknown = [command for command in sorted(wanted) if run([*command.split(), "--help"]) != DONE]
    assert unknown == [], capsys.readouterr().err


def test_each_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_each_client_of_the_interoperability_suites_is_on_the_page_of_clients() -> None:
    """Tests begin with their client: `test_mutt_reads` of `test_clients_mutt.py` is in mutt's row with that file."""
    page = (ROOT / "docs" / "clients.md").read_text()
    named: dict[str, list[str]] = {}
    for row in rows("clients.md"):
        for suite in re.findall(r"`(test_clients_\w+\.py)`", row[-1]):
            named.setdefault(suite, []).append(re.sub(r" \(.*|\W", "", row[0]).lower())
    suites = {path.name: path.read_text() for path in (ROOT / "tests" / "interop").glob("test_clients_*.py")}
    assert named.keys() == suites.keys()
    assert re.search(r"Run on \d{4}-\d\d-\d\d", page)
    for suite, source in suites.items():
        names = [name.replace("_", "") for name in re.findall(r"^(?:async )?def test_(\w+)", source, re.MULTILINE)]
        assert [name for name in names if not name.startswith(tuple(named[suite]))] == [], suite
        assert [client for client in named[suite] if client not in re.sub(r"\W|_", "", source).lower()] == [], suite
