"""What Hongyan tells its operator: events with typed keys, and metrics.

An event has an area, a name and fields. `log = telemetry.logger("smtp")` gives a logger for an area,
`log.info("accepted", size=4096, peer=peer)` emits an event, `log.bind(cid=…)` makes a logger that says
so on each event, and `with telemetry.bind(mid=…)` does it for all that runs within, in any module. `cid`
names a connection and `mid` a message, through all stages.

An event is a record of the standard library's `logging`, below the logger "hongyan": its handlers,
and those of pytest, see it. `configure` installs one of ours.

Never logged: secrets, and the text of mail.
"""

from __future__ import annotations

__all__ = [
    "Event",
    "Level",
    "LogOptions",
    "LogWriter",
    "Logger",
    "bind",
    "capture",
    "configure",
    "logger",
    "metrics",
    "set_level",
]

from hongyan.telemetry import metrics
from hongyan.telemetry.event import Event
from hongyan.telemetry.log import Level, Logger, bind, capture, logger, set_level
from hongyan.telemetry.writer import LogOptions, LogWriter, configure
