"""Where reports go: what a domain publishes, and whether whoever is named agrees."""

from __future__ import annotations

import pytest

from hongyan.mailauth.dmarc_record import parse_dmarc_record
from hongyan.mailauth.reports.destinations import (
    MAX_DESTINATIONS,
    Destination,
    find_consenting,
    find_tls_destinations,
    parse_destination,
)
from hongyan.mailauth.resolver import DnsTemporary
from tests.support.resolver import FakeResolver


def dns() -> FakeResolver:
    return (
        FakeResolver().add_txt("_dmarc.geese.test", "v=DMARC1; p=none").add_txt("_dmarc.foxes.test", "v=DMARC1; p=none")
    )


def named(*uris: str) -> list[Destination]:
    found = [parse_destination(uri) for uri in uris]
    return [one for one in found if one is not None]


async def consenting(resolver: FakeResolver, *uris: str) -> list[str]:
    return [str(one.address) for one in await find_consenting("geese.test", named(*uris), resolver)]


@pytest.mark.parametrize(
    ("uri", "host", "path"),
    [
        ("mailto:a@Geese.test", "geese.test", ""),
        ("MAILTO:a%2Bb@geese.test?subject=x", "geese.test", ""),
        ("https://tls.geese.test", "tls.geese.test", "/"),
        ("https://tls.geese.test/r?x=1", "tls.geese.test", "/r?x=1"),
    ],
)
def test_an_address_or_a_host_is_read(uri: str, host: str, path: str) -> None:
    found = parse_destination(uri, 5)
    assert found is not None
    assert (found.host, found.path, found.limit) == (host, path, 5)


@pytest.mark.parametrize(
    "uri",
    [
        "mailto:nobody",
        "mailto:a@[127.0.0.1]",
        "mailto:a%0D%0Ab@c.test",
        "http://tls.geese.test",
        "https://127.0.0.1/",
        "https://u:p@tls.geese.test/",
        "https://tls.geese.test:8443/",
        "https://[::1/",
        "ftp://x",
        "",
    ],
)
def test_what_nobody_can_write_to_is_none(uri: str) -> None:
    assert parse_destination(uri) is None


async def test_ones_own_organization_needs_no_consent() -> None:
    resolver = dns()
    assert await consenting(resolver, "mailto:a@geese.test", "mailto:a@far.geese.test") == [
        "a@geese.test",
        "a@far.geese.test",
    ]
    assert not [name for _, name in resolver.asked if "_report" in name]


async def test_an_address_elsewhere_without_consent_gets_nothing() -> None:
    assert await consenting(dns(), "mailto:a@foxes.test") == []
    unfit = dns().add_txt("geese.test._report._dmarc.foxes.test", "hello")
    assert await consenting(unfit, "mailto:a@foxes.test") == []


async def test_who_agrees_gets_the_report_and_may_name_another_address_of_its_own() -> None:
    agreed = dns().add_txt("geese.test._report._dmarc.foxes.test", "v=DMARC1;")
    assert await consenting(agreed, "mailto:a@foxes.test") == ["a@foxes.test"]
    moved = dns().add_txt("geese.test._report._dmarc.foxes.test", "v=DMARC1; rua=mailto:b@foxes.test")
    assert await consenting(moved, "mailto:a@foxes.test") == ["b@foxes.test"]


async def test_who_agrees_cannot_send_it_on_to_somebody_else() -> None:
    moved = dns().add_txt("geese.test._report._dmarc.foxes.test", "v=DMARC1; rua=mailto:b@victim.test")
    assert await consenting(moved, "mailto:a@foxes.test") == []


async def test_consent_that_cannot_be_looked_up_is_asked_for_again() -> None:
    resolver = dns()
    resolver.failing.add("geese.test._report._dmarc.foxes.test")
    with pytest.raises(DnsTemporary):
        await consenting(resolver, "mailto:a@foxes.test")


async def test_a_report_goes_to_few() -> None:
    many = [f"mailto:a{number}@geese.test" for number in range(20)]
    assert len(await consenting(dns(), *many)) == MAX_DESTINATIONS


async def test_tls_reports_go_where_the_one_record_says() -> None:
    resolver = FakeResolver().add_txt("_smtp._tls.geese.test", "v=TLSRPTv1; rua=mailto:t@foxes.test,https://r.test/x")
    first, second = await find_tls_destinations("geese.test", resolver)
    assert (str(first.address), second.host, second.path) == ("t@foxes.test", "r.test", "/x")
    resolver.add_txt("_smtp._tls.geese.test", "v=TLSRPTv1; rua=mailto:u@foxes.test")
    assert await find_tls_destinations("geese.test", resolver) == ()
    assert await find_tls_destinations("none.test", resolver) == ()


@pytest.mark.parametrize(
    ("size", "octets"), [("!10m", 10 << 20), ("!5", 5), ("!1K", 1024), ("", 0), ("!99999999999t", 999_999_999 << 40)]
)
def test_a_size_behind_an_address_is_kept(size: str, octets: int) -> None:
    record = parse_dmarc_record(f"v=DMARC1; p=none; rua=mailto:a@b.test{size}".encode())
    assert record is not None
    assert (record.report_addresses, record.report_limits) == (("mailto:a@b.test",), (octets,))
