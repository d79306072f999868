"""Tor's text of ranges and countries: a file that an operator downloaded.

Invariant: nothing but `ConfigurationError` comes out; what is read gives two ASCII characters for an address, or none,
and none for an address that is not one of the world's.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import tempfile
from pathlib import Path

from hongyan.errors import ConfigurationError
from hongyan.limits.places import GeoipOptions, open_locator

CORPUS: list[bytes] = [
    b"# IPFire\n16777216,16777471,AU\n16777472,16778239,CN\n",
    b"2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n",
    b"4294967295,4294967296,XX\n",
    b"134744072,134744072,US,more\n\n",
    b"-1,5,NO\n",
]
_ASKED = (
    "8.8.8.8",
    "1.0.0.1",
    "255.255.255.255",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "fe80::1%eth0",
    "127.0.0.1",
    "",
    "x",
)
_FILE = Path(tempfile.mkdtemp(prefix="hongyan-fuzz-")) / "geoip"


def target(octets: bytes) -> None:
    _FILE.write_bytes(octets)
    try:
        locator = open_locator(GeoipOptions((str(_FILE),)))
    except ConfigurationError:
        return
    for host in _ASKED:
        place = locator.locate(host)
        assert place is None or (len(place) == 2 and place.isascii())
        assert place is None or host[:4] not in ("127.", "fe80", "", "x")
