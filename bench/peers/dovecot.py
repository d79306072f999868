"""Dovecot from Debian's package: keeps the mail, serves IMAP and POP3, takes deliveries by LMTP on a socket."""

from __future__ import annotations

__all__ = ["Dovecot"]

import os
import socket
import subprocess
from pathlib import Path

from bench.meters import Meter
from bench.peers.templates import fill_in
from bench.programs import OneProgram, Program, ProgramFault
from bench.server import ACCOUNTS, SECRET, user_name
from hongyan.domains.certificates import CertificateFiles
from tests.support import debian
from tests.support.ports import free_ports

_PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d")
_USERS = ("dovecot", "dovenull", "mailboxes")
_MAIL_ID = debian.FIRST_UID + _USERS.index("mailboxes")
_LANGUAGE = "2.3."  # of the template; Dovecot 2.4 has another

_START_SECONDS = 30.0


class Dovecot(OneProgram):
    """`ports` are those of IMAP, IMAP with TLS and POP3; `lmtp` is a socket in the file system."""

    def __init__(self, folder: Path, meter: Meter, domain: str, certificate: CertificateFiles) -> None:
        self._folder = folder
        self._meter = meter
        self._domain = domain
        self._certificate = certificate
        self._root = debian.unpack(*_PACKAGES)
        self.ports: tuple[int, int, int] = (0, 0, 0)
        self.lmtp = folder / "run" / "lmtp"
        version = self._ask_version()
        if not version.startswith(_LANGUAGE):
            raise ProgramFault(f"this is Dovecot {version}; bench/peers/dovecot.conf is for {_LANGUAGE}x")
        self.version = f"Dovecot {version}"

    def start(self) -> None:
        imap, imaps, pop3 = self.ports = tuple(free_ports(3))  # type: ignore[assignment]  # three are three
        self._lay_out()
        configuration = self._folder / "dovecot.conf"
        text = fill_in(
            "dovecot.conf",
            FOLDER=self._folder,
            CERTIFICATE=self._certificate.chain,
            KEY=self._certificate.key,
            MAIL=_MAIL_ID,
            IMAP=imap,
            IMAPS=imaps,
            POP3=pop3,
        )
        configuration.write_text(text)
        command = debian.in_place(self._root, "dovecot", "-F", "-c", str(configuration), users=_USERS)
        self._program = Program("dovecot", command, self._folder, self._meter)
        self._program.wait_until(lambda: all(map(listens, self.ports)), _START_SECONDS)

    def _lay_out(self) -> None:
        for name in ("", "run", "state", "mail"):
            (self._folder / name).mkdir(exist_ok=True)
        os.chown(self._folder / "mail", _MAIL_ID, _MAIL_ID)
        names = [f"{user_name(number)}@{self._domain}" for number in range(ACCOUNTS)]
        (self._folder / "users").write_text("".join(f"{name}:{{PLAIN}}{SECRET}\n" for name in names))

    def _ask_version(self) -> str:
        command = debian.in_place(self._root, "dovecot", "--version", users=_USERS)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]


def listens(port: int) -> bool:
    """Is there somebody on this port of loopback?"""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
