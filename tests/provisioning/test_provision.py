"""An account from nothing to usable, and back to nothing."""

from __future__ import annotations

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI, AuditEvent
from hongyan.auth.passwords import PasswordFault
from hongyan.auth.principal import LoginRefused
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.provisioning.provision import AccountRequest
from hongyan.secret import Secret
from hongyan.store.accounts import AccountClass, Locale, Role, Service
from hongyan.types import AccountId
from tests.support.door import Door, OpenDoor

_IMAP = frozenset({Service.IMAP})


async def test_a_new_account_has_all_it_needs(door: Door) -> None:
    made = await door.add(
        "ann@geese.test",
        name="Ann Gans",
        role=Role.ADMIN,
        account_class=AccountClass.ENTERPRISE,
        locale=Locale.ZH,
        password=Secret("honk honk"),
        quota_octets=5 << 20,
    )
    account = made.account
    assert (account.name, account.role, account.locale) == ("Ann Gans", Role.ADMIN, Locale.ZH)
    assert await door.accounts.get(account.address) == account
    mailboxes = await door.mailboxes.list_mailboxes(account.account_id)
    assert {box.name: box.special_use for box in mailboxes} == {
        "INBOX": "",
        "Archive": "\\Archive",
        "Drafts": "\\Drafts",
        "Junk": "\\Junk",
        "Sent": "\\Sent",
        "Trash": "\\Trash",
    }
    assert (await door.quotas.quota(account.account_id)).limit_octets == 5 << 20
    await door.enter("ann@geese.test", made.app_password)
    await door.enter("ann@geese.test", "honk honk", service=Service.WEB)
    assert made.app_password.reveal_text() not in repr(made)


async def test_two_accounts_share_no_secret_and_no_uidvalidity(door: Door) -> None:
    ann, bob = await door.add("ann@geese.test"), await door.add("bob@geese.test")
    assert ann.app_password != bob.app_password
    with pytest.raises(LoginRefused):
        await door.enter("bob@geese.test", ann.app_password)
    boxes = [await door.mailboxes.list_mailboxes(made.account.account_id) for made in (ann, bob)]
    assert {box.uidvalidity for box in boxes[0]}.isdisjoint(box.uidvalidity for box in boxes[1])


async def test_what_cannot_be_is_refused_and_leaves_nothing(door: Door) -> None:
    await door.add("ann@geese.test")
    with pytest.raises(AlreadyExists):
        await door.add("Ann@geese.test")
    with pytest.raises(NotFound):
        await door.add("ann@swans.test")
    with pytest.raises(PasswordFault):
        await door.add("bob@geese.test", password=Secret("x"))
    with pytest.raises(Refused):
        await door.add("bob@geese.test", label="")
    with pytest.raises(Refused):
        await door.add("bob@geese.test", scopes=frozenset())
    assert len(await door.accounts.list_accounts()) == 1


async def test_many_accounts_of_a_demonstration_share_a_secret(door: Door) -> None:
    addresses = [Address.parse(f"u{number:03}@geese.test") for number in range(150)]
    request = AccountRequest(
        address=addresses[0], password=Secret("honk"), app_password=Secret("honk"), services=frozenset(Service)
    )
    made = await door.provisioner.create_alike(request, addresses, CLI)
    assert [account.address for account in made] == addresses
    for number in (0, 149):
        for service in Service:
            principal = await door.enter(f"u{number:03}@geese.test", "honk", service=service)
            assert principal.account == made[number].account_id


async def test_a_removed_account_leaves_its_octets_to_the_sweep_and_nothing_else(
    geese: SqlDatabase, door: Door
) -> None:
    ann, bob = await door.add("ann@geese.test"), await door.add("bob@geese.test")
    for made in (ann, bob):
        await door.enter(str(made.account.address), made.app_password)
        await door.fill(made.account.account_id, 3)
    await door.logins.flush()
    before = await _rows_of(geese, ann.account.account_id)
    assert before["messages"] == 3
    others = await _rows_of(geese, bob.account.account_id)
    await door.provisioner.remove(ann.account.account_id, CLI)
    left = await _rows_of(geese, ann.account.account_id)
    assert {table for table, rows in left.items() if rows} <= {
        "emails",
        "email_texts",
        "dropped_emails",
        "directory_log",
        "audit_log",
    }
    assert left["dropped_emails"] == 3
    assert await _rows_of(geese, bob.account.account_id) == others
    again = await door.add("ann@geese.test")
    assert again.account.account_id > bob.account.account_id
    with pytest.raises(LoginRefused):
        await door.enter("ann@geese.test", ann.app_password)
    with pytest.raises(NotFound):
        await door.provisioner.remove(ann.account.account_id, CLI)


async def test_a_removal_that_was_interrupted_is_finished(geese: SqlDatabase, doors: OpenDoor) -> None:
    door = await doors()
    ann = await door.add("ann@geese.test")
    await door.fill(ann.account.account_id, 5)
    entry = door.audit.entry(AuditEvent.ACCOUNT_REMOVED, CLI)
    await SqlProvisioning(geese).remove_account(ann.account.account_id, audit=entry)
    after_the_crash = await doors()
    assert await after_the_crash.provisioner.finish_removals() == 1
    assert await after_the_crash.provisioner.finish_removals() == 0
    assert (await _rows_of(geese, ann.account.account_id))["messages"] == 0


async def _rows_of(database: SqlDatabase, account: AccountId) -> dict[str, int]:
    """Count the rows of each table that has an account."""

    def count() -> Unit[dict[str, int]]:
        tables: list[Row] = yield Statement(
            "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND c.name = 'account_id' ORDER BY m.name"
        )
        counts = {}
        for (table,) in tables:
            rows = yield Statement(f"SELECT COUNT(*) FROM {table} WHERE account_id = $1", (account,))
            counts[table] = rows[0][0]
        return counts

    return await database.read(count())
