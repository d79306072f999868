"""clamd: its answer to a scan, which a message may have a hand in by the name of what is found.

Invariant: any text is one of the four results, and clean is what one answer means and no other.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.clients.clamd import read_scan
from hongyan.screening.virus import ScanResult

CORPUS: list[bytes] = [
    b"stream: OK",
    b"stream: Win.Test.EICAR_HDB-1 FOUND",
    b"INSTREAM size limit exceeded. ERROR",
    b"stream: OK FOUND",
    b"UNKNOWN COMMAND",
    b"stream:  FOUND",
]


def target(octets: bytes) -> None:
    answer = octets.decode("ascii", "ignore").strip()
    scan = read_scan(answer)
    assert (scan.result is ScanResult.CLEAN) == (answer == "stream: OK")
    if scan.result is ScanResult.INFECTED:
        assert answer.endswith(" FOUND")
        assert "\n" not in scan.detail
