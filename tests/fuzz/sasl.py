"""Lines of base64 lead a mechanism to a step or a `SaslFault`, and never to `Accepted` without a right proof.

The first line chooses the mechanism, the others are the client's responses as they stand on the wire.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.wire import sasl

CORPUS: list[bytes] = [
    b"PLAIN\nAGFubgBzZWNyZXQ=",
    b"LOGIN\nYW5u\nc2VjcmV0",
    b"SCRAM-SHA-256\nbiwsbj1hbm4scj1hYmM=\nYz1iaXdzLHI9YWJjYm01dWJtNXVibTV1Ym01dWJtNXVibTV1Ym01dSxwPUFBQUE=\n",
    b"SCRAM-SHA-256\neSxhPWJvc3Msbj1hPTJDYixyPWFiYw==",
    b"SCRAM-SHA-256\ncD10bHMtZXhwb3J0ZXIsLG49YW5uLHI9YWJj",
    b"EXTERNAL\nYW5uQGdlZXNlLnRlc3Q=",
    b"EXTERNAL\n=",
    b"PLAIN\n*",
    b"PLAIN\n=",
]

_VERIFIERS = sasl.ScramVerifiers(b"salt", 1, (sasl.scram_keys("a", b"salt", 1), sasl.scram_keys("b", b"salt", 1)))


def target(octets: bytes) -> None:
    name, *lines = octets.split(b"\n")
    exchange = sasl.begin(name.decode("latin-1"), b"n" * 18)
    if exchange is None:
        return
    step = exchange.start(None)
    for line in lines:
        try:
            step = exchange.respond(sasl.decode_response(line))
        except sasl.SaslFault:
            return
        if isinstance(step, sasl.NeedVerifiers):
            assert step.username
            step = step.supply(_VERIFIERS)
        if isinstance(step, sasl.PasswordOffered):
            assert step.username
            assert step.password
            return
        if isinstance(step, sasl.IdentityOffered):
            assert step.authorization_id is None or (step.authorization_id and "\0" not in step.authorization_id)
            return
        if isinstance(step, sasl.ProofOffered):
            assert step.matched is None, "a proof was guessed"
            return
        assert isinstance(step, sasl.Challenge)
