"""Accounts, aliases, credentials, domains and the audit trail: what every SQL engine owes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address, Domain
from hongyan.engines.sql.accounts import SqlAccounts
from hongyan.engines.sql.aliases import SqlAliases
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import AlreadyExists, NotFound, OverLimit, Refused
from hongyan.store.accounts import Account, AccountChange, AccountClass, AccountState, Locale, Role, Service
from hongyan.store.aliases import Alias
from hongyan.store.audit import AuditEntry, CredentialUse, KnownNetwork, LoginBatch, LoginFold, LoginKind
from hongyan.store.credentials import NewAppPassword, first_credential, owner_of
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.store.domains import DomainSettings
from hongyan.store.provisioning import NewAccount, NewMailbox
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import ScramKeys

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_DOMAIN = Domain.parse("geese.test")
_KEYS = (ScramKeys(b"s" * 32, b"k" * 32), ScramKeys(b"S" * 32, b"K" * 32))


class Directory:
    """All stores of one database, and audit entries that differ."""

    def __init__(self, database: SqlDatabase) -> None:
        self.accounts = SqlAccounts(database)
        self.aliases = SqlAliases(database)
        self.audit = SqlAudit(database)
        self.credentials = SqlCredentials(database)
        self.log = SqlDirectory(database)
        self.domains = SqlDomains(database)
        self.mailboxes = SqlMailboxes(database)
        self.provisioning = SqlProvisioning(database)
        self._entries = 0

    def act(self, event: str = "cli:test:done", account: AccountId | None = None) -> AuditEntry:
        self._entries += 1
        return AuditEntry(
            self._entries, _NOW + timedelta(seconds=self._entries), event, account, "cli", "", {"n": "雁"}
        )

    async def add_account(self, address: str, *, secrets: Sequence[NewAppPassword] = (), password: str = "") -> Account:
        return await self.provisioning.create_account(
            NewAccount(
                address=Address.parse(address),
                name="Gans",
                services=frozenset({Service.IMAP, Service.SMTP}),
                created_at=_NOW,
                mailboxes=[NewMailbox("INBOX"), NewMailbox("Sent", "\\Sent")],
                uidvalidity_chance=77,
                limit_octets=1000,
                password_hash=password,
                scram_salt=b"salt",
                scram_iterations=4096,
                app_passwords=secrets,
            ),
            audit=self.act("cli:account:created"),
        )

    async def changes(self, after: int = 0) -> list[tuple[DirectoryTopic, AccountId | None, CredentialId | None]]:
        found = await self.log.directory_changes(after)
        assert found is not None
        return [(change.topic, change.account, change.credential) for change in found]


@pytest.fixture
async def directory(sql_database: SqlDatabase) -> Directory:
    made = Directory(sql_database)
    await made.domains.add_domain(DomainSettings(_DOMAIN, _NOW), audit=made.act())
    return made


def _secret(label: str = "phone") -> NewAppPassword:
    return NewAppPassword(label, frozenset({Service.IMAP}), b"hash of " + label.encode(), _KEYS, _NOW)


async def test_an_account_is_usable_at_once(directory: Directory) -> None:
    account = await directory.add_account("Ann@geese.test", secrets=[_secret()], password="$argon2id$x")
    assert await directory.accounts.find_account(account.account_id) == account
    assert await directory.accounts.find_account_by_address("ann@geese.test") == account
    mailboxes = await directory.mailboxes.list_mailboxes(account.account_id)
    assert [(box.name, box.special_use, box.subscribed) for box in mailboxes] == [
        ("INBOX", "", True),
        ("Sent", "\\Sent", True),
    ]
    assert (await directory.mailboxes.quota(account.account_id)).limit_octets == 1000
    login = await directory.credentials.find_login("ann@geese.test")
    assert login is not None
    assert login.account == account
    assert login.password is not None
    assert login.password.hash == "$argon2id$x"
    assert (login.scram_salt, login.scram_iterations) == (b"salt", 4096)
    assert [(secret.label, secret.scopes, secret.scram) for secret in login.app_passwords] == [
        ("phone", frozenset({Service.IMAP}), _KEYS)
    ]
    assert owner_of(login.app_passwords[0].credential) == account.account_id
    (created,) = await directory.audit.list_audit(account=account.account_id)
    assert (created.event, created.detail) == ("cli:account:created", {"n": "雁"})


async def test_an_address_is_given_once_and_nothing_stays_of_the_second_try(directory: Directory) -> None:
    first = await directory.add_account("ann@geese.test")
    position = await directory.log.directory_position()
    with pytest.raises(AlreadyExists):
        await directory.add_account("ANN@geese.test")
    assert await directory.accounts.list_accounts() == [first]
    assert await directory.log.directory_position() == position
    assert len(await directory.audit.list_audit(event_prefix="cli:account:")) == 1


async def test_an_account_of_a_strange_domain_is_not_made(directory: Directory) -> None:
    with pytest.raises(NotFound):
        await directory.add_account("ann@swans.test")


async def test_accounts_are_listed_by_domain_and_page_by_page(directory: Directory) -> None:
    await directory.domains.add_domain(DomainSettings(Domain.parse("swans.test"), _NOW), audit=directory.act())
    ann = await directory.add_account("ann@geese.test")
    bob = await directory.add_account("bob@swans.test")
    eve = await directory.add_account("eve@geese.test")
    assert await directory.accounts.list_accounts(domain=_DOMAIN) == [ann, eve]
    assert await directory.accounts.list_accounts(limit=2) == [ann, bob]
    assert await directory.accounts.list_accounts(after=bob.account_id) == [eve]


async def test_a_change_names_what_differs_and_leaves_the_rest(directory: Directory) -> None:
    account = await directory.add_account("ann@geese.test")
    change = AccountChange(
        role=Role.ADMIN,
        account_class=AccountClass.ENTERPRISE,
        locale=Locale.ZH,
        services=frozenset({Service.POP3}),
    )
    position = await directory.log.directory_position()
    changed = await directory.accounts.change_account(account.account_id, change, audit=directory.act())
    assert changed == await directory.accounts.find_account(account.account_id)
    assert (changed.role, changed.account_class, changed.locale) == (Role.ADMIN, AccountClass.ENTERPRISE, Locale.ZH)
    assert (changed.name, changed.state, changed.services) == ("Gans", AccountState.ACTIVE, frozenset({Service.POP3}))
    assert await directory.changes(position) == [(DirectoryTopic.ACCOUNT, account.account_id, None)]
    assert await directory.accounts.list_admins() == [changed]
    suspended = AccountChange(state=AccountState.SUSPENDED)
    await directory.accounts.change_account(account.account_id, suspended, audit=directory.act())
    assert await directory.accounts.list_admins() == []
    with pytest.raises(NotFound):
        await directory.accounts.change_account(AccountId(99), change, audit=directory.act())


async def test_a_removed_account_is_found_by_nobody_and_its_address_is_free(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test", secrets=[_secret()])
    bob = await directory.add_account("bob@geese.test")
    both = Alias(Address.parse("both@geese.test"), (ann.address, bob.address), False)
    await directory.aliases.put_alias(both, audit=directory.act())
    everything = DomainSettings(_DOMAIN, _NOW, catch_all=Address.parse("Ann@geese.test"))
    await directory.domains.change_domain(everything, audit=directory.act())
    await directory.provisioning.remove_account(ann.account_id, audit=directory.act())
    assert await directory.accounts.find_account(ann.account_id) is None
    assert await directory.accounts.list_accounts() == [bob]
    assert await directory.credentials.find_login("ann@geese.test") is None
    assert [entry.targets for entry in await directory.aliases.list_aliases()] == [(bob.address,)]
    assert await directory.domains.list_domains() == [DomainSettings(_DOMAIN, _NOW)]
    with pytest.raises(NotFound):
        await directory.provisioning.remove_account(ann.account_id, audit=directory.act())
    with pytest.raises(NotFound):
        await directory.mailboxes.create_mailbox(ann.account_id, "Late")
    again = await directory.add_account("ann@geese.test")
    assert again.account_id != ann.account_id


async def test_the_mail_of_a_removed_account_is_dropped_step_by_step(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    with pytest.raises(NotFound):
        await directory.provisioning.drop_mail(ann.account_id)
    await directory.provisioning.remove_account(ann.account_id, audit=directory.act())
    assert await directory.provisioning.list_removed() == [ann.account_id]
    while await directory.provisioning.drop_mail(ann.account_id, limit=1):
        pass
    assert await directory.provisioning.list_removed() == []
    assert await directory.mailboxes.list_mailboxes(ann.account_id) == []


async def test_an_alias_keeps_its_targets_in_order(directory: Directory) -> None:
    targets = tuple(map(Address.parse, ("zoe@example.org", "ann@geese.test", "雁@例子.test")))
    alias = Alias(Address.parse("Team@geese.test"), targets, True)
    await directory.aliases.put_alias(alias, audit=directory.act())
    found = await directory.aliases.find_addresses(["team@geese.test", "nobody@geese.test"])
    assert list(found) == ["team@geese.test"]
    entry = found["team@geese.test"]
    assert (entry.account, entry.targets, entry.members_may_send) == (None, targets, True)
    assert await directory.aliases.aliases_of("ann@geese.test") == [alias]
    fewer = Alias(alias.address, targets[:1], False)
    await directory.aliases.put_alias(fewer, audit=directory.act())
    assert await directory.aliases.list_aliases(domain=_DOMAIN) == [fewer]
    await directory.aliases.remove_alias(alias.address, audit=directory.act())
    assert await directory.aliases.list_aliases() == []
    with pytest.raises(NotFound):
        await directory.aliases.remove_alias(alias.address, audit=directory.act())


async def test_an_alias_goes_with_its_last_target(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    chain = ["ann", "one", "two", "three"]
    for target, name in itertools.pairwise(chain):
        alias = Alias(Address.parse(f"{name}@geese.test"), (Address.parse(f"{target}@geese.test"),), False)
        await directory.aliases.put_alias(alias, audit=directory.act())
    await directory.provisioning.remove_account(ann.account_id, audit=directory.act())
    assert await directory.aliases.list_aliases() == []
    await directory.add_account("two@geese.test")


async def test_an_alias_takes_no_accounts_address_and_no_strange_domain(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    target = (Address.parse("zoe@example.org"),)
    with pytest.raises(AlreadyExists):
        await directory.aliases.put_alias(Alias(ann.address, target, False), audit=directory.act())
    with pytest.raises(NotFound):
        await directory.aliases.put_alias(Alias(Address.parse("a@swans.test"), target, False), audit=directory.act())
    with pytest.raises(NotFound):
        await directory.aliases.remove_alias(ann.address, audit=directory.act())
    assert (await directory.aliases.find_addresses(["ann@geese.test"]))["ann@geese.test"].account == ann.account_id


async def test_aliases_are_listed_page_by_page(directory: Directory) -> None:
    made = [Alias(Address.parse(f"a{n:03}@geese.test"), (Address.parse("z@z.test"),), False) for n in range(120)]
    for alias in made:
        await directory.aliases.put_alias(alias, audit=directory.act())
    first = await directory.aliases.list_aliases(limit=70)
    rest = await directory.aliases.list_aliases(after=first[-1].address.canonical)
    assert [*first, *rest] == made
    keys = [alias.address.canonical for alias in made]
    assert sorted(await directory.aliases.find_addresses(keys)) == keys


async def test_identities_are_granted_and_taken_back(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    info = Address.parse("Info@example.org")
    await directory.aliases.grant_identity(ann.account_id, info, audit=directory.act())
    await directory.aliases.grant_identity(ann.account_id, info, audit=directory.act())
    assert await directory.aliases.list_identities(ann.account_id) == [info]
    await directory.aliases.revoke_identity(ann.account_id, info, audit=directory.act())
    assert await directory.aliases.list_identities(ann.account_id) == []
    with pytest.raises(NotFound):
        await directory.aliases.revoke_identity(ann.account_id, info, audit=directory.act())
    with pytest.raises(NotFound):
        await directory.aliases.grant_identity(AccountId(99), info, audit=directory.act())


async def test_a_domain_with_addresses_is_not_removed(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    with pytest.raises(Refused):
        await directory.domains.remove_domain(_DOMAIN, audit=directory.act())
    await directory.provisioning.remove_account(ann.account_id, audit=directory.act())
    await directory.domains.remove_domain(_DOMAIN, audit=directory.act())
    assert await directory.domains.list_domains() == []
    with pytest.raises(NotFound):
        await directory.domains.remove_domain(_DOMAIN, audit=directory.act())


async def test_a_domain_is_added_once_and_changed(directory: Directory) -> None:
    with pytest.raises(AlreadyExists):
        await directory.domains.add_domain(DomainSettings(_DOMAIN, _NOW), audit=directory.act())
    changed = DomainSettings(_DOMAIN, _NOW, Address.parse("all@geese.test"), "-+")
    await directory.domains.change_domain(changed, audit=directory.act())
    assert await directory.domains.list_domains() == [changed]
    with pytest.raises(NotFound):
        await directory.domains.change_domain(DomainSettings(Domain.parse("x.test"), _NOW), audit=directory.act())


async def test_a_new_password_revokes_the_old_one_and_all_app_passwords(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test", secrets=[_secret("a"), _secret("b")], password="old")
    before = await directory.credentials.get_login(ann.account_id)
    position = await directory.log.directory_position()
    await directory.credentials.set_password(ann.account_id, "new", audit=directory.act())
    after = await directory.credentials.get_login(ann.account_id)
    assert before.password is not None
    assert after.password is not None
    assert after.password.hash == "new"
    assert after.app_passwords == []
    revoked = {before.password.credential, *(secret.credential for secret in before.app_passwords)}
    assert after.password.credential not in revoked
    assert {credential for _, _, credential in await directory.changes(position)} == revoked
    await directory.credentials.rehash_password(before.password, "stale")
    assert (await directory.credentials.get_login(ann.account_id)).password == after.password
    await directory.credentials.rehash_password(after.password, "fresh")
    rehashed = (await directory.credentials.get_login(ann.account_id)).password
    assert rehashed is not None
    assert (rehashed.credential, rehashed.hash) == (after.password.credential, "fresh")


async def test_app_passwords_are_added_up_to_a_limit_and_revoked(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    first = await directory.credentials.add_app_password(ann.account_id, _secret("a"), limit=2, audit=directory.act())
    second = await directory.credentials.add_app_password(ann.account_id, _secret("b"), limit=2, audit=directory.act())
    with pytest.raises(OverLimit):
        await directory.credentials.add_app_password(ann.account_id, _secret("c"), limit=2, audit=directory.act())
    assert (await directory.credentials.get_login(ann.account_id)).app_passwords == [first, second]
    position = await directory.log.directory_position()
    gone = await directory.credentials.revoke_app_passwords(
        ann.account_id, [first.credential, CredentialId(12345)], audit=directory.act()
    )
    assert gone == [first.credential]
    assert await directory.changes(position) == [(DirectoryTopic.CREDENTIAL, ann.account_id, first.credential)]
    third = await directory.credentials.add_app_password(ann.account_id, _secret("c"), limit=2, audit=directory.act())
    assert third.credential not in (first.credential, second.credential)
    everything = await directory.credentials.revoke_app_passwords(ann.account_id, audit=directory.act())
    assert sorted(everything) == [second.credential, third.credential]
    assert (await directory.credentials.get_login(ann.account_id)).app_passwords == []


async def test_another_accounts_app_password_is_not_revoked(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test", secrets=[_secret()])
    bob = await directory.add_account("bob@geese.test")
    (secret,) = (await directory.credentials.get_login(ann.account_id)).app_passwords
    revoke = directory.credentials.revoke_app_passwords(bob.account_id, [secret.credential], audit=directory.act())
    assert await revoke == []
    assert len((await directory.credentials.get_login(ann.account_id)).app_passwords) == 1


async def test_a_reader_of_the_directory_log_learns_what_it_missed(directory: Directory) -> None:
    for number in range(5):
        await directory.add_account(f"a{number}@geese.test")
    assert await directory.log.directory_position() == 6
    page = await directory.log.directory_changes(1, limit=2)
    assert page == [
        DirectoryChange(2, DirectoryTopic.ADDRESS, AccountId(1)),
        DirectoryChange(3, DirectoryTopic.ADDRESS, AccountId(2)),
    ]
    assert await directory.log.directory_changes(6) == []
    assert await directory.log.expire_directory_changes(_NOW + timedelta(seconds=4)) == 3
    assert await directory.log.directory_changes(2) is None
    assert await directory.changes(3) == [(DirectoryTopic.ADDRESS, AccountId(n), None) for n in (3, 4, 5)]
    assert await directory.log.expire_directory_changes(_NOW + timedelta(days=1)) == 3
    assert await directory.log.directory_changes(5) is None
    assert await directory.log.directory_changes(6) == []


async def test_acts_are_listed_newest_first_and_expire(directory: Directory) -> None:
    entries = [directory.act("admin:ban:lifted", AccountId(7)), directory.act("cli:account:created", AccountId(8))]
    await directory.audit.append_audit(entries)
    assert (await directory.audit.list_audit(limit=2)) == entries[::-1]
    assert await directory.audit.list_audit(account=AccountId(7)) == entries[:1]
    assert await directory.audit.list_audit(event_prefix="admin:") == entries[:1]
    assert await directory.audit.list_audit(before=entries[1].entry_id, limit=1) == entries[:1]
    assert await directory.audit.expire_audit(entries[1].at) == 2
    assert await directory.audit.list_audit() == entries[1:]


def _fold(account: AccountId | None, count: int, minute: int, client: str = "mutt") -> LoginFold:
    kind = LoginKind(account, "192.0.2.1", "imap", "PLAIN", "TLSv1.3", "ok", "phone", client)
    return LoginFold(kind, count, _NOW + timedelta(minutes=minute), _NOW + timedelta(minutes=minute + 1))


async def test_logins_are_counted_by_kind(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test", secrets=[_secret()])
    (secret,) = (await directory.credentials.get_login(ann.account_id)).app_passwords
    use = CredentialUse(secret.credential, _NOW, "192.0.2.1")
    network = KnownNetwork(ann.account_id, "192.0.2.1", _NOW)
    await directory.audit.record_logins(
        LoginBatch(ann.account_id, [_fold(ann.account_id, 3, 5)], uses=[use], networks=[network])
    )
    await directory.audit.record_logins(
        LoginBatch(ann.account_id, [_fold(ann.account_id, 2, 9), _fold(ann.account_id, 1, 0, "雁")])
    )
    await directory.audit.record_logins(LoginBatch(None, [_fold(None, 8, 1)]))
    mutt, goose = await directory.audit.list_logins(ann.account_id)
    assert mutt == LoginFold(mutt.kind, 5, _NOW + timedelta(minutes=5), _NOW + timedelta(minutes=10))
    assert (goose.kind.client, goose.count) == ("雁", 1)
    assert [fold.count for fold in await directory.audit.list_logins(None)] == [8]
    login = await directory.credentials.get_login(ann.account_id)
    assert login.networks == {"192.0.2.1"}
    assert (login.app_passwords[0].last_used_at, login.app_passwords[0].last_used_from) == (_NOW, "192.0.2.1")
    assert await directory.audit.list_known_networks(limit=5) == [network]


async def test_logins_expire_by_time_and_by_number(directory: Directory) -> None:
    account = AccountId(5)
    folds = [_fold(account, 1, minute, f"client {minute}") for minute in range(10)]
    networks = [KnownNetwork(account, "192.0.2.1", _NOW)]
    await directory.audit.record_logins(LoginBatch(account, folds, networks=networks))
    dropped = await directory.audit.expire_logins(_NOW + timedelta(minutes=3), keep=5)
    assert dropped == 5
    left = await directory.audit.list_logins(account)
    assert [fold.kind.client for fold in left] == [f"client {minute}" for minute in range(9, 4, -1)]
    assert await directory.audit.list_known_networks(limit=5) == []


async def test_unknown_names_know_no_network(directory: Directory) -> None:
    await directory.audit.record_logins(LoginBatch(None, [_fold(None, 1, 0)]))
    assert await directory.credentials.find_login("nobody@geese.test") is None
    with pytest.raises(NotFound):
        await directory.credentials.get_login(AccountId(42))


def test_a_credential_is_led_by_its_account() -> None:
    assert owner_of(CredentialId(first_credential(AccountId(7)) + 3)) == AccountId(7)
