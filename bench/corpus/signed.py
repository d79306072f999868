"""Mail of domains that say who may send for them: each has SPF and DMARC, and a share of the messages is signed."""

from __future__ import annotations

__all__ = ["Sender", "SignedMail", "make_senders"]

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.corpus.templates import Template
from hongyan.mailauth.dkim import SigningKey, sign_message

_DOMAINS = 20
_KEY_BITS = 2048
_EXPONENT = 65537
_SELECTOR = "bench"


@dataclass(frozen=True, slots=True)
class Sender:
    """A domain that sends, and its key."""

    domain: str
    key: SigningKey

    @property
    def address(self) -> str:
        return f"news@{self.domain}"

    def records(self) -> Iterator[tuple[str, str]]:
        """Yield names and TXT records: SPF for this machine, DMARC, the key."""
        public = self.key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield self.domain, "v=spf1 ip4:127.0.0.0/8 -all"
        yield f"_dmarc.{self.domain}", "v=DMARC1; p=reject; rua=mailto:reports@" + self.domain
        yield f"{_SELECTOR}._domainkey.{self.domain}", f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


class SignedMail:
    """Messages by number. `share` of them are signed, spread evenly; of `strangers` each comes from a new address."""

    def __init__(
        self,
        senders: Sequence[Sender],
        templates: Sequence[Template],
        *,
        share: float = 0.3,
        strangers: bool = False,
    ) -> None:
        self._senders = senders
        self._templates = templates
        self._share = share
        self._strangers = strangers

    def message(self, number: int, run: bytes) -> tuple[str, bytes]:
        """Return a message that no other equals, and the address that it comes from."""
        sender = self._senders[number % len(self._senders)]
        octets = self._templates[number % len(self._templates)].message(b"%08d.%b" % (number, run))
        head, _, rest = octets.partition(b"\r\nFrom: ")
        address = f"{run.decode()}.{number}@{sender.domain}" if self._strangers else sender.address
        octets = head + b"\r\nFrom: News <" + address.encode() + b">\r\n" + rest.partition(b"\r\n")[2]
        if int((number + 1) * self._share) > int(number * self._share):
            octets = sign_message(octets, [sender.key], datetime.now(UTC)) + octets
        return address, octets


def make_senders() -> list[Sender]:
    """Return the domains, with new keys."""
    domains = [f"sender{number}.example.net" for number in range(_DOMAINS)]
    return [Sender(name, SigningKey(name, _SELECTOR, generate_private_key(_EXPONENT, _KEY_BITS))) for name in domains]
