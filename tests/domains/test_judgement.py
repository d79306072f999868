"""The DNS of a domain is judged by what other servers would make of it, and each fault has its remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from hongyan.addresses import Domain
from hongyan.cli.chinese import CATALOGUE
from hongyan.domains.dkim_keys import DkimRecord, KeyKind, make_key, public_record
from hongyan.domains.dns_records import DomainFacts, Kind, wanted_records
from hongyan.domains.findings import Aspect, Finding, Severity
from hongyan.domains.judgement import REQUIRED, AspectState, Readiness, judge, judge_readiness
from hongyan.domains.mta_sts_policy import make_policy
from hongyan.domains.readiness import next_look
from hongyan.domains.survey import DnsView, Exchanger, PolicyFetch, Reverse, Seen, Survey
from hongyan.mailauth.dkim import SigningKey
from hongyan.mailauth.resolver import Dnssec
from hongyan.mailauth.spf import SpfIdentity, SpfResult
from hongyan.mailauth.spf_record import SpfStatus

GEESE = Domain("geese.test")
HOST = "mail.geese.test"
HERE = ip_address("192.0.2.1")


@lru_cache(maxsize=1)
def keys() -> tuple[DkimRecord, DkimRecord]:
    return (
        public_record(make_key(GEESE, "r", KeyKind.RSA)),
        public_record(make_key(GEESE, "e", KeyKind.ED25519)),
    )


def facts(**changed: Any) -> DomainFacts:
    made = DomainFacts(domain=GEESE, hostname=HOST, addresses=[HERE], dkim=keys(), services={"smtp": 25, "imaps": 993})
    return replace(made, **changed)


def spf(status: SpfStatus, reason: str = "so it is", lookups: int = 1) -> SpfResult:
    return SpfResult(status=status, identity=SpfIdentity.MAIL_FROM, domain=GEESE.text, reason=reason, lookups=lookups)


class World:
    """A domain whose DNS is as it should be, until a test changes it."""

    def __init__(self, wanted: DomainFacts | None = None) -> None:
        self.facts = wanted or facts()
        self.records: dict[tuple[str, Kind], list[str]] = {}
        for record in wanted_records(self.facts):
            self.records.setdefault((record.name, record.kind), []).append(record.value)
        self.more: dict[str, Any] = {
            "reverse": [Reverse(HERE, (HOST,), {HOST: (HERE,)})],
            "exchangers": [Exchanger(HOST, 10, (HERE,))],
            "spf": {HERE: spf(SpfStatus.PASS)},
        }
        self.seen: dict[tuple[str, Kind], list[Seen]] = {}

    def texts(self, name: str, *values: str) -> World:
        self.records[name, Kind.TXT] = list(values)
        return self

    def judge(self, **more: Any) -> list[Finding]:
        seen = {
            question: [
                Seen("own", tuple(values), 300, Dnssec.SECURE),
                Seen("ns.geese.test", tuple(values), 3600, is_authoritative=True),
            ]
            for question, values in self.records.items()
        }
        view = DnsView({(HOST, Kind.AAAA): [Seen("own", ())], **seen, **self.seen})
        return list(judge(self.facts, Survey(view=view, **{**self.more, **more})))


def of(findings: list[Finding], aspect: Aspect) -> list[tuple[str, str]]:
    return [(finding.severity.value, finding.sentence) for finding in findings if finding.aspect is aspect]


def test_what_is_as_wanted_has_no_error_and_is_ready() -> None:
    findings = World().judge()
    assert [finding for finding in findings if finding.severity in (Severity.ERROR, Severity.UNKNOWN)] == [
        finding for finding in findings if finding.aspect is Aspect.TLSA and finding.severity is Severity.UNKNOWN
    ]
    assert judge_readiness(findings, {}).is_ready


@pytest.mark.parametrize(
    ("records", "results", "severity", "words"),
    [
        ([], {}, "error", "has no SPF record"),
        (["v=spf1 mx -all", "v=spf1 a -all"], {}, "error", "has 2 SPF records"),
        (["v=spf1 +all"], {}, "error", "allows everybody"),
        (["v=spf1 mx"], {}, "warning", "forbids nobody"),
        (["v=spf1 mx -all"], {HERE: spf(SpfStatus.FAIL)}, "error", "does not allow 192.0.2.1"),
        (["v=spf1 mx -all"], {HERE: spf(SpfStatus.SOFTFAIL)}, "error", "does not allow 192.0.2.1"),
        (["v=spf1 mx -all"], {HERE: spf(SpfStatus.PERMERROR, "more than 10 terms")}, "error", "more than 10 terms"),
        (["v=spf1 mx -all"], {HERE: spf(SpfStatus.TEMPERROR)}, "unknown", "could not be followed"),
        (["v=spf1 mx -all"], {HERE: spf(SpfStatus.PASS, lookups=9)}, "note", "9 of 10"),
        (["google-site-verification=x", "v=spf1 mx -all"], {HERE: spf(SpfStatus.PASS)}, "good", "allows our"),
    ],
)
def test_spf(records: list[str], results: dict[Any, SpfResult], severity: str, words: str) -> None:
    found = of(World().texts("geese.test", *records).judge(spf=results), Aspect.SPF)
    assert [told for told, sentence in found if words in sentence] == [severity]


def test_a_dkim_key_is_published_as_it_is_or_it_is_said_what_is_wrong() -> None:
    rsa, ed25519 = keys()
    assert [told for told, _ in of(World().judge(), Aspect.DKIM)] == ["good", "good"]
    missing = World().texts(rsa.name).texts(ed25519.name)
    assert [told for told, _ in of(missing.judge(), Aspect.DKIM)] == ["error", "error"]
    one = World().texts(ed25519.name)
    assert [told for told, _ in of(one.judge(), Aspect.DKIM)] == ["good", "warning"]
    other = public_record(make_key(GEESE, "e", KeyKind.ED25519)).text
    for record, words in (
        ("v=DKIM1; k=rsa; p=", "is revoked"),
        ("v=DKIM1; k=rsa; p=AAAA", "of no use"),
        (other, "holds another key"),
    ):
        found = of(World().texts(rsa.name, record).texts(ed25519.name).judge(), Aspect.DKIM)
        assert any(words in sentence and told == "error" for told, sentence in found), found
    testing = World().texts(rsa.name, rsa.text.replace("k=rsa", "k=rsa; t=y"))
    assert of(testing.judge(), Aspect.DKIM)[0][0] == "warning"


@pytest.mark.parametrize(("bits", "severity"), [(1024, "warning"), (2048, "good")])
def test_a_short_dkim_key_is_no_good_key(bits: int, severity: str) -> None:
    private = generate_private_key(public_exponent=65537, key_size=bits)
    record = public_record(SigningKey("geese.test", "old", private))
    assert of(World(facts(dkim=[record])).judge(), Aspect.DKIM)[0][0] == severity


@pytest.mark.parametrize(
    ("records", "severity", "words"),
    [
        ([], "error", "no DMARC record"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "error", "2 DMARC records"),
        (["v=DMARC1; p=nonsense"], "error", "no policy that can be read"),
        (["v=DMARC1; p=none; rua=mailto:a@geese.test"], "warning", "forbids nothing"),
        (["v=DMARC1; p=reject; t=y; rua=mailto:a@geese.test"], "warning", "forbids nothing"),
        (["v=DMARC1; p=reject"], "note", "Nobody is sent"),
        (["v=DMARC1; p=reject; rua=mailto:a@geese.test"], "good", "is reject"),
    ],
)
def test_dmarc(records: list[str], severity: str, words: str) -> None:
    found = of(World().texts("_dmarc.geese.test", *records).judge(), Aspect.DMARC)
    assert [told for told, sentence in found if words in sentence] == [severity]


@pytest.mark.parametrize(
    ("exchangers", "severity", "words"),
    [
        (None, "unknown", "could not be looked up"),
        ([], "error", "has no MX"),
        ([Exchanger("", 0)], "error", "null MX"),
        ([Exchanger(HOST, 10, (HERE,), is_alias=True)], "error", "is an alias"),
        ([Exchanger(HOST, 10, ())], "error", "has no address"),
        ([Exchanger("mx.other.test", 10, (ip_address("192.0.2.9"),))], "error", "goes to another host: mx.other"),
        (
            [Exchanger("mx.other.test", 5, (ip_address("192.0.2.9"),)), Exchanger(HOST, 10, (HERE,))],
            "warning",
            "Another host comes before",
        ),
        ([Exchanger("alias.test", 10, (HERE,))], "good", "is led here"),
    ],
)
def test_mx(exchangers: list[Exchanger] | None, severity: str, words: str) -> None:
    found = of(World().judge(exchangers=exchangers), Aspect.MX)
    assert [told for told, sentence in found if words in sentence] == [severity]


@pytest.mark.parametrize(
    ("reverse", "severity"),
    [
        (Reverse(HERE, None), "unknown"),
        (Reverse(HERE, ()), "error"),
        (Reverse(HERE, ("isp.test",), {"isp.test": ()}), "error"),
        (Reverse(HERE, ("isp.test",), {"isp.test": (HERE,)}), "warning"),
        (Reverse(HERE, (HOST,), {HOST: (ip_address("192.0.2.7"),)}), "error"),
        (Reverse(HERE, (HOST,), {HOST: (HERE,)}), "good"),
    ],
)
def test_the_name_of_an_address_leads_back_and_is_that_of_helo(reverse: Reverse, severity: str) -> None:
    assert [told for told, _ in of(World().judge(reverse=[reverse]), Aspect.PTR)] == [severity]


def test_a_policy_of_mta_sts_names_each_exchanger_and_can_be_fetched() -> None:
    policy = make_policy("enforce", HOST) or ""
    world = World(facts(mta_sts=policy))
    assert of(world.judge(policy=PolicyFetch(policy)), Aspect.MTA_STS)[0][0] == "good"
    assert of(world.judge(policy=PolicyFetch(fault="404")), Aspect.MTA_STS)[0][0] == "error"
    others = [Exchanger(HOST, 10, (HERE,)), Exchanger("mx.other.test", 20, (HERE,))]
    assert "leaves out" in of(world.judge(policy=PolicyFetch(policy), exchangers=others), Aspect.MTA_STS)[0][1]
    wildcard = PolicyFetch("version: STSv1\nmode: enforce\nmx: *.geese.test\nmax_age: 1\n")
    assert of(world.judge(policy=wildcard), Aspect.MTA_STS)[0][0] == "good"
    world.texts("_mta-sts.geese.test", "v=STSv1; id=old")
    assert of(world.judge(policy=PolicyFetch(policy)), Aspect.MTA_STS)[0][0] == "warning"


def test_caa_of_the_nearest_name_above_has_to_allow_our_authority() -> None:
    world = World()
    assert of(world.judge(), Aspect.CAA)[0][0] == "good"
    world.records[HOST, Kind.CAA] = ['0 issue "other.test"', '0 iodef "mailto:a@geese.test"']
    assert of(world.judge(), Aspect.CAA)[0][0] == "error"
    world.records[HOST, Kind.CAA] = []
    world.records["geese.test", Kind.CAA] = ['0 issue "letsencrypt.org; accounturi=https://x"']
    assert of(world.judge(), Aspect.CAA)[0][0] == "good"
    world.records["geese.test", Kind.CAA] = []
    assert of(world.judge(), Aspect.CAA)[0][0] == "note"


def test_servers_that_disagree_and_absurd_times_are_told() -> None:
    world = World()
    world.seen["geese.test", Kind.MX] = [
        Seen("own", ("10 old.test.",), 60),
        Seen("ns.geese.test", ("10 mail.geese.test.",), 5, is_authoritative=True),
    ]
    findings = world.judge()
    assert [told for told, sentence in of(findings, Aspect.SERVERS) if "own" in sentence] == ["warning"]
    assert [told for told, sentence in of(findings, Aspect.TTL) if "only 5 seconds" in sentence] == ["note"]


def test_an_address_that_a_blocklist_names_is_an_error() -> None:
    found = of(World().judge(listings={HERE: ["zen.spamhaus.org"]}), Aspect.BLOCKLIST)
    assert found == [("error", "192.0.2.1 is listed by zen.spamhaus.org.")]


def test_what_nobody_could_say_keeps_the_word_of_the_last_time() -> None:
    former = dict.fromkeys(REQUIRED, AspectState.RIGHT)
    silent = World().judge(exchangers=None)
    assert judge_readiness(silent, former).is_ready
    assert judge_readiness(silent, {}).missing == [Aspect.MX]
    assert judge_readiness(World().judge(exchangers=[]), former).wrong == [Aspect.MX]


def test_what_is_waived_is_not_missed() -> None:
    findings = World().judge(reverse=[Reverse(HERE, ())])
    assert judge_readiness(findings, {}).missing == [Aspect.PTR]
    assert judge_readiness(findings, {}, [Aspect.PTR]).is_ready


def test_who_is_not_ready_is_looked_at_soon_and_then_ever_more_rarely() -> None:
    now, longest = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=6)
    waits = [next_look(Readiness(), unchanged, now, longest) - now for unchanged in (0, 1, 2, 100)]
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20), longest]
    ready = Readiness(dict.fromkeys(REQUIRED, AspectState.RIGHT))
    assert next_look(ready, 0, now, longest) - now == longest


def test_each_remedy_is_there_in_chinese_too() -> None:
    worlds = [
        World().judge(exchangers=None, reverse=[], spf={}),
        World().texts("geese.test").texts("_dmarc.geese.test").judge(exchangers=[], listings={HERE: ["x"]}),
    ]
    remedies = {finding.remedy for findings in worlds for finding in findings if "{" not in finding.remedy}
    assert {remedy for remedy in remedies if remedy and remedy not in CATALOGUE} == set()
