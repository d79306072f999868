"""What the server says it can do, which depends on where the session stands."""

from __future__ import annotations

__all__ = ["ENABLED_BY_CLIENT", "capabilities"]

from typing import Protocol

from hongyan.auth.principal import Principal
from hongyan.servers.connection import Connection
from hongyan.servers.imap.services import ImapServices

_ALWAYS = (b"IMAP4rev2", b"IMAP4rev1", b"SASL-IR", b"ID", b"ENABLE")
_BEFORE_LOGIN = (b"LITERAL-",)
_AFTER_LOGIN = (
    b"LITERAL+",
    b"IDLE",
    b"NAMESPACE",
    b"CHILDREN",
    b"UNSELECT",
    b"UIDPLUS",
    b"MOVE",
    b"ESEARCH",
    b"SEARCHRES",
    b"BINARY",
    b"LIST-EXTENDED",
    b"LIST-STATUS",
    b"STATUS=SIZE",
    b"SPECIAL-USE",
    b"CREATE-SPECIAL-USE",
    b"CONDSTORE",
    b"MULTIAPPEND",
    b"UTF8=ACCEPT",
    b"QUOTA",
    b"QUOTA=RES-STORAGE",
    b"QUOTA=RES-MESSAGE",
    b"PREVIEW",
    b"SAVEDATE",
    b"WITHIN",
    b"OBJECTID",
    b"PARTIAL",
)

ENABLED_BY_CLIENT = frozenset({"IMAP4REV2", "UTF8=ACCEPT", "CONDSTORE"})
"""What ENABLE takes (RFC 9051 §6.3.1)."""


class _Session(Protocol):
    @property
    def principal(self) -> Principal | None: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def services(self) -> ImapServices: ...


def capabilities(session: _Session) -> list[bytes]:
    """Return the capabilities as they stand now (RFC 9051 §6.1.1)."""
    if session.principal is not None:
        limit = b"APPENDLIMIT=%d" % session.services.options.append_limit
        return [*_ALWAYS, *_AFTER_LOGIN, limit]
    names = [*_ALWAYS, *_BEFORE_LOGIN]
    if session.connection.tls_offered:
        names.append(b"STARTTLS")
    if session.services.door.is_open(session.connection):
        names += [b"AUTH=" + mechanism.encode() for mechanism in session.services.door.mechanisms]
    else:
        names.append(b"LOGINDISABLED")
    return names
