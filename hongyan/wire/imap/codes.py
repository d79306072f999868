"""Response codes: what stands in brackets before a response's text, for programs (RFC 9051 §7.1, RFC 5530 §3).

Those without arguments are constants, the others are made by functions.
"""

from __future__ import annotations

__all__ = [
    "ALERT",
    "ALREADYEXISTS",
    "AUTHENTICATIONFAILED",
    "AUTHORIZATIONFAILED",
    "CANNOT",
    "CLIENTBUG",
    "CLOSED",
    "CONTACTADMIN",
    "CORRUPTION",
    "EXPIRED",
    "EXPUNGEISSUED",
    "HASCHILDREN",
    "INUSE",
    "LIMIT",
    "NOMODSEQ",
    "NONEXISTENT",
    "NOPERM",
    "NOTSAVED",
    "NOUPDATE",
    "OVERQUOTA",
    "PARSE",
    "PRIVACYREQUIRED",
    "READ_ONLY",
    "READ_WRITE",
    "SERVERBUG",
    "TOOBIG",
    "TRYCREATE",
    "UIDNOTSTICKY",
    "UNAVAILABLE",
    "UNKNOWN_CTE",
    "USEATTR",
    "appenduid",
    "badcharset",
    "capability",
    "copyuid",
    "highestmodseq",
    "mailboxid",
    "modified",
    "permanentflags",
    "uidnext",
    "uidvalidity",
    "unseen",
]

from collections.abc import Iterable

# RFC 9051 §7.1
ALERT = b"ALERT"
ALREADYEXISTS = b"ALREADYEXISTS"
AUTHENTICATIONFAILED = b"AUTHENTICATIONFAILED"
AUTHORIZATIONFAILED = b"AUTHORIZATIONFAILED"
CANNOT = b"CANNOT"
CLIENTBUG = b"CLIENTBUG"
CLOSED = b"CLOSED"
CONTACTADMIN = b"CONTACTADMIN"
CORRUPTION = b"CORRUPTION"
EXPIRED = b"EXPIRED"
EXPUNGEISSUED = b"EXPUNGEISSUED"
HASCHILDREN = b"HASCHILDREN"
INUSE = b"INUSE"
LIMIT = b"LIMIT"
NONEXISTENT = b"NONEXISTENT"
NOPERM = b"NOPERM"
NOTSAVED = b"NOTSAVED"
OVERQUOTA = b"OVERQUOTA"
PARSE = b"PARSE"
PRIVACYREQUIRED = b"PRIVACYREQUIRED"
READ_ONLY = b"READ-ONLY"
READ_WRITE = b"READ-WRITE"
SERVERBUG = b"SERVERBUG"
TRYCREATE = b"TRYCREATE"
UIDNOTSTICKY = b"UIDNOTSTICKY"
UNAVAILABLE = b"UNAVAILABLE"
UNKNOWN_CTE = b"UNKNOWN-CTE"
# Extensions
NOMODSEQ = b"NOMODSEQ"  # RFC 7162 §3.1.2.2
NOUPDATE = b"NOUPDATE"  # RFC 5267 §4.3.1
TOOBIG = b"TOOBIG"  # RFC 4469 §4.2, RFC 7888 §5
USEATTR = b"USEATTR"  # RFC 6154 §3


def appenduid(uidvalidity: int, uids: bytes) -> bytes:
    """The UIDs of what APPEND stored, in the order given: `resp-code-apnd` of RFC 9051 §7.1, RFC 3502 §6.3.11."""
    return b"APPENDUID %d %b" % (uidvalidity, uids)


def copyuid(uidvalidity: int, sources: bytes, targets: bytes) -> bytes:
    """Which UID became which: `resp-code-copy` of RFC 9051 §7.1. Both sets tell as many, in corresponding order."""
    return b"COPYUID %d %b %b" % (uidvalidity, sources, targets)


def badcharset(charsets: Iterable[bytes]) -> bytes:
    """The charsets that SEARCH knows."""
    return b"BADCHARSET (%b)" % b" ".join(charsets)


def capability(capabilities: Iterable[bytes]) -> bytes:
    return b"CAPABILITY %b" % b" ".join(capabilities)


def permanentflags(flags: Iterable[bytes]) -> bytes:
    """The flags that a client can change for good; `\\*` among them: new keywords too."""
    return b"PERMANENTFLAGS (%b)" % b" ".join(flags)


def uidnext(uid: int) -> bytes:
    return b"UIDNEXT %d" % uid


def uidvalidity(value: int) -> bytes:
    return b"UIDVALIDITY %d" % value


def unseen(seq: int) -> bytes:
    """The first unseen message, for clients of IMAP4rev1 (RFC 3501 §7.1)."""
    return b"UNSEEN %d" % seq


def highestmodseq(modseq: int) -> bytes:
    """RFC 7162 §3.1.2.1."""
    return b"HIGHESTMODSEQ %d" % modseq


def modified(messages: bytes) -> bytes:
    """The messages that a conditional STORE left alone, RFC 7162 §3.1.3."""
    return b"MODIFIED %b" % messages


def mailboxid(object_id: bytes) -> bytes:
    """RFC 8474 §4.1, §4.2."""
    return b"MAILBOXID (%b)" % object_id
