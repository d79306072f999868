"""The house in order: modules introduce themselves, settings are documented, the package stands on its own."""

from __future__ import annotations

import ast
import configparser
import dataclasses
import importlib
import inspect
import pkgutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hongyan
from hongyan.options import describe

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "hongyan"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Packages whose members do not know one another, and what they may be called.
INDEPENDENT = {
    "wire": {"smtp", "imap", "pop3", "jmap", "managesieve"},
    "engines": {"sqlite", "postgres", "segments", "s3", "memory", "redis"},
}


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_module_opens_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__main__.py"], ids=names)
def test_a_module_says_what_it_offers_before_what_it_needs(path: Path) -> None:
    statements = ast.parse(path.read_text()).body[1:]
    imports = [number for number, one in enumerate(statements) if is_import(one)]
    offers = [number for number, one in enumerate(statements) if is_offer(one)]
    assert len(offers) <= 1
    assert not imports or (offers and offers[0] < imports[0]), "docstring, future import, __all__, imports"


def is_import(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module != "__future__"
    return isinstance(statement, ast.Import)


def is_offer(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"


def test_the_package_does_not_import_its_tests_or_scripts() -> None:
    outside = {"tests", "scripts", "bench"}
    imported = {
        (names(path), name.split(".")[0])
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported_by(node)
    }
    assert {pair for pair in imported if pair[1] in outside} == set()


def imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def loaded_modules() -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(hongyan.__path__, "hongyan."):
        if not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def sections() -> list[type]:
    """The dataclasses that declare options: all of their fields have to be options then."""
    classes = {
        found
        for module in loaded_modules()
        for _, found in inspect.getmembers(module, inspect.isclass)
        if found.__module__.startswith("hongyan") and dataclasses.is_dataclass(found)
    }
    return [found for found in classes if any("doc" in field.metadata for field in dataclasses.fields(found))]


def test_every_option_of_every_section_is_documented() -> None:
    bare = [
        f"{section.__module__}.{section.__qualname__}.{option.name}"
        for section in sections()
        for option in describe(section)
        if not option.doc
    ]
    assert bare == []


@pytest.mark.parametrize("package", INDEPENDENT)
def test_siblings_that_must_not_know_one_another_are_named_to_the_linter(package: str) -> None:
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter")
    contracts = [linter[name]["modules"] for name in linter.sections() if linter[name].get("type") == "independence"]
    named = {line.strip() for modules in contracts for line in modules.splitlines()}
    born = {f"hongyan.{package}.{path.stem}" for path in (PACKAGE / package).glob("*") if is_module(path)}
    wanted = born & {f"hongyan.{package}.{name}" for name in INDEPENDENT[package]}
    assert wanted - named == set()


def is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").exists()


def test_the_wheel_holds_the_whole_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert {names(path) for path in MODULES} <= packed
    assert "hongyan/py.typed" in packed
    assert not any(name.startswith(("tests/", "scripts/")) for name in packed)
