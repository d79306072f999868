"""Zones are changed on BIND, as a domain's administrator would run it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.clients.dns_query import DnsOptions, NameServer
from hongyan.clients.dns_update import Change, DnsUpdateOptions, DnsUpdater, UpdateRefused
from hongyan.clients.resolver import DnsResolver
from hongyan.domains.dns_records import quote_text
from hongyan.errors import Unavailable
from tests.support.bind import KEY_NAME, Bind, start_bind
from tests.support.clock import FakeClock

pytestmark = pytest.mark.interop

NAME = "_acme-challenge.mail.example.org"
TEXT = quote_text("the answer")


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[Bind]:
    with start_bind(tmp_path, "example.org", "sub.example.org") as running:
        yield running


def options_of(bind: Bind) -> DnsUpdateOptions:
    return DnsUpdateOptions(
        server=bind.server, key_name=KEY_NAME, key_file=str(bind.secret_file), shown_by=(bind.server,), patience=5.0
    )


def resolver_of(bind: Bind) -> DnsResolver:
    return DnsResolver(DnsOptions(), FakeClock(), [NameServer.parse(bind.server)])


def updater_of(options: DnsUpdateOptions, bind: Bind) -> DnsUpdater:
    return DnsUpdater(options, resolver_of(bind), FakeClock())


async def test_a_text_is_added_seen_and_taken_away_again(bind: Bind) -> None:
    updater = updater_of(options_of(bind), bind)

    await updater.change([Change.add(NAME, "TXT", TEXT), Change.add(NAME, "TXT", quote_text("another"))])
    await updater.wait_until_shown(NAME, "TXT", TEXT, quote_text("another"))
    await updater.change([Change.remove(NAME, "TXT", TEXT)])

    left = await resolver_of(bind).records(NAME, "TXT")
    assert left.records == ("another",)


async def test_a_set_of_records_is_replaced_whole(bind: Bind) -> None:
    updater = updater_of(options_of(bind), bind)
    await updater.change([Change.add("example.org", "MX", "10 old.example.net.", "20 older.example.net.")])

    await updater.change([Change.replace("example.org", "MX", "10 mx.example.net.")])

    found = await resolver_of(bind).records("example.org", "MX")
    assert found.records == ("10 mx.example.net.",)


async def test_the_zone_of_a_name_is_the_nearest_above_it(bind: Bind) -> None:
    updater = updater_of(options_of(bind), bind)

    assert str((await updater.find_zone("a.b.sub.example.org")).name) == "sub.example.org."
    assert str((await updater.find_zone("a.b.example.org")).name) == "example.org."


async def test_without_a_named_server_the_zone_is_found_by_the_resolvers(bind: Bind) -> None:
    updater = updater_of(replace(options_of(bind), server=""), bind)

    zone = await updater.find_zone("x.sub.example.org")

    assert (str(zone.name), zone.primary.host, zone.primary.port) == ("sub.example.org.", "127.0.0.1", 53)


async def test_a_long_text_is_split_and_comes_back_whole(bind: Bind) -> None:
    long = 'a "quoted" \\ text, ' * 30
    updater = updater_of(options_of(bind), bind)

    await updater.change([Change.replace(NAME, "TXT", quote_text(long))])

    assert (await resolver_of(bind).records(NAME, "TXT")).records == (long,)


async def test_a_wrong_secret_is_refused_and_says_so(bind: Bind, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("c29tZXRoaW5nIGVsc2U=")
    updater = updater_of(replace(options_of(bind), key_file=str(wrong)), bind)

    with pytest.raises(UpdateRefused, match=r"the key hongyan.test\. is not taken"):
        await updater.change([Change.add(NAME, "TXT", TEXT)])


async def test_what_the_key_may_not_change_is_refused(tmp_path: Path) -> None:
    with start_bind(tmp_path, "example.org", grant="name nothing.example.org ANY") as bind:
        updater = updater_of(options_of(bind), bind)
        with pytest.raises(UpdateRefused, match="REFUSED"):
            await updater.change([Change.add(NAME, "TXT", TEXT)])


async def test_a_name_outside_of_all_zones_has_nobody_to_ask(bind: Bind) -> None:
    with pytest.raises(UpdateRefused, match="No zone answers for"):
        await updater_of(options_of(bind), bind).change([Change.add("x.example.net", "TXT", TEXT)])


async def test_what_is_never_shown_is_not_waited_for_for_ever(bind: Bind) -> None:
    updater = updater_of(replace(options_of(bind), patience=0.1), bind)

    with pytest.raises(Unavailable, match="Not every server of the zone shows"):
        await updater.wait_until_shown(NAME, "TXT", TEXT)
