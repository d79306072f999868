"""Which certificate for which name, and how to change them without dropping a connection.

TLS is 1.2 or newer with forward secrecy and authenticated encryption (RFC 9325 §4.2); a listener may ask for 1.3.
The name that a client asks for (SNI, RFC 6066 §3) chooses among the certificates: the exact name, then a wildcard
for its parent, then the first certificate of the configuration. An unknown name is no error: mail servers ask for
many.

Files are read again when they have changed. New connections meet the new certificate, connections that live keep
what they have, and a file that cannot be read leaves the former one in service and says so.
"""

from __future__ import annotations

__all__ = ["CertificateFiles", "Certificates", "TlsFloor"]

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NoReturn

from cryptography import x509

from hongyan import telemetry
from hongyan.errors import ConfigurationError
from hongyan.options import option
from hongyan.telemetry import metrics

TlsFloor = Literal["1.2", "1.3"]

_VERSIONS: dict[TlsFloor, ssl.TLSVersion] = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all good
_WATCH = 60.0  # seconds between looks at the files

log = telemetry.logger("domains")


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """One entry of `[[certificates]]`."""

    chain: str = option("", "File with the certificate and those that lead to its root, in PEM.", unit="path")
    key: str = option("", "File with the private key, in PEM, readable by Hongyan alone.", unit="path")

    def __post_init__(self) -> None:
        if not self.chain or not self.key:
            raise ValueError("a certificate needs both: chain and key")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A certificate as read: its names, when it ends, and contexts that show it."""

    names: tuple[str, ...]
    ends: datetime
    contexts: dict[TlsFloor, ssl.SSLContext]


class Certificates:
    """The certificates in service. `context_finder` is for listeners."""

    def __init__(self, files: Sequence[CertificateFiles]) -> None:
        """Read the files. Raises `ConfigurationError` with the file and the reason."""
        if not files:
            raise ConfigurationError("no certificate is configured: name one in [[certificates]]")
        self._files = list(files)
        self._seen: object = None
        self._loaded: list[_Loaded] = []
        self._by_name: dict[str, _Loaded] = {}
        self._put_in_service(self._read())

    @property
    def names(self) -> frozenset[str]:
        """The names that the certificates hold, wildcards as `*.parent`."""
        return frozenset(self._by_name)

    @property
    def first_end(self) -> datetime:
        """When the first of them ends."""
        return min(loaded.ends for loaded in self._loaded)

    def context_finder(self, floor: TlsFloor = "1.2") -> Callable[[], ssl.SSLContext]:
        """Return what tells a listener the context of the moment."""
        return lambda: self._loaded[0].contexts[floor]

    def find(self, name: str | None) -> ssl.SSLContext:
        """Return the context whose certificate fits a name."""
        return self._find(name).contexts["1.2"]

    async def reload(self) -> bool:
        """Read the files again if they have changed; whether new certificates are in service now."""
        try:
            read = await asyncio.to_thread(self._read_changed)
        except ConfigurationError as error:
            log.error("certificate-not-reloaded", cause=error.sentence)
            return False
        if read is None:
            return False
        self._put_in_service(read)
        log.info("certificates-reloaded", names=" ".join(sorted(self._by_name)))
        return True

    async def watch(self) -> NoReturn:
        """Look at the files each minute, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH)
            await self.reload()

    def _find(self, name: str | None) -> _Loaded:
        if name is not None:
            name = name.lower().rstrip(".")
            found = self._by_name.get(name) or self._by_name.get(f"*.{name.partition('.')[2]}")
            if found is not None:
                return found
        return self._loaded[0]

    def _choose(self, session: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        """Called by OpenSSL in a handshake. Only the certificate changes: the floor is that of the listener."""
        if name is not None:
            session.server_name = name[:255]  # type: ignore[union-attr]  # what servers.tls finds for the log
            session.context = self.find(name)

    def _put_in_service(self, read: _Read) -> None:
        self._seen, self._loaded = read
        self._by_name = {name: loaded for loaded in reversed(self._loaded) for name in loaded.names}
        for loaded in self._loaded:
            for context in loaded.contexts.values():
                context.sni_callback = self._choose
            metrics.cert_expiry_seconds.labels(loaded.names[0]).set(loaded.ends.timestamp())

    def _read_changed(self) -> _Read | None:
        return None if self._look() == self._seen else self._read()

    def _read(self) -> _Read:
        seen = self._look()  # first: what changes while we read is read again
        return seen, [_load(files) for files in self._files]

    def _look(self) -> object:
        """What tells that a file is another now."""
        looks = []
        for files in self._files:
            for path in (files.chain, files.key):
                try:
                    status = os.stat(path)
                except OSError as error:
                    raise ConfigurationError(f"certificate: {path}: {error.strerror}") from error
                looks.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
        return looks


_Read = tuple[object, list[_Loaded]]


def _load(files: CertificateFiles) -> _Loaded:
    try:
        certificate = x509.load_pem_x509_certificates(Path(files.chain).read_bytes())[0]
        names = _names_of(certificate)
        contexts = {floor: _make_context(files, floor) for floor in _VERSIONS}
    except OSError as error:  # ssl.SSLError is one
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(f"certificate {files.chain} with key {files.key}: {reason}") from error
    except ValueError as error:
        raise ConfigurationError(f"certificate {files.chain}: {error}") from error
    if os.stat(files.key).st_mode & 0o007:
        log.warning("key-readable-by-others", key=files.key)
    return _Loaded(names, certificate.not_valid_after_utc, contexts)


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names; without any, something to call it by."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return (certificate.subject.rfc4514_string(),)
    names = tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
    return names or (certificate.subject.rfc4514_string(),)


def _make_context(files: CertificateFiles, floor: TlsFloor) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[floor]
    context.set_ciphers(_CIPHERS)
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_SINGLE_ECDH_USE
    )
    context.num_tickets = 1  # of TLS 1.3; two are for browsers that open connections side by side
    context.load_cert_chain(files.chain, files.key, password=_no_password)
    return context


def _no_password() -> NoReturn:
    """OpenSSL would ask the terminal, and the server would stand still."""
    raise ValueError("the private key is protected by a password; store it without one")
