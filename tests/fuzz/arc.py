"""ARC: a header block with a chain, written by a stranger.

Invariant: the verifier gives one result with a word of RFC 8617; a chain that fails has a reason in ASCII and hands on
nothing else; one that passes is sealed by the one key that the DNS has, and its sets are numbered from 1.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hongyan.mailauth.arc import MAX_SETS, ArcStatus, ArcVerifier
from hongyan.mailauth.dkim import SigningKey
from tests.support.arc import Relay, add_chain, relays_dns

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_RELAY = Relay(SigningKey("example.net", "arc", Ed25519PrivateKey.from_private_bytes(bytes(32))))
_DNS = relays_dns(_RELAY)
_HEADER = b"From: a@example.org\r\nSubject: Hi\r\n"
_BODY = b"Hi.\r\n"

CORPUS: list[bytes] = [
    add_chain(_HEADER, _BODY, [_RELAY]) + b"\r\n" + _BODY,
    add_chain(_HEADER, _BODY, [_RELAY] * 3) + b"\r\n" + _BODY,
    add_chain(_HEADER, _BODY, [Relay(_RELAY.key, form="simple/simple", results_start="(x) i = {instance} (y);")])
    + b"\r\n"
    + _BODY,
    b"ARC-Seal: i=1; cv=fail; a=rsa-sha256; d=a.b; s=c; b=YQ==\r\nARC-Message-Signature: i=1; h=from:arc-seal; l=1\r\n",
    b"ARC-Authentication-Results: i=51; x\r\n" * 4 + b"\r\n",
]


def target(octets: bytes) -> None:
    header, _, body = octets.partition(b"\r\n\r\n")
    verifier = ArcVerifier(header + b"\r\n", _NOW)
    verifier.update(body)
    waiting = verifier.finish(_DNS)
    try:
        waiting.send(None)
    except StopIteration as end:
        result = end.value
    else:
        raise AssertionError("a resolver that answers at once is not waited for")
    assert 0 <= result.instance <= MAX_SETS
    assert (result.status is ArcStatus.FAIL) == bool(result.reason)
    assert result.reason.isascii()
    assert "\n" not in result.reason
    if result.status is ArcStatus.PASS:
        assert [hop.instance for hop in result.hops] == list(range(1, result.instance + 1))
        assert set(result.domains) == {"example.net"}
        assert 0 <= result.oldest_pass <= result.instance
    else:
        assert result.hops == ()
