"""The records that a domain should have follow from what the server is: what is not served is not announced."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address

from hongyan.addresses import Domain
from hongyan.domains.client_documents import pacc_octets, pacc_record
from hongyan.domains.client_settings import pacc_of_ports
from hongyan.domains.dkim_keys import DkimRecord
from hongyan.domains.dns_check import Status, check_record
from hongyan.domains.dns_records import DomainFacts, Kind, Need, Record, wanted_records
from hongyan.domains.mta_sts_policy import make_policy

GEESE = Domain("geese.test")


def wanted(**facts: object) -> dict[tuple[str, str], list[Record]]:
    """Return the records by name and kind."""
    given = {"services": {"smtp": 25, "imaps": 993}, "addresses": [ip_address("192.0.2.1")], **facts}
    found: dict[tuple[str, str], list[Record]] = {}
    for record in wanted_records(DomainFacts(domain=GEESE, hostname="mail.geese.test", **given)):  # type: ignore[arg-type]
        found.setdefault((record.name, record.kind.value), []).append(record)
    return found


def test_mail_is_led_to_the_host_and_the_host_to_its_addresses_and_back() -> None:
    records = wanted(addresses=[ip_address("192.0.2.1"), ip_address("2001:db8::1")])
    assert records["geese.test", "MX"][0].value == "10 mail.geese.test."
    assert records["mail.geese.test", "A"][0].value == "192.0.2.1"
    assert records["mail.geese.test", "AAAA"][0].value == "2001:db8::1"
    assert records["1.2.0.192.in-addr.arpa", "PTR"][0].value == "mail.geese.test."


def test_senders_are_told_by_spf_dkim_and_dmarc() -> None:
    keys = [DkimRecord("202611e._domainkey.geese.test", "v=DKIM1; k=ed25519; p=abc")]
    records = wanted(dkim=keys)
    assert records["geese.test", "TXT"][0].value == "v=spf1 mx -all"
    assert records["mail.geese.test", "TXT"][0].value == "v=spf1 a -all"
    assert records["202611e._domainkey.geese.test", "TXT"][0].need is Need.REQUIRED
    assert records["_dmarc.geese.test", "TXT"][0].value.startswith("v=DMARC1; p=quarantine;")


def test_programs_are_led_to_services_that_begin_with_tls_and_away_from_others() -> None:
    records = wanted(services={"imaps": 993, "imap": 143, "submissions": 465})
    assert records["_imaps._tcp.geese.test", "SRV"][0].value == "0 1 993 mail.geese.test."
    assert records["_imap._tcp.geese.test", "SRV"][0].value == "0 0 0 ."
    assert records["_pop3s._tcp.geese.test", "SRV"][0].value == "0 0 0 ."
    assert records["_submissions._tcp.geese.test", "SRV"][0].value == "0 1 465 mail.geese.test."
    assert not any(record.kind == "CNAME" for found in records.values() for record in found)


def test_settings_of_mail_programs_are_vouched_for_where_they_are_told() -> None:
    settings = pacc_of_ports("geese.test", "mail.geese.test", {"https": 443, "imaps": 993, "pop3s": 9995}, jmap=True)
    assert settings is not None
    octets = pacc_octets(settings)
    assert json.loads(octets)["protocols"] == {
        "jmap": {"url": "https://mail.geese.test/.well-known/jmap"},
        "imap": {"host": "mail.geese.test"},
    }
    assert pacc_of_ports("geese.test", "mail.geese.test", {"https": 8443, "imaps": 993}, jmap=True) is None
    services = {"https": 443, "imaps": 993}
    assert ("_ua-auto-config.geese.test", "TXT") not in wanted(services=services)
    records = wanted(services=services, pacc=octets)
    assert records["ua-auto-config.geese.test", "CNAME"][0].value == "mail.geese.test."
    (record,) = records["_ua-auto-config.geese.test", "TXT"]
    assert re.fullmatch("v=UAAC1; a=sha256; d=[A-Za-z0-9+/]{43}=", record.value)
    former = pacc_record(octets + b" ")
    assert check_record(record, [former, record.value]).status is Status.GOOD
    assert check_record(record, [former]).status is Status.DIFFERENT
    assert check_record(record, []).status is Status.MISSING


def test_a_policy_on_tls_is_announced_where_there_is_one_and_anew_when_it_changes() -> None:
    assert ("_mta-sts.geese.test", "TXT") not in wanted()
    testing, enforce = (make_policy(mode, "mail.geese.test") for mode in ("testing", "enforce"))
    records = wanted(mta_sts=enforce)
    assert records["mta-sts.geese.test", "CNAME"][0].value == "mail.geese.test."
    (record,) = records["_mta-sts.geese.test", "TXT"]
    assert re.fullmatch("v=STSv1; id=[A-Za-z0-9]{1,32}", record.value)
    assert record != wanted(mta_sts=testing)["_mta-sts.geese.test", "TXT"][0]
    assert make_policy("off", "mail.geese.test") is None


def test_a_long_text_is_cut_into_strings_for_the_zone_file() -> None:
    record = Record("x.test", Kind.TXT, 'v=DKIM1; p="' + "a" * 300, Need.REQUIRED, "")
    assert record.zone_line.startswith('x.test. IN TXT ( "v=DKIM1; p=\\"')
    assert record.zone_line.count('" "') == 1
    assert Record("x.test", Kind.MX, "10 y.", Need.REQUIRED, "").zone_line == "x.test. IN MX 10 y."


def test_a_host_that_is_the_domain_has_its_records_once() -> None:
    facts = DomainFacts(domain=GEESE, hostname="geese.test", services={})
    names = [(record.name, record.kind, record.value) for record in wanted_records(facts)]
    assert len(names) == len(set(names))
