"""SASL mechanisms, from both ends."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire import sasl
from hongyan.wire.sasl import (
    Accepted,
    Cancelled,
    Challenge,
    Exchange,
    IdentityOffered,
    NeedVerifiers,
    PasswordOffered,
    ProofOffered,
    SaslFault,
    ScramKeys,
    ScramSha256,
    ScramVerifiers,
    Step,
)

SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")


def machine(mechanism: str) -> Exchange:
    exchange = sasl.begin(mechanism, b"n" * 18)
    assert exchange is not None
    return exchange


def keys(*passwords: str, iterations: int = 64) -> ScramVerifiers:
    return ScramVerifiers(
        SALT, iterations, tuple(sasl.scram_keys(password, SALT, iterations) for password in passwords)
    )


def client_final(client_first: bytes, server_first: bytes, password: str, binding: bytes = b"n,,") -> bytes:
    """What a SCRAM client answers, written down a second time."""
    fields = dict(field.split(b"=", 1) for field in server_first.split(b","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(fields[b"s"]), int(fields[b"i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof = b"c=" + b64encode(binding) + b",r=" + fields[b"r"]
    bare = client_first[len(binding) :]
    signature = hmac.digest(
        hashlib.sha256(client_key).digest(), b",".join((bare, server_first, without_proof)), "sha256"
    )
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return without_proof + b",p=" + b64encode(proof)


def through_first(exchange: Exchange, verifiers: ScramVerifiers, client_first: bytes = b"n,,n=ann,r=abc") -> bytes:
    need = exchange.start(client_first)
    assert isinstance(need, NeedVerifiers)
    challenge = need.supply(verifiers)
    assert isinstance(challenge, Challenge)
    return challenge.octets


def test_external_offers_an_identity_or_none() -> None:
    assert machine("external").start(b"") == IdentityOffered(None)
    exchange = machine("EXTERNAL")
    assert exchange.start(None) == Challenge(b"")
    assert exchange.respond("ann@例子".encode()) == IdentityOffered("ann@例子")
    assert exchange.accept() == Accepted()


@pytest.mark.parametrize("message", [b"\0", b"ann\0", b"\xff", b"x" * 5000])
def test_a_broken_external_message_is_a_fault(message: bytes) -> None:
    with pytest.raises(SaslFault):
        machine("EXTERNAL").start(message)


def test_plain_offers_name_and_password() -> None:
    assert machine("plain").start(b"\0ann\0secret") == PasswordOffered("ann", None, "secret")
    assert machine("PLAIN").start(b"boss\0ann\0secret") == PasswordOffered("ann", "boss", "secret")
    exchange = machine("PLAIN")
    assert exchange.start(None) == Challenge(b"")
    assert exchange.respond("\0用户@例子\0密码".encode()) == PasswordOffered("用户@例子", None, "密码")
    assert exchange.accept() == Accepted()


@pytest.mark.parametrize(
    "message",
    [b"", b"ann", b"\0ann", b"\0ann\0", b"\0\0secret", b"a\0b\0c\0d", b"\0ann\0\xff", b"\0ann\0" + b"x" * 5000],
)
def test_a_broken_plain_message_is_a_fault(message: bytes) -> None:
    with pytest.raises(SaslFault):
        machine("PLAIN").start(message)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(machine("PLAIN").start(b"\0ann\0secret"))
    assert "key" not in repr(ScramKeys(b"key", b"key")).replace("ScramKeys", "")


def test_login_asks_for_name_and_password() -> None:
    exchange = machine("LOGIN")
    assert exchange.start(None) == Challenge(b"Username:")
    assert exchange.respond(b"ann") == Challenge(b"Password:")
    assert exchange.respond(b"secret") == PasswordOffered("ann", None, "secret")
    assert exchange.accept() == Accepted()
    assert machine("LOGIN").start(b"ann") == Challenge(b"Password:")


@pytest.mark.parametrize("message", [b"", b"a\0b", b"\xff"])
def test_a_broken_login_message_is_a_fault(message: bytes) -> None:
    exchange = machine("LOGIN")
    exchange.start(None)
    with pytest.raises(SaslFault):
        exchange.respond(message)


def test_scram_speaks_the_example_of_rfc_7677() -> None:
    exchange = ScramSha256(b"")
    exchange._nonce = b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    server_first = through_first(exchange, keys("pencil", iterations=4096), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    assert server_first == (b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    offered = exchange.respond(
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert offered == ProofOffered("user", None, 0)
    assert exchange.accept() == Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert exchange.respond(b"") == Accepted()


@pytest.mark.parametrize(("password", "matched"), [("one", 0), ("two", 1), ("three", 2), ("four", None)])
def test_scram_says_which_of_several_secrets_fits(password: str, matched: int | None) -> None:
    exchange = machine("SCRAM-SHA-256")
    server_first = through_first(exchange, keys("one", "two", "three"))
    offered = exchange.respond(client_final(b"n,,n=ann,r=abc", server_first, password))
    assert offered == ProofOffered("ann", None, matched)


def test_scram_without_initial_response_starts_with_an_empty_challenge() -> None:
    exchange = machine("SCRAM-SHA-256")
    assert exchange.start(None) == Challenge(b"")
    assert isinstance(exchange.respond(b"n,,n=ann,r=abc"), NeedVerifiers)


def test_scram_reads_names_with_commas_and_an_authorization_identity() -> None:
    first = b"y,a=boss=2Clady,n=a=3Db=2Cc,r=abc"
    exchange = machine("SCRAM-SHA-256")
    need = exchange.start(first)
    assert need == NeedVerifiers("a=b,c", lambda _: Accepted())
    challenge = need.supply(keys("pw"))
    assert isinstance(challenge, Challenge)
    final = client_final(first, challenge.octets, "pw", b"y,a=boss=2Clady,")
    assert exchange.respond(final) == ProofOffered("a=b,c", "boss,lady", 0)


def test_scram_with_no_verifier_goes_its_way_and_fits_nothing() -> None:
    exchange = machine("SCRAM-SHA-256")
    server_first = through_first(exchange, ScramVerifiers(b"stable and false", 64, ()))
    assert exchange.respond(client_final(b"n,,n=ann,r=abc", server_first, "pw")) == ProofOffered("ann", None, None)


def test_a_wrong_proof_leads_nowhere() -> None:
    exchange = machine("SCRAM-SHA-256")
    server_first = through_first(exchange, keys("right"))
    exchange.respond(client_final(b"n,,n=ann,r=abc", server_first, "wrong"))
    with pytest.raises(RuntimeError):
        exchange.accept()
    with pytest.raises(RuntimeError):
        exchange.respond(b"")


def test_nothing_is_accepted_before_the_server_said_so() -> None:
    exchange = machine("SCRAM-SHA-256")
    server_first = through_first(exchange, keys("right"))
    exchange.respond(client_final(b"n,,n=ann,r=abc", server_first, "right"))
    with pytest.raises(RuntimeError):
        exchange.respond(b"")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n",
        b"n,",
        b"n,,",
        b"n,,n=ann",
        b"n,,r=abc",
        b"n,,n=,r=abc",
        b"n,,n=ann,r=",
        b"n,,n=a=b,r=abc",
        b"n,,n=a=2c,r=abc",
        b"n,,m=must,n=ann,r=abc",
        b"n,b=x,n=ann,r=abc",
        b"n,a=,n=ann,r=abc",
        b"x,,n=ann,r=abc",
        b"p=tls-exporter,,n=ann,r=abc",
        b"n,,n=ann,r=a\x7fc",
        b"n,,n=a\0b,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=ann,r=" + b"x" * 257,
        b"n,,n=ann,r=abc," + b"x" * 5000,
    ],
)
def test_a_broken_first_message_of_scram_is_a_fault(message: bytes) -> None:
    with pytest.raises(SaslFault):
        machine("SCRAM-SHA-256").start(message)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"c=biws", b"c=eSws"),  # n,, became y,,
        (b"c=biws", b"c=cD10bHMtZXhwb3J0ZXIs"),
        (b"c=biws", b"c=!!!!"),
        (b"c=biws", b"d=biws"),
        (b"r=abc", b"r=abd"),
        (b",p=", b",q="),
        (b"=\n", b"\n"),
        (b"c=biws,", b""),
    ],
)
def test_a_broken_last_message_of_scram_is_a_fault(right: bytes, wrong: bytes) -> None:
    exchange = machine("SCRAM-SHA-256")
    final = client_final(b"n,,n=ann,r=abc", through_first(exchange, keys("pw")), "pw")
    with pytest.raises(SaslFault):
        exchange.respond((final + b"\n").replace(right, wrong).removesuffix(b"\n"))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_proof_of_another_length_fits_nobody(length: int) -> None:
    exchange = machine("SCRAM-SHA-256")
    final = client_final(b"n,,n=ann,r=abc", through_first(exchange, keys("pw")), "pw")
    before, _, proof = final.rpartition(b",p=")
    cut = (b64decode(proof) + b"\0")[:length]
    assert exchange.respond(before + b",p=" + b64encode(cut)) == ProofOffered("ann", None, None)


def test_no_machine_for_what_is_not_offered() -> None:
    for mechanism in ("SCRAM-SHA-256-PLUS", "CRAM-MD5", "DIGEST-MD5", "ANONYMOUS", ""):
        assert sasl.begin(mechanism, b"n") is None


def test_base64_is_strict() -> None:
    assert sasl.decode_response(b"AGFubg==") == b"\0ann"
    assert sasl.decode_response(b"") == b""
    assert sasl.decode_initial_response(b"=") == b""
    for octets in (
        b"AGFubg",
        b"AGFubg=",
        b"AGFubg===",
        b"AGFubh==",
        b"AG Fubg==",
        b"AGFubg==AGFubg==",
        b"AGFu\xff",
        b"=",
    ):
        with pytest.raises(SaslFault):
            sasl.decode_response(octets)
    with pytest.raises(Cancelled):
        sasl.decode_response(b"*")
    assert sasl.encode_challenge(b"Username:") == b"VXNlcm5hbWU6"


def test_a_client_writes_plain_messages() -> None:
    assert sasl.plain_message("ann", "pw") == b"\0ann\0pw"
    for username, password in (("", "pw"), ("ann", ""), ("a\0b", "pw"), ("ann", "p\0w")):
        with pytest.raises(ValueError, match="NUL"):
            sasl.plain_message(username, password)


@pytest.mark.parametrize(
    ("text", "prepared"),  # RFC 4013 §3, and what an input method for Chinese can type
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("１２ａ　ｂ", "12a b"),
    ],
)
def test_saslprep_makes_one_of_what_looks_the_same(text: str, prepared: str) -> None:
    assert sasl.saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031", "a\u0627", "\ue000", "\ufffd", "\u2028"])
def test_saslprep_refuses_what_nobody_can_type(text: str) -> None:
    with pytest.raises(SaslFault):
        sasl.saslprep(text)


@given(st.sampled_from(sasl.MECHANISMS), st.lists(st.binary(max_size=60), max_size=4))
def test_any_messages_are_steps_or_faults(mechanism: str, messages: list[bytes]) -> None:
    exchange = machine(mechanism)
    step: Step = exchange.start(None)
    for message in messages:
        if isinstance(step, IdentityOffered):
            return
        assert isinstance(step, Challenge)
        try:
            step = exchange.respond(message)
        except SaslFault:
            return
        if isinstance(step, NeedVerifiers):
            step = step.supply(keys("pw", iterations=1))
        if isinstance(step, PasswordOffered | ProofOffered):
            return
