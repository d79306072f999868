"""Documents of reports: written, read again, and read as others and enemies write them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hongyan.mailauth.reports.aggregate import (
    AggregateReport,
    AggregateRow,
    Applied,
    DkimEvidence,
    Override,
    OverrideType,
    PublishedPolicy,
    SpfEvidence,
)
from hongyan.mailauth.reports.aggregate_reader import MAX_OCTETS, MAX_ROWS, read_aggregate
from hongyan.mailauth.reports.aggregate_writer import write_aggregate
from hongyan.mailauth.reports.fault import ReportFault
from hongyan.mailauth.reports.letter import Letter, aggregate_letter, file_name, tls_letter
from hongyan.mailauth.reports.mailed import looks_like_report, read_letter
from hongyan.mailauth.reports.packed import pack, unpack
from hongyan.mailauth.reports.tls import TlsFailure, TlsPolicyResults, TlsReport, read_tls_report, write_tls_report
from tests.support.clock import FakeRandom
from tests.support.testdata import case_files

BEGIN, END = datetime(2026, 5, 5, tzinfo=UTC), datetime(2026, 5, 5, 23, 59, 59, tzinfo=UTC)
ROW = AggregateRow(
    source="2001:db8::1",
    count=3,
    applied=Applied.NONE,
    dkim_aligned=False,
    spf_aligned=True,
    overrides=(Override(OverrideType.LOCAL_POLICY, "<we> & they"),),
    header_from="mail.geese.test",
    envelope_from="",
    dkim=(DkimEvidence("geese.test", "s1", "fail"), DkimEvidence("other.test", "s2", "pass")),
    spf=SpfEvidence("geese.test", "pass"),
)
REPORT = AggregateReport(
    organization="Füchse & Söhne",
    contact="postmaster@foxes.test",
    report_id="20260505.1@foxes.test",
    begin=BEGIN,
    end=END,
    policy=PublishedPolicy(domain="geese.test", policy="reject", subdomain_policy="none", testing=True),
    rows=(ROW, replace(ROW, source="192.0.2.1", envelope_from=None, spf=None, overrides=())),
)
TLS = TlsReport(
    organization="Foxes",
    contact="postmaster@foxes.test",
    report_id="1@foxes.test",
    begin=BEGIN,
    end=END,
    policies=(
        TlsPolicyResults(
            type="sts",
            domain="geese.test",
            lines=("version: STSv1", "mode: enforce"),
            hosts=("*.geese.test",),
            succeeded=5,
            failed=2,
            failures=(TlsFailure(result="certificate-expired", count=2, source="192.0.2.1", host="mx.geese.test"),),
        ),
    ),
)
LETTER = Letter(
    submitter="mail.foxes.test",
    organization="Foxes",
    contact="postmaster@foxes.test",
    sender="noreply-dmarc@mail.foxes.test",
    recipient="dmarc@geese.test",
    domain="geese.test",
    report_id="20260505.1@mail.foxes.test",
    begin=BEGIN,
    end=END,
    at=END,
)


def document(inside: str = "", *, head: str = "", count: str = "1") -> bytes:
    record = f"<record><row><source_ip>192.0.2.1</source_ip><count>{count}</count></row>{inside}</record>"
    return (
        f"{head}<feedback><report_metadata><report_id>1</report_id><date_range><begin>1</begin><end>2</end></date_range>"
        f"</report_metadata><policy_published><domain>a.test</domain></policy_published>{record}</feedback>"
    ).encode()


def test_a_dmarc_report_reads_as_it_was_written() -> None:
    assert read_aggregate(write_aggregate(REPORT)) == REPORT


def test_a_domain_that_ends_in_dots_and_spaces_reads_the_same_again() -> None:
    report = read_aggregate(document().replace(b"a.test", b"a.test\n. ."))
    assert report.policy.domain == "a.test"
    assert read_aggregate(write_aggregate(report)) == report


def test_a_tls_report_reads_as_it_was_written() -> None:
    assert read_tls_report(write_tls_report(TLS)) == TLS


def test_what_a_stranger_wrote_stays_within_its_element() -> None:
    nasty = replace(ROW, header_from="a</header_from><count>9\x00]]>&", count=1)
    (row,) = read_aggregate(write_aggregate(replace(REPORT, rows=(nasty,)))).rows
    assert row.count == 1
    assert row.header_from == "a</header_from><count>9\ufffd]]>&"


@pytest.mark.parametrize("make", [aggregate_letter, tls_letter])
def test_a_letter_carries_its_report(make: Callable[[Letter, bytes, FakeRandom], bytes]) -> None:
    is_tls = make is tls_letter
    octets = make(LETTER, pack(write_tls_report(TLS) if is_tls else write_aggregate(REPORT)), FakeRandom())
    header = octets.partition(b"\r\n\r\n")[0]
    assert looks_like_report(header)
    assert b"Auto-Submitted: auto-generated" in header
    assert (b"TLS-Required: No" in header) is is_tls
    assert read_letter(octets) == (TLS if is_tls else REPORT)


def test_a_file_has_the_name_that_the_standard_wants() -> None:
    assert file_name(LETTER, "xml.gz") == "mail.foxes.test!geese.test!1777939200!1778025599.xml.gz"


def test_an_old_report_without_namespace_is_read_and_extensions_are_passed_over() -> None:
    report = read_aggregate(document("<x:new xmlns:x='u'><y>1</y></x:new>"))
    assert (report.policy.domain, report.rows[0].count) == ("a.test", 1)


@pytest.mark.parametrize(
    "octets",
    [
        document(head='<!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'),
        document(head='<!DOCTYPE f SYSTEM "http://127.0.0.1/x.dtd">'),
        document("<a>" * 50 + "</a>" * 50),
        document("<a/>" * 3000),
        document(count="0"),
        document(count="-1"),
        document(count="9" * 13),
        b"<feedback></feedback>",
        b"<html/>",
        b"",
        b"<feedback>&undefined;</feedback>",
        b"<?xml version='1.0' encoding='rot13'?><feedback/>",
    ],
)
def test_what_is_no_report_is_a_fault_and_nothing_worse(octets: bytes) -> None:
    with pytest.raises(ReportFault):
        read_aggregate(octets)


def test_texts_of_strangers_are_short_and_hold_no_controls() -> None:
    told = document().replace(b"</report_id>", b"&#10;\xe2\x80\xa8x\xc2\x9b" + b"y" * 2000 + b"</report_id>")
    report_id = read_aggregate(told).report_id
    assert report_id.isprintable()
    assert report_id.startswith("1 x y")
    assert len(report_id) <= 500


def test_a_report_with_too_many_records_is_refused() -> None:
    record = b"<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>"
    octets = document().replace(record, record * (MAX_ROWS + 1))
    with pytest.raises(ReportFault):
        read_aggregate(octets)


@pytest.mark.parametrize("told", ["[", "[]", "{}", '{"policies": [[]]}', "[" * 100_000, '{"a": 1e999}', "NaN"])
def test_json_that_is_no_report_is_a_fault_and_nothing_worse(told: str) -> None:
    with pytest.raises(ReportFault):
        read_tls_report(told.encode())


def test_counts_that_are_none_count_nothing() -> None:
    told = json.loads(write_tls_report(TLS))
    told["policies"][0]["summary"] = {"total-successful-session-count": -5, "total-failure-session-count": "x"}
    (policy,) = read_tls_report(json.dumps(told).encode()).policies
    assert (policy.succeeded, policy.failed) == (0, 0)


def test_texts_of_a_tls_report_are_short_and_hold_no_controls() -> None:
    told = json.loads(write_tls_report(TLS))
    told["organization-name"] = "a\r\n\u2028\ud800b" + "c" * 2000
    organization = read_tls_report(json.dumps(told).encode()).organization
    assert organization.isprintable()
    assert organization.startswith("a bc")
    assert len(organization) <= 500


def test_lists_of_a_tls_report_have_an_end() -> None:
    told = json.loads(write_tls_report(TLS))
    told["policies"][0]["policy"]["policy-string"] = ["x"] * 5000
    told["policies"] *= 3000
    report = read_tls_report(json.dumps({**told, "policies": told["policies"][:1]}).encode())
    assert len(report.policies[0].lines) == 100
    told["policies"][0]["policy"]["policy-string"] = []
    assert len(read_tls_report(json.dumps(told, separators=(",", ":")).encode()).policies) == 1000


# -- what is packed


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, names: int = 1) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as writer:
        for number in range(names):
            writer.writestr(f"{number}.xml", content)
    return archive.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        b"<x/>",
        gzip.compress(b"<x/>"),
        zipped(b"<x/>"),
        zipped(b"<x/>", zipfile.ZIP_STORED),
        zipped(b"<x/>", names=3),
    ],
    ids=["plain", "gzip", "zip", "stored", "three files"],
)
def test_a_document_comes_out_however_it_was_packed(packed: bytes) -> None:
    assert unpack(packed, 100) == b"<x/>"


@pytest.mark.parametrize("pack_it", [gzip.compress, zipped, bytes], ids=["gzip", "zip", "plain"])
def test_a_bomb_does_not_go_off(pack_it: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ReportFault, match="too large"):
        unpack(pack_it(bytes(50 << 20)), 1 << 20)


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"<x/>" * 99)[:-20],
        zipped(b"<x/>" * 99)[:40],
        b"\x1f\x8bnonsense",
        b"PK\x03\x04",
        zipped(b"<x/>", zipfile.ZIP_BZIP2),
        b"PK\x03\x04\x14\x00\x01\x00" + bytes(40),
    ],
    ids=["cut gzip", "cut zip", "nonsense", "short", "bzip2", "encrypted"],
)
def test_what_cannot_be_unpacked_is_a_fault(packed: bytes) -> None:
    with pytest.raises(ReportFault):
        unpack(packed, 1000)


def test_a_report_of_many_elements_is_refused_before_they_cost_seconds() -> None:
    record = b"<record>" + b"<a/>" * 1900 + b"</record>"
    with pytest.raises(ReportFault, match="too many elements"):
        read_aggregate(document().replace(b"<record>", record * 250 + b"<record>", 1))


def test_a_letter_of_many_bombs_is_given_up_after_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[int] = []

    def note(octets: bytes, limit: int) -> bytes:
        unpacked.append(limit)
        return unpack(octets, limit)

    monkeypatch.setattr("hongyan.mailauth.reports.mailed.unpack", note)
    bomb = gzip.compress(bytes(50 << 20))
    part = b"--b\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64encode(bomb)
    with pytest.raises(ReportFault, match="too large"):
        read_letter(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (part + b"\r\n") * 19 + b"--b--\r\n")
    assert unpacked == [MAX_OCTETS] * 3


def test_a_letter_without_a_report_brings_none() -> None:
    assert read_letter(b"Subject: Report Domain: a.test\r\n\r\nHello.\r\n") is None


@pytest.mark.parametrize(
    ("subject", "is_one"),
    [
        (b"Report Domain: a.test Submitter: b.test Report-ID: <1>", True),
        (b"\r\n Report Domain: a.test", True),
        (b"[Preview] Report Domain: a.test", True),
        (b"Dmarc Aggregate Report Domain: {a.test}", True),
        (b"Hello", False),
        (b"Our annual report", False),
    ],
)
def test_a_letter_is_known_by_its_subject(subject: bytes, is_one: bool) -> None:
    assert looks_like_report(b"From: a@b.test\r\nSubject: " + subject) is is_one


# -- as others write


def test_documents_of_others_are_read(count_cases: Callable[[str, int], None]) -> None:
    files = case_files("reports-mailauth", "dmarc-feedback/*.xml")
    for file in files:
        report = read_aggregate(file.read_bytes())
        assert report.rows
        assert read_aggregate(write_aggregate(report)) == report
    count_cases("reports-mailauth", len(files))


def test_letters_of_others_are_read(count_cases: Callable[[str, int], None]) -> None:
    files = case_files("reports-mailauth", "dmarc-feedback/*.eml", "tlsrpt/*.eml")
    for file in files:
        octets = file.read_bytes()
        assert looks_like_report(octets[:8000]), file.name
        assert read_letter(octets) is not None, file.name
    count_cases("reports-mailauth", len(files))
