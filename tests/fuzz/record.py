"""What each target has stood so far: CPU time, inputs and findings, counted anew when the parser's sources change.

Runs are noted in `.cache/fuzz/record.json`, which is local; `--fold` adds such a file to
`tests/fuzz/record.json`, which is kept in the repository. Sources are told apart by what they do: comments,
docstrings and seeds do not count.
"""

from __future__ import annotations

__all__ = [
    "KEPT",
    "LOCAL",
    "Entry",
    "Record",
    "at_present",
    "digest_sources",
    "fold",
    "note",
    "read_record",
    "sum_records",
]

import ast
import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("record.json")
LOCAL = ROOT / ".cache" / "fuzz" / "record.json"

_GROUND = {"", "clock", "errors", "options", "telemetry", "types"}
"""What everything imports and no parser is: a new option or metric does not make an hour of fuzzing void."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One target: what it stood with the sources of that digest, and what it had stood with others before."""

    sources: str
    seconds: int = 0  # Of CPU time.
    inputs: int = 0
    findings: int = 0
    earlier_seconds: int = 0
    earlier_inputs: int = 0
    earlier_findings: int = 0

    def with_sources(self, sources: str) -> Entry:
        """Return the same past for sources that may be others: what was counted is of earlier ones then."""
        if sources == self.sources:
            return self
        return Entry(
            sources,
            earlier_seconds=self.earlier_seconds + self.seconds,
            earlier_inputs=self.earlier_inputs + self.inputs,
            earlier_findings=self.earlier_findings + self.findings,
        )


Record = dict[str, Entry]


def digest_sources(name: str) -> str:
    """Return a digest of a target and of the modules of the package that it imports, directly or through others."""
    target = Path(__file__).with_name(f"{name}.py")
    seen, ahead = {target}, [target]
    while ahead:
        new = set(_imported(ahead.pop())) - seen
        seen |= new
        ahead.extend(new)
    digest = hashlib.sha256()
    for path in sorted(seen):
        digest.update(f"{path.relative_to(ROOT)}\n{_what_it_does(path)}\n".encode())
    return digest.hexdigest()[:16]


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "hongyan":
            for module in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                place = ROOT / module.replace(".", "/")
                files = (place.with_suffix(".py"), place / "__init__.py")
                found = next(filter(Path.exists, files), None)
                if found and module.partition(".")[2].partition(".")[0] not in _GROUND:
                    yield found


def _what_it_does(path: Path) -> str:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                inner
                for inner in body
                if not (isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant))
                and not (isinstance(inner, ast.AnnAssign) and ast.unparse(inner.target) == "CORPUS")
            ]
    return ast.dump(tree)


def read_record(file: Path) -> Record:
    """Read a record; one that is not there is empty."""
    if not file.exists():
        return {}
    return {name: Entry(**values) for name, values in json.loads(file.read_text()).items()}


def note(file: Path, name: str, entry: Entry) -> None:
    """Add one run to a record on disk."""
    with _locked(file):
        _write(file, sum_records(read_record(file), {name: entry}))


def fold(source: Path, sources: Mapping[str, str], into: Path = KEPT) -> None:
    """Move what a record holds into another, so that nothing is counted twice; targets that are gone are left out."""
    with _locked(source):
        _write(into, sum_records(*(at_present(read_record(file), sources) for file in (into, source))))
        source.unlink(missing_ok=True)


def at_present(record: Mapping[str, Entry], sources: Mapping[str, str]) -> Record:
    """Return an entry for each target with the digest of its sources: time with other ones is that of earlier ones."""
    return {name: record.get(name, Entry(digest)).with_sources(digest) for name, digest in sources.items()}


def sum_records(*records: Mapping[str, Entry]) -> Record:
    """Add records up; where two know other sources of a target, those of the later one are the present ones."""
    whole: Record = {}
    for record in records:
        for name, entry in record.items():
            before = whole.get(name, Entry(entry.sources)).with_sources(entry.sources)
            added = asdict(entry)
            whole[name] = replace(
                entry, **{key: count + added[key] for key, count in asdict(before).items() if key != "sources"}
            )
    return whole


def _write(file: Path, record: Record) -> None:
    lines = [f" {json.dumps(name)}: {json.dumps(asdict(entry))}" for name, entry in sorted(record.items())]
    new = file.with_suffix(".new")
    new.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    new.replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Keep other runs away from a record while it changes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
