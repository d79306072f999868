"""Mail addresses: the one parser for envelope, login and routing.

An `Address` is a local part and a `Domain`, both in normal form, so that two spellings of one
address are one value. Whatever stands left of the last "@" is the local part and is never read
again: a percent hack, a bang path or an address within quotation marks routes nowhere
(RFC 5321 §2.3.11). `canonical` is the key for every lookup.

Invariants: a local part is NFC (RFC 6532 §3.1), without quotation, control characters, line
separators or marks that turn the direction of text, and of at most 128 octets; a domain is
A-labels in lower case (RFC 5890 §2.3.2.1) or an address literal (RFC 5321 §4.1.3); the written
address fits a path (RFC 5321 §4.5.3.1.3). `Address.parse(str(address)) == address`, always.
"""

from __future__ import annotations

__all__ = ["MAX_ADDRESS", "MAX_DOMAIN", "MAX_LOCAL_PART", "Address", "AddressFault", "Domain"]

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import idna

from hongyan.errors import PeerFault

MAX_LOCAL_PART: Final = 128
"""Octets of a local part. RFC 5321 §4.5.3.1.1 wants 64 to be taken and §4.5.3.1 no limit where there need be none:
return addresses that programs make (VERP, SRS) are longer than 64, and refusing them loses mail."""

MAX_DOMAIN: Final = 255
"""Octets of a domain (RFC 5321 §4.5.3.1.2)."""

MAX_ADDRESS: Final = 254
"""Octets of a written address: a path of 256 (RFC 5321 §4.5.3.1.3) without its angle brackets."""

# atext of RFC 5322 §3.2.3; UTF8-non-ascii of RFC 6531 §3.3 is checked character by character.
_ATEXT = r"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~"
_DOT_ATOM = re.compile(rf"[{_ATEXT}\x80-\U0010ffff]+(?:\.[{_ATEXT}\x80-\U0010ffff]+)*")
# Quoted-string of RFC 5321 §4.1.2: a pair's second character is %d32-126.
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~])*"')
_PAIR = re.compile(r"\\(.)")
_SPECIAL = re.compile(r'(["\\])')

# sub-domain of RFC 5321 §4.1.2 with the underscore that DNS allows (RFC 2181 §11): machines named so send mail.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_A_LABELS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ASCII_ADDRESS = re.compile(
    rf"([{_ATEXT}]+(?:\.[{_ATEXT}]+)*)@({_LABEL}(?:\.{_LABEL})*)",
    re.IGNORECASE | re.ASCII,
)

