"""Web sessions and second factors: what every SQL engine owes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address, Domain
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.second_factors import SqlSecondFactors
from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.sql.web_sessions import SqlWebSessions
from hongyan.errors import NotFound
from hongyan.store.accounts import Service
from hongyan.store.audit import AuditEntry
from hongyan.store.credentials import owner_of
from hongyan.store.domains import DomainSettings
from hongyan.store.provisioning import NewAccount, NewMailbox
from hongyan.store.web_sessions import NewWebSession, SessionKind
from hongyan.types import AccountId

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_HOUR = timedelta(hours=1)


class Directory:
    """What keeps sessions, and what they meet."""

    def __init__(self, database: SqlDatabase) -> None:
        self.sessions = SqlWebSessions(database)
        self.factors = SqlSecondFactors(database)
        self.credentials = SqlCredentials(database)
        self.log = SqlDirectory(database)
        self.domains = SqlDomains(database)
        self.provisioning = SqlProvisioning(database)
        self._entries = 0

    def act(self) -> AuditEntry:
        self._entries += 1
        return AuditEntry(self._entries, _NOW + timedelta(seconds=self._entries), "cli:test:done", None, "cli")

    async def add_account(self, address: str) -> AccountId:
        new = NewAccount(
            address=Address.parse(address),
            name="Gans",
            services=frozenset({Service.WEB}),
            created_at=_NOW,
            mailboxes=[NewMailbox("INBOX")],
            uidvalidity_chance=77,
            limit_octets=1000,
            password_hash="$argon2id$x",
            scram_salt=b"salt",
            scram_iterations=4096,
            app_passwords=(),
        )
        return (await self.provisioning.create_account(new, audit=self.act())).account_id


@pytest.fixture
async def directory(sql_database: SqlDatabase) -> Directory:
    made = Directory(sql_database)
    await made.domains.add_domain(DomainSettings(Domain.parse("geese.test"), _NOW), audit=made.act())
    return made


def new(label: str, *, kind: SessionKind = SessionKind.SESSION, at: datetime = _NOW) -> NewWebSession:
    return NewWebSession(
        kind=kind,
        digest=label.encode() * 32,
        label=label,
        agent=b"",
        address="192.0.2.1",
        place="NO",
        scopes=frozenset({"b", "a"}),
        created_at=at,
        ends_at=at + _HOUR,
        proven_at=None,
        remembered=True,
    )


async def test_a_session_is_kept_found_touched_and_revoked(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.sessions
    made = await store.add_web_session(ann, new("x"), limit=5)
    assert made is not None
    assert owner_of(made.credential) == ann
    found = await store.find_web_session(made.credential)
    assert found is not None
    assert found[0] == made
    assert (found[1].account_id, made.scopes, made.remembered) == (ann, {"a", "b"}, True)
    await store.touch_web_session(made.credential, _NOW + _HOUR, "192.0.2.2", "SE")
    (known,) = await store.list_web_sessions(ann)
    assert (known.seen_at, known.address, known.place, known.proven_at) == (_NOW + _HOUR, "192.0.2.2", "SE", None)
    await store.touch_web_session(made.credential, _NOW, "", "", proven=True)
    assert (await store.list_web_sessions(ann))[0].proven_at == _NOW
    bob, position = await directory.add_account("bob@geese.test"), await directory.log.directory_position()
    assert await store.revoke_web_sessions(bob, [made.credential], audit=directory.act()) == []
    assert await store.revoke_web_sessions(ann, [made.credential], audit=directory.act()) == [made.credential]
    changes = await directory.log.directory_changes(position)
    assert changes is not None
    assert [change.credential for change in changes] == [made.credential]
    assert await store.find_web_session(made.credential) is None


async def test_the_longest_unseen_of_a_kind_makes_room_and_what_has_ended_is_forgotten(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.sessions
    key = await store.add_web_session(ann, new("k", kind=SessionKind.KEY), limit=1)
    first = await store.add_web_session(ann, new("a"), limit=2)
    await store.add_web_session(ann, new("b", at=_NOW + timedelta(minutes=1)), limit=2)
    assert key is not None
    assert first is not None
    await store.touch_web_session(first.credential, _NOW + timedelta(minutes=2), "", "")
    await store.add_web_session(ann, new("c", at=_NOW + timedelta(minutes=3)), limit=2)
    assert [each.label for each in await store.list_web_sessions(ann)] == ["k", "a", "c"]
    await store.add_web_session(ann, new("d", at=_NOW + 1.01 * _HOUR), limit=9)
    assert [each.label for each in await store.list_web_sessions(ann)] == ["c", "d"]
    assert await store.expire_web_sessions(_NOW + 9 * _HOUR) == 2
    assert await store.list_web_sessions(ann) == []


async def test_a_session_takes_the_place_of_another_once(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.sessions
    pending = await store.add_web_session(ann, new("p", kind=SessionKind.PENDING), limit=5)
    assert pending is not None
    made = await store.add_web_session(ann, new("s"), limit=5, replaces=pending.credential, audit=directory.act())
    assert made is not None
    assert await store.add_web_session(ann, new("t"), limit=5, replaces=pending.credential) is None
    assert [each.label for each in await store.list_web_sessions(ann)] == ["s"]


async def test_a_token_is_exchanged_once(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.sessions
    made = await store.add_web_session(ann, new("s"), limit=5)
    assert made is not None
    assert await store.rotate_web_session(made.credential, made.digest, b"2" * 32, _NOW + _HOUR)
    assert not await store.rotate_web_session(made.credential, made.digest, b"3" * 32, _NOW + _HOUR)
    (known,) = await store.list_web_sessions(ann)
    assert (known.digest, known.previous, known.rotated_at) == (b"2" * 32, made.digest, _NOW + _HOUR)


async def test_a_new_password_and_the_end_of_an_account_end_sessions(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.sessions
    made = await store.add_web_session(ann, new("s"), limit=5)
    assert made is not None
    await directory.credentials.set_password(ann, "$other", audit=directory.act())
    assert await store.find_web_session(made.credential) is None
    await store.add_web_session(ann, new("s"), limit=5)
    await directory.provisioning.remove_account(ann, audit=directory.act())
    assert await store.list_web_sessions(ann) == []
    with pytest.raises(NotFound):
        await store.add_web_session(ann, new("s"), limit=5)


async def test_a_second_factor_is_in_force_from_its_confirmation_to_its_removal(directory: Directory) -> None:
    ann, factors = await directory.add_account("ann@geese.test"), directory.factors
    assert await factors.find_second_factor(ann) is None
    assert not await factors.confirm_second_factor(ann, 1, [], at=_NOW, audit=directory.act())
    assert await factors.put_second_factor(ann, b"one")
    assert await factors.put_second_factor(ann, b"two"), "the first was not in force"
    assert not (await directory.credentials.get_login(ann)).has_second_factor
    assert await factors.confirm_second_factor(ann, 7, [b"x", b"y"], at=_NOW, audit=directory.act())
    assert (await directory.credentials.get_login(ann)).has_second_factor
    assert not await factors.put_second_factor(ann, b"three")
    known = await factors.find_second_factor(ann)
    assert known is not None
    assert (known.sealed, known.confirmed_at, known.last_step) == (b"two", _NOW, 7)
    assert (await factors.second_factor_standing(ann)).recovery_codes == 2
    await directory.sessions.add_web_session(ann, new("b", kind=SessionKind.BINDING), limit=5)
    assert await factors.remove_second_factor(ann, audit=directory.act())
    assert not await factors.remove_second_factor(ann, audit=directory.act())
    assert not (await directory.credentials.get_login(ann)).has_second_factor
    assert await directory.sessions.list_web_sessions(ann) == [], "no browser is bound to what is gone"


async def test_a_step_and_a_recovery_code_are_taken_once(directory: Directory) -> None:
    ann, factors = await directory.add_account("ann@geese.test"), directory.factors
    assert not await factors.put_recovery_codes(ann, [b"x"], audit=directory.act())
    await factors.put_second_factor(ann, b"one")
    await factors.confirm_second_factor(ann, 7, [b"x", b"y"], at=_NOW, audit=directory.act())
    assert [await factors.use_step(ann, step) for step in (7, 6, 8, 8)] == [False, False, True, False]
    bob = await directory.add_account("bob@geese.test")
    assert not await factors.use_recovery_code(bob, b"x", audit=directory.act())
    assert [await factors.use_recovery_code(ann, b"x", audit=directory.act()) for _ in range(2)] == [True, False]
    assert await factors.put_recovery_codes(ann, [b"z"], audit=directory.act())
    assert not await factors.use_recovery_code(ann, b"y", audit=directory.act())
