"""Every sentence that the command line can show, found in the code.

Sentences of the command line itself are the arguments of `say`, `about` and the like, and the docstrings of commands.
Errors come from further in: what is given to an exception there, with a sample in the place of each value.
"""

from __future__ import annotations

__all__ = ["errors", "options", "own_sentences"]

import ast
from collections.abc import Iterator
from pathlib import Path

from hongyan.configuration.reference import list_sections

PACKAGE = Path(__file__).resolve().parents[2] / "hongyan"

_SAID = {"say": 0, "about": 0, "group": 1, "UsageFault": 0, "CommandFault": 1}
_RAISED = {
    "AddressFault",
    "AlreadyExists",
    "BadName",
    "Checked",
    "ConfigurationError",
    "Corrupt",
    "DirectoryInUse",
    "Fault",
    "Finding",
    "NotFound",
    "OverLimit",
    "PasswordFault",
    "Record",
    "Refused",
    "WrongValue",
}
_REACHED = (
    "accounts",
    "addresses.py",
    "assembly",
    "auth/app_passwords.py",
    "auth/passwords.py",
    "auth/server_key.py",
    "clients/dns_query.py",
    "configuration",
    "demonstration.py",
    "domains",
    "engines/directory.py",
    "engines/local",
    "engines/sql/accounts.py",
    "engines/sql/aliases.py",
    "engines/sql/credentials.py",
    "engines/sql/domains.py",
    "engines/sql/facts.py",
    "engines/sql/mailboxes.py",
    "engines/sql/provisioning.py",
    "engines/upkeep/transfer.py",
    "limits",
    "mailboxes/hierarchy.py",
    "operations",
    "provisioning",
    "queue/route.py",
    "quickstart",
    "servers/privileges.py",
)


def own_sentences() -> set[str]:
    """Return the keys that the command line asks the catalogue for."""
    found: set[str] = set()
    for path in (PACKAGE / "cli").glob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            found.update(_said(node))
    return {sentence for sentence in found if any(character.isalpha() for character in sentence)}


def _said(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            if name in _SAID and len(args) > _SAID[name]:
                yield from _texts(args[_SAID[name]])
            if name == "print_table":
                yield from _texts(args[0])
                yield from (text for keyword in keywords if keyword.arg == "empty" for text in _texts(keyword.value))
        case ast.FunctionDef(decorator_list=decorators) if any(_is_command(decorator) for decorator in decorators):
            yield " ".join((ast.get_docstring(node) or "").split())
        case ast.Assign(targets=[ast.Name(id="_COMMANDS")], value=ast.Tuple(elts=rows)):
            yield from (text for row in rows if isinstance(row, ast.Tuple) for text in _texts(row.elts[2]))


def _is_command(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command"


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the strings that an argument may be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield _sample(node)
        case ast.Tuple(elts=elements):
            for element in elements:
                yield from _texts(element)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)


def _sample(node: ast.JoinedStr) -> str:
    return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)


def errors() -> set[str]:
    """Return finished sentences, with the sample 7 for each value."""
    found: set[str] = set()
    for name in _REACHED:
        place = PACKAGE / name
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            found.update(_raised_in(ast.parse(path.read_text())))
    return {sentence for sentence in found if " " in sentence}


def _raised_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name in _RAISED:
                for argument in args:
                    yield from _texts(argument)
            case ast.ClassDef() if any(_is_option(field) for field in node.body):
                yield from _limits(node)


def _is_option(node: ast.stmt) -> bool:
    match node:
        case ast.AnnAssign(value=ast.Call(func=ast.Name(id="option"))):
            return True
    return False


def _limits(section: ast.ClassDef) -> Iterator[str]:
    for inner in ast.walk(section):
        match inner:
            case ast.Call(func=ast.Name(id="ValueError"), args=[argument]):
                yield from _texts(argument)


def options() -> set[str]:
    """Return what is said of settings and of sections."""
    found = {section.sentence for section in list_sections()}
    for section in list_sections():
        for setting in section.settings:
            found.add(setting.sentence)
            found.add(setting.kind)
    return found