_UNFIT_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
# They turn or hide the text around them; no mailbox is named with them.
_UNFIT_MARKS = frozenset("\u00ad\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


class AddressFault(PeerFault):
    """The text is no address. The sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain name as DNS spells it, or an address literal."""

    text: str

    def __post_init__(self) -> None:
        _require_canonical_domain(self.text)

    @staticmethod
    def parse(text: str) -> Domain:
        """Return the domain that `text` names: A-labels or U-labels (RFC 5891 §4.2.1), or an address literal."""
        if len(text) > MAX_DOMAIN:
            raise AddressFault("The domain is longer than 255 octets")
        return _domain(text)

    @property
    def is_literal(self) -> bool:
        return self.text.startswith("[")

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address within an address literal."""
        return _literal_address(self.text) if self.is_literal else None

    @property
    def unicode(self) -> str:
        """The domain for people to read: U-labels where IDNA 2008 knows them, else as it is."""
        return _u_labels(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox's address (RFC 5321 §2.3.11). The local part keeps its case and stands without quotation."""

    local_part: str
    domain: Domain

    def __post_init__(self) -> None:
        _require_local_part(self.local_part)
        if len(str(self).encode()) > MAX_ADDRESS:
            raise AddressFault("The address is longer than 254 octets")

    @staticmethod
    def parse(text: str) -> Address:
        """Return the address that `text` spells."""
        # With quoted pairs and U-labels the spelling can be longer than the address.
        if len(text) > MAX_ADDRESS + MAX_DOMAIN:
            raise AddressFault("The address is longer than 254 octets")
        return _address(text)

    @property
    def is_ascii(self) -> bool:
        """Whether the address can be written without SMTPUTF8 (RFC 6531 §3.1): its domain always can."""
        return self.local_part.isascii()

    @property
    def canonical(self) -> str:
        """The key for lookups: our local parts do not tell upper from lower case (the host decides, RFC 5321 §2.4)."""
        local_part = self.local_part.lower()
        if not local_part.isascii():
            local_part = unicodedata.normalize("NFC", local_part)
        return f"{_written(local_part)}@{self.domain.text}"

    @property
    def unicode(self) -> str:
        """The address for people to read."""
        return f"{_written(self.local_part)}@{self.domain.unicode}"

    def subaddress_split(self, separators: str = "+") -> tuple[Address, str | None]:
        """Return the address without its detail, and the detail (RFC 5233 §1): `ann+news@…` is `ann@…` and `news`."""
        for position, character in enumerate(self.local_part):
            if character in separators and position:
                return Address(self.local_part[:position], self.domain), self.local_part[position + 1 :]
        return self, None

    def __str__(self) -> str:
        return f"{_written(self.local_part)}@{self.domain.text}"


@lru_cache(maxsize=4096)
def _address(text: str) -> Address:
    plain = _ASCII_ADDRESS.fullmatch(text)
    if plain:
        return Address(plain[1], Domain.parse(plain[2]))
    # The last "@": a domain holds none, a quoted local part may.
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise AddressFault("An address needs a local part, an @ and a domain")
    return Address(_read_local_part(local_part), Domain.parse(domain))


def _read_local_part(text: str) -> str:
    if text.startswith('"'):
        if not _QUOTED.fullmatch(text):
            raise AddressFault("The quoted local part is not well formed")
        local_part = _PAIR.sub(r"\1", text[1:-1])
    elif _DOT_ATOM.fullmatch(text):
        local_part = text
    else:
        raise AddressFault("The local part holds a character or a dot that must be quoted")
    if local_part.isascii():
        return local_part
    local_part = unicodedata.normalize("NFC", local_part)
    if local_part.isascii():
        # U+212A KELVIN SIGN becomes K: such a look-alike must not reach the ASCII user.
        raise AddressFault("The local part is an ASCII name in disguise")
    return local_part


def _require_local_part(local_part: str) -> None:
    if local_part.isascii():
        octets = len(local_part)
        fit = local_part.isprintable()
    else:
        fit = all(map(_fits, local_part)) and unicodedata.is_normalized("NFC", local_part)
        octets = len(local_part.encode()) if fit else 0
    if not fit:
        raise AddressFault("The local part holds a character that no address may hold")
    if not local_part:
        raise AddressFault("The local part is empty")
    if octets > MAX_LOCAL_PART:
        raise AddressFault(f"The local part is longer than {MAX_LOCAL_PART} octets")


def _fits(character: str) -> bool:
    if character.isascii():
        return character.isprintable()
    return character not in _UNFIT_MARKS and unicodedata.category(character) not in _UNFIT_CATEGORIES


def _written(local_part: str) -> str:
    """Quote where a dot-atom would not do (RFC 5321 §4.1.2)."""
    if _DOT_ATOM.fullmatch(local_part):
        return local_part
    return '"' + _SPECIAL.sub(r"\\\1", local_part) + '"'


@lru_cache(maxsize=4096)
def _domain(text: str) -> Domain:
    if text.startswith("["):
        return Domain(_read_literal(text))
    if text.isascii():
        return Domain(text.lower())
    try:
        # UTS 46 maps upper case and full-width forms first, as people type them.
        return Domain(idna.encode(text, uts46=True).decode("ascii"))
    except ValueError as error:
        raise AddressFault("The domain is not a valid internationalized name", cause=str(error)) from None


def _require_canonical_domain(text: str) -> None:
    if text.startswith("["):
        if _read_literal(text) != text:
            raise AddressFault("The address literal is not in its normal form")
        return
    if len(text) > MAX_DOMAIN:
        raise AddressFault("The domain is longer than 255 octets")
    if not _A_LABELS.fullmatch(text):
        raise AddressFault("The domain is not a valid name")
    if text[text.rfind(".") + 1 :].isdigit():
        # RFC 1123 §2.1: a name does not end so, and 192.0.2.1 without brackets must not pass for one.
        raise AddressFault("The domain ends in a number; an IP address must stand in brackets")


def _read_literal(text: str) -> str:
    address = _literal_address(text)
    return f"[{address}]" if isinstance(address, IPv4Address) else f"[IPv6:{address}]"


def _literal_address(text: str) -> IPv4Address | IPv6Address:
    # address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]"; no other tag is registered.
    if not text.endswith("]") or "%" in text:
        raise AddressFault("The address literal is not well formed")
    inner = text[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            return IPv6Address(inner[5:])
        return IPv4Address(inner)
    except AddressValueError:
        raise AddressFault("The address literal is not an IPv4 or IPv6 address") from None


@lru_cache(maxsize=1024)
def _u_labels(text: str) -> str:
    if "xn--" not in text:
        return text
    try:
        unicode = idna.decode(text)
        return unicode if idna.encode(unicode).decode("ascii") == text else text
    except ValueError:
        return text
