"""CAA: the property of a record of a zone that may be anybody's, as it came from the network (RFC 8659 §4).

Invariant: what the DNS library takes is read without an error; an issuer is in lower case, without space around it and
without parameters; properties other than `issue` name none.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from hongyan.domains.transport_findings import caa_issuers

CORPUS: list[bytes] = [
    b"\x00\x05issueletsencrypt.org; accounturi=https://ca.example/1",
    b"\x80\x05ISSUE;",
    b"\x00\x05issue",
    b"\x00\x09issuewildca.example",
    b"\x00\x05iodefmailto:a@example.net",
    b'\x00\x05issue"\x00\xff \\',
]


def target(octets: bytes) -> None:
    try:
        record = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.CAA, octets, 0, len(octets))
    except dns.exception.DNSException:
        return
    issuers = caa_issuers([record.to_text()])
    is_issue = octets[2 : 2 + octets[1]].lower() == b"issue"
    assert len(issuers) == is_issue
    for issuer in issuers:
        assert issuer == issuer.strip().lower()
        assert ";" not in issuer
