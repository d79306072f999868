"""ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.1.11): read from a line, and written for one.

What was encoded (xtext, RFC 3461 §4) is decoded here and holds no control character afterwards,
so that it cannot break a header line or a log.
"""

from __future__ import annotations

__all__ = [
    "AUTH_PARAMETERS",
    "DSN_PARAMETERS",
    "FUTURE_RELEASE_PARAMETERS",
    "MAIL_PARAMETERS",
    "REQUIRETLS_PARAMETERS",
    "VERP_PARAMETERS",
    "Body",
    "MailParameters",
    "Notify",
    "OriginalRecipient",
    "Ret",
    "read_mail_parameters",
    "read_rcpt_parameters",
    "write_notify",
    "write_original_recipient",
    "write_xtext",
]

import enum
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from hongyan.wire.smtp import replies
from hongyan.wire.smtp.replies import CommandFault

MAIL_PARAMETERS: Final = frozenset({"SIZE", "BODY", "SMTPUTF8"})
"""What every server of ours offers: RFC 1870, RFC 6152, RFC 6531."""

DSN_PARAMETERS: Final = frozenset({"RET", "ENVID", "NOTIFY", "ORCPT"})
"""RFC 3461."""

AUTH_PARAMETERS: Final = frozenset({"AUTH"})
"""RFC 4954 §5."""

FUTURE_RELEASE_PARAMETERS: Final = frozenset({"HOLDFOR", "HOLDUNTIL"})
"""RFC 4865, on submission only."""

REQUIRETLS_PARAMETERS: Final = frozenset({"REQUIRETLS"})
"""RFC 8689, offered under TLS only."""

VERP_PARAMETERS: Final = frozenset({"XVERP"})
"""An extension of Postfix, on submission only: a reverse-path for each recipient (its VERP_README)."""

_MAX_ENVID: Final = 100  # RFC 3461 §4.4
_MAX_ORCPT: Final = 500  # RFC 3461 §4.2

# The keywords that may stand with MAIL and with RCPT, and whether each has a value; None: it may.
_MAIL_KEYWORDS: dict[str, bool | None] = {
    "SIZE": True,
    "BODY": True,
    "SMTPUTF8": False,
    "RET": True,
    "ENVID": True,
    "AUTH": True,
    "REQUIRETLS": False,
    "HOLDFOR": True,
    "HOLDUNTIL": True,
    "XVERP": None,
}
_RCPT_KEYWORDS: dict[str, bool | None] = {"NOTIFY": True, "ORCPT": True}

