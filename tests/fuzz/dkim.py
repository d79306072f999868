"""DKIM: a header block with signatures, and key records, written by a stranger.

Invariant: the verifier gives a result for each of at most ten signatures, each with one of its
words and a reason unless it passed; nothing but `KeyFault` and `TagListFault` comes out of a key
record; and a result never names a domain that is not one.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from datetime import UTC, datetime

from hongyan.addresses import Domain
from hongyan.mailauth.dkim import MAX_SIGNATURES, DkimStatus, Verifier
from hongyan.mailauth.dkim_record import KeyFault, parse_key_record
from hongyan.mailauth.tags import TagListFault
from tests.support.resolver import FakeResolver

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_SIGNATURE = (
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com;\r\n"
    b" i=@football.example.com;\r\n"
    b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n"
    b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    b" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
)

CORPUS: list[bytes] = [
    _SIGNATURE + b"From: a@football.example.com\r\n\r\nHi.\r\n",
    _SIGNATURE * 12 + b"From: a@b\r\n\r\n",
    b"DKIM-Signature: v=1; a=rsa-sha256; d=a.b; s=c; h=from; bh=; b=; l=1; x=1; z=\r\nFrom: x\r\n\r\n",
    b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    b"v=DKIM1; k=rsa; h=sha256:x; s=*:email; t=y:s; n=note; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ==",
]


def target(octets: bytes) -> None:
    header, _, body = octets.partition(b"\r\n\r\n")
    verifier = Verifier(header + b"\r\n", _NOW)
    verifier.update(body)
    resolver = FakeResolver().add_txt("brisbane._domainkey.football.example.com", octets[:400])
    waiting = verifier.results(resolver)
    try:
        waiting.send(None)
    except StopIteration as end:
        results = end.value
    else:
        raise AssertionError("a resolver that answers at once is not waited for")
    assert len(results) <= MAX_SIGNATURES
    for result in results:
        assert result.status is DkimStatus.PASS or (result.reason.isascii() and result.reason)
        assert not result.domain or Domain.parse(result.domain).text == result.domain
    try:
        parse_key_record(octets)
    except (KeyFault, TagListFault):
        pass
