"""The authority that signs the certificates of mail programs. It signs nothing else, and nothing else is trusted there.

Key and certificate lie in one file of the data directory, mode 0600, made when first wanted. It belongs to the data:
a backup holds it, every front end of a fleet has the same one. Keys are ECDSA P-256.

A certificate's serial number begins with the account it was made for, so that the account is found without a list of
all certificates: the upper bits are the account's id, the lower 96 are chance (RFC 5280 §4.1.2.2: at most 20 octets).
"""

from __future__ import annotations

__all__ = [
    "CLIENT_AUTHORITY",
    "ClientAuthority",
    "IssuedKeys",
    "ShownCertificate",
    "load_client_authority",
    "read_shown",
]

import contextlib
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hongyan.addresses import Address
from hongyan.clock import Clock, Random
from hongyan.domains.local_authority import key_usage
from hongyan.errors import ConfigurationError, StorageFailed
from hongyan.secret import Secret
from hongyan.types import AccountId

CLIENT_AUTHORITY: Final = "client-authority.pem"
"""The file in the data directory."""

_LIFE = timedelta(days=7305)
_EARLIER = timedelta(hours=1)  # for clocks that are a little behind
_CHANCE_BITS = 96
_LONGEST_NAME = 64  # RFC 5280 A.1: ub-common-name
_MAX_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class IssuedKeys:
    """A new certificate: what it is known by, and what its owner is given, this once."""

    fingerprint: bytes
    expires_at: datetime
    pem: Secret
    pkcs12: Secret


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """What a verified certificate says: whose it is, and what it is known by."""

    account: AccountId
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class ClientAuthority:
    """Signs certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        """What a listener trusts."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def issue(
        self,
        account: AccountId,
        address: Address,
        label: str,
        password: Secret,
        now: datetime,
        life: timedelta,
        chance: Random,
    ) -> IssuedKeys:
        """Make a key and its certificate, as PEM and as PKCS#12 under a password (RFC 7292). Blocks for a moment.

        It does not outlive the authority.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + life, self.certificate.not_valid_after_utc)
        serial = account << _CHANCE_BITS | int.from_bytes(chance.token(_CHANCE_BITS // 8))
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(str(address)))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - _EARLIER)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if str(address).isascii():
            names = x509.SubjectAlternativeName([x509.RFC822Name(str(address))])
            builder = builder.add_extension(names, critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        bundle = pkcs12.serialize_key_and_certificates(
            label.encode(), key, made, [self.certificate], serialization.BestAvailableEncryption(password.reveal())
        )
        pem = _key_octets(key) + made.public_bytes(serialization.Encoding.PEM)
        return IssuedKeys(made.fingerprint(hashes.SHA256()), ends, Secret(pem), Secret(bundle))


def read_shown(certificate: bytes) -> ShownCertificate:
    """Return what a certificate in DER says. TLS has verified that it is ours."""
    read = x509.load_der_x509_certificate(certificate)
    return ShownCertificate(AccountId(read.serial_number >> _CHANCE_BITS), read.fingerprint(hashes.SHA256()))


def load_client_authority(path: Path, name: str, clock: Clock, random: Random) -> ClientAuthority:
    """Return the authority in a file; make it, named after the server, if there is none. Blocks.

    Raises `ConfigurationError` when the file holds none or somebody else may read it.
    """
    with contextlib.suppress(FileExistsError):
        _make(path, name, clock.now(), random)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            octets = file.read(_MAX_FILE)
    except OSError as error:
        raise ConfigurationError(f"The client authority {path} cannot be read: {error.strerror}.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"The client authority {path} may be read by others: chmod 600 {path}.")
    try:
        key = serialization.load_pem_private_key(octets, None)
        certificate = x509.load_pem_x509_certificate(octets)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{path} holds no client authority: restore it from a backup.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ConfigurationError(f"{path} holds no client authority: restore it from a backup.")
    return ClientAuthority(certificate, key)


def _make(path: Path, name: str, now: datetime, random: Random) -> None:
    """Write a new authority, whole or not at all. Raises `FileExistsError`."""
    if path.exists():
        raise FileExistsError
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"Mail programs of {name}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    fresh = path.with_name(f"{path.name}.{random.token(6).hex()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_key_octets(key) + certificate.public_bytes(serialization.Encoding.PEM))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # Unlike a rename, this never replaces what another process has made.
        finally:
            fresh.unlink()
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageFailed(cause=f"the client authority cannot be made: {error}") from error


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_LONGEST_NAME])])


def _key_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
