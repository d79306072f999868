"""What is done now and then, in the background: what is over is removed, what was interrupted is finished."""

from __future__ import annotations

__all__ = ["Upkeep"]

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import NoReturn

from hongyan import telemetry
from hongyan.assembly.directory import Directory, Entrance
from hongyan.assembly.gate import Gatehouse
from hongyan.assembly.ground import Ground
from hongyan.assembly.reports import Reports
from hongyan.assembly.searching import Searching
from hongyan.assembly.sending import Sending
from hongyan.assembly.transport import TransportSecurity
from hongyan.assembly.uploads import make_uploads
from hongyan.auth.notices import SecurityNotices
from hongyan.engines.sql.bans import SqlBans
from hongyan.engines.sql.counters import SqlCounters
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.upkeep.sweep import Sweep
from hongyan.errors import ServerFault
from hongyan.telemetry import metrics

_FIRST = 60.0  # seconds after the start
_AGAIN = 3600.0
_KEEP_DIRECTORY_CHANGES = timedelta(days=7)  # a process that was away for longer reads the directory anew

Job = Callable[[], Awaitable[object]]

log = telemetry.logger("upkeep")


class Upkeep:
    """Runs the jobs one after the other, each hour. One that fails is tried again the next time."""

    def __init__(
        self,
        ground: Ground,
        directory: Directory,
        entrance: Entrance,
        notices: SecurityNotices,
        sending: Sending,
        gatehouse: Gatehouse,
        security: TransportSecurity,
        reports: Reports,
        searching: Searching,
        more: Mapping[str, Job],
    ) -> None:
        self._clock = ground.clock
        self._directory_store = SqlDirectory(ground.database)
        self._windows = SqlCounters(ground.database, ground.clock)
        self._bans = SqlBans(ground.database)
        self._sweep = Sweep(ground.engines.storage, ground.clock, ground.config.sweep)
        self._jobs: dict[str, Job] = {
            "removals": directory.provisioner.finish_removals,
            "audit": directory.audit.expire,
            "web-sessions": entrance.web_sessions.expire,
            "digests": notices.send_digests,
            "timelines": directory.timelines.expire,
            "directory": self._expire_directory_changes,
            "sending": sending.expire,
            "strangers": gatehouse.expire,
            "limits": self._expire_limits,
            "transport": security.expire,
            "reports": reports.reader.expire,
            **more,
            "uploads": make_uploads(ground).forget_old,
            "sweep": self._sweep.run,
            "search": searching.tidy,
        }

    async def run(self) -> NoReturn:
        """Do what is to be done, again and again, until cancelled."""
        pause = _FIRST
        while True:
            await asyncio.sleep(pause)
            await self.run_once()
            pause = _AGAIN

    async def run_once(self) -> None:
        """Run each job once."""
        for name, job in self._jobs.items():
            try:
                done = await job()
            except ServerFault as fault:
                log.warning("job-failed", job=name, cause=fault.cause)
            except Exception as error:  # noqa: BLE001 - the top of a job: mail goes on without it
                metrics.panic_total.labels("upkeep").inc()
                log.error("panic", error=error, job=name)
            else:
                log.debug("job-done", job=name, done=done)

    async def _expire_limits(self) -> int:
        return await self._windows.expire() + await self._bans.expire_bans(self._clock.now())

    async def _expire_directory_changes(self) -> int:
        return await self._directory_store.expire_directory_changes(self._clock.now() - _KEEP_DIRECTORY_CHANGES)
