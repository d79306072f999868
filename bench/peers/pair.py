"""Postfix in front of Dovecot: together they do what Hongyan does alone, and are one product under one meter."""

from __future__ import annotations

__all__ = ["PostfixDovecot", "raised_watches"]

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.clients import Endpoint
from bench.meters import Meter
from bench.peers.dovecot import Dovecot
from bench.peers.postfix import Postfix
from bench.programs import ProgramFault
from bench.server import Endpoints
from hongyan.clock import SystemClock
from hongyan.domains.local_authority import make_local_certificate

_DOMAIN = "hongyan.test"
_WATCHES = Path("/proc/sys/fs/inotify/max_user_instances")
_WATCHES_NEEDED = 8192


class PostfixDovecot:
    """A product of two. Mail and queue stay in `folder` from one start to the next."""

    def __init__(self, folder: Path, meter: Meter) -> None:
        if os.geteuid() != 0:
            raise ProgramFault("Dovecot and Postfix run in a mount namespace, which needs root")
        folder.mkdir(parents=True, exist_ok=True)
        for reached in (folder, *folder.parents[:1]):
            reached.chmod(0o755)  # the users that deliveries run as have to get here
        certificate = make_local_certificate(folder / "tls", _DOMAIN, SystemClock()).files
        self._dovecot = Dovecot(folder / "dovecot", meter, _DOMAIN, certificate)
        self._postfix = Postfix(folder / "postfix", meter, _DOMAIN, certificate, self._dovecot.lmtp)

    @property
    def version(self) -> str:
        return f"Dovecot {self._dovecot.version}, Postfix {self._postfix.version}"

    def start(self) -> Endpoints:
        self._dovecot.start()
        self._postfix.start()
        return self._endpoints()

    def restart(self) -> Endpoints:
        """Restart Dovecot; Postfix keeps no mailboxes."""
        self._dovecot.stop()
        self._dovecot.start()
        return self._endpoints()

    def stop(self) -> None:
        try:
            self._postfix.stop()
        finally:
            self._dovecot.stop()

    def require_running(self) -> None:
        self._dovecot.require_running()
        self._postfix.require_running()

    def _endpoints(self) -> Endpoints:
        imap, imaps, pop3 = self._dovecot.ports
        host = "127.0.0.1"
        smtp = Endpoint(host, self._postfix.port)
        return Endpoints(smtp, Endpoint(host, imap), Endpoint(host, imaps, tls=True), Endpoint(host, pop3), _DOMAIN)


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
