"""Certificates of our own making: for `make run`, demos and tests, and until a public one is there.

A local authority, whose certificate people may give to their programs, signs one for `localhost`, the loopback
addresses and a domain with its names. Quickstart makes a self-signed certificate or a request for a public
authority. Keys are ECDSA P-256, in files that nobody else reads.
"""

from __future__ import annotations

__all__ = ["LocalCertificate", "key_usage", "make_local_certificate", "make_request", "make_self_signed"]

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hongyan.clock import Clock
from hongyan.domains.certificates import CertificateFiles

_AUTHORITY_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=397)  # what programs accept at most
_RENEW_BEFORE = timedelta(days=30)
_YESTERDAY = timedelta(days=1)  # for clocks that are a little behind
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class LocalCertificate:
    """A certificate by the local authority, and the file by which programs may trust it."""

    files: CertificateFiles
    authority: Path


def make_local_certificate(folder: Path, domain: str, clock: Clock) -> LocalCertificate:
    """Return a certificate for this machine and a domain; what the folder holds is used again while it is good."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = (*_LOOPBACK, domain, f"mail.{domain}", f"*.{domain}")
    authority_path, chain_path, key_path = folder / "ca.pem", folder / "certificate.pem", folder / "key.pem"
    authority_key_path = folder / "ca-key.pem"
    authority = _find_pair(authority_path, authority_key_path, clock)
    if authority is None:
        authority = _make_authority(domain, clock)
        _write_pair(authority_path, authority_key_path, *authority)
    pair = _find_pair(chain_path, key_path, clock)
    if pair is None or not _is_for(pair[0], names, authority[0]):
        pair = _issue(names, clock, authority)
        _write_pair(chain_path, key_path, *pair)
    return LocalCertificate(CertificateFiles(str(chain_path), str(key_path)), authority_path)


def make_self_signed(folder: Path, names: Sequence[str], clock: Clock) -> CertificateFiles:
    """Make a key and a certificate signed with it: enough for other servers, until a better one comes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    chain_path, key_path = folder / "certificate.pem", folder / "key.pem"
    _write_pair(chain_path, key_path, *_issue(names, clock, None))
    return CertificateFiles(str(chain_path), str(key_path))


def make_request(key_path: Path, names: Sequence[str]) -> bytes:
    """Return a request in PEM for a certificate with the key of that file, which is made if it is not there."""
    if not key_path.exists():
        _write(key_path, _key_octets(_make_key()), 0o600)
    key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{key_path} holds no elliptic curve key")
    request = x509.CertificateSigningRequestBuilder(_name(names[0])).add_extension(_alternatives(names), critical=False)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


_Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _find_pair(chain_path: Path, key_path: Path, clock: Clock) -> _Pair | None:
    """Return the pair if it is there, fits, and lasts a while yet."""
    try:
        certificate = x509.load_pem_x509_certificate(chain_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    if not certificate.not_valid_before_utc <= clock.now() < certificate.not_valid_after_utc - _RENEW_BEFORE:
        return None
    return certificate, key


def _is_for(certificate: x509.Certificate, names: Sequence[str], authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(_alternatives(names)) <= set(held)


def _make_authority(domain: str, clock: Clock) -> _Pair:
    key = _make_key()
    name = _name(f"Hongyan local authority for {domain}")
    now = clock.now()
    certificate = (
        _builder(name, name, key, now - _YESTERDAY, now + _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _issue(names: Sequence[str], clock: Clock, authority: _Pair | None) -> _Pair:
    key = _make_key()
    name = _name(names[0])
    signer, signing_key = (authority[0].subject, authority[1]) if authority else (name, key)
    now = clock.now()
    certificate = (
        _builder(name, signer, key, now - _YESTERDAY, now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_alternatives(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    return certificate, key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return what a key may do: sign certificates and lists of revoked ones, or what TLS asks (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])  # RFC 5280 A.1: ub-common-name


def _make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _key_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_pair(
    chain_path: Path, key_path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    _write(key_path, _key_octets(key), 0o600)
    _write(chain_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, octets: bytes, mode: int) -> None:
    """Put a whole file in the place of another, never with more rights than it shall have."""
    making = path.with_name(f".{path.name}.new")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    making.replace(path)
