"""How long the stages of a message take on its way in, and how long the server before us had it.

The clocks of others are not ours: one that is a little ahead counts as no wait, and a wait that no queue explains (a
clock that is wrong, or an invented date) is told to the recipient and does not enter the histogram.
"""

from __future__ import annotations

__all__ = ["Watch"]

from typing import Final

from hongyan.clock import Clock
from hongyan.message.hops import read_hops
from hongyan.store.passages import Passage
from hongyan.telemetry import metrics

_AHEAD: Final = 300
"""Seconds by which a clock elsewhere may be ahead of ours."""

_LONGEST_WAIT: Final = 30 * 86_400
"""Seconds beyond which a date says nothing: no queue keeps mail for so long."""

_transfer = metrics.smtpserver_delivery_stage_seconds.labels("transfer")
_checks = metrics.smtpserver_delivery_stage_seconds.labels("checks")
_storing = metrics.smtpserver_delivery_stage_seconds.labels("storing")
_accepting = metrics.smtpserver_delivery_stage_seconds.labels("accept")
_wait = metrics.smtpserver_last_hop_seconds


class Watch:
    """Made at MAIL; told of the end of each stage."""

    __slots__ = ("_begun", "_checks", "_clock", "_last", "_transfer")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = int(clock.timestamp())
        self._last = clock.monotonic()
        self._transfer = self._checks = 0.0

    def transferred(self) -> None:
        """The client has said all of the message."""
        self._transfer = self._lap()

    def examined(self) -> None:
        """The verdict is there."""
        self._checks = self._lap()

    def stored(self, header: bytes) -> Passage:
        """The message lies where it belongs: count, and return how it came."""
        passage = Passage(
            hops=read_hops(header),
            begun=self._begun,
            transfer=self._transfer,
            checks=self._checks,
            storing=self._lap(),
        )
        _count(passage)
        return passage

    def _lap(self) -> float:
        now = self._clock.monotonic()
        passed, self._last = now - self._last, now
        return passed


def _count(passage: Passage) -> None:
    _transfer.observe(passage.transfer)
    _checks.observe(passage.checks)
    _storing.observe(passage.storing)
    _accepting.observe(passage.checks + passage.storing)
    wait = passage.wait
    if wait is not None and -_AHEAD <= wait <= _LONGEST_WAIT:
        _wait.observe(max(wait, 0))
