"""Where an address is: by Debian's database of countries, by one in MaxMind's format, or by its network."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from hongyan.errors import ConfigurationError
from hongyan.limits.places import GeoipOptions, open_locator
from tests.support.debian import require

_IPV4 = """\
# Last updated
16777216,16777471,AU
3221225984,3221226239,NO
"""
_IPV6 = "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,SE\n2a00::,2a00:ffff:ffff:ffff:ffff:ffff:ffff:ffff,DE\n"


def test_without_a_database_networks_stand_in() -> None:
    locator = open_locator(GeoipOptions())
    assert not locator.knows_countries
    assert locator.locate("8.8.4.4") == "8.8.0.0/16"
    assert locator.locate("2a00:1:2:3::4") == "2a00:1::/32"
    assert locator.locate("::ffff:8.8.4.4") == "8.8.0.0/16"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.2.3", "fe80::1%eth0", "192.168.1.1", "elsewhere", ""])
def test_private_addresses_are_in_no_place(host: str) -> None:
    assert open_locator(GeoipOptions()).locate(host) is None


def test_countries_are_read_from_text(tmp_path: Path) -> None:
    (tmp_path / "geoip").write_text(_IPV4)
    (tmp_path / "geoip6").write_text(_IPV6)
    locator = open_locator(GeoipOptions((str(tmp_path / "geoip"), str(tmp_path / "geoip6"))))
    assert locator.knows_countries
    assert locator.locate("1.0.0.0") == locator.locate("1.0.0.255") == "AU"
    assert locator.locate("1.0.1.0") is locator.locate("0.255.255.255") is None
    assert locator.locate("2a00:1234::1") == "DE"
    assert locator.locate("2a01::") is None


def test_countries_are_read_from_the_format_of_maxmind(tmp_path: Path) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_bytes(_mmdb_of_one_half("FR"))
    locator = open_locator(GeoipOptions((str(path),)))
    assert locator.locate("8.8.8.8") == "FR"
    assert locator.locate("200.1.1.1") is locator.locate("2a00::1") is None


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("x.mmdb", b"no database"),
        ("geoip", b"1,2\n"),
        ("geoip", b"1,99999999999,NO\n"),
        ("geoip", b"a,b,NO\n"),
        ("geoip", b"1,2,Norway\n"),
        ("geoip", b"\xff\xfe"),
        ("geoip6", b"::1,z,NO\n"),
    ],
)
def test_a_database_that_cannot_be_read_stops_the_start(tmp_path: Path, name: str, octets: bytes) -> None:
    (tmp_path / name).write_bytes(octets)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_locator(GeoipOptions((str(tmp_path / name),)))


def test_a_database_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_locator(GeoipOptions((str(tmp_path / "none"),)))


@pytest.mark.interop
def test_the_database_that_debian_has_knows_the_world() -> None:
    folder = require("tor-geoipdb") / "usr/share/tor"
    locator = open_locator(GeoipOptions((str(folder / "geoip"), str(folder / "geoip6"))))
    assert locator.locate("202.112.0.36") == "CN"  # CERNET
    assert locator.locate("193.0.6.139") == "NL"  # RIPE NCC
    assert locator.locate("2001:da8::1") == "CN"


def _mmdb_of_one_half(country: str) -> bytes:
    """Return a database of IPv4 in which the lower half of all addresses is in one country.

    MaxMind DB format 2.0: one node of 24-bit records, then 16 zeros, the data, and the metadata behind its mark.
    """
    data = _map({"country": _map({"iso_code": _text(country)})})
    node = (1 + 16).to_bytes(3, "big") + (1).to_bytes(3, "big")
    metadata = _map(
        {
            "node_count": _unsigned(6, 1),
            "record_size": _unsigned(5, 24),
            "ip_version": _unsigned(5, 4),
            "database_type": _text("Test"),
            "languages": b"\x00\x04",
            "binary_format_major_version": _unsigned(5, 2),
            "binary_format_minor_version": _unsigned(5, 0),
            "build_epoch": b"\x08\x02" + struct.pack(">Q", 1),
            "description": _map({}),
        }
    )
    return node + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + metadata


def _map(entries: dict[str, bytes]) -> bytes:
    return bytes([7 << 5 | len(entries)]) + b"".join(_text(key) + value for key, value in entries.items())


def _text(text: str) -> bytes:
    return bytes([2 << 5 | len(text)]) + text.encode()


def _unsigned(kind: int, number: int) -> bytes:
    size = 2 if kind == 5 else 4
    return bytes([kind << 5 | size]) + number.to_bytes(size, "big")
