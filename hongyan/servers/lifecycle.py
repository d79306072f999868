"""The life of a listener: active, deprecated from one day on, off from another (RFC 8314 §4.1 retires cleartext so).

A deprecated listener serves as before, says in its greeting when it ends, and counts which accounts still come, with
which programs. From its last day on it turns everybody away with the reason. An operator may put the day off without a
restart. What was counted and put off lies in a file of the data directory; a loss of it costs a report.
"""

from __future__ import annotations

__all__ = ["Lifecycle", "Lifecycles", "Stage", "Use"]

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn

from hongyan import telemetry
from hongyan.clock import Clock

FILE: Final = "listeners.json"

_FLUSH_EVERY: Final = 60.0
_MOST_USES: Final = 20_000
_LONGEST_CLIENT: Final = 64

log = telemetry.logger("servers")


class Stage(StrEnum):
    """How far a listener's life has come."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Use:
    """How often an account came with a program, and when last."""

    account: str
    client: str
    count: int
    last: datetime


class Lifecycle:
    """That of one listener. Days begin at midnight, UTC."""

    def __init__(self, service: str, deprecated: date | None, off: date | None, clock: Clock) -> None:
        self.service = service
        self.deprecated = deprecated
        self.planned_off = off
        self.prolonged: date | None = None
        self.uses: dict[tuple[str, str], Use] = {}
        self.changed = False
        self._clock = clock

    @property
    def off(self) -> date | None:
        """The first day on which nobody is served."""
        return self.prolonged or self.planned_off

    @property
    def stage(self) -> Stage:
        """Where it stands today."""
        if self.off is None and self.deprecated is None:
            return Stage.ACTIVE
        today = self._clock.now().date()
        if self.off is not None and today >= self.off:
            return Stage.OFF
        return Stage.DEPRECATED if self.deprecated is not None and today >= self.deprecated else Stage.ACTIVE

    @property
    def notice(self) -> str:
        """What clients are told; nothing while all is well."""
        if self.stage is not Stage.DEPRECATED:
            return ""
        return f"This port is deprecated and closes{'' if self.off is None else f' on {self.off}'}: ask your postmaster"

    @property
    def refusal(self) -> str:
        """What clients are told who come too late; nothing before."""
        return f"This port was closed on {self.off}: ask your postmaster" if self.stage is Stage.OFF else ""

    def note(self, account: str, client: str) -> None:
        """Count a login, while the listener is deprecated."""
        if self.stage is not Stage.DEPRECATED:
            return
        key = account, "".join(filter(str.isprintable, client))[:_LONGEST_CLIENT]
        if key not in self.uses and len(self.uses) >= _MOST_USES:
            key = account, ""
        former = self.uses.get(key) or Use(*key, 0, self._clock.now())
        self.uses[key] = replace(former, count=former.count + 1, last=self._clock.now())
        self.changed = True

    def prolong(self, off: date) -> None:
        """Put the last day off."""
        self.prolonged = off
        self.changed = True

    def list_uses(self) -> Sequence[Use]:
        """Return who still comes, the last first."""
        return sorted(self.uses.values(), key=lambda use: use.last, reverse=True)


class Lifecycles:
    """Those of all listeners, and the file that they are kept in."""

    def __init__(self, each: Mapping[str, Lifecycle], folder: Path) -> None:
        self.each = each
        self._path = folder / FILE
        self._load()

    def is_announced(self, service: str) -> bool:
        """Whether mail programs are to find a service: not one that ends, or has ended."""
        life = self.each.get(service)
        return life is not None and life.stage is Stage.ACTIVE

    async def run(self) -> NoReturn:
        """Write what has changed, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Write what has changed."""
        if not any(life.changed for life in self.each.values()):
            return
        for life in self.each.values():
            life.changed = False
        text = json.dumps({name: _document(life) for name, life in self.each.items()})
        try:
            await asyncio.to_thread(_write, self._path, text.encode())
        except OSError as error:
            log.warning("listeners-unwritten", error=error)

    def _load(self) -> None:
        try:
            document = json.loads(self._path.read_bytes())
            known = {name: _read(document[name]) for name in self.each if name in document}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            log.warning("listeners-unread", error=error)
            return
        for name, (prolonged, uses) in known.items():
            self.each[name].prolonged = prolonged
            self.each[name].uses = uses


def _document(life: Lifecycle) -> Mapping[str, object]:
    uses = [[use.account, use.client, use.count, use.last.isoformat()] for use in life.uses.values()]
    return {"prolonged": None if life.prolonged is None else life.prolonged.isoformat(), "uses": uses}


def _read(document: Mapping[str, object]) -> tuple[date | None, dict[tuple[str, str], Use]]:
    prolonged, uses = document["prolonged"], document["uses"]
    if not isinstance(uses, list):
        raise TypeError("uses are a list")
    found = {}
    for account, client, count, last in uses[:_MOST_USES]:
        # A time without a zone cannot be compared with the others.
        at = datetime.fromisoformat(str(last)).astimezone(UTC)
        found[str(account), str(client)] = Use(str(account), str(client), int(count), at)
    return date.fromisoformat(str(prolonged)) if prolonged else None, found


def _write(path: Path, octets: bytes) -> None:
    making = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(octets)
    making.replace(path)
