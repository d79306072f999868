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
    "COMPRESSIONACTIVE",
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
    "NOTIFICATIONOVERFLOW",
    "NOTSAVED",
    "NOUPDATE",
    "OVERQUOTA",
    "PARSE",
    "PRIVACYREQUIRED",
    "READ_ONLY",
    "READ_WRITE",
    "SERVERBUG",
    "TOOBIG",
    "TOOFEW",
    "TOOMANY",
    "TRYCREATE",
    "UIDNOTSTICKY",
    "UIDREQUIRED",
    "UNAVAILABLE",
    "UNKNOWN_CTE",
    "USEATTR",
    "appenduid",
    "badcharset",
    "badevent",
    "capability",
    "copyuid",
    "highestmodseq",
    "inprogress",
    "mailboxid",
    "messagelimit",
    "metadata",
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
COMPRESSIONACTIVE = b"COMPRESSIONACTIVE"  # RFC 4978 §3
NOMODSEQ = b"NOMODSEQ"  # RFC 7162 §3.1.2.2
NOTIFICATIONOVERFLOW = b"NOTIFICATIONOVERFLOW"  # RFC 5465 §5.8
NOUPDATE = b"NOUPDATE"  # RFC 5267 §4.3.1
TOOBIG = b"TOOBIG"  # RFC 4469 §4.2, RFC 7888 §5
TOOFEW = b"TOOFEW"  # RFC 10022 §3.1.3.2
TOOMANY = b"TOOMANY"  # RFC 10022 §3.1.5
UIDREQUIRED = b"UIDREQUIRED"  # RFC 9586 §3
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


def badevent(events: Iterable[bytes]) -> bytes:
    """The events that NOTIFY knows, RFC 5465 §3.1."""
    return b"BADEVENT (%b)" % b" ".join(events)


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


def messagelimit(limit: int, lowest: int | None = None) -> bytes:
    """How many messages a command may be about, and the lowest UID that it went down to, RFC 9738 §3.1."""
    # resp-text-code =/ "MESSAGELIMIT" SP message-limit [SP uniqueid]
    return b"MESSAGELIMIT %d" % limit if lowest is None else b"MESSAGELIMIT %d %d" % (limit, lowest)


def inprogress(tag: bytes, done: int, goal: int) -> bytes:
    """How far the command of that tag is; a goal that is not greater is none that is known, RFC 9585 §4."""
    # resp-text-code =/ "INPROGRESS" [SP "(" inprogress-tag SP inprogress-state ")"]
    told = b"NIL" if b"]" in tag else b'"%b"' % tag
    if goal > done:
        return b"INPROGRESS (%b %d %d)" % (told, done, goal)
    return b"INPROGRESS (%b %d NIL)" % (told, done) if done else b"INPROGRESS (%b NIL NIL)" % told


def metadata(limit: bytes) -> bytes:
    """Which limit of annotations was met, RFC 5464 §4.2.1, §4.3: LONGENTRIES n, MAXSIZE n, TOOMANY, NOPRIVATE."""
    return b"METADATA %b" % limit


def modified(messages: bytes) -> bytes:
    """The messages that a conditional STORE left alone, RFC 7162 §3.1.3."""
    return b"MODIFIED %b" % messages


def mailboxid(object_id: bytes) -> bytes:
    """RFC 8474 §4.1, §4.2."""
    return b"MAILBOXID (%b)" % object_id
