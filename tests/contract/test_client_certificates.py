"""Certificates of mail programs: what every SQL engine owes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address, Domain
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.client_certificates import SqlClientCertificates
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import NotFound, OverLimit
from hongyan.store.accounts import Service
from hongyan.store.audit import AuditEntry, CredentialUse, LoginBatch
from hongyan.store.client_certificates import NewClientCertificate
from hongyan.store.credentials import owner_of
from hongyan.store.directory import DirectoryTopic
from hongyan.store.domains import DomainSettings
from hongyan.store.provisioning import NewAccount, NewMailbox
from hongyan.types import AccountId, CredentialId

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_DAY = timedelta(days=1)


class Directory:
    """What keeps certificates, and what they meet."""

    def __init__(self, database: SqlDatabase) -> None:
        self.audit = SqlAudit(database)
        self.certificates = SqlClientCertificates(database)
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
            services=frozenset({Service.IMAP}),
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


def new(label: str, *, at: datetime = _NOW, days: int = 30) -> NewClientCertificate:
    scopes = frozenset({Service.IMAP, Service.SMTP})
    return NewClientCertificate(label, scopes, label.encode() * 32, at, at + days * _DAY)


async def test_certificates_are_added_up_to_a_limit_and_revoked(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.certificates
    first = await store.add_certificate(ann, new("a"), limit=2, audit=directory.act())
    second = await store.add_certificate(ann, new("b"), limit=2, audit=directory.act())
    assert (first.label, first.fingerprint, first.expires_at) == ("a", b"a" * 32, _NOW + 30 * _DAY)
    assert owner_of(first.credential) == ann
    with pytest.raises(OverLimit):
        await store.add_certificate(ann, new("c"), limit=2, audit=directory.act())
    assert (await directory.credentials.get_login(ann)).certificates == [first, second]
    position = await directory.log.directory_position()
    gone = await store.revoke_certificates(ann, [first.credential, CredentialId(12345)], audit=directory.act())
    assert gone == [first.credential]
    changes = await directory.log.directory_changes(position)
    assert changes is not None
    assert [(change.topic, change.account, change.credential) for change in changes] == [
        (DirectoryTopic.CREDENTIAL, ann, first.credential)
    ]
    assert await store.revoke_certificates(ann, audit=directory.act()) == [second.credential]
    assert (await directory.credentials.get_login(ann)).certificates == []


async def test_certificates_that_have_ended_do_not_count(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.certificates
    await store.add_certificate(ann, new("a", days=1), limit=1, audit=directory.act())
    later = await store.add_certificate(ann, new("b", at=_NOW + _DAY), limit=1, audit=directory.act())
    assert (await directory.credentials.get_login(ann)).certificates == [later]


async def test_another_accounts_certificate_is_not_revoked(directory: Directory) -> None:
    ann, bob = await directory.add_account("ann@geese.test"), await directory.add_account("bob@geese.test")
    one = await directory.certificates.add_certificate(ann, new("a"), limit=2, audit=directory.act())
    assert await directory.certificates.revoke_certificates(bob, [one.credential], audit=directory.act()) == []
    assert (await directory.credentials.get_login(ann)).certificates == [one]


async def test_a_new_password_and_the_end_of_an_account_revoke_certificates(directory: Directory) -> None:
    ann, store = await directory.add_account("ann@geese.test"), directory.certificates
    one = await store.add_certificate(ann, new("a"), limit=2, audit=directory.act())
    position = await directory.log.directory_position()
    await directory.credentials.set_password(ann, "$other", audit=directory.act())
    assert (await directory.credentials.get_login(ann)).certificates == []
    changes = await directory.log.directory_changes(position)
    assert changes is not None
    assert one.credential in [change.credential for change in changes]
    await store.add_certificate(ann, new("b"), limit=2, audit=directory.act())
    await directory.provisioning.remove_account(ann, audit=directory.act())
    assert await store.revoke_certificates(ann, audit=directory.act()) == [], "nothing is left of it"
    with pytest.raises(NotFound):
        await store.add_certificate(ann, new("c"), limit=2, audit=directory.act())


async def test_the_last_use_of_a_certificate_is_noted(directory: Directory) -> None:
    ann = await directory.add_account("ann@geese.test")
    one = await directory.certificates.add_certificate(ann, new("a"), limit=2, audit=directory.act())
    use = CredentialUse(one.credential, _NOW, "192.0.2.1")
    await directory.audit.record_logins(LoginBatch(ann, [], uses=[use]))
    (known,) = (await directory.credentials.get_login(ann)).certificates
    assert (known.last_used_at, known.last_used_from) == (_NOW, "192.0.2.1")
