"""SPF against the scenarios of the openspf project for RFC 7208.

docs/conformance.md says how many there are and which give another result by intent: none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

import yaml

from hongyan.mailauth.resolver import Answer, DnsNotFound, DnsTemporary, MxRecord
from hongyan.mailauth.spf import Inquiry, SpfResult, check_host, check_mail_from
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver, Record
from tests.support.testdata import case_files

BY_INTENT: dict[str, str] = {}
"""Cases whose result is another one here, and which."""

UNEXPLAINED = "DEFAULT"
"""Written in the scenarios for "no explanation of the domain's"."""


class Zones(FakeResolver):
    """The zones of a scenario. A name with the record TIMEOUT fails for each kind that it has no record of."""

    def _find(self, kind: str, name: str, type_: type[Record]) -> Answer[Record]:
        try:
            return super()._find(kind, name, type_)
        except DnsNotFound as absent:
            if ("TIMEOUT", name.lower()) in self.records:
                raise DnsTemporary(absent.question, "timed out") from None
            raise


def zones(zonedata: dict[str, list[object]]) -> Zones:
    resolver = Zones()
    for name, entries in zonedata.items():
        records = [next(iter(entry.items())) for entry in entries if isinstance(entry, dict)]
        kinds = {kind for kind, _ in records}
        for kind, value in records:
            # Records of the type SPF are read as TXT, unless the name has TXT records of its own.
            if kind == "SPF" and "TXT" in kinds:
                continue
            add(resolver, name, "TXT" if kind == "SPF" else kind, value)
        if "TIMEOUT" in entries:
            resolver.records["TIMEOUT", name.lower()] = ["TIMEOUT"]
    return resolver


def add(resolver: Zones, name: str, kind: str, value: object) -> None:
    match kind, value:
        case "TXT", "NONE":
            pass
        case "TXT", str() | list():
            strings = [value] if isinstance(value, str) else value
            resolver.add_txt(name, "".join(strings).encode("latin-1"))
        case "MX", [int() as preference, str() as exchange]:
            resolver._add("MX", name, [MxRecord(preference, exchange.lower())])
        case "A" | "AAAA", str():
            resolver.add_address(name, value)
        case "PTR" | "CNAME", str():
            resolver._add(kind, name, [value.rstrip(".")])
        case _:
            raise AssertionError((name, kind, value))


def cases() -> Iterator[tuple[str, dict[str, object], Zones]]:
    (file,) = case_files("spf-rfc7208", "rfc7208-tests.yml")
    for scenario in yaml.safe_load_all(file.read_text()):
        resolver = zones(scenario["zonedata"])
        for name, case in scenario["tests"].items():
            yield f"{scenario['description']}: {name}", case, resolver


async def result_of(case: dict[str, object], resolver: Zones) -> SpfResult:
    address, helo, sender = ip_address(str(case["host"])), str(case["helo"]), str(case["mailfrom"])
    inquiry = Inquiry(resolver=resolver, clock=FakeClock(), deadline=float("inf"))
    if not sender:
        return await check_mail_from(address, None, helo, inquiry)
    return await check_host(address, sender.rpartition("@")[2], sender, inquiry, helo=helo)


async def test_each_scenario_of_openspf_has_its_result(count_cases: Callable[[str, int], None]) -> None:
    wrong = []
    ran = 0
    for name, case, resolver in cases():
        ran += 1
        result = await result_of(case, resolver)
        allowed = case["result"] if isinstance(case["result"], list) else [case["result"]]
        explanation = str(case.get("explanation", UNEXPLAINED))
        told = result.explanation or UNEXPLAINED
        if result.status not in BY_INTENT.get(name, allowed):
            wrong.append(f"{name}: {result} instead of {allowed}")
        elif "explanation" in case and told != explanation:
            wrong.append(f"{name}: explains {told!r} instead of {explanation!r}")
    assert wrong == []
    count_cases("spf-rfc7208", ran)
