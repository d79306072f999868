"""What the server says it can do, which depends on where the session stands."""

from __future__ import annotations

__all__ = ["ENABLED_BY_CLIENT", "OPTIONAL", "capabilities", "opens_jmap"]

from typing import Protocol

from hongyan.auth.principal import Principal
from hongyan.servers.connection import Connection
from hongyan.servers.imap.message_limit import announce_limits
from hongyan.servers.imap.services import ImapServices

_ALWAYS = (b"IMAP4rev2", b"IMAP4rev1", b"SASL-IR", b"ID", b"ENABLE")
_BEFORE_LOGIN = (b"LITERAL-",)
_AFTER_LOGIN = (
    b"LITERAL+",
    b"IDLE",
    b"NOTIFY",
    b"NAMESPACE",
    b"CHILDREN",
    b"UNSELECT",
    b"UIDPLUS",
    b"MOVE",
    b"ESEARCH",
    b"SEARCHRES",
    b"MULTISEARCH",
    b"BINARY",
    b"LIST-EXTENDED",
    b"LIST-STATUS",
    b"STATUS=SIZE",
    b"SPECIAL-USE",
    b"CREATE-SPECIAL-USE",
    b"CONDSTORE",
    b"QRESYNC",
    b"MULTIAPPEND",
    b"UTF8=ACCEPT",
    b"ACL",
    b"RIGHTS=kxte",
    b"LIST-MYRIGHTS",
    b"QUOTA",
    b"QUOTASET",  # RFC 9208 §4.1.3: SETQUOTA is known; who may use it is another question
    b"QUOTA=RES-STORAGE",
    b"QUOTA=RES-MESSAGE",
    b"QUOTA=RES-MAILBOX",
    b"METADATA",
    b"LIST-METADATA",
    b"PREVIEW",
    b"SAVEDATE",
    b"WITHIN",
    b"OBJECTID",
    b"PARTIAL",
    b"UIDBATCHES",
    b"UIDONLY",
    b"REPLACE",
    b"INPROGRESS",
    b"UNAUTHENTICATE",
    b"SORT",
    b"SORT=DISPLAY",
    b"ESORT",
    b"THREAD=ORDEREDSUBJECT",
    b"THREAD=REFERENCES",
    b"THREAD=REFS",
)

ENABLED_BY_CLIENT = frozenset({"IMAP4REV2", "UTF8=ACCEPT", "CONDSTORE", "QRESYNC", "UIDONLY"})
"""What ENABLE takes (RFC 9051 §6.3.1)."""


_AT_TIMES = (b"COMPRESS=DEFLATE", b"SEARCH=FUZZY", b"JMAPACCESS")

OPTIONAL = frozenset(name.decode().upper() for name in (*_AFTER_LOGIN, *_AT_TIMES, b"IMAP4REV2", b"ENABLE"))
"""What may be switched off, in capitals."""


class _Session(Protocol):
    @property
    def principal(self) -> Principal | None: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def is_compressed(self) -> bool: ...
    @property
    def switched_off(self) -> frozenset[str]: ...
    @property
    def services(self) -> ImapServices: ...


def opens_jmap(session: _Session) -> bool:
    """Whether what the client has logged in with opens JMAP too (RFC 9698 §3): a certificate, which ends, does not."""
    principal = session.principal
    return bool(session.services.jmap_url) and principal is not None and principal.ends_at is None


def capabilities(session: _Session) -> list[bytes]:
    """Return the capabilities as they stand now (RFC 9051 §6.1.1)."""
    if session.principal is not None:
        limit = b"APPENDLIMIT=%d" % session.services.options.append_limit
        names = [*_ALWAYS, *_AFTER_LOGIN, limit, *announce_limits(session)]
        if not session.is_compressed:
            names.append(b"COMPRESS=DEFLATE")  # RFC 4978 §3
        if session.services.index is not None:
            names.append(b"SEARCH=FUZZY")  # without one it is carried out too, slowly
        if opens_jmap(session):
            names.append(b"JMAPACCESS")
        off = session.switched_off
        return [name for name in names if name.decode().upper() not in off] if off else names
    names = [*_ALWAYS, *_BEFORE_LOGIN]
    if session.connection.tls_offered and not session.is_compressed:
        names.append(b"STARTTLS")
    if session.services.door.is_open(session.connection):
        names += [
            b"AUTH=" + mechanism.encode() for mechanism in session.services.door.mechanisms_for(session.connection)
        ]
    else:
        names.append(b"LOGINDISABLED")
    return names
