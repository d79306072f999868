"""Is there a virus in it? The port to a scanner, and what is done with what it says or fails to say.

The scanner is asked about every message that comes in and that our users send. Without `[virus] clamd` nobody is asked.
A scanner that is down or takes too long is no reason to let a message pass unseen: by default the sender is asked to
try again. What is done with a message larger than the scanner takes is a setting of its own.
"""

from __future__ import annotations

__all__ = ["Scan", "ScanResult", "Scanner", "VirusCheck", "VirusOptions", "clean_name", "parse_place"]

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, Protocol

from hongyan import telemetry
from hongyan.options import option
from hongyan.screening.examined import Examined
from hongyan.screening.verdict import Disposition, Finding
from hongyan.telemetry import metrics
from hongyan.wire.smtp.replies import Reply

_NAME: Final = "virus"
_ODD: Final = re.compile(r"[^A-Za-z0-9._:/-]+")
_LONGEST_NAME: Final = 64
_UNCHECKED: Final = Reply(451, "4.7.1", ("The message could not be checked for viruses; try again later",))
_TOO_LARGE: Final = Reply(552, "5.3.4", ("The message is larger than what can be checked for viruses",))

log = telemetry.logger("virus")


@dataclass(frozen=True, slots=True)
class VirusOptions:
    """The section `[virus]`."""

    clamd: str = option(
        "", "Where ClamAV's clamd listens: the path of its socket, or host:port; empty: mail is not scanned."
    )
    on_infected: Literal["reject", "quarantine"] = option(
        "reject", "What is done with an infected message: refuse it, or hold it in the queue for the operator."
    )
    on_failure: Literal["defer", "accept", "junk"] = option(
        "defer", "What is done when the scanner does not answer: ask the sender to try again, accept, or file in Junk."
    )
    on_too_large: Literal["accept", "junk", "reject"] = option(
        "accept", "What is done with a message larger than the scanner takes."
    )
    largest: int = option(
        25 << 20, "The largest message that is given to the scanner; not above its own StreamMaxLength.", unit="octets"
    )
    timeout: float = option(20.0, "How long a scan may take, with the wait for its turn.", unit="s")
    at_once: int = option(8, "Scans at the same time; not above the scanner's own MaxThreads.")

    def __post_init__(self) -> None:
        if self.clamd:
            parse_place(self.clamd)
        if self.largest < 1 or self.timeout <= 0 or self.at_once < 1:
            raise ValueError("largest, timeout and at_once are above 0")


def parse_place(place: str) -> str | tuple[str, int]:
    """Return the path of a Unix socket, or host and port. Raises `ValueError`."""
    if place.startswith("/"):
        return place
    host, colon, port = place.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("clamd is the absolute path of a socket, or host:port")
    return host, int(port)


class ScanResult(Enum):
    """How a scan ended."""

    CLEAN = "clean"
    INFECTED = "infected"
    TOO_LARGE = "too-large"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Scan:
    """What the scanner said: the name of what it found as it wrote it, or why there is no answer."""

    result: ScanResult
    detail: str = ""


class Scanner(Protocol):
    """Looks for viruses."""

    async def scan(self, octets: bytes) -> Scan:
        """Scan one message, within a time of its own. Raises nothing for what the scanner does."""
        ...


class VirusCheck:
    """`screening.examined.MessageCheck`: asks the scanner."""

    def __init__(self, scanner: Scanner, options: VirusOptions) -> None:
        self._scanner = scanner
        self._options = options

    @property
    def name(self) -> str:
        return _NAME

    async def judge(self, message: Examined) -> Sequence[Finding]:
        if len(message.octets) > self._options.largest:
            scan = Scan(ScanResult.TOO_LARGE)
        else:
            scan = await self._scanner.scan(message.octets)
        return self._weigh(scan, message.mid)

    def overdue(self) -> Sequence[Finding]:
        return self._weigh(Scan(ScanResult.FAILED, "it took too long"), "")

    def _weigh(self, scan: Scan, mid: str) -> Sequence[Finding]:
        metrics.virus_scans_total.labels(scan.result.value).inc()
        match scan.result:
            case ScanResult.CLEAN:
                return ()
            case ScanResult.INFECTED:
                name = clean_name(scan.detail)
                log.info("infected", mid=mid, virus=name)
                return (self._infected(name),)
            case ScanResult.TOO_LARGE:
                return (_TOO_LARGE_FINDINGS[self._options.on_too_large],)
            case ScanResult.FAILED:
                log.warning("scan-failed", mid=mid, cause=scan.detail)
                return (_FAILED_FINDINGS[self._options.on_failure],)

    def _infected(self, name: str) -> Finding:
        quarantined = self._options.on_infected == "quarantine"
        return Finding(
            check=_NAME,
            reason="infected",
            disposition=Disposition.QUARANTINE if quarantined else Disposition.REJECT,
            text=f"infected: {name}",
            reply=Reply(550, "5.7.1", (f"The message is infected: {name}",)),
        )


def clean_name(name: str) -> str:
    """Return a virus' name as harmless ASCII: signatures are written by many hands.

    >>> clean_name("Win.Test.EICAR_HDB-1")
    'Win.Test.EICAR_HDB-1'
    """
    return _ODD.sub("_", name)[:_LONGEST_NAME] or "unnamed"


def _finding(reason: str, disposition: Disposition, text: str, reply: Reply | None = None) -> Finding:
    return Finding(check=_NAME, reason=reason, disposition=disposition, text=text, reply=reply)


_FAILED_FINDINGS: Final = {
    "defer": _finding("scanner-failed", Disposition.DEFER, "the virus scanner did not answer", _UNCHECKED),
    "accept": _finding("scanner-failed", Disposition.ACCEPT, "the virus scanner did not answer; accepted unseen"),
    "junk": _finding("scanner-failed", Disposition.JUNK, "the virus scanner did not answer; filed as junk"),
}
_TOO_LARGE_FINDINGS: Final = {
    "accept": _finding("too-large", Disposition.ACCEPT, "too large for the virus scanner; accepted unseen"),
    "junk": _finding("too-large", Disposition.JUNK, "too large for the virus scanner; filed as junk"),
    "reject": _finding("too-large", Disposition.REJECT, "too large for the virus scanner", _TOO_LARGE),
}
