"""A certificate authority for a test: it signs certificates for servers, and says what records know them.

authority = Authority()
peer = SmtpPeer(tls=authority.server("mx.example.net"))
contexts = TlsContexts(…, verified=authority.trusting())
"""

from __future__ import annotations

__all__ = ["Authority", "Issued", "tlsa"]

import datetime
import hashlib
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from hongyan.mailauth.resolver import TlsaRecord

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and those above it as a server shows them."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> list[bytes]:
        return [one.public_bytes(Encoding.DER) for one in (self.certificate, *self.above)]

    @property
    def context(self) -> ssl.SSLContext:
        """What a server shows it with."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.write())
        return made

    def write(self) -> Path:
        """Write chain and key to one file in PEM."""
        folder = Path(tempfile.mkdtemp(prefix="hongyan-authority-"))
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in (self.certificate, *self.above))
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "both.pem").write_bytes(key + pem)  # Postfix wants the key first
        return folder / "both.pem"


@dataclass
class Authority:
    """A root, and one authority below it that signs."""

    name: str = "Geese"
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    def __post_init__(self) -> None:
        self.root = self._issue(f"{self.name} root", None, authority=True)
        self.signer = self._issue(f"{self.name} signer", self.root, authority=True)

    def issue(self, *names: str, days: tuple[int, int] = (-1, 1), signer: Issued | None = None) -> Issued:
        """Return a certificate for names, valid for these days from now."""
        return self._issue(names[0], signer or self.signer, names=names, days=days)

    def server(self, *names: str, days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """Return what a server of these names uses."""
        return self.issue(*names, days=days).context

    def no_authority(self) -> Issued:
        """Return a certificate below the root that may not sign others."""
        return self._issue(f"{self.name} nobody", self.root)

    def trusting(self) -> ssl.SSLContext:
        """Return what a client uses that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.file()))

    def file(self) -> Path:
        """Write the root's certificate in PEM."""
        path = Path(tempfile.mkdtemp(prefix="hongyan-authority-")) / "root.pem"
        path.write_bytes(self.root.certificate.public_bytes(Encoding.PEM))
        return path

    def _issue(
        self,
        name: str,
        signer: Issued | None,
        *,
        names: tuple[str, ...] = (),
        authority: bool = False,
        days: tuple[int, int] = (-1, 365),
    ) -> Issued:
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
        signing, issuer = (signer.key, signer.certificate.subject) if signer else (key, subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + days[0] * _DAY)
            .not_valid_after(self.now + days[1] * _DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False
            )
        above = () if signer is None else (signer.certificate, *signer.above)
        return Issued(builder.sign(signing, SHA256()), key, above)


def tlsa(usage: int, selector: int, matching: int, certificate: x509.Certificate) -> TlsaRecord:
    """Return the record that knows a certificate."""
    octets = (
        certificate.public_bytes(Encoding.DER)
        if selector == 0
        else certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    digest = {0: octets, 1: hashlib.sha256(octets).digest(), 2: hashlib.sha512(octets).digest()}[matching]
    return TlsaRecord(usage, selector, matching, digest)
