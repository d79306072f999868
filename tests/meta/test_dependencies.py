"""What we depend on is locked, hashed, named by no registry, and free to use (docs/decisions/0005-dependencies.md)."""

from __future__ import annotations

import ast
import re
import ssl
import sys
import tomllib
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = [ROOT / "requirements" / "runtime.lock", ROOT / "requirements" / "dev.lock"]
RUNTIME = re.findall(r"^([a-z0-9.-]+)==", LOCKS[0].read_text(), re.MULTILINE)

FREE = re.compile(
    r"\b(MIT|MIT-0|BSD|BSD-[23]-Clause|ISC|Apache|Apache-2\.0|PSF-2\.0|MPL-2\.0|any-OSI|Zlib|Unlicense)\b"
)
BARRED = re.compile(r"\b(A?GPL|GNU (Affero )?General Public|SSPL|BUSL|Commons Clause)", re.IGNORECASE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_each_locked_version_has_hashes_and_no_index_is_named(lock: Path) -> None:
    text = lock.read_text()
    blocks = re.split(r"\n(?=\S)", text)
    pinned = [block for block in blocks if "==" in block and not block.startswith("#")]
    assert pinned
    assert [block.split()[0] for block in pinned if "--hash=sha256:" not in block] == []
    assert re.search(r"https?://|--index-url|--find-links", text) is None


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_the_lock_is_what_the_project_declares(lock: Path) -> None:
    pinned = dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + (project["optional-dependencies"]["dev"] if lock.stem == "dev" else [])
    for requirement in map(Requirement, declared):
        assert pinned[requirement.name] in requirement.specifier, f"{requirement}: run `make lock`"


def test_what_runs_is_a_part_of_what_is_tested() -> None:
    runtime, dev = (set(re.findall(r"^[a-z0-9.-]+==\S+", lock.read_text(), re.MULTILINE)) for lock in LOCKS)
    assert runtime <= dev


@pytest.mark.parametrize("name", RUNTIME)
def test_what_runs_may_be_run_changed_and_sold(name: str) -> None:
    licence = licence_of(distribution(name))
    assert FREE.search(licence), licence
    assert not BARRED.search(licence), licence


def licence_of(found: Distribution) -> str:
    """All that the metadata says, in its new field, its old one and its classifiers; of a whole text the first line."""
    fields = {name: found.metadata.get_all(name) or [] for name in ("License-Expression", "License", "Classifier")}
    classifiers = [line for line in fields.pop("Classifier") if line.startswith("License")]
    return " | ".join([*(text.partition("\n")[0] for texts in fields.values() for text in texts), *classifiers])


def test_each_direct_dependency_has_its_reason_on_record() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = {Requirement(declared).name for declared in project["dependencies"]}
    records = "".join(path.read_text() for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")))
    assert {name for name in direct if f"| {name} |" not in records} == set()


def test_what_is_imported_is_declared() -> None:
    """And not merely there because something else brought it along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = {Requirement(declared).name for declared in project["dependencies"]}
    homes = {root: {*map(canonicalize_name, names)} for root, names in packages_distributions().items()}
    roots = {
        name.partition(".")[0]
        for path in (ROOT / "hongyan").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported_by(node)
    }
    foreign = roots - sys.stdlib_module_names - {"hongyan"}
    assert {root for root in foreign if direct.isdisjoint(homes.get(root, ()))} == set()


def imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


def test_channel_binding_is_still_out_of_reach() -> None:
    """When this fails, docs/decisions/0003-no-scram-plus.md is to be superseded."""
    assert "tls-exporter" not in ssl.CHANNEL_BINDING_TYPES
