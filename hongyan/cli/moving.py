"""`move`: the service from SQLite to PostgreSQL, or back."""

from __future__ import annotations

__all__ = ["move"]

import asyncio
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from hongyan.cli.acting import is_dry, show_progress
from hongyan.cli.backend import find_service
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, DryRun, Where, about
from hongyan.cli.fault import CommandFault, UsageFault
from hongyan.cli.screen import print_json, tell
from hongyan.cli.words import say
from hongyan.errors import Unavailable

if TYPE_CHECKING:
    from hongyan.assembly.moving import Move
    from hongyan.config import DatabaseOptions

_SCHEMES = ("postgresql", "postgres")


def move(
    *,
    to: Annotated[
        str, about("sqlite, or postgresql://USER@HOST/DATABASE; a password may stand in ~/.pgpass or $PGPASSWORD.")
    ],
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Move everything that is kept to another database, while no server runs. Messages stay in the data directory."""
    from hongyan.assembly.moving import move as carry_out  # here: it imports the engines
    from hongyan.cli.local import borrow_data
    from hongyan.clock import SystemClock

    target = _read_target(to)
    with borrow_data(*find_service(where)) as config, show_progress(quiet=where.json) as bar:
        if config.database.engine == target.engine:
            raise UsageFault("The configuration says that everything is there already.")
        try:
            moved = asyncio.run(carry_out(config, target, SystemClock(), bar, dry_run=dry_run))
        except Unavailable as fault:
            raise CommandFault(fault.kind, f"The database cannot be reached: {fault.cause}") from fault
    answer = _describe(moved, target, dry_run=dry_run)
    if where.json:
        print_json(answer)
    elif not is_dry(answer):
        _print_move(answer)
    return DONE if moved.is_sound else DEGRADED


def _read_target(text: str) -> DatabaseOptions:
    from hongyan.config import DatabaseOptions

    if text == "sqlite":
        return DatabaseOptions()
    try:
        is_postgres = urlsplit(text).scheme in _SCHEMES
    except ValueError:
        is_postgres = False
    if not is_postgres:
        raise UsageFault("--to is sqlite, or begins with postgresql://.")
    return DatabaseOptions(engine="postgres", dsn=text)


def _describe(moved: Move, target: DatabaseOptions, *, dry_run: bool) -> Document:
    return {
        "engine": target.engine,
        "rows": dict(moved.rows.rows),
        "sound": moved.is_sound,
        **({"dry_run": True} if dry_run else {}),
    }


def _print_move(answer: Document) -> None:
    rows = answer["rows"]
    assert isinstance(rows, dict)  # noqa: S101 - as `_describe` makes it
    tell(say("{messages} messages of {accounts} accounts moved.", messages=rows["messages"], accounts=rows["accounts"]))
    tell(say('Now set engine = "{engine}" in [database], with its dsn if it has one.', engine=answer["engine"]))
    if not answer["sound"]:
        tell(say("Not everything is whole there. `hongyan verify` says what is not."))
