"""Which name servers answer: one that fails is set aside, and tried again when its time is up.

The order of the configuration is the order of asking. A server that failed comes last until its pause is over, then it
is asked in its own place again; each failure that follows doubles the pause. Were all set aside, all are asked.
"""

from __future__ import annotations

__all__ = ["ServerHealth"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hongyan import telemetry
from hongyan.clients.dns_query import NameServer
from hongyan.telemetry import metrics

_FIRST_PAUSE: Final = 5.0  # seconds
_LONGEST_PAUSE: Final = 300.0
_DOUBLINGS: Final = 8

log = telemetry.logger("dns")


@dataclass
class _State:
    failures: int = 0
    aside_until: float = 0.0


class ServerHealth:
    """What is known of each server. Times are monotonic seconds."""

    def __init__(self, servers: Sequence[NameServer]) -> None:
        self._servers = list(servers)
        self._states = {server: _State() for server in servers}
        for server in servers:
            metrics.dns_server_up.labels(_label(server)).set(1)

    def order(self, now: float) -> Sequence[NameServer]:
        """Return all servers in the order in which they are to be asked."""
        return sorted(self._servers, key=lambda server: self._states[server].aside_until > now)

    def answered(self, server: NameServer) -> None:
        """Note that a server answered."""
        state = self._states[server]
        metrics.dns_queries_total.labels(_label(server), "answered").inc()
        if state.failures:
            log.info("dns-server-back", server=_label(server), failures=state.failures)
            metrics.dns_server_up.labels(_label(server)).set(1)
        self._states[server] = _State()

    def failed(self, server: NameServer, now: float, cause: str) -> None:
        """Note that a server did not answer, or would not."""
        state = self._states[server]
        metrics.dns_queries_total.labels(_label(server), "failed").inc()
        if now < state.aside_until:
            return  # Questions that were under way together are one failure.
        state.failures += 1
        if state.failures == 1:
            log.warning("dns-server-aside", server=_label(server), cause=cause)
            metrics.dns_server_up.labels(_label(server)).set(0)
        pause = min(_FIRST_PAUSE * (1 << min(state.failures - 1, _DOUBLINGS)), _LONGEST_PAUSE)
        state.aside_until = now + pause


def _label(server: NameServer) -> str:
    return f"[{server.host}]:{server.port}" if ":" in server.host else f"{server.host}:{server.port}"
