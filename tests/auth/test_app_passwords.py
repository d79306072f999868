"""App passwords: made, shown once, kept as hashes, revoked."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.audit.events import CLI
from hongyan.auth.app_passwords import AppPasswordOptions, SecretHasher, group_letters, make_app_password
from hongyan.clock import SystemRandom
from hongyan.errors import NotFound, OverLimit, Refused
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.types import AccountId, CredentialId
from tests.support.door import Door, OpenDoor

_IMAP = frozenset({Service.IMAP})


def test_sixteen_letters_are_75_bits() -> None:
    made = {make_app_password(SystemRandom()) for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch("[a-z]{16}", secret) for secret in made)
    assert set("".join(made)) == set("abcdefghijklmnopqrstuvwxyz")
    assert math.log2(26) * 16 > 75
    assert re.fullmatch(r"[a-z]{4}( [a-z]{4}){3}", group_letters(made.pop()))


@given(letters=st.text("abcdefghijklmnopqrstuvwxyz", min_size=16, max_size=16), cuts=st.lists(st.integers(0, 16)))
def test_spaces_mean_nothing_to_the_hash(letters: str, cuts: list[int]) -> None:
    hasher = SecretHasher(Secret(b"k" * 32))
    spelled = letters
    for cut in sorted(cuts, reverse=True):
        spelled = spelled[:cut] + " " + spelled[cut:]
    assert hasher.keyed_hash(spelled.encode(), b"salt") == hasher.keyed_hash(letters.encode(), b"salt")
    assert hasher.keyed_hash(letters.encode(), b"pepper") != hasher.keyed_hash(letters.encode(), b"salt")
    assert SecretHasher(Secret(b"K" * 32)).keyed_hash(letters.encode(), b"salt") != hasher.keyed_hash(
        letters.encode(), b"salt"
    )


async def test_one_is_made_listed_and_revoked(door: Door) -> None:
    ann = (await door.add("ann@geese.test", label="one")).account.account_id
    issued = await door.app_passwords.create(ann, "  my phone ", _IMAP, CLI)
    assert issued.app_password.label == "my phone"
    first, second = await door.app_passwords.list_app_passwords(ann)
    assert (first.label, second) == ("one", issued.app_password)
    assert issued.shown.reveal_text() not in repr((issued, second))
    assert await door.app_passwords.revoke(ann, [CredentialId(1)], CLI) == []
    assert await door.app_passwords.revoke(ann, None, CLI) == [first.credential, second.credential]
    assert await door.app_passwords.list_app_passwords(ann) == []
    events = [entry.event for entry in await door.audit.query(account=ann)]
    assert events == ["auth:app_password:revoked", "auth:app_password:created", "directory:account:created"]
    with pytest.raises(NotFound):
        await door.app_passwords.list_app_passwords(AccountId(99))


async def test_there_is_a_limit(doors: OpenDoor) -> None:
    door = await doors(app_passwords=AppPasswordOptions(per_account=2))
    ann = (await door.add("ann@geese.test")).account.account_id
    await door.app_passwords.create(ann, "two", _IMAP, CLI)
    with pytest.raises(OverLimit):
        await door.app_passwords.create(ann, "three", _IMAP, CLI)


@pytest.mark.parametrize("label", ["", "  ", "x" * 65, "a\nb", "a\u202eb"])
async def test_a_label_is_short_and_can_be_seen(door: Door, label: str) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    with pytest.raises(Refused):
        await door.app_passwords.create(ann, label, _IMAP, CLI)


@pytest.mark.parametrize("scopes", [frozenset(), frozenset({Service.WEB}), frozenset(Service)])
async def test_scopes_are_of_mail_programs(door: Door, scopes: frozenset[Service]) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    with pytest.raises(Refused):
        await door.app_passwords.create(ann, "x", scopes, CLI)


async def test_a_given_secret_keeps_its_spelling(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    await door.app_passwords.create(ann, "demo", _IMAP, CLI, secret=Secret("Honk-1 Honk-2"))
    for spelling in ("Honk-1 Honk-2", "Honk-1Honk-2"):
        await door.enter("ann@geese.test", spelling)


@pytest.mark.parametrize("secret", [Secret(""), Secret("   "), Secret("bell\x07"), Secret(b"\xff")])
async def test_a_secret_that_nobody_can_send_is_refused(door: Door, secret: Secret) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    with pytest.raises(Refused):
        await door.app_passwords.create(ann, "demo", _IMAP, CLI, secret=secret)
