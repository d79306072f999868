"""What the DNS has is compared with what it should have: any record that does the work is good."""

from __future__ import annotations

import pytest

from hongyan.domains.dns_check import Status, check_record
from hongyan.domains.dns_records import Kind, Need, Record


def record(kind: Kind, value: str, need: Need = Need.REQUIRED) -> Record:
    return Record("geese.test", kind, value, need, "For the geese.")


MX = record(Kind.MX, "10 mail.geese.test.")
SPF = record(Kind.TXT, "v=spf1 mx -all")
DKIM = record(Kind.TXT, "v=DKIM1; k=rsa; p=AAAA")
DMARC = record(Kind.TXT, "v=DMARC1; p=quarantine; rua=mailto:postmaster@geese.test")
STS = record(Kind.TXT, "v=STSv1; id=abc")
SRV = record(Kind.SRV, "0 1 993 mail.geese.test.")
TLSA = record(Kind.TLSA, "3 1 1 abcd", Need.SIGNED)
A = record(Kind.A, "192.0.2.1")


@pytest.mark.parametrize(
    ("wanted", "found", "status"),
    [
        (MX, ["10 mail.geese.test."], Status.GOOD),
        (MX, ["5 MAIL.geese.test.", "20 backup.test."], Status.GOOD),
        (MX, ["10 other.test."], Status.DIFFERENT),
        (MX, ["10 other.test.", "20 mail.geese.test."], Status.DIFFERENT),
        (MX, [], Status.MISSING),
        (MX, None, Status.UNKNOWN),
        (SPF, ["v=spf1 mx -all"], Status.GOOD),
        (SPF, ["v=spf1 ip4:192.0.2.1 +mx ~all", "some-verification=1"], Status.GOOD),
        (SPF, ["v=spf1 include:elsewhere.test -all"], Status.DIFFERENT),
        (SPF, ["v=spf1 mx -all", "v=spf1 a -all"], Status.DIFFERENT),
        (SPF, ["some-verification=1"], Status.MISSING),
        (DKIM, ["k=rsa; p=AA AA"], Status.GOOD),
        (DKIM, ["v=DKIM1; k=rsa; p=BBBB"], Status.DIFFERENT),
        (DKIM, ["nonsense"], Status.MISSING),
        (DMARC, ["v=DMARC1; p=none"], Status.GOOD),
        (DMARC, ["v=DMARC1; p=reject; rua=mailto:a@b.test"], Status.GOOD),
        (DMARC, ["v=DMARC1; rua=mailto:a@b.test"], Status.DIFFERENT),
        (STS, ["v=STSv1; id=abc;"], Status.GOOD),
        (STS, ["v=STSv1; id=old;"], Status.DIFFERENT),
        (SRV, ["0 1 993 mail.geese.test."], Status.GOOD),
        (SRV, ["0 1 143 mail.geese.test."], Status.DIFFERENT),
        (SRV, ["0 1 993 mail.geese.test.", "0 1 143 mail.geese.test."], Status.DIFFERENT),
        (TLSA, ["3 1 1 ffff", "3 1 1 ABCD"], Status.GOOD),
        (TLSA, ["3 1 1 ffff"], Status.DIFFERENT),
        (A, ["192.0.2.1", "192.0.2.9"], Status.GOOD),
        (A, ["192.0.2.9"], Status.DIFFERENT),
    ],
)
def test_a_record_is_judged_by_what_it_does(wanted: Record, found: list[str] | None, status: Status) -> None:
    checked = check_record(wanted, found)
    assert checked.status is status
    assert bool(checked.remedy) == (status is not Status.GOOD)


def test_trouble_is_what_is_required_and_not_good() -> None:
    assert check_record(MX, []).is_trouble
    assert check_record(MX, None).is_trouble
    assert not check_record(TLSA, []).is_trouble
    assert not check_record(MX, ["10 mail.geese.test."]).is_trouble
