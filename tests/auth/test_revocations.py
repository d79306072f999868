"""What a revoked credential opened is closed, here and on other nodes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hongyan.audit.events import CLI
from hongyan.auth.principal import Principal
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.units import SqlDatabase
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from tests.support.clock import FakeClock
from tests.support.door import Door, OpenDoor

_IMAP = frozenset({Service.IMAP})


class _Session:
    """A live session that counts how often it was told to end."""

    def __init__(self, door: Door, principal: Principal, service: Service = Service.IMAP) -> None:
        self.ended = 0
        self.live = door.revocations.enter(principal, service, self.end)

    def end(self) -> None:
        self.ended += 1


async def test_revoking_one_app_password_ends_its_sessions_on_every_node(doors: OpenDoor) -> None:
    here, there = await doors(), await doors()
    ann = await here.add("ann@geese.test")
    second = await here.app_passwords.create(ann.account.account_id, "tablet", _IMAP, CLI)
    first_here = _Session(here, await here.enter("ann@geese.test", ann.app_password))
    second_here = _Session(here, await here.enter("ann@geese.test", second.shown))
    second_there = _Session(there, await there.enter("ann@geese.test", second.shown))
    await here.app_passwords.revoke(ann.account.account_id, [second.app_password.credential], CLI)
    assert (first_here.ended, second_here.ended, second_there.ended) == (0, 1, 0)
    await there.watch.catch_up()
    assert (first_here.ended, second_here.ended, second_there.ended) == (0, 1, 1)
    assert here.revocations.is_revoked(second.app_password.credential)
    assert here.revocations.live == 1
    assert there.revocations.live == 0


async def test_a_new_password_ends_all_sessions(door: Door) -> None:
    ann = await door.add("ann@geese.test", password=Secret("honk honk"))
    web = _Session(door, await door.enter("ann@geese.test", "honk honk", service=Service.WEB), Service.WEB)
    imap = _Session(door, await door.enter("ann@geese.test", ann.app_password))
    await door.account_password.change(ann.account.account_id, Secret("gaggle gaggle"), CLI)
    assert (web.ended, imap.ended) == (1, 1)


async def test_a_service_that_is_switched_off_ends_its_sessions_alone(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    bob = await door.add("bob@geese.test")
    imap = _Session(door, await door.enter("ann@geese.test", ann.app_password))
    smtp = _Session(door, await door.enter("ann@geese.test", ann.app_password, service=Service.SMTP), Service.SMTP)
    other = _Session(door, await door.enter("bob@geese.test", bob.app_password))
    await door.accounts.switch_service(ann.account.account_id, Service.IMAP, on=False, actor=CLI)
    assert (imap.ended, smtp.ended, other.ended) == (1, 0, 0)
    await door.accounts.suspend(ann.account.account_id, CLI)
    assert (imap.ended, smtp.ended, other.ended) == (1, 1, 0)


async def test_a_removed_account_ends_its_sessions(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    session = _Session(door, await door.enter("ann@geese.test", ann.app_password))
    await door.provisioner.remove(ann.account.account_id, CLI)
    assert session.ended == 1


async def test_sessions_end_with_the_certificate_that_opened_them(door: Door, clock: FakeClock) -> None:
    ann = await door.add("ann@geese.test")
    principal = await door.enter("ann@geese.test", ann.app_password)
    now = clock.now()
    short = _Session(door, replace(principal, ends_at=now + timedelta(hours=1)))
    long = _Session(door, replace(principal, ends_at=now + timedelta(hours=2)))
    endless = _Session(door, principal)
    door.revocations.end_expired()
    assert (short.ended, long.ended, endless.ended) == (0, 0, 0)
    clock.advance(timedelta(hours=1))
    door.revocations.end_expired()
    assert (short.ended, long.ended, endless.ended) == (1, 0, 0)


async def test_a_session_that_has_left_is_told_nothing(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    session = _Session(door, await door.enter("ann@geese.test", ann.app_password))
    assert session.live is not None
    session.live.leave()
    session.live.leave()
    await door.app_passwords.revoke(ann.account.account_id, None, CLI)
    assert (session.ended, door.revocations.live) == (0, 0)


async def test_no_session_slips_through_between_login_and_registration(door: Door, clock: FakeClock) -> None:
    ann, bob = await door.add("ann@geese.test"), await door.add("bob@geese.test")
    revoked = await door.enter("ann@geese.test", ann.app_password)
    suspended = await door.enter("bob@geese.test", bob.app_password)
    await door.app_passwords.revoke(ann.account.account_id, None, CLI)
    await door.accounts.suspend(bob.account.account_id, CLI)
    assert _Session(door, revoked).live is None
    assert _Session(door, suspended).live is None
    await door.accounts.activate(bob.account.account_id, CLI)
    assert _Session(door, suspended).live is not None
    clock.advance(timedelta(hours=1))
    await door.revocations.refresh([])
    assert not door.revocations.is_revoked(revoked.credential)


async def test_who_missed_entries_looks_at_every_live_session(
    geese: SqlDatabase, doors: OpenDoor, clock: FakeClock
) -> None:
    here, there = await doors(), await doors()
    ann, bob = await here.add("ann@geese.test"), await here.add("bob@geese.test")
    gone = _Session(there, await there.enter("ann@geese.test", ann.app_password))
    kept = _Session(there, await there.enter("bob@geese.test", bob.app_password))
    await here.app_passwords.revoke(ann.account.account_id, None, CLI)
    await SqlDirectory(geese).expire_directory_changes(clock.now() + timedelta(days=1))
    await there.watch.catch_up()
    assert (gone.ended, kept.ended) == (1, 0)