# esmtp-param = esmtp-keyword ["=" esmtp-value], RFC 5321 §4.1.2 and RFC 6531 §3.3
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")
# Its value may hold "=", which no esmtp-value may. The characters are those that Postfix takes (verp_delimiter_filter).
_XVERP = re.compile(r"(XVERP)=([-+=]{2})", re.IGNORECASE | re.ASCII)
_SIZE = re.compile(r"[0-9]{1,20}")
# future-release-integer = %x31-39 *8DIGIT, RFC 4865 §4
_INTERVAL = re.compile(r"[1-9][0-9]{0,8}")
# date-time, RFC 3339 §5.6; errata 2040 of RFC 4865
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
# xtext = *( xchar / hexchar )
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*")
_XTEXT_HEX = re.compile(r"\+([0-9A-Fa-f]{2})")
_XTEXT_UNFIT = re.compile(r"[^!-*,-<>-~]")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]{1,32}")
# EmbeddedUnicodeChar of RFC 6533 §3
_UNITEXT_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_UNITEXT_UNFIT = re.compile(r"[^!-*,-<>-\[\]-~]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Body(enum.Enum):
    """What the client says of the content (RFC 6152). BINARYMIME (RFC 3030) is not offered."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"


class Ret(enum.Enum):
    """How much of the message a notification of failure returns (RFC 3461 §4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Notify(enum.Flag):
    """When the sender wants to be told (RFC 3461 §4.1); no flag at all is NEVER."""

    NEVER = 0
    SUCCESS = 1
    FAILURE = 2
    DELAY = 4


@dataclass(frozen=True, slots=True)
class OriginalRecipient:
    """Whom the sender meant: `rfc822` or `utf-8`, and the address decoded (RFC 3461 §4.2, RFC 6533 §3)."""

    address_type: str
    address: str


@dataclass(frozen=True, slots=True)
class MailParameters:
    """The parameters of MAIL. `size` is 0 and `auth` None where the client says nothing; `auth` is "<>" for nobody."""

    size: int = 0
    body: Body | None = None
    smtputf8: bool = False
    ret: Ret | None = None
    envid: str | None = None
    auth: str | None = None
    requiretls: bool = False
    hold_for: timedelta | None = None
    """HOLDFOR: release the message so long after it was taken (RFC 4865 §4)."""
    hold_until: datetime | None = None
    """HOLDUNTIL: release it then; never given together with `hold_for`."""
    verp: str | None = None
    """XVERP: a reverse-path for each recipient, made with these two delimiters; empty: with the usual ones."""


def read_mail_parameters(text: str, offered: AbstractSet[str]) -> MailParameters:
    """Read what follows the reverse-path. Raises CommandFault."""
    values = _split(text, offered, _MAIL_KEYWORDS)
    size = values.get("SIZE")
    if size is not None and not _SIZE.fullmatch(size):
        raise CommandFault(replies.PARAMETER_SYNTAX)
    envid = values.get("ENVID")
    auth = values.get("AUTH")
    if "HOLDFOR" in values and "HOLDUNTIL" in values:
        raise CommandFault(replies.PARAMETER_SYNTAX)  # RFC 4865 §4: one of them
    return MailParameters(
        size=int(size or "0"),
        body=_choice(Body, values.get("BODY")),
        smtputf8="SMTPUTF8" in values,
        ret=_choice(Ret, values.get("RET")),
        envid=None if envid is None else _read_xtext(envid, _MAX_ENVID),
        auth=auth if auth is None or auth == "<>" else _read_xtext(auth, _MAX_ORCPT),
        requiretls="REQUIRETLS" in values,
        hold_for=_interval(values.get("HOLDFOR")),
        hold_until=_moment(values.get("HOLDUNTIL")),
        verp=values.get("XVERP"),
    )


def read_rcpt_parameters(text: str, offered: AbstractSet[str]) -> tuple[Notify | None, OriginalRecipient | None]:
    """Read what follows the forward-path. Raises CommandFault."""
    values = _split(text, offered, _RCPT_KEYWORDS)
    return _notify(values.get("NOTIFY")), _original_recipient(values.get("ORCPT"))


def write_notify(notify: Notify) -> str:
    """Write the value of NOTIFY."""
    wishes = (Notify.SUCCESS, Notify.FAILURE, Notify.DELAY)
    return ",".join(str(wish.name) for wish in wishes if wish in notify) or "NEVER"


def write_xtext(text: str) -> str:
    """Encode printable ASCII as xtext (RFC 3461 §4).

    >>> write_xtext("a+b=c d")
    'a+2Bb+3Dc+20d'
    """
    return _XTEXT_UNFIT.sub(lambda match: f"+{ord(match[0]):02X}", text)


def write_original_recipient(recipient: OriginalRecipient) -> str:
    """Write the value of ORCPT in ASCII: utf-8-addr-xtext of RFC 6533 §3 for type utf-8."""
    if recipient.address_type != "utf-8":
        return f"{recipient.address_type};{write_xtext(recipient.address)}"
    return "utf-8;" + _UNITEXT_UNFIT.sub(lambda match: f"\\x{{{ord(match[0]):02X}}}", recipient.address)


def _split(text: str, offered: AbstractSet[str], known: dict[str, bool | None]) -> dict[str, str]:
    values: dict[str, str] = {}
    for word in text.split(" "):
        if not word:
            continue
        match = _XVERP.fullmatch(word) or _PARAMETER.fullmatch(word)
        if not match:
            raise CommandFault(replies.PARAMETER_SYNTAX)
        keyword, value = match[1].upper(), match[2]
        if not word.isascii() and keyword != "ORCPT":
            raise CommandFault(replies.PARAMETER_SYNTAX)
        if keyword not in known or keyword not in offered:
            raise CommandFault(replies.UNKNOWN_PARAMETER)
        if keyword in values:
            raise CommandFault(replies.PARAMETER_TWICE)
        if keyword == "XVERP" and match.re is not _XVERP and value is not None:
            raise CommandFault(replies.VERP_DELIMITERS)
        if known[keyword] not in (None, value is not None):
            raise CommandFault(replies.PARAMETER_SYNTAX)
        values[keyword] = value or ""
    return values


_E = TypeVar("_E", bound=enum.Enum)


def _choice(choices: type[_E], value: str | None) -> _E | None:
    if value is None:
        return None
    try:
        return choices(value.upper())
    except ValueError:
        raise CommandFault(replies.PARAMETER_SYNTAX) from None


def _interval(value: str | None) -> timedelta | None:
    if value is None:
        return None
    if not _INTERVAL.fullmatch(value):
        raise CommandFault(replies.PARAMETER_SYNTAX)
    return timedelta(seconds=int(value))


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    if not _DATE_TIME.fullmatch(value):
        raise CommandFault(replies.PARAMETER_SYNTAX)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February; a zone beyond the year 9999
        raise CommandFault(replies.PARAMETER_SYNTAX) from None


def _notify(value: str | None) -> Notify | None:
    # notify-esmtp-value = "NEVER" / 1#notify-list-element
    if value is None:
        return None
    words = value.upper().split(",")
    if words == ["NEVER"]:
        return Notify.NEVER
    wishes = Notify.NEVER
    for word in words:
        if word not in ("SUCCESS", "FAILURE", "DELAY"):
            raise CommandFault(replies.PARAMETER_SYNTAX)
        wishes |= Notify[word]
    return wishes


def _original_recipient(value: str | None) -> OriginalRecipient | None:
    # original-recipient-address = addr-type ";" xtext
    if value is None:
        return None
    address_type, _, encoded = value.partition(";")
    if not encoded or len(value) > _MAX_ORCPT or not _ADDRESS_TYPE.fullmatch(address_type):
        raise CommandFault(replies.PARAMETER_SYNTAX)
    address_type = address_type.lower()
    address = _read_unitext(encoded) if address_type == "utf-8" else _read_xtext(encoded, _MAX_ORCPT)
    return OriginalRecipient(address_type, address)


def _read_xtext(encoded: str, longest: int) -> str:
    """Decode xtext to printable ASCII (RFC 3461 §4.4): no line end in disguise."""
    if len(encoded) > longest or not _XTEXT.fullmatch(encoded):
        raise CommandFault(replies.PARAMETER_SYNTAX)
    decoded = _XTEXT_HEX.sub(lambda match: chr(int(match[1], 16)), encoded)
    if not decoded or not decoded.isascii() or not decoded.isprintable():
        raise CommandFault(replies.PARAMETER_SYNTAX)
    return decoded


def _read_unitext(encoded: str) -> str:
    """Decode utf-8-addr-xtext or utf-8-addr-unitext (RFC 6533 §3)."""
    try:
        decoded = _UNITEXT_HEX.sub(lambda match: chr(int(match[1], 16)), encoded)
        decoded.encode()  # \x{D800} is no character,
    except ValueError:  # and beyond \x{10FFFF} there is none.
        raise CommandFault(replies.PARAMETER_SYNTAX) from None
    if _CONTROLS.search(decoded):
        raise CommandFault(replies.PARAMETER_SYNTAX)
    return decoded
