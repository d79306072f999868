"""argon2id in a pool: right, wrong, nobody's, busy, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hongyan.auth.passwords import PasswordFault, PasswordOptions, Passwords, PasswordsBusy
from hongyan.errors import Corrupt
from hongyan.secret import Secret
from tests.support.clock import FakeRandom

_CHEAP = PasswordOptions(passes=1, memory=8, waiting=2)


@pytest.fixture
def passwords(chance: FakeRandom) -> Iterator[Passwords]:
    made = Passwords(_CHEAP, chance)
    yield made
    made.close()


async def test_a_right_password_is_remembered_for_its_hash_alone(passwords: Passwords) -> None:
    stored = await passwords.hash(Secret("honk honk"))
    other = await passwords.hash(Secret("honk honk"))
    assert stored != other
    assert not passwords.is_remembered(Secret("honk honk"), stored)
    assert await passwords.check(Secret("honk honk"), stored)
    assert passwords.is_remembered(Secret("honk honk"), stored)
    assert not passwords.is_remembered(Secret("honk honk"), other)
    assert await passwords.check(Secret("honk honk"), stored)


async def test_a_wrong_password_is_not_remembered(passwords: Passwords) -> None:
    stored = await passwords.hash(Secret("honk honk"))
    for wrong in ("honk", "", "honk honk ", "x" * 5000):
        assert not await passwords.check(Secret(wrong), stored)
        assert not passwords.is_remembered(Secret(wrong), stored)
        assert not await passwords.check(Secret(wrong), None)


async def test_who_is_unknown_costs_a_hash_too(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = Passwords._verify

    def count(self: Passwords, stored: str, octets: bytes) -> bool:
        checked.append(stored)
        return verify(self, stored, octets)

    monkeypatch.setattr(Passwords, "_verify", count)
    assert not await passwords.check(Secret("honk honk"), None)
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


async def test_what_looks_the_same_is_the_same(passwords: Passwords) -> None:
    stored = await passwords.hash(Secret("gänsemarsch\u00a0①"))
    assert await passwords.check(Secret("ga\u0308nsemarsch 1"), stored)


async def test_what_cannot_be_sent_or_is_too_short_or_long_is_no_password(passwords: Passwords) -> None:
    for bad in ("short", "bell\x07bell", "x" * 1025, "\ufdd0noncharacter"):
        with pytest.raises(PasswordFault):
            await passwords.hash(Secret(bad))
    with pytest.raises(PasswordFault):
        await passwords.hash(Secret(b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"))


async def test_no_more_wait_than_may(passwords: Passwords) -> None:
    stored = await passwords.hash(Secret("honk honk"))
    checks = [passwords.check(Secret(f"wrong {n}"), stored) for n in range(10)]
    results = await asyncio.gather(*checks, return_exceptions=True)
    assert sum(isinstance(result, PasswordsBusy) for result in results) == 6
    assert results.count(False) == 4
    assert await passwords.check(Secret("honk honk"), stored)


async def test_who_hangs_up_frees_no_place_before_the_work_is_done(passwords: Passwords) -> None:
    stored = await passwords.hash(Secret("honk honk"))
    tasks = [asyncio.create_task(passwords.check(Secret(f"wrong {n}"), stored)) for n in range(4)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    passwords.close()
    while passwords._waiting:
        await asyncio.sleep(0)


async def test_what_is_no_hash_is_corrupt(passwords: Passwords) -> None:
    with pytest.raises(Corrupt):
        await passwords.check(Secret("honk honk"), "plain:honk honk")


async def test_a_hash_of_other_parameters_is_outdated(passwords: Passwords, chance: FakeRandom) -> None:
    stored = await passwords.hash(Secret("honk honk"))
    assert not passwords.is_outdated(stored)
    dearer = Passwords(PasswordOptions(passes=2, memory=16), chance)
    assert dearer.is_outdated(stored)
    assert await dearer.check(Secret("honk honk"), stored)
    dearer.close()


async def test_little_is_remembered(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.auth.passwords._REMEMBERED", 2)
    hashes = [await passwords.hash(Secret(f"honk honk {n}")) for n in range(3)]
    for number, stored in enumerate(hashes):
        assert await passwords.check(Secret(f"honk honk {number}"), stored)
    remembered = [passwords.is_remembered(Secret(f"honk honk {n}"), stored) for n, stored in enumerate(hashes)]
    assert remembered == [False, True, True]


def test_the_default_is_what_owasp_recommends() -> None:
    options = PasswordOptions()
    assert (options.passes, options.memory) == (2, 19 * 1024)
