"""Which certificate for which name, and how to change them without dropping a connection.

Which versions and ciphers of TLS a listener takes is its profile (`domains.tls_profiles`). The name that a client asks
for (SNI, RFC 6066 §3) chooses among the certificates: the exact name, then a wildcard for its parent, then the first
certificate. An unknown name is no error: mail servers ask for many.

Files are read again when they have changed. New connections meet the new certificate, connections that live keep
what they have, and a file that cannot be read leaves the former one in service and says so.
"""

from __future__ import annotations

__all__ = ["CertificateFiles", "Certificates"]

import asyncio
import os
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

from cryptography import x509

from hongyan import telemetry
from hongyan.domains.tls_profiles import TlsProfile, make_server_context
from hongyan.errors import ConfigurationError
from hongyan.options import option
from hongyan.telemetry import metrics

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

    chain: str
    key: str
    names: tuple[str, ...]
    ends: datetime
    contexts: dict[TlsProfile, ssl.SSLContext]


class Certificates:
    """The certificates in service. `context_finder` is for listeners."""

    def __init__(
        self,
        files: Sequence[CertificateFiles],
        profiles: Collection[TlsProfile] = ("modern", "intermediate"),
        find_more: Callable[[], Sequence[CertificateFiles]] | None = None,
    ) -> None:
        """Read the files. Raises `ConfigurationError` with the file and the reason.

        `profiles` are those that listeners ask for. `find_more` names files that come and go, and that are passed over
        when they cannot be read.
        """
        self._files = list(files)
        self._profiles = frozenset(profiles)
        self._find_more = find_more or (lambda: ())
        self._client_authority = ""
        self._seen: object = None
        self._loaded: list[_Loaded] = []
        self._by_name: dict[str, _Loaded] = {}
        self._put_in_service(self._read())

    @property
    def chains(self) -> Sequence[str]:
        """The files of the chains in service, that of the first certificate first."""
        return [loaded.chain for loaded in self._loaded]

    def files_of(self, name: str) -> CertificateFiles:
        """Return the files of the certificate that is shown for a name."""
        loaded = self._find(name)
        return CertificateFiles(loaded.chain, loaded.key)

    @property
    def names(self) -> frozenset[str]:
        """The names that the certificates hold, wildcards as `*.parent`."""
        return frozenset(self._by_name)

    @property
    def first_end(self) -> datetime:
        """When the first of them ends."""
        return min(loaded.ends for loaded in self._loaded)

    def context_finder(self, profile: TlsProfile = "intermediate") -> Callable[[], ssl.SSLContext]:
        """Return what tells a listener the context of the moment."""
        return lambda: self._loaded[0].contexts[profile]

    @property
    def asks_clients(self) -> bool:
        """Whether a listener asks its clients for certificates: `trust_clients` is to be called before it opens."""
        return "certificate" in self._profiles

    def trust_clients(self, authority: str) -> None:
        """Take the certificates of clients that this authority, in PEM, has signed; until then, none."""
        self._client_authority = authority
        for loaded in self._loaded:
            loaded.contexts["certificate"].load_verify_locations(cadata=authority)

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

    def _choose(
        self, profile: TlsProfile, session: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> None:
        """Called by OpenSSL in a handshake. The versions stay those of the first context, the ciphers do not."""
        if name is not None:
            session.server_name = name[:255]  # type: ignore[union-attr]  # what servers.tls finds for the log
            session.context = self._find(name).contexts[profile]

    def _put_in_service(self, read: _Read) -> None:
        self._seen, self._loaded = read
        self._by_name = {name: loaded for loaded in reversed(self._loaded) for name in loaded.names}
        for loaded in self._loaded:
            for profile, context in loaded.contexts.items():
                context.sni_callback = partial(self._choose, profile)
            metrics.cert_expiry_seconds.labels(loaded.names[0]).set(loaded.ends.timestamp())

    def _read_changed(self) -> _Read | None:
        return None if self._look() == self._seen else self._read()

    def _read(self) -> _Read:
        seen = self._look()  # first: what changes while we read is read again
        loaded = [self._load(files) for files in self._files]
        for files in self._find_more():
            try:
                loaded.append(self._load(files))
            except ConfigurationError as error:
                log.error("certificate-passed-over", cause=error.sentence)
        if not loaded:
            raise ConfigurationError("no certificate is configured: name one in [[certificates]]")
        return seen, loaded

    def _load(self, files: CertificateFiles) -> _Loaded:
        return _load(files, self._profiles, self._client_authority)

    def _look(self) -> object:
        """What tells that a file is another now."""
        looks = [_look_at(path) for files in self._files for path in (files.chain, files.key)]
        for files in self._find_more():
            for path in (files.chain, files.key):
                try:
                    looks.append(_look_at(path))
                except ConfigurationError:
                    looks.append((path,))
        return looks


_Read = tuple[object, list[_Loaded]]


def _look_at(path: str) -> tuple[object, ...]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise ConfigurationError(f"certificate: {path}: {error.strerror}") from error
    return path, status.st_mtime_ns, status.st_size, status.st_ino


def _load(files: CertificateFiles, profiles: Collection[TlsProfile], client_authority: str) -> _Loaded:
    try:
        certificate = x509.load_pem_x509_certificates(Path(files.chain).read_bytes())[0]
        names = _names_of(certificate)
        contexts = {profile: make_server_context(files.chain, files.key, profile) for profile in profiles}
        if client_authority:
            contexts["certificate"].load_verify_locations(cadata=client_authority)
    except OSError as error:  # ssl.SSLError is one
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(f"certificate {files.chain} with key {files.key}: {reason}") from error
    except ValueError as error:
        raise ConfigurationError(f"certificate {files.chain}: {error}") from error
    if os.stat(files.key).st_mode & 0o007:
        log.warning("key-readable-by-others", key=files.key)
    return _Loaded(files.chain, files.key, names, certificate.not_valid_after_utc, contexts)


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names; without any, something to call it by."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return (certificate.subject.rfc4514_string(),)
    names = tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
    return names or (certificate.subject.rfc4514_string(),)
