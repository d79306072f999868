"""Login attempts are counted, all of them, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.audit.logins import LoginLog
from hongyan.errors import StorageFull
from hongyan.store.audit import LoginBatch, LoginKind
from hongyan.types import AccountId, CredentialId
from tests.support.door import Door

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class _Store:
    """Keeps what it is given, but for the times when it fails."""

    def __init__(self) -> None:
        self.counts: Counter[AccountId | None] = Counter()
        self.results: Counter[str] = Counter()
        self.batches: list[LoginBatch] = []
        self.fails = False
        self.gate: asyncio.Event | None = None

    async def record_logins(self, batch: LoginBatch) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise StorageFull(cause="no room")
        self.batches.append(batch)
        for fold in batch.folds:
            assert fold.kind.account == batch.account
            assert fold.first_at <= fold.last_at
            self.counts[batch.account] += fold.count
            self.results[fold.kind.result] += fold.count


def _kind(account: int | None, number: int = 0, result: str = "ok") -> LoginKind:
    owner = None if account is None else AccountId(account)
    return LoginKind(owner, f"192.0.2.{number}", "imap", "PLAIN", "TLSv1.3", result, "phone", "goose")


async def test_the_same_kind_is_one_fold() -> None:
    store = _Store()
    log = LoginLog(store)
    for minute in (5, 1, 9):
        log.record(_kind(1), _NOW + timedelta(minutes=minute), credential=CredentialId(7), network="192.0.2.0")
    log.record(_kind(1, 1, "wrong-secret"), _NOW)
    assert log.kinds == 2
    assert await log.flush()
    (batch,) = store.batches
    fold, other = batch.folds
    assert (fold.count, fold.first_at, fold.last_at) == (3, _NOW + timedelta(minutes=1), _NOW + timedelta(minutes=9))
    assert other.count == 1
    assert [use.credential for use in batch.uses] == [7]
    assert [known.network for known in batch.networks] == ["192.0.2.0"]
    assert await log.flush()
    assert len(store.batches) == 1


async def test_what_cannot_be_written_is_written_later() -> None:
    store = _Store()
    log = LoginLog(store)
    store.fails = True
    log.record(_kind(1), _NOW, credential=CredentialId(7), network="n")
    assert not await log.flush()
    log.record(_kind(1), _NOW)
    log.record(_kind(2), _NOW)
    assert not await log.flush()
    store.fails = False
    await log.close()
    assert store.counts == {1: 2, 2: 1}
    assert store.batches[0].uses[0].credential == 7
    assert log.kinds == 0


async def test_what_was_being_written_when_the_writer_was_cancelled_is_written_again() -> None:
    store = _Store()
    store.gate = asyncio.Event()
    log = LoginLog(store, interval=0.001)
    for account in range(200):
        log.record(_kind(account), _NOW)
    running = asyncio.create_task(log.run())
    while log.kinds:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    store.gate = None
    await log.close()
    assert store.counts == dict.fromkeys(range(200), 1)


async def test_memory_is_bounded_and_nothing_goes_uncounted() -> None:
    store = _Store()
    store.fails = True
    log = LoginLog(store, max_kinds=100)
    for number in range(5000):
        log.record(_kind(number % 7, number, "wrong-secret"), _NOW)
        log.record(_kind(None, number, "unknown-name"), _NOW)
        log.record(_kind(number, number), _NOW, credential=CredentialId(number), network="n")
        if number % 500 == 0:
            await log.flush()
        assert log.kinds <= 210
    store.fails = False
    await log.close()
    assert store.results == {"wrong-secret": 5000, "unknown-name": 5000, "ok": 5000}


@given(
    attempts=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 20), st.sampled_from(["ok", "wrong"]), st.booleans()), max_size=80
    ),
    max_kinds=st.integers(1, 12),
)
@settings(max_examples=50, deadline=None)
async def test_the_sum_of_folds_is_the_number_of_attempts(
    attempts: list[tuple[int, int, str, bool]], max_kinds: int
) -> None:
    store = _Store()
    log = LoginLog(store, max_kinds=max_kinds)
    for account, number, result, flush in attempts:
        log.record(_kind(account, number, result), _NOW)
        if flush:
            store.fails = not store.fails
            await log.flush()
    store.fails = False
    await log.close()
    assert store.results == Counter(result for _, _, result, _ in attempts)


async def test_a_crowd_of_kinds_is_written_without_waiting(door: Door) -> None:
    store = _Store()
    log = LoginLog(store, interval=3600.0, max_kinds=20)
    running = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    for number in range(15):
        log.record(_kind(1, number), _NOW)
    async with asyncio.timeout(10):
        while not store.batches:
            await asyncio.sleep(0)
    running.cancel()


async def test_what_a_client_calls_itself_is_made_short_and_visible() -> None:
    store = _Store()
    log = LoginLog(store)
    for client in ("a\r\nb" + "c" * 100, "雁\x1b[31m"):
        log.record(LoginKind(AccountId(1), "::1", "imap", "PLAIN", "none", "ok", "", client), _NOW)
    await log.close()
    assert [fold.kind.client for fold in store.batches[0].folds] == ["ab" + "c" * 62, "雁[31m"]
