"""What is kept of issued certificates, in files of the data directory that nobody else reads.

    acme/account-<digest of the directory>.json   the account's key and URL
    acme/<name>/live.pem                           chain and key in one file, so that they always fit
    acme/<name>/next-key.pem                       the key of a later certificate, for TLSA records (RFC 7671 §8.1)
    acme/<name>/state.json                         when it was issued, when it may be renewed, what failed

A file is put in the place of another whole, after it was tried.
"""

from __future__ import annotations

__all__ = ["AccountFile", "CertificateFolder", "CertificateStore", "State", "key_digest", "make_key"]

import hashlib
import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hongyan.addresses import Domain
from hongyan.domains.authority import AuthorityFault, RenewalWindow
from hongyan.domains.certificates import CertificateFiles
from hongyan.domains.renewal import Failure, Held
from hongyan.domains.tls_profiles import make_server_context

_FOLDER = "acme"
_LIVE = "live.pem"
_NEXT_KEY = "next-key.pem"
_STATE = "state.json"
_LARGEST_CHAIN = 100_000
_MOST_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered between two looks at a certificate."""

    issued: datetime | None = None
    share: float = 0.5
    window: RenewalWindow | None = None
    ask_window: datetime | None = None
    failures: Mapping[str, Failure] = field(default_factory=dict)


class CertificateStore:
    """The folders of all issued certificates. Methods block."""

    def __init__(self, data: Path) -> None:
        self._folder = data / _FOLDER

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return self._folder

    def account(self) -> AccountFile:
        """Return the place of the account."""
        return AccountFile(self._folder)

    def open(self, name: str) -> CertificateFolder:
        """Return the folder of the certificate that is called by a name."""
        return CertificateFolder(self._folder / Domain.parse(name).text)

    def list_files(self) -> Sequence[CertificateFiles]:
        """Return the files of every certificate that was issued, sorted by name."""
        live = sorted(self._folder.glob(f"*/{_LIVE}"))
        return [CertificateFiles(str(path), str(path)) for path in live]

    def live_path(self, name: str) -> str:
        """Return where the certificate that is called by a name lies, once it is there."""
        return str(self._folder / Domain.parse(name).text / _LIVE)


class AccountFile:
    """The account's key and the URL that each directory gave it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the key, which is made at the first time."""
        path = self._folder / "account-key.pem"
        if not path.exists():
            _write(path, make_key())
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityFault("The key of the account is of another kind.")
        return key

    def load_url(self, directory: str) -> str | None:
        """Return the account's URL, if there is an account."""
        try:
            return str(json.loads(self._place(directory).read_text())["url"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store_url(self, directory: str, url: str) -> None:
        """Remember the account's URL."""
        _write(self._place(directory), json.dumps({"directory": directory, "url": url}).encode())

    def forget_url(self, directory: str) -> None:
        """The authority does not know the account any more."""
        self._place(directory).unlink(missing_ok=True)

    def _place(self, directory: str) -> Path:
        return self._folder / f"account-{hashlib.sha256(directory.encode()).hexdigest()[:16]}.json"


class CertificateFolder:
    """One certificate. Methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load_live(self) -> bytes | None:
        """Return chain and key in service."""
        try:
            return (self._folder / _LIVE).read_bytes()
        except FileNotFoundError:
            return None

    def load_held(self, state: State) -> Held | None:
        """Return what the certificate in service is, if it can be read."""
        live = self.load_live()
        if live is None:
            return None
        try:
            certificate = x509.load_pem_x509_certificates(live)[0]
        except ValueError:
            return None
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return Held(names_of(certificate), begins, ends, state.issued or begins, state.share, state.window)

    def load_next_key(self) -> bytes:
        """Return the key that is kept for later, which is made at the first time."""
        path = self._folder / _NEXT_KEY
        if not path.exists():
            _write(path, make_key())
        return path.read_bytes()

    def load_live_key(self) -> bytes | None:
        """Return the key in service, if it can be read."""
        live = self.load_live()
        start = -1 if live is None else live.find(b"-----BEGIN PRIVATE KEY-----")
        return None if live is None or start < 0 else live[start:]

    def put_live(self, chain: bytes, key: bytes, names: Sequence[str]) -> None:
        """Take a chain into service, when it is what was asked for. Raises `AuthorityFault`."""
        _check_issued(chain, key, names)
        path = self._folder / _LIVE
        making = path.with_name(f".{_LIVE}.tried")
        _write(making, chain.rstrip() + b"\n" + key)
        try:
            make_server_context(str(making), str(making), "intermediate")
        except (ssl.SSLError, ValueError) as error:
            making.unlink()
            raise AuthorityFault(f"The certificate cannot be used: {error}.") from error
        making.replace(path)
        next_key = self._folder / _NEXT_KEY
        if next_key.exists() and next_key.read_bytes() == key:
            next_key.unlink()
            self.load_next_key()

    def load_state(self) -> State:
        """Return what is remembered; nothing, if it cannot be read."""
        try:
            return _read_state(json.loads((self._folder / _STATE).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return State()

    def store_state(self, state: State) -> None:
        """Remember it."""
        _write(self._folder / _STATE, json.dumps(_state_document(state), indent=1).encode())


def make_key() -> bytes:
    """Return a new private key, ECDSA P-256, in PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_digest(key: bytes) -> str:
    """Return the SHA-256 of a key's public half, as a TLSA record 3 1 1 has it (RFC 6698 §2.1)."""
    public = serialization.load_pem_private_key(key, None).public_key()
    octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(octets).hexdigest()


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """Return the DNS names of a certificate."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()
    return frozenset(name.lower() for name in held.get_values_for_type(x509.DNSName))


def _check_issued(chain: bytes, key: bytes, names: Sequence[str]) -> None:
    """Refuse what was not asked for. Whether the certificate is over by our clock does not count: clocks jump."""
    if len(chain) > _LARGEST_CHAIN:
        raise AuthorityFault("The chain is too large.")
    try:
        certificates = x509.load_pem_x509_certificates(chain)
        public = serialization.load_pem_private_key(key, None).public_key()
        fits = certificates[0].public_key() == public
        lacking = set(names) - names_of(certificates[0])
    except (ValueError, TypeError) as error:
        raise AuthorityFault("What came is no certificate.") from error
    if len(certificates) > _MOST_CERTIFICATES:
        raise AuthorityFault("The chain has too many certificates.")
    if b"PRIVATE KEY" in chain:
        raise AuthorityFault("What came with the certificate is a key.")
    if not fits:
        raise AuthorityFault("The certificate is for another key.")
    if lacking:
        raise AuthorityFault(f"The certificate lacks {', '.join(sorted(lacking))}.")


def _state_document(state: State) -> Mapping[str, object]:
    window = state.window
    return {
        "issued": None if state.issued is None else state.issued.isoformat(),
        "share": state.share,
        "window": None if window is None else [at.isoformat() for at in (window.start, window.end, window.again)],
        "ask_window": None if state.ask_window is None else state.ask_window.isoformat(),
        "failures": {
            name: {"count": of.count, "at": of.at.isoformat(), "until": of.until.isoformat(), "reason": of.reason}
            for name, of in state.failures.items()
        },
    }


def _read_state(document: Mapping[str, object]) -> State:
    window, failures = document["window"], document["failures"]
    if not isinstance(failures, dict):
        raise TypeError("failures are by name")
    return State(
        _moment(document["issued"]) if document["issued"] else None,
        float(str(document["share"])),
        RenewalWindow(*map(_moment, window)) if isinstance(window, list) else None,
        _moment(document["ask_window"]) if document["ask_window"] else None,
        {
            str(name): Failure(int(of["count"]), _moment(of["at"]), _moment(of["until"]), str(of["reason"]))
            for name, of in failures.items()
        },
    )


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment


def _write(path: Path, octets: bytes) -> None:
    """Put a whole file in the place of another, readable by us alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = path.with_name(f".{path.name}.new")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    making.replace(path)
