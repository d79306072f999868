"""The section `[acme]`. A module of its own: who has no authority does not wait for the library."""

from __future__ import annotations

__all__ = ["AcmeOptions"]

from dataclasses import dataclass
from typing import Final

from hongyan.domains.authority import ChallengeKind
from hongyan.options import option

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"


@dataclass(frozen=True, slots=True)
class AcmeOptions:
    """The section `[acme]`: certificates from an authority."""

    enabled: bool = option(False, "Obtain certificates from an authority, and renew them.")
    accept_terms: bool = option(
        False, "Say that you accept the authority's terms of service; without it nothing is asked."
    )
    directory: str = option(LETS_ENCRYPT, "URL of the authority's ACME directory.")
    contact: str = option("", "Mail address at which the authority may reach you.")
    challenge: ChallengeKind = option(
        "http-01", "How names are proven: http-01 by our listener on port 80, dns-01 by [[dns_update]]."
    )
    names: tuple[str, ...] = option((), "Further names for the certificate of this host.")
    keep_key: bool = option(False, "Keep the private key at each renewal; without it DNS (TLSA) decides.")
    eab_key_id: str = option("", "Key identifier of an external account, for authorities that want one.")
    eab_key_file: str = option("", "File with the key of the external account, in base64url.", unit="path")
    authority_file: str = option("", "Certificates to trust the directory by, in PEM; empty: public ones.", unit="path")
    timeout: float = option(45.0, "How long the authority may take for one answer.", unit="s")
    patience: float = option(600.0, "How long an order may take from its beginning to its certificate.", unit="s")

    def __post_init__(self) -> None:
        if self.enabled and not self.accept_terms:
            raise ValueError("accept_terms is needed: read the authority's terms of service, and set it to true")
        if not self.directory.startswith("https://"):
            raise ValueError("directory is an https: URL")
        if bool(self.eab_key_id) != bool(self.eab_key_file):
            raise ValueError("eab_key_id and eab_key_file belong together")
        if self.timeout <= 0 or self.patience <= 0:
            raise ValueError("timeout and patience are positive")
