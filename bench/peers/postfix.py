"""Postfix from Debian's package: takes mail by SMTP, makes it durable in its queue, hands it to Dovecot by LMTP."""

from __future__ import annotations

__all__ = ["Postfix"]

import os
import subprocess
from pathlib import Path

from bench.meters import Meter
from bench.peers.dovecot import listens
from bench.peers.templates import fill_in
from bench.programs import OneProgram, Program
from hongyan.domains.certificates import CertificateFiles
from tests.support import debian
from tests.support.ports import free_port

_PACKAGES = ("postfix", "libsasl2-modules")  # the tree that the tests have unpacked already
_USERS = ("postfix", "postdrop", "mailboxes")
_OWNER_ID = debian.FIRST_UID + _USERS.index("postfix")
_PUBLIC = "public"
_QUEUES: tuple[str, ...] = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming")
_QUEUES += ("maildrop", "private", "saved", "trace", _PUBLIC)

_START_SECONDS = 30.0

_CHECKED = """
# What checks mail before it is taken.
smtpd_milters = inet:127.0.0.1:{port}
# Should it fail, mail waits: so a milter that does nothing is found out.
milter_default_action = tempfail
# A client of this machine is a stranger here: it may bring mail for the domain, as anybody may.
smtpd_relay_restrictions = permit_auth_destination, reject
"""


class Postfix(OneProgram):
    """`port` is that of SMTP."""

    def __init__(
        self,
        folder: Path,
        meter: Meter,
        domain: str,
        certificate: CertificateFiles,
        lmtp: Path,
    ) -> None:
        """`milter` is set before the start, where mail is to be checked."""
        self._folder = folder
        self._meter = meter
        self._domain = domain
        self._certificate = certificate
        self._lmtp = lmtp
        self._root = debian.unpack(*_PACKAGES)
        self.port = 0
        self.milter = 0  # its port; 0: mail is not checked
        self.version = self._ask_version()

    def start(self) -> None:
        self.port = free_port()
        self._lay_out()
        main = fill_in(
            "main.cf",
            FOLDER=self._folder,
            DOMAIN=self._domain,
            CERTIFICATE=self._certificate.chain,
            KEY=self._certificate.key,
            LMTP=self._lmtp,
        )
        if self.milter:
            main += _CHECKED.format(port=self.milter)
        _write(self._folder / "etc" / "main.cf", main)
        _write(self._folder / "etc" / "master.cf", fill_in("master.cf", PORT=self.port))
        master = ("/usr/lib/postfix/sbin/master", "-c", str(self._folder / "etc"), "-d")
        self._program = Program(
            "postfix", debian.in_place(self._root, *master, users=_USERS), self._folder, self._meter
        )
        self._program.wait_until(lambda: listens(self.port), _START_SECONDS)

    def _lay_out(self) -> None:
        """Make the directories that the package's installation would have made, owned as Postfix wants them."""
        queues = [self._folder / "queue" / queue for queue in _QUEUES]
        for made in (self._folder / "etc", self._folder / "queue" / "pid", self._folder / "data", *queues):
            made.mkdir(parents=True, exist_ok=True)
        for owned in (self._folder / "data", *queues):
            os.chown(owned, _OWNER_ID, -1)
            owned.chmod(0o755 if owned.name == _PUBLIC else 0o700)

    def _ask_version(self) -> str:
        command = debian.in_place(self._root, "postconf", "-d", "-h", "mail_version", users=_USERS)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _write(file: Path, text: str) -> None:
    """Postfix waits until a file of its configuration has not changed for a second: make it look old."""
    file.write_text(text)
    os.utime(file, (0, 0))
