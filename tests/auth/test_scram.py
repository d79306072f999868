"""SCRAM-SHA-256 through the door, with the machines of `wire.sasl`."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from hongyan.audit.events import CLI
from hongyan.auth.principal import LoginReason, LoginRefused, Principal
from hongyan.store.accounts import Service
from hongyan.wire.sasl import Accepted, Challenge, NeedVerifiers, ProofOffered, begin
from tests.support.door import Door, OpenDoor

_IMAP = frozenset({Service.IMAP})


async def _scram(door: Door, name: str, secret: str) -> Principal:
    """Log in as a client that knows RFC 5802 would, and check the server's signature."""
    attempt = door.attempt(name, None, mechanism="SCRAM-SHA-256")
    machine = begin("SCRAM-SHA-256", b"server nonce 18 oc")
    assert machine is not None
    bare = b"n=" + name.encode() + b",r=clientnonce"
    step = machine.start(b"n,," + bare)
    assert isinstance(step, NeedVerifiers)
    offer = await door.login.offer_scram(attempt)
    step = step.supply(offer.verifiers)
    assert isinstance(step, Challenge)
    fields = dict(field.split(b"=", 1) for field in step.octets.split(b","))
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), base64.b64decode(fields[b"s"]), int(fields[b"i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    final = b"c=biws,r=" + fields[b"r"]
    message = b",".join((bare, step.octets, final))
    signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    offered = machine.respond(final + b",p=" + base64.b64encode(proof))
    assert isinstance(offered, ProofOffered)
    principal = await door.login.complete_scram(attempt, offer, offered.matched)
    told = machine.accept()
    expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
    assert told == Challenge(b"v=" + base64.b64encode(expected))
    assert machine.respond(b"") == Accepted()
    return principal


async def test_each_app_password_of_an_account_opens_it_in_both_spellings(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    second = await door.app_passwords.create(ann.account.account_id, "tablet", _IMAP, CLI)
    for secret in (ann.app_password.reveal_text(), second.shown.reveal_text()):
        grouped = await _scram(door, "ann@geese.test", secret)
        compact = await _scram(door, "ann@geese.test", secret.replace(" ", ""))
        assert grouped == compact
    assert grouped.credential == second.app_password.credential
    assert grouped.scopes == _IMAP


async def test_a_wrong_proof_is_a_failed_login(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    right = ann.app_password.reveal_text()
    for name, secret in (("ann@geese.test", "wrong"), ("bob@geese.test", right)):
        with pytest.raises(LoginRefused) as caught:
            await _scram(door, name, secret)
        assert caught.value.told is LoginReason.WRONG_SECRET
    await door.logins.flush()
    (fold,) = await door.audit_store.list_logins(ann.account.account_id)
    assert (fold.kind.mechanism, fold.kind.result) == ("SCRAM-SHA-256", "wrong-secret")


async def test_an_unknown_name_is_given_a_salt_as_stable_as_a_known_ones(doors: OpenDoor) -> None:
    here, there = await doors(), await doors()
    await here.add("ann@geese.test")
    salts = set()
    for door in (here, there, here):
        known = await door.login.offer_scram(door.attempt("ann@geese.test", None))
        unknown = await door.login.offer_scram(door.attempt("bob@geese.test", None))
        assert unknown.credentials == ()
        assert len(known.verifiers.salt) == len(unknown.verifiers.salt)
        assert known.verifiers.iterations == unknown.verifiers.iterations
        assert len(known.verifiers.candidates) == len(unknown.verifiers.candidates)
        salts.add((known.verifiers.salt, unknown.verifiers.salt))
    assert len(salts) == 1
    other = await here.login.offer_scram(here.attempt("eve@geese.test", None))
    assert other.verifiers.salt not in salts.pop()


async def test_what_is_revoked_between_the_steps_does_not_open(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    attempt = door.attempt("ann@geese.test", None)
    offer = await door.login.offer_scram(attempt)
    assert (await door.login.complete_scram(attempt, offer, 0)).account == ann.account.account_id
    await door.app_passwords.revoke(ann.account.account_id, None, CLI)
    for matched in (0, 1, 99, None):
        with pytest.raises(LoginRefused):
            await door.login.complete_scram(attempt, offer, matched)


async def test_the_same_limits_and_switches_hold(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    right = ann.app_password.reveal_text()
    await door.accounts.suspend(ann.account.account_id, CLI)
    with pytest.raises(LoginRefused) as caught:
        await _scram(door, "ann@geese.test", right)
    assert caught.value.told is LoginReason.SUSPENDED
    await door.accounts.activate(ann.account.account_id, CLI)
    for _ in range(10):
        with pytest.raises(LoginRefused):
            await _scram(door, "ann@geese.test", "wrong")
    with pytest.raises(LoginRefused) as caught:
        await _scram(door, "ann@geese.test", right)
    assert caught.value.told is LoginReason.TOO_MANY_FAILURES
