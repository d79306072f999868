"""A domain's records are written into a zone of BIND by signed updates, and nothing else in it is touched."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from hongyan.addresses import Domain
from hongyan.clients.dns_query import DnsOptions
from hongyan.clients.dns_update import DnsUpdateOptions
from hongyan.clients.domain_survey import DomainSurveyor
from hongyan.clients.resolver import DnsResolver
from hongyan.clients.zone_writer import ZoneWriter
from hongyan.clock import SystemClock, SystemRandom
from hongyan.domains.dkim_keys import KeyKind, make_key, public_record
from hongyan.domains.dns_records import DomainFacts, Kind, wanted_records
from hongyan.domains.publisher import Publisher
from hongyan.engines.sql.domain_state import SqlDomainState
from tests.support.bind import KEY_NAME, start_bind
from tests.support.storage import open_storage

GEESE = Domain("geese.test")
CLOCK = SystemClock()


def facts(selector: str) -> DomainFacts:
    return DomainFacts(
        domain=GEESE,
        hostname="mail.geese.test",
        addresses=[ip_address("192.0.2.1"), ip_address("2001:db8::1")],
        dkim=[public_record(make_key(GEESE, selector, KeyKind.RSA))],
        services={"smtp": 25, "imaps": 993, "https": 443},
    )


async def test_a_zone_of_bind_comes_to_hold_what_is_wanted(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    foreign = ['@ TXT "google-site-verification=x"', '_dmarc TXT "v=DMARC1; p=reject"']
    folder = tmp_path / "bind"
    folder.mkdir()
    with start_bind(folder, "geese.test", records=foreign) as bind:
        own = DnsResolver(DnsOptions(servers=(bind.server,), cache_entries=0), CLOCK)
        surveyor = DomainSurveyor(own, CLOCK, port=bind.port, private=True)
        options = DnsUpdateOptions(
            zones=("geese.test",), server=bind.server, key_name=KEY_NAME, key_file=str(bind.secret_file)
        )
        async with open_storage("sqlite", tmp_path, request) as storage:
            writer = ZoneWriter([options], [], own, CLOCK, SystemRandom())
            publisher = Publisher(SqlDomainState(storage.database), surveyor.look, writer, CLOCK)
            first = facts("first")
            published = await publisher.publish(first)
            assert published.fault == ""
            assert [conflict.record.name for conflict in published.plan.conflicts] == ["_dmarc.geese.test"]
            again = await publisher.plan(first)
            assert not (again.add)
            assert not (again.remove)
            assert not (again.gone)

            second = facts("second")
            published = await publisher.publish(second)
            assert [mine.name for mine in published.plan.remove] == ["first._domainkey.geese.test"]
            view = await surveyor.look([(record.name, record.kind) for record in wanted_records(second)])
            assert set(view.best("geese.test", Kind.TXT).values or ()) == {
                "google-site-verification=x",
                "v=spf1 mx -all",
            }
            assert view.best("_dmarc.geese.test", Kind.TXT).values == ("v=DMARC1; p=reject",)
            assert view.best("second._domainkey.geese.test", Kind.TXT).values == (second.dkim[0].text,)
            assert view.best("mail.geese.test", Kind.AAAA).values == ("2001:db8::1",)
