"""How accounts come and go in SQL."""

from __future__ import annotations

__all__ = ["SqlProvisioning"]

from collections.abc import Sequence

from hongyan.addresses import Address
from hongyan.engines.sql.accounts import write_services
from hongyan.engines.sql.aliases import forget_target
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.credentials import insert_app_password, revoke_all
from hongyan.engines.sql.directory import log_directory_change, next_number
from hongyan.engines.sql.domains import require_domain
from hongyan.engines.sql.mailboxes import create_account_state, insert_mailbox
from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit
from hongyan.errors import AlreadyExists, NotFound
from hongyan.store.accounts import Account, AccountState
from hongyan.store.audit import AuditEntry
from hongyan.store.credentials import first_credential
from hongyan.store.directory import DirectoryTopic
from hongyan.store.provisioning import NewAccount
from hongyan.types import AccountId

_PASSWORD_NUMBER = 1  # the account's first credential, whether or not there is a password

_SMALL_TABLES = (
    *("mailboxes", "subscriptions", "snapshots", "receipts", "login_log", "known_networks", "timelines"),
    *("deleted_mailboxes", "log_marks", "damaged_messages", "thread_links", "departures"),
    *("account_settings", "uploads", "correspondents", "senders", "sending_slots", "sent_bodies", "login_places"),
    *("consumer_cursors", "spam_models", "spam_ballots"),
    *("reputation", "second_factors", "recovery_codes", "passkeys"),
    *("grants", "reached", "viewer_seen", "annotations", "trusted_senders"),
    *("records", "record_states", "push_subscriptions"),
    *("vacations", "vacation_answers"),
)


class SqlProvisioning:
    """`store.provisioning.ProvisioningStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def create_account(self, new: NewAccount, *, audit: AuditEntry) -> Account:
        return await self._database.write(lambda _refs: _create(new, audit))

    async def remove_account(self, account: AccountId, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _remove(account, audit))

    async def list_removed(self) -> Sequence[AccountId]:
        return await self._database.read(_list_removed())

    async def drop_mail(self, account: AccountId, *, limit: int = 2000) -> bool:
        return await self._database.write(lambda _refs: _drop_mail(account, limit))


def _create(new: NewAccount, audit: AuditEntry) -> Unit[Account]:
    yield from require_domain(new.address.domain)
    account = AccountId((yield from next_number("account")))
    added = yield Statement(
        "INSERT INTO addresses (canonical, address, domain, account_id, members_may_send) VALUES ($1, $2, $3, $4, 0)"
        " ON CONFLICT (canonical) DO NOTHING RETURNING canonical",
        (new.address.canonical, str(new.address), new.address.domain.text, account),
    )
    if not added:
        raise AlreadyExists("That address is taken.")
    yield from _insert_account(account, new)
    yield from create_account_state(
        account, new.uidvalidity_chance, limit_octets=new.limit_octets, limit_messages=new.limit_messages
    )
    for mailbox in new.mailboxes:
        yield from insert_mailbox(account, mailbox.name, mailbox.special_use)
    for number, app_password in enumerate(new.app_passwords, start=_PASSWORD_NUMBER + 1):
        yield from insert_app_password(account, number, app_password)
    yield from insert_audit(audit, account)
    yield from log_directory_change(DirectoryTopic.ADDRESS, audit.at, account)
    return Account(
        account_id=account,
        address=new.address,
        name=new.name,
        role=new.role,
        account_class=new.account_class,
        state=AccountState.ACTIVE,
        locale=new.locale,
        services=new.services,
        created_at=new.created_at,
    )


def _insert_account(account: AccountId, new: NewAccount) -> Unit[None]:
    yield Statement(
        "INSERT INTO accounts (account_id, address, domain, name, role, account_class, state, locale, services,"
        " created_at, next_credential, password_credential, password_hash, scram_salt, scram_iterations)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $9, $10, $11, $12, $13, $14)",
        (
            account,
            str(new.address),
            new.address.domain.text,
            new.name,
            new.role.value,
            new.account_class.value,
            new.locale.value,
            write_services(new.services),
            int(new.created_at.timestamp()),
            _PASSWORD_NUMBER + 1 + len(new.app_passwords),
            first_credential(account) + _PASSWORD_NUMBER,
            new.password_hash,
            new.scram_salt,
            new.scram_iterations,
        ),
    )


def _remove(account: AccountId, audit: AuditEntry) -> Unit[None]:
    rows = yield Statement(
        "UPDATE accounts SET state = 'removed', password_hash = '' WHERE account_id = $1 AND state <> 'removed'"
        " RETURNING address",
        (account,),
    )
    if not rows:
        raise NotFound("There is no such account.")
    canonical = Address.parse(rows[0][0]).canonical
    yield Statement("DELETE FROM addresses WHERE canonical = $1", (canonical,))
    yield from forget_target(canonical)
    yield Statement("DELETE FROM identities WHERE account_id = $1", (account,))
    yield from revoke_all(account)
    # Without this row nothing more is filed into the account.
    yield Statement("DELETE FROM account_state WHERE account_id = $1", (account,))
    yield from insert_audit(audit)
    for topic in (DirectoryTopic.ADDRESS, DirectoryTopic.DOMAIN, DirectoryTopic.ACCOUNT):
        yield from log_directory_change(topic, audit.at, account)


def _list_removed() -> Unit[Sequence[AccountId]]:
    rows = yield Statement("SELECT account_id FROM accounts WHERE state = 'removed' ORDER BY account_id")
    return [AccountId(row[0]) for row in rows]


def _drop_mail(account: AccountId, limit: int) -> Unit[bool]:
    alive = yield Statement("SELECT 1 FROM accounts WHERE account_id = $1 AND state <> 'removed'", (account,))
    if alive:
        raise NotFound("That account is not removed.")
    gone = yield Statement(
        "DELETE FROM messages WHERE account_id = $1 AND (mailbox_id, uid) IN"
        " (SELECT mailbox_id, uid FROM messages WHERE account_id = $1 ORDER BY mailbox_id, uid LIMIT $2)"
        " RETURNING email_id",
        (account, limit),
    )
    if gone:
        yield Many(
            "INSERT INTO dropped_emails (account_id, email_id) VALUES ($1, $2)"
            " ON CONFLICT (account_id, email_id) DO NOTHING",
            [(account, email) for email in sorted({row[0] for row in gone})],
        )
        return True
    gone = yield Statement(
        "DELETE FROM changes WHERE account_id = $1 AND modseq IN"
        " (SELECT modseq FROM changes WHERE account_id = $1 ORDER BY modseq LIMIT $2) RETURNING modseq",
        (account, limit),
    )
    if gone:
        return True
    yield Statement(
        "INSERT INTO dropped_emails (account_id, email_id) SELECT DISTINCT account_id, email_id FROM damaged_messages"
        " WHERE account_id = $1 ON CONFLICT (account_id, email_id) DO NOTHING",
        (account,),
    )
    for table in _SMALL_TABLES:
        yield Statement(f"DELETE FROM {table} WHERE account_id = $1", (account,))
    yield Statement("DELETE FROM accounts WHERE account_id = $1", (account,))
    return False
