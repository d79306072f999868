"""The command line within a test: what it prints, and its exit code."""

from __future__ import annotations

__all__ = ["Cli", "Result"]

import contextlib
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from hongyan.cli import screen, words
from hongyan.cli.program import run


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What was printed, as JSON: one document and nothing else."""
        return json.loads(self.out)


@dataclass
class Cli:
    """Runs commands on one data directory."""

    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "", language: str = "C.UTF-8", on_data: bool = True) -> Result:
        """Run a command; with `on_data` it is told of the data directory."""
        out, err = io.StringIO(), io.StringIO()
        options = ["--data", str(self.data)] if on_data else []
        told = {**self.environment, "LC_ALL": language}
        _forget()
        with (
            mock.patch.dict(os.environ, told),
            mock.patch.object(sys, "stdin", io.StringIO(stdin)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run([*arguments, *options])
        _forget()
        return Result(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str, code: int = 0, stdin: str = "", on_data: bool = True) -> Any:
        """Run a command with --json; it has to end with this code. Returns the document."""
        done = self(*arguments, "--json", stdin=stdin, on_data=on_data)
        assert done.code == code, (done.out, done.err)
        return done.document


def _forget() -> None:
    """Forget the streams and the language of another run."""
    screen.console.cache_clear()
    words._catalogue.cache_clear()
    words._patterns.cache_clear()
