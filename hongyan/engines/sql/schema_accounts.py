"""The tables of accounts, domains, credentials and the audit trail, in the words of `schema`.

`domains`, `addresses`, `alias_targets`, `directory_log` and `server_counters` are server tables, each reached by
one key. In the audit tables account 0 is nobody's: the server's matters, logins with names that nobody has.
"""

from __future__ import annotations

__all__ = ["ACCOUNTS"]

ACCOUNTS = (
    """
    CREATE TABLE server_counters (
        name TEXT NOT NULL PRIMARY KEY,
        value INTEGER NOT NULL
    ) {clustered}
    """,
    "INSERT INTO server_counters (name, value) VALUES ('account', 0), ('directory', 0), ('directory-dropped', 0)",
    """
    CREATE TABLE directory_log (
        number INTEGER NOT NULL PRIMARY KEY,
        at INTEGER NOT NULL,
        topic TEXT NOT NULL,
        account_id INTEGER,
        credential_id INTEGER
    ) {strict}
    """,
    """
    CREATE TABLE domains (
        domain TEXT NOT NULL PRIMARY KEY,
        created_at INTEGER NOT NULL,
        catch_all TEXT NOT NULL,
        separators TEXT NOT NULL
    ) {clustered}
    """,
    """
    CREATE TABLE addresses (
        canonical TEXT NOT NULL PRIMARY KEY,
        address TEXT NOT NULL,
        domain TEXT NOT NULL,
        account_id INTEGER,
        members_may_send INTEGER NOT NULL
    ) {clustered}
    """,
    "CREATE INDEX addresses_by_domain ON addresses (domain, canonical)",
    """
    CREATE TABLE alias_targets (
        alias TEXT NOT NULL,
        number INTEGER NOT NULL,
        target TEXT NOT NULL,
        address TEXT NOT NULL,
        PRIMARY KEY (alias, number)
    ) {clustered}
    """,
    "CREATE INDEX alias_targets_by_target ON alias_targets (target, alias)",
    """
    CREATE TABLE accounts (
        account_id INTEGER NOT NULL PRIMARY KEY,
        address TEXT NOT NULL,
        domain TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        account_class TEXT NOT NULL,
        state TEXT NOT NULL,
        locale TEXT NOT NULL,
        services TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        next_credential INTEGER NOT NULL,
        password_credential INTEGER NOT NULL,
        password_hash TEXT NOT NULL,
        scram_salt BLOB NOT NULL,
        scram_iterations INTEGER NOT NULL
    ) {strict}
    """,
    "CREATE INDEX accounts_by_domain ON accounts (domain, account_id)",
    "CREATE INDEX accounts_by_role ON accounts (role, account_id)",
    "CREATE INDEX accounts_by_state ON accounts (state, account_id)",
    """
    CREATE TABLE identities (
        account_id INTEGER NOT NULL,
        canonical TEXT NOT NULL,
        address TEXT NOT NULL,
        PRIMARY KEY (account_id, canonical)
    ) {clustered}
    """,
    """
    CREATE TABLE app_passwords (
        account_id INTEGER NOT NULL,
        credential_id INTEGER NOT NULL,
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        keyed_hash BLOB NOT NULL,
        scram BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER,
        last_used_from TEXT NOT NULL,
        PRIMARY KEY (account_id, credential_id)
    ) {clustered}
    """,
    """
    CREATE TABLE audit_log (
        entry_id INTEGER NOT NULL PRIMARY KEY,
        at INTEGER NOT NULL,
        account_id INTEGER NOT NULL,
        event TEXT NOT NULL,
        actor TEXT NOT NULL,
        peer TEXT NOT NULL,
        detail TEXT NOT NULL
    ) {strict}
    """,
    "CREATE INDEX audit_log_by_account ON audit_log (account_id, entry_id)",
    """
    CREATE TABLE login_log (
        account_id INTEGER NOT NULL,
        kind BLOB NOT NULL,
        address TEXT NOT NULL,
        service TEXT NOT NULL,
        mechanism TEXT NOT NULL,
        tls TEXT NOT NULL,
        result TEXT NOT NULL,
        label TEXT NOT NULL,
        client TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, kind)
    ) {clustered}
    """,
    "CREATE INDEX login_log_by_time ON login_log (last_at)",
    """
    CREATE TABLE known_networks (
        account_id INTEGER NOT NULL,
        network TEXT NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, network)
    ) {clustered}
    """,
    "CREATE INDEX known_networks_by_time ON known_networks (last_at)",
)
"""Who may do what, and what was done."""
