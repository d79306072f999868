"""Web Push: the worked example of RFC 8291, and what a sender shows of itself (RFC 8292)."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire.web_push import (
    MAX_PLAINTEXT,
    encrypt_push,
    is_public_key,
    make_private_key,
    public_octets,
    vapid_field,
)
from tests.support.push_service import PushReceiver


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# RFC 8291 §5 and appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
SENDER = derive_private_key(int.from_bytes(octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1())
RECEIVER = octets("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
RECEIVER_KEY = octets("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
AUTH = octets("BTBZMqHH6r4Tts7J_aSIgg")
SALT = octets("DGv6ra1nlYgDCS1FRnbzlw")
BODY = octets(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_worked_example_of_rfc_8291() -> None:
    assert encrypt_push(PLAINTEXT, RECEIVER, AUTH, sender=SENDER, salt=SALT) == BODY


def test_the_receiver_of_the_tests_reads_the_worked_example() -> None:
    key = derive_private_key(int.from_bytes(RECEIVER_KEY, "big"), SECP256R1())
    assert PushReceiver(key, AUTH).decrypt(BODY) == PLAINTEXT


def test_a_message_fits_into_what_every_push_service_takes() -> None:
    receiver = PushReceiver()
    longest = bytes(MAX_PLAINTEXT)
    body = encrypt_push(longest, receiver.public, receiver.auth, sender=SENDER, salt=SALT)
    assert len(body) == 4096
    assert receiver.decrypt(body) == longest
    with pytest.raises(ValueError, match="longer"):
        encrypt_push(longest + b"x", receiver.public, receiver.auth, sender=SENDER, salt=SALT)


@given(
    plaintext=st.binary(max_size=MAX_PLAINTEXT),
    keys=st.tuples(st.binary(min_size=48, max_size=64), st.binary(min_size=48, max_size=64)),
    auth=st.binary(min_size=16, max_size=16),
    salt=st.binary(min_size=16, max_size=16),
)
def test_whatever_is_pushed_its_receiver_reads_and_nobody_else(
    plaintext: bytes, keys: tuple[bytes, bytes], auth: bytes, salt: bytes
) -> None:
    receiver = PushReceiver(make_private_key(keys[0]), auth)
    body = encrypt_push(plaintext, receiver.public, auth, sender=make_private_key(keys[1]), salt=salt)
    assert receiver.decrypt(body) == plaintext
    assert len(body) <= 4096
    for other in (PushReceiver(auth=auth), PushReceiver(receiver.key, bytes(b ^ 1 for b in auth))):
        with pytest.raises(InvalidTag):
            other.decrypt(body)
    for at in (0, 21 + 64, len(body) - 1):  # the salt, the sender's key, the tag
        forged = bytearray(body)
        forged[at] ^= 1
        with pytest.raises((InvalidTag, ValueError)):
            receiver.decrypt(bytes(forged))


def test_a_key_is_made_of_enough_chance_and_is_the_same_for_the_same() -> None:
    assert public_octets(make_private_key(bytes(64))) == public_octets(make_private_key(bytes(64)))
    assert is_public_key(public_octets(make_private_key(b"\xff" * 64)))
    assert public_octets(make_private_key(b"\1" * 48)) != public_octets(make_private_key(b"\2" * 48))
    with pytest.raises(ValueError, match="48"):
        make_private_key(bytes(47))


@pytest.mark.parametrize("key", [b"", RECEIVER[:-1], b"\x04" + bytes(64), b"\x02" + RECEIVER[1:33], RECEIVER + b"x"])
def test_what_is_no_point_of_the_curve_is_no_key(key: bytes) -> None:
    assert not is_public_key(key)
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the library's
        encrypt_push(b"x", key, AUTH, sender=SENDER, salt=SALT)


def test_a_sender_shows_a_signed_token_for_one_push_service() -> None:
    key = generate_private_key(SECP256R1())
    scheme, _, rest = vapid_field(key, "https://push.example", "mailto:a@b.example", 1_700_000_000).partition(" ")
    given = dict(one.split("=", 1) for one in rest.split(", "))
    head, claims, signature = given["t"].split(".")
    assert scheme == "vapid"
    assert json.loads(octets(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(octets(claims)) == {
        "aud": "https://push.example",
        "exp": 1_700_000_000,
        "sub": "mailto:a@b.example",
    }
    assert octets(given["k"]) == public_octets(key)
    pair = octets(signature)
    r, s = int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big")
    assert len(pair) == 64
    key.public_key().verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ECDSA(SHA256()))
