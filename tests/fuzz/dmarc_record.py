"""DMARC: a policy record and a From field, written by strangers.

Invariant: a record is one exactly when it begins with its version, its report addresses are few and without white
space, and no policy that could not be read is stricter than "none"; a header gives one to four domains of authors, or
the reason why not; and what is decided of them with that record at every name agrees with itself.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.addresses import Domain
from hongyan.mailauth.author import MAX_AUTHOR_DOMAINS, UnfitAuthor, read_author
from hongyan.mailauth.dmarc import DmarcResult, DmarcStatus, Identifiers, check_dmarc
from hongyan.mailauth.dmarc_record import MAX_REPORT_ADDRESSES, Policy, parse_dmarc_record
from tests.support.resolver import FakeResolver

CORPUS: list[bytes] = [
    (
        b"v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; psd=n; t=y; fo=1:d:s; pct=50; ri=86400\r\n\r\n"
        b'From: "Jo, once b@example.net" (c@d) <jo@example.org>\r\n'
    ),
    (
        b"v=DMARC1;p=none;rua=mailto:a@example.org!10m,https://b.example/;ruf=mailto:c@d\r\n\r\n"
        b"From: <@a,@b:c@d.example>, g: e@f.example;\r\n"
    ),
    b"V = DMARC1 ;P=x;;=;rua=,;\xff\r\n\r\nFrom: x@[192.0.2.1]\r\nFrom : y@\xc3\xbc.example\r\n",
    b"v=DMARC1; psd=y\r\n\r\nFrom: a @ b.example <c@e.example>(\\)) \\<f@g>\r\n",
    b"p=none; v=DMARC1",
]


def target(octets: bytes) -> None:
    text, _, header = octets.partition(b"\r\n\r\n")
    record = parse_dmarc_record(text)
    if record is not None:
        assert text.lstrip(b" \t")[:1] in b"vV"
        assert len(record.report_addresses) <= MAX_REPORT_ADDRESSES
        assert not any(character.isspace() for address in record.report_addresses for character in address)
        assert record.is_usable or record.policy_for(below=True, exists=False) is Policy.NONE
    authors, _ = read_author(header)
    if isinstance(authors, UnfitAuthor):
        return
    assert 1 <= len(authors) <= MAX_AUTHOR_DOMAINS
    result = _check(authors, text)
    assert result.reason.isascii()
    assert (result.status is DmarcStatus.PASS) == bool(result.aligned_by)
    assert result.status is DmarcStatus.FAIL or result.disposition is Policy.NONE
    assert result.disposition.strictness <= result.policy.strictness


def _check(authors: tuple[Domain, ...], text: bytes) -> DmarcResult:
    resolver = FakeResolver()
    for author in authors:
        resolver.add_txt(f"_dmarc.{author.text}", text)
    waiting = check_dmarc(authors, Identifiers(spf=f"a.{authors[0].text}"), resolver)
    try:
        waiting.send(None)
    except StopIteration as end:
        result = end.value
        assert isinstance(result, DmarcResult)
        return result
    raise AssertionError("a resolver that answers at once is not waited for")
