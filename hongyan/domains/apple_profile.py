"""Profiles for iPhone, iPad and Mac (.mobileconfig): IMAP and submission of one account, signed by our certificate.

After Apple's Device Management: Configuration with one payload `com.apple.mail.managed`. Identifiers follow from the
address, so that a newer profile takes the place of the one before.
"""

from __future__ import annotations

__all__ = ["AppleAccount", "profile_octets", "sign_profile"]

import plistlib
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_DNS, uuid5

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from hongyan.domains.client_settings import ClientSettings
from hongyan.secret import Secret
from hongyan.store.accounts import Service

_VERSION: Final = 1
_AUTHENTICATION: Final = "EmailAuthPassword"


@dataclass(frozen=True, slots=True)
class AppleAccount:
    """Whose profile it is: the address, the name that is shown, and an app password of its own."""

    address: str
    name: str
    password: Secret


def profile_octets(settings: ClientSettings, account: AppleAccount) -> bytes | None:
    """Return the profile, unsigned; None where IMAP or submission is not offered."""
    imap, smtp = settings.best(Service.IMAP), settings.best(Service.SMTP)
    if imap is None or smtp is None:
        return None
    reverse = ".".join(reversed(settings.hostname.split(".")))
    mail = {
        **_identity("com.apple.mail.managed", f"{reverse}.mail", f"mail {account.address}"),
        "PayloadDisplayName": account.address,
        "EmailAccountDescription": account.address,
        "EmailAccountName": account.name,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAddress": account.address,
        "IncomingMailServerAuthentication": _AUTHENTICATION,
        "IncomingMailServerHostName": settings.hostname,
        "IncomingMailServerPortNumber": imap.port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerUsername": account.address,
        "IncomingPassword": account.password.reveal_text(),
        "OutgoingMailServerAuthentication": _AUTHENTICATION,
        "OutgoingMailServerHostName": settings.hostname,
        "OutgoingMailServerPortNumber": smtp.port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerUsername": account.address,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    profile = {
        **_identity("Configuration", reverse, f"profile {account.address}"),
        "PayloadDisplayName": f"{settings.domain}: {account.address}",
        "PayloadOrganization": settings.domain,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [mail],
    }
    return plistlib.dumps(profile)


def sign_profile(octets: bytes, chain: bytes, key: bytes) -> bytes | None:
    """Return the profile signed (CMS, RFC 5652 §5) with a certificate and its key, in PEM; None if the key cannot."""
    certificates = x509.load_pem_x509_certificates(chain)
    private = load_pem_private_key(key, None)
    if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
        return None
    builder = pkcs7.PKCS7SignatureBuilder().set_data(octets).add_signer(certificates[0], private, SHA256())
    for certificate in certificates[1:]:
        builder = builder.add_certificate(certificate)
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _identity(kind: str, identifier: str, said: str) -> dict[str, object]:
    return {
        "PayloadType": kind,
        "PayloadVersion": _VERSION,
        "PayloadIdentifier": f"{identifier}.{uuid5(NAMESPACE_DNS, said)}",
        "PayloadUUID": str(uuid5(NAMESPACE_DNS, f"{kind} {said}")).upper(),
    }
