"""DANE for SMTP: which TLSA records count, and whether a server's certificates fit one (RFC 7672, 7671, 6698).

The records are to be had by DNSSEC; who asks for them (`queue.lookup`) sees to that. Usages 0 and 1 do not count in
SMTP (RFC 7672 §3.1.3). Usage 3 knows the server's own certificate or key: names and dates in it mean nothing
(§3.1.1). Usage 2 knows an authority of the server's chain: the way from it to the server is checked, with dates and
names (§3.1.2).
"""

from __future__ import annotations

__all__ = ["MAX_CHAIN", "DaneFault", "DaneMismatch", "tlsa_name", "usable_records", "verify_chain"]

import hashlib
import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification

from hongyan.errors import PeerFault
from hongyan.mailauth.resolver import TlsaRecord

MAX_CHAIN: Final = 10
"""Certificates of a server that are looked at."""

_MAX_RECORDS: Final = 100

_TRUST_ANCHOR: Final = 2
_END_ENTITY: Final = 3
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises at certificates, and at keys in them, that it cannot read."""

_DIGESTS: Final = {1: (hashlib.sha256, 32), 2: (hashlib.sha512, 64)}


class DaneFault(PeerFault):
    """The server's certificates do not fit the domain's records."""


class DaneMismatch(DaneFault):
    """No record knows any of the server's certificates."""


def tlsa_name(base: str, port: int) -> str:
    """Return where the records of a host's SMTP service are (RFC 6698 §3)."""
    return f"_{port}._tcp.{base}"


def usable_records(records: Sequence[TlsaRecord]) -> tuple[TlsaRecord, ...]:
    """Return the records that a client of SMTP can use: DANE-TA and DANE-EE, well formed (RFC 7672 §3.1)."""
    return tuple(record for record in records[:_MAX_RECORDS] if _is_usable(record))


def verify_chain(
    chain: Sequence[bytes], records: Sequence[TlsaRecord], names: Sequence[str], now: datetime
) -> TlsaRecord:
    """Return the record that the server's certificates, DER, its own first, fit. Raises `DaneFault`.

    `names` are those that a certificate below an authority of usage 2 may be for: the TLSA base domain and the
    domain that the mail is for (RFC 7672 §3.2.2).
    """
    certificates = _read_chain(chain)
    for record in records:
        if record.usage == _END_ENTITY and _fits(record, certificates[0]):
            return record
    fault: DaneFault = DaneMismatch(cause="no TLSA record fits the certificate")
    for record in records:
        if record.usage == _TRUST_ANCHOR:
            anchors = [certificate for certificate in _candidates(record, certificates) if _fits(record, certificate)]
            for anchor in anchors:
                try:
                    _verify_below(anchor, certificates, names, now)
                except DaneFault as found:
                    fault = found
                else:
                    return record
    raise fault


def _is_usable(record: TlsaRecord) -> bool:
    if record.usage not in (_TRUST_ANCHOR, _END_ENTITY) or record.selector not in (0, 1):
        return False
    if record.matching_type in _DIGESTS:
        return len(record.data) == _DIGESTS[record.matching_type][1]
    if record.matching_type != 0:
        return False
    try:
        _read_data(record)
    except _UNREADABLE:
        return False
    return True


def _read_data(record: TlsaRecord) -> x509.Certificate | None:
    """Return the certificate that stands in a record as a whole; None if it holds a key. Raises `_UNREADABLE`."""
    if record.selector == 0:
        certificate = _read(record.data)
        certificate.public_key()
        return certificate
    if not record.data:
        raise ValueError("there is no key")
    return None


def _read_chain(chain: Sequence[bytes]) -> Sequence[x509.Certificate]:
    try:
        certificates = [_read(octets) for octets in chain[:MAX_CHAIN]]
    except _UNREADABLE:
        raise DaneFault(cause="a certificate of the server cannot be read") from None
    if not certificates:
        raise DaneFault(cause="the server has shown no certificate")
    return certificates


def _read(octets: bytes) -> x509.Certificate:
    """Return a certificate that strangers wrote. Raises `_UNREADABLE`."""
    with warnings.catch_warnings(action="ignore", category=CryptographyDeprecationWarning):
        return x509.load_der_x509_certificate(octets)


def _fits(record: TlsaRecord, certificate: x509.Certificate) -> bool:
    try:
        octets = _selected(record.selector, certificate)
    except _UNREADABLE:  # a key of a kind that is not known
        return False
    if record.matching_type == 0:
        return octets == record.data
    return _DIGESTS[record.matching_type][0](octets).digest() == record.data


def _selected(selector: int, certificate: x509.Certificate) -> bytes:
    if selector == 0:
        return certificate.public_bytes(Encoding.DER)
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _candidates(record: TlsaRecord, certificates: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
    """Return what the authority may be: what the server showed, and what the record holds (RFC 7671 §5.2.2)."""
    whole = _read_data(record) if record.matching_type == 0 else None
    return [*certificates, *([whole] if whole is not None else [])]


def _verify_below(
    anchor: x509.Certificate, certificates: Sequence[x509.Certificate], names: Sequence[str], now: datetime
) -> None:
    """Check the way from the server's certificate up to the authority, with dates, uses and names."""
    leaf, others = certificates[0], [other for other in certificates[1:] if other != anchor]
    # What a public authority must put into its certificates (CA/B) is no matter of an authority of one's own.
    above = (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _must_be_authority)
        .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _must_sign)
    )
    below = verification.ExtensionPolicy.permit_all().require_present(
        x509.SubjectAlternativeName, verification.Criticality.AGNOSTIC, None
    )
    builder = (
        verification.PolicyBuilder()
        .store(verification.Store([anchor]))
        .time(now)
        .max_chain_depth(MAX_CHAIN)
        .extension_policies(ca_policy=above, ee_policy=below)
    )
    reason = "the certificate is for another name"
    for name in names:
        try:
            builder.build_server_verifier(x509.DNSName(name)).verify(leaf, others)
        except (verification.VerificationError, *_UNREADABLE) as error:
            reason = _why(error, reason)
        else:
            return
    raise DaneFault(cause=reason)


def _must_be_authority(
    _policy: verification.Policy, _certificate: x509.Certificate, extension: x509.BasicConstraints
) -> None:
    if not extension.ca:
        raise ValueError("a certificate on the way is none of an authority")


def _must_sign(_policy: verification.Policy, _certificate: x509.Certificate, extension: x509.KeyUsage | None) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("a certificate on the way may not sign certificates")


def _why(error: Exception, known: str) -> str:
    text = str(error)
    if "not valid at" in text:
        return "the certificate is not valid at this time"
    if "subjectAltName" in text:
        return known
    return "the certificate has no way up to the authority of the TLSA record"
