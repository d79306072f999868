"""Postfix in front of Dovecot or Cyrus: together they do what Hongyan does alone, one product under one meter."""

from __future__ import annotations

__all__ = ["PostfixCyrus", "PostfixDovecot", "raised_watches"]

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bench.clients import Endpoint
from bench.meters import Meter
from bench.peers.cyrus import Cyrus
from bench.peers.dovecot import Dovecot
from bench.peers.postfix import Postfix
from bench.peers.rspamd import Rspamd
from bench.programs import ProgramFault
from bench.server import Endpoints
from hongyan.clock import SystemClock
from hongyan.domains.certificates import CertificateFiles
from hongyan.domains.local_authority import make_local_certificate

_DOMAIN = "hongyan.test"
_WATCHES = Path("/proc/sys/fs/inotify/max_user_instances")
_WATCHES_NEEDED = 8192


class _Store(Protocol):
    """Who keeps the mail, and serves it. `ports` are those of IMAP, IMAP with TLS and POP3."""

    ports: tuple[int, int, int]
    lmtp: Path
    version: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def require_running(self) -> None: ...


_MakeStore = Callable[[Path, Meter, str, CertificateFiles], _Store]


class _Pair:
    """A product of two. Mail and queue stay in `folder` from one start to the next."""

    index_seconds = 0.0

    def __init__(
        self, folder: Path, meter: Meter, name: str, make_store: _MakeStore, checks: Callable[[Path], Rspamd] | None
    ) -> None:
        if os.geteuid() != 0:
            raise ProgramFault("The peers run in a mount namespace, which needs root")
        folder.mkdir(parents=True, exist_ok=True)
        for reached in (folder, *folder.parents[:1]):
            reached.chmod(0o755)  # the users that deliveries run as have to get here
        certificate = make_local_certificate(folder / "tls", _DOMAIN, SystemClock()).files
        self._store = make_store(folder / name, meter, _DOMAIN, certificate)
        self._postfix = Postfix(folder / "postfix", meter, _DOMAIN, certificate, self._store.lmtp)
        self._checks = None if checks is None else checks(folder / "rspamd")

    @property
    def version(self) -> str:
        checked = "" if self._checks is None else f", rspamd {self._checks.version}"
        return f"{self._store.version}, Postfix {self._postfix.version}{checked}"

    def start(self) -> Endpoints:
        self._store.start()
        if self._checks is not None:
            self._checks.start()
            self._postfix.milter = self._checks.port
        self._postfix.start()
        return self._endpoints()

    def restart(self) -> Endpoints:
        """Restart what keeps mail; Postfix keeps no mailboxes."""
        self._store.stop()
        self._store.start()
        return self._endpoints()

    def stop(self) -> None:
        try:
            self._postfix.stop()
            if self._checks is not None:
                self._checks.stop()
        finally:
            self._store.stop()

    def require_running(self) -> None:
        self._store.require_running()
        self._postfix.require_running()

    def _endpoints(self) -> Endpoints:
        imap, imaps, pop3 = self._store.ports
        host = "127.0.0.1"
        smtp = Endpoint(host, self._postfix.port)
        return Endpoints(smtp, Endpoint(host, imap), Endpoint(host, imaps, tls=True), Endpoint(host, pop3), _DOMAIN)


class PostfixDovecot(_Pair):
    """Postfix and Dovecot."""

    def __init__(self, folder: Path, meter: Meter, *, checks: Callable[[Path], Rspamd] | None = None) -> None:
        """`checks` makes what looks at mail before Postfix takes it."""
        super().__init__(folder, meter, "dovecot", Dovecot, checks)


class PostfixCyrus(_Pair):
    """Postfix and Cyrus."""

    def __init__(self, folder: Path, meter: Meter) -> None:
        super().__init__(folder, meter, "cyrus", Cyrus, None)


@contextmanager
def raised_watches() -> Iterator[None]:
    """Let each idle connection of Dovecot have the inotify instance it needs; else it looks every 30 s only."""
    had = int(_WATCHES.read_text())
    if had < _WATCHES_NEEDED:
        with contextlib.suppress(OSError):
            _WATCHES.write_text(str(_WATCHES_NEEDED))
    try:
        yield
    finally:
        if had < _WATCHES_NEEDED:
            with contextlib.suppress(OSError):
                _WATCHES.write_text(str(had))
