"""Where in the world is an address? A country, if a database of countries is there, else a network.

`[geoip] databases` names files: MaxMind's format (`.mmdb`: DB-IP Lite, GeoLite2, IP2Location Lite), or the text that
Tor reads (Debian's package tor-geoipdb: /usr/share/tor/geoip and geoip6, from the IPFire location database). None is
shipped: their licences (CC BY, CC BY-SA) bind whoever hands them on, and they age.

Without a database the network stands in: the /16 of an IPv4 and the /32 of an IPv6 address, about what one provider has
in one region. Private and loopback addresses are in no place.
"""

from __future__ import annotations

__all__ = ["GeoipOptions", "Locator", "NetworkLocator", "open_locator"]

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final, Literal, Protocol

import maxminddb

from hongyan.errors import ConfigurationError
from hongyan.options import option

_MAX_LINES: Final = 5_000_000
_COUNTRY_LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class GeoipOptions:
    """The section `[geoip]`."""

    databases: tuple[str, ...] = option(
        (),
        "Files that say in which country an address is: `.mmdb`, or the text of Debian's tor-geoipdb; none: networks.",
        unit="path",
    )


class Locator(Protocol):
    """Says where an address is."""

    @property
    def knows_countries(self) -> bool:
        """Whether places are countries, and not networks."""
        ...

    def locate(self, host: str) -> str | None:
        """Return the place of an IP address: "NO", or "192.0.0.0/16"; None if it is in none that is known."""
        ...


class NetworkLocator:
    """Networks in place of countries."""

    knows_countries = False

    def locate(self, host: str) -> str | None:
        address = _public_address(host)
        if address is None:
            return None
        return str(ip_network((address, 16 if isinstance(address, IPv4Address) else 32), strict=False))


class _MmdbLocator:
    """A database in MaxMind's format, mapped into memory."""

    knows_countries = True

    def __init__(self, reader: maxminddb.Reader) -> None:
        self._reader = reader

    def locate(self, host: str) -> str | None:
        address = _public_address(host)
        if address is None:
            return None
        try:
            record = self._reader.get(address)
        except ValueError:  # an IPv6 address in a database of IPv4
            return None
        return _country_of(record)


class _RangeLocator:
    """Ranges with their countries, as Tor's text has them; 10 octets for a range of IPv4, 18 for one of IPv6."""

    knows_countries = True

    def __init__(self, lines: Iterable[str]) -> None:
        found: tuple[list[_Range], list[_Range]] = ([], [])
        for is_ipv6, first, last, country in _read_ranges(lines):
            found[is_ipv6].append((first, last, country))
        self._of = (_Ranges(found[False], "I"), _Ranges(found[True], "Q"))

    def locate(self, host: str) -> str | None:
        address = _public_address(host)
        if address is None:
            return None
        is_ipv6 = isinstance(address, IPv6Address)
        return self._of[is_ipv6].find(int(address) >> 64 if is_ipv6 else int(address))


_Range = tuple[int, int, str]


class _Ranges:
    """Ranges of numbers that do not overlap, each with its country."""

    __slots__ = ("_countries", "_ends", "_starts")

    def __init__(self, ranges: list[_Range], code: Literal["I", "Q"]) -> None:
        ranges.sort()
        self._starts = array(code, [first for first, _, _ in ranges])
        self._ends = array(code, [last for _, last, _ in ranges])
        self._countries = "".join(country for _, _, country in ranges)

    def find(self, number: int) -> str | None:
        at = bisect_right(self._starts, number) - 1
        if at < 0 or number > self._ends[at]:
            return None
        return self._countries[at * 2 : at * 2 + 2]


class _FirstOf:
    """Several databases; the first that knows an address is believed."""

    knows_countries = True

    def __init__(self, locators: Sequence[Locator]) -> None:
        self._locators = locators

    def locate(self, host: str) -> str | None:
        return next(filter(None, (locator.locate(host) for locator in self._locators)), None)


def open_locator(options: GeoipOptions) -> Locator:
    """Open the databases that are named. Raises `ConfigurationError` for one that cannot be read."""
    if not options.databases:
        return NetworkLocator()
    return _FirstOf([_open(Path(name)) for name in options.databases])


def _open(path: Path) -> Locator:
    try:
        if path.suffix == ".mmdb":
            return _MmdbLocator(maxminddb.open_database(path))
        with path.open(encoding="ascii") as lines:
            return _RangeLocator(lines)
    except (OSError, ValueError, OverflowError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigurationError(f"geoip.databases: {path} cannot be read: {error}.") from error


def _read_ranges(lines: Iterable[str]) -> Iterator[tuple[bool, int, int, str]]:
    """Yield for each range whether it is of IPv6, its first and last number and its country. Raises `ValueError`.

    Of IPv6 the upper 64 bits are taken: no network is smaller than a link (RFC 4291 §2.5.4).
    """
    for number, line in enumerate(lines):
        if number == _MAX_LINES:
            raise ValueError("it has too many lines")
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        first, last, country = text.split(",")[:3]
        if len(country) != _COUNTRY_LENGTH or not country.isascii():
            raise ValueError(f"line {number + 1} names no country")
        if ":" in text:
            yield True, int(IPv6Address(first)) >> 64, int(IPv6Address(last)) >> 64, country
        else:
            yield False, int(first), int(last), country


def _country_of(record: object) -> str | None:
    """Return the country of a record, as the databases of several makers have it."""
    if not isinstance(record, dict):
        return None
    country = record.get("country") or record.get("registered_country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code", country)
    return code if isinstance(code, str) and len(code) == _COUNTRY_LENGTH else None


def _public_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address if address.is_global else None
