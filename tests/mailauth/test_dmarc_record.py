"""DMARC records: as RFC 9989 writes them, as RFC 7489 wrote them, and as they are really found."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.dmarc_record import AlignmentMode, DmarcRecord, Policy, Psd, parse_dmarc_record
from tests.support.testdata import case_files


def record(text: str | bytes) -> DmarcRecord:
    parsed = parse_dmarc_record(text.encode() if isinstance(text, str) else text)
    assert parsed is not None
    return parsed


def test_a_record_without_other_tags_has_the_defaults() -> None:
    assert record("v=DMARC1") == DmarcRecord(
        policy=Policy.NONE,
        subdomain_policy=None,
        nonexistent_policy=None,
        dkim_alignment=AlignmentMode.RELAXED,
        spf_alignment=AlignmentMode.RELAXED,
        psd=Psd.UNKNOWN,
        testing=False,
        report_addresses=(),
        failure_addresses=(),
        failure_options=frozenset("0"),
        is_usable=True,
    )


def test_every_tag_is_read() -> None:
    assert record(
        "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; psd=n; t=y; fo=1:d;"
        " rua=mailto:a@example.org,mailto:b@example.net!10m; ruf=mailto:c@example.org"
    ) == DmarcRecord(
        policy=Policy.REJECT,
        subdomain_policy=Policy.QUARANTINE,
        nonexistent_policy=Policy.NONE,
        dkim_alignment=AlignmentMode.STRICT,
        spf_alignment=AlignmentMode.STRICT,
        psd=Psd.NO,
        testing=True,
        report_addresses=("mailto:a@example.org", "mailto:b@example.net"),
        report_limits=(0, 10 << 20),
        failure_addresses=("mailto:c@example.org",),
        failure_options=frozenset("1d"),
    )


def test_a_record_of_rfc_7489_is_read_without_its_percentage() -> None:
    old = record("v=DMARC1;p=quarantine;pct=0;rf=afrf;ri=86400;rua=mailto:d@example.org!10M")
    assert (old.policy, old.testing) == (Policy.QUARANTINE, False)
    assert old.report_addresses == ("mailto:d@example.org",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=spf1 -all",
        "v=DMARC2; p=none",
        "v=dmarc1; p=none",
        "p=none; v=DMARC1",
        "v=DMARC1 p=none",
        "v=DMARC1x",
        "=",
    ],
)
def test_without_the_version_in_front_it_is_no_record(text: str) -> None:
    assert parse_dmarc_record(text.encode()) is None


@pytest.mark.parametrize(
    "text", ["v=DMARC1", "v=DMARC1;", " v = DMARC1 ; p = reject ;", "V=DMARC1;P=REJECT", "v\t=\tDMARC1"]
)
def test_white_space_and_the_case_of_tags_do_not_matter(text: str) -> None:
    assert record(text).policy is (Policy.REJECT if "p" in text.lower() else Policy.NONE)


@pytest.mark.parametrize("text", ["p=rejct", "p=", "p=reject; sp=all", "np=reject quarantine; p=reject", "p=réject"])
def test_a_policy_that_cannot_be_read_is_of_use_for_reports_only(text: str) -> None:
    broken = record(f"v=DMARC1; {text}")
    assert not broken.is_usable
    asking = record(f"v=DMARC1; {text}; rua=mailto:d@example.org")
    assert asking.is_usable
    assert asking.policy_for(below=False, exists=True) is Policy.NONE
    assert asking.policy_for(below=True, exists=False) is Policy.NONE


def test_other_broken_tags_have_their_defaults() -> None:
    broken = record(
        "v=DMARC1; p=reject; adkim=x; aspf=; psd=maybe; t=yes; fo=7; nonsense; =; ruf=nobody; \xff=\xff; x=1"
    )
    assert broken == DmarcRecord(policy=Policy.REJECT)


def test_of_a_tag_that_comes_twice_the_first_counts() -> None:
    assert record("v=DMARC1; p=none; p=reject").policy is Policy.NONE


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("mailto:a@b.example", ("mailto:a@b.example",)),
        (" mailto:a@b.example , https://b.example/report ", ("mailto:a@b.example", "https://b.example/report")),
        ("mailto:a@b.example!5", ("mailto:a@b.example",)),
        ("mailto:a@b.example,mailto:a@b.example!9k", ("mailto:a@b.example",)),
        ("MAILTO:a@b.example", ("MAILTO:a@b.example",)),
        ("a@b.example", ()),
        ("mailto:", ()),
        ("mailto:a b@c.example", ()),
        (",,", ()),
    ],
)
def test_report_addresses_are_uris(written: str, read: tuple[str, ...]) -> None:
    assert record(f"v=DMARC1; p=none; rua={written}").report_addresses == read


def test_the_number_of_report_addresses_is_bounded() -> None:
    many = ",".join(f"mailto:a{number}@example.org" for number in range(1000))
    assert len(record(f"v=DMARC1; rua={many}").report_addresses) == 20


@pytest.mark.parametrize(
    ("tags", "own", "existing", "missing"),
    [
        ("p=reject", "reject", "reject", "reject"),
        ("p=reject; sp=none", "reject", "none", "none"),
        ("p=none; np=reject", "none", "none", "reject"),
        ("p=none; sp=quarantine; np=reject", "none", "quarantine", "reject"),
    ],
)
def test_sp_and_np_speak_of_domains_below(tags: str, own: str, existing: str, missing: str) -> None:
    parsed = record(f"v=DMARC1; {tags}")
    assert parsed.policy_for(below=False, exists=False).value == own
    assert parsed.policy_for(below=True, exists=True).value == existing
    assert parsed.policy_for(below=True, exists=False).value == missing


def test_testing_asks_for_the_policy_one_level_below() -> None:
    assert [policy.milder for policy in Policy] == [Policy.NONE, Policy.NONE, Policy.QUARANTINE]


def test_policies_in_reports_of_others_are_read(count_cases: Callable[[str, int], None]) -> None:
    files = case_files("reports-mailauth", "dmarc-feedback/*.json")
    for file in files:
        published = json.loads(file.read_text())["policy_published"]
        tags = {"p": published["p"], "sp": published["sp"], "adkim": published["adkim"], "aspf": published["aspf"]}
        letters = {"relaxed": "r", "strict": "s"}
        written = {name: letters.get(value.lower(), value.lower()) for name, value in tags.items() if value}
        written = {name: value for name, value in written.items() if value != "unspecified"}
        parsed = record("v=DMARC1; " + "; ".join(f"{name}={value}" for name, value in written.items()))
        assert parsed.is_usable
        assert parsed.policy.value == written.get("p", "none")
        assert parsed.spf_alignment.value == written.get("aspf", "r")
    count_cases("reports-mailauth", len(files))


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda octets: b"v=DMARC1;" + octets))
def test_no_octets_raise(octets: bytes) -> None:
    parsed = parse_dmarc_record(octets)
    if octets.startswith(b"v=DMARC1;"):
        assert parsed is not None
