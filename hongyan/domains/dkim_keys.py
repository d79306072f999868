"""DKIM keys of our domains: made, kept in files, printed as DNS records.

A key is the file `DIRECTORY/DOMAIN/SELECTOR.pem` (PKCS #8, mode 0600, directory 0700). Nobody but
the owner may read it, or it is refused. A private key is never printed and never leaves its file
but to sign.

A selector made by us is the month and the kind, "202611r" for RSA and "202611e" for Ed25519. Which
key of a kind signs is a matter of `domains.dkim_rotation`; of keys that nobody has taken note of it
is the one whose selector sorts last.
"""

from __future__ import annotations

__all__ = [
    "DkimRecord",
    "KeyKind",
    "list_selectors",
    "load_key",
    "make_key",
    "make_missing_keys",
    "make_selector",
    "public_record",
    "remove_key",
    "save_key",
]

import base64
import os
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hongyan.addresses import Domain
from hongyan.errors import AlreadyExists, ConfigurationError
from hongyan.mailauth.dkim import SigningKey

_RSA_BITS: Final = 2048
_MIN_RSA_BITS: Final = 1024
_MAX_STRING: Final = 255
"""Octets of one character-string in a TXT record (RFC 1035 §3.3)."""

# selector = sub-domain *( "." sub-domain ), in lower case so that one selector is one file (RFC 6376 §3.1).
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


class KeyKind(StrEnum):
    """The kinds of key that verifiers know (RFC 8301 §3.2, RFC 8463 §3)."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class DkimRecord:
    """The TXT record that publishes a key."""

    name: str
    text: str

    @property
    def strings(self) -> tuple[str, ...]:
        """The text in pieces that fit a TXT record."""
        return tuple(self.text[start : start + _MAX_STRING] for start in range(0, len(self.text), _MAX_STRING))

    @property
    def zone_line(self) -> str:
        """The record as a zone file has it."""
        strings = " ".join(f'"{string}"' for string in self.strings)
        return f"{self.name}. IN TXT ( {strings} )"


def make_selector(kind: KeyKind, now: datetime) -> str:
    """Return this month's selector for a kind of key."""
    return f"{now:%Y%m}{kind.value[0]}"


def make_key(domain: Domain, selector: str, kind: KeyKind) -> SigningKey:
    """Make a key pair. RSA takes a moment: call it in a thread."""
    _require_names(domain, selector)
    private: RSAPrivateKey | Ed25519PrivateKey
    if kind is KeyKind.RSA:
        private = generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    else:
        private = Ed25519PrivateKey.generate()
    return SigningKey(domain.text, selector, private)


def public_record(key: SigningKey) -> DkimRecord:
    """Return the DNS record for a key."""
    public = key.private.public_key()
    if isinstance(key.private, RSAPrivateKey):
        kind = KeyKind.RSA
        octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind = KeyKind.ED25519
        octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"
    return DkimRecord(f"{key.selector}._domainkey.{key.domain}", text)


def save_key(directory: Path, key: SigningKey) -> Path:
    """Write a key to its file and sync it. Raises `AlreadyExists` rather than replace a key."""
    path = _path(directory, Domain(key.domain), key.selector)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    octets = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # Unlike a rename it never replaces what is there.
    except FileExistsError:
        raise AlreadyExists(f"There is a DKIM key {key.selector} for {key.domain} already") from None
    finally:
        partial.unlink()
    _sync_directory(path.parent)
    return path


def remove_key(directory: Path, domain: Domain, selector: str) -> None:
    """Remove a key's file, if it is there."""
    path = _path(directory, domain, selector)
    path.unlink(missing_ok=True)
    _sync_directory(path.parent)


def list_selectors(directory: Path, domain: Domain) -> tuple[str, ...]:
    """Return the selectors that have a key file, sorted."""
    return tuple(
        sorted(path.stem for path in (directory / domain.text).glob("*.pem") if _SELECTOR.fullmatch(path.stem))
    )


def load_key(directory: Path, domain: Domain, selector: str) -> SigningKey:
    """Read a key from its file. Raises `ConfigurationError`, with the remedy, if it is absent, exposed or broken."""
    path = _path(directory, domain, selector)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigurationError(f"{path}: other users can read this private key; run chmod 600 on it")
            private = load_pem_private_key(file.read(), password=None)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; make the key anew or restore the file") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The parser's words may quote the file: they are not repeated.
        raise ConfigurationError(f"{path}: not an unencrypted private key in PEM form") from error
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigurationError(f"{path}: DKIM signs with RSA and Ed25519 keys only")
    if isinstance(private, RSAPrivateKey) and private.key_size < _MIN_RSA_BITS:
        raise ConfigurationError(f"{path}: an RSA key below {_MIN_RSA_BITS} bits passes nowhere")
    return SigningKey(domain.text, selector, private)


def make_missing_keys(directory: Path, domain: Domain, now: datetime) -> None:
    """Make a key of each kind that the domain has none of. Blocks: call it in a thread."""
    present = {load_key(directory, domain, selector).algorithm for selector in list_selectors(directory, domain)}
    for kind in KeyKind:
        if not any(algorithm.startswith(kind) for algorithm in present):
            save_key(directory, make_key(domain, make_selector(kind, now), kind))


def _path(directory: Path, domain: Domain, selector: str) -> Path:
    _require_names(domain, selector)
    return directory / domain.text / f"{selector}.pem"


def _require_names(domain: Domain, selector: str) -> None:
    """Domain and selector become a path: neither has a slash, and neither is "."."""
    if domain.is_literal:
        raise ConfigurationError(f"{domain} is an address, and DKIM signs for names")
    if not _SELECTOR.fullmatch(selector):
        raise ConfigurationError(f"{selector!r} is not a selector: letters, digits, hyphens and dots")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
