"""One command, one operation: call it, show how far it is, print what came of it."""

from __future__ import annotations

__all__ = ["Bar", "act", "confirm", "is_dry", "texts"]

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hongyan.cli.backend import open_backend
from hongyan.cli.calls import Document
from hongyan.cli.commands import DONE, Where
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import console, print_json, tell
from hongyan.cli.words import say

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_PATIENCE = 2.0  # seconds without a word


def _done(answer: Document) -> int:  # noqa: ARG001 - whatever it is, it is an answer
    return DONE


def act(
    where: Where,
    method: str,
    parameters: Document,
    render: Callable[[Document], None],
    *,
    judge: Callable[[Document], int] = _done,
    in_octets: bool = False,
) -> int:
    """Carry an operation out, print its answer by `render` or as JSON, and return the exit code by `judge`.

    Parameters that are None are left out. `in_octets`: its progress is told in octets.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    with open_backend(where) as backend, show_progress(quiet=where.json, in_octets=in_octets) as bar:
        answer = backend.call(method, given, bar)
    if where.json:
        print_json(answer)
    else:
        render(answer)
    return judge(answer)


def is_dry(answer: Document) -> bool:
    """Say so, if the answer is to a dry run."""
    if "dry_run" not in answer:
        return False
    tell(say("It could be done. Nothing was changed."))
    return True


def confirm(question: str, *, yes: bool, dry_run: bool) -> None:
    """Ask before something is lost; where nobody can be asked, `--yes` must have been said."""
    if yes or dry_run:
        return
    if not sys.stdin.isatty():
        raise UsageFault("This cannot be undone. Say --yes.")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes", "是"):
        raise UsageFault("Nothing was changed.")


def texts(value: object) -> Sequence[str]:
    """Return a list of an answer."""
    return [str(element) for element in value] if isinstance(value, list) else []


class Bar:
    """A progress bar on the standard error output, which shows itself when something takes long.

    Who cannot say how far it is need not: the bar then only moves.
    """

    def __init__(self, *, quiet: bool, in_octets: bool = False) -> None:
        self._in_octets = in_octets
        self._shown: RichProgress | None = None
        self._task: TaskID | None = None
        self._timer = threading.Timer(_PATIENCE, self._show)
        self._timer.daemon = True
        if not quiet and sys.stderr.isatty():
            self._timer.start()

    def __call__(self, done: int, total: int) -> None:
        if self._shown is not None and self._task is not None:
            self._shown.update(self._task, completed=done, total=max(done, total) if total else None)

    def _show(self) -> None:
        from rich import progress as show

        count = show.DownloadColumn(binary_units=True) if self._in_octets else show.MofNCompleteColumn()
        columns = (show.BarColumn(), count, show.TimeElapsedColumn(), show.TimeRemainingColumn())
        self._shown = show.Progress(*columns, console=console(errors=True), transient=True)
        self._task = self._shown.add_task("", total=None)
        self._shown.start()

    def close(self) -> None:
        """Take the bar away."""
        self._timer.cancel()
        if self._shown is not None:
            self._shown.stop()


@contextmanager
def show_progress(*, quiet: bool, in_octets: bool = False) -> Iterator[Bar]:
    """Return a bar that is taken away at the end."""
    bar = Bar(quiet=quiet, in_octets=in_octets)
    try:
        yield bar
    finally:
        bar.close()
