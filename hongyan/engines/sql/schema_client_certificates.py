"""The table of certificates that mail programs log in by, in the words of `schema`."""

from __future__ import annotations

__all__ = ["CLIENT_CERTIFICATES"]

CLIENT_CERTIFICATES = (
    """
    CREATE TABLE client_certificates (
        account_id INTEGER NOT NULL,
        credential_id INTEGER NOT NULL,
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        fingerprint BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        last_used_at INTEGER,
        last_used_from TEXT NOT NULL,
        PRIMARY KEY (account_id, credential_id)
    ) {clustered}
    """,
)
