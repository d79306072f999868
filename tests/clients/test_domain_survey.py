"""A survey asks our resolver and the zone's own name servers, and says which of them said what."""

from __future__ import annotations

from ipaddress import ip_address

from hongyan.addresses import Domain
from hongyan.clients.dns_query import DnsOptions
from hongyan.clients.domain_survey import DomainSurveyor
from hongyan.clients.resolver import DnsResolver
from hongyan.clock import SystemClock
from hongyan.domains.dns_records import DomainFacts, Kind
from hongyan.mailauth.spf_record import SpfStatus
from tests.support.dns_server import Zone, serve_dns

FACTS = DomainFacts(
    domain=Domain("geese.test"), hostname="mail.geese.test", addresses=[ip_address("192.0.2.1")], services={"smtp": 25}
)


def surveyor(zone: Zone, **more: object) -> DomainSurveyor:
    own = DnsResolver(DnsOptions(servers=(zone.server,), timeout=2.0, rounds=1), SystemClock())
    port = int(zone.server.rpartition(":")[2])
    return DomainSurveyor(own, SystemClock(), port=port, **more)  # type: ignore[arg-type]


def fill(zone: Zone) -> None:
    zone.records.update(
        {
            "NS geese.test": ["ns.geese.test."],
            "A ns.geese.test": ["127.0.0.1"],
            "A mail.geese.test": ["192.0.2.1"],
            "MX geese.test": ["10 mail.geese.test.", "20 alias.geese.test."],
            "CNAME alias.geese.test": ["mail.geese.test."],
            "TXT geese.test": ['"v=spf1 mx -all"'],
            "PTR 1.2.0.192.in-addr.arpa": ["mail.geese.test."],
        }
    )


async def test_each_source_is_asked_and_what_follows_is_gathered() -> None:
    async with serve_dns() as zone:
        fill(zone)
        survey = await surveyor(zone, private=True, public=[zone.server]).survey(FACTS)
    seen = survey.view.all("geese.test", Kind.MX)
    assert [(answer.source, answer.is_authoritative) for answer in seen] == [
        ("own", False),
        ("ns.geese.test", True),
        (zone.server, False),
    ]
    assert survey.view.best("mail.geese.test", Kind.A).values == ("192.0.2.1",)
    assert [(exchanger.name, exchanger.is_alias) for exchanger in survey.exchangers or ()] == [
        ("mail.geese.test", False),
        ("alias.geese.test", True),
    ]
    (reverse,) = survey.reverse
    assert reverse.forward == {"mail.geese.test": (ip_address("192.0.2.1"),)}
    assert survey.spf[ip_address("192.0.2.1")].status is SpfStatus.PASS


async def test_a_name_server_on_a_private_address_is_not_asked() -> None:
    async with serve_dns() as zone:
        fill(zone)
        survey = await surveyor(zone).survey(FACTS)
    assert [answer.source for answer in survey.view.all("geese.test", Kind.MX)] == ["own"]


async def test_silence_is_no_answer_and_not_an_empty_one() -> None:
    own = DnsResolver(DnsOptions(servers=("127.0.0.1:1",), timeout=0.2, rounds=1), SystemClock())
    survey = await DomainSurveyor(own, SystemClock()).survey(FACTS)
    assert survey.exchangers is None
    assert survey.view.best("geese.test", Kind.MX).values is None
    assert survey.reverse[0].names is None
