"""Cyrus from Debian's package: keeps the mail, serves IMAP and POP3, takes deliveries by LMTP on a socket."""

from __future__ import annotations

__all__ = ["Cyrus"]

import os
import shutil
import subprocess
from pathlib import Path

from bench.meters import Meter
from bench.peers.dovecot import listens
from bench.peers.templates import fill_in
from bench.programs import OneProgram, Program
from bench.server import ACCOUNTS, SECRET, user_name
from hongyan.domains.certificates import CertificateFiles
from tests.support import debian
from tests.support.ports import free_ports

_PACKAGES = ("cyrus-common", "cyrus-imapd", "cyrus-pop3d", "sasl2-bin")
_USERS = ("cyrus",)
_ID = debian.FIRST_UID
_PROGRAMS = "/usr/lib/cyrus/bin"

_START_SECONDS = 60.0


class Cyrus(OneProgram):
    """`ports` are those of IMAP, IMAP with TLS and POP3; `lmtp` is a socket in the file system."""

    def __init__(self, folder: Path, meter: Meter, domain: str, certificate: CertificateFiles) -> None:
        self._folder = folder
        self._meter = meter
        self._domain = domain
        self._certificate = certificate
        self._root = debian.unpack(*_PACKAGES)
        self.ports: tuple[int, int, int] = (0, 0, 0)
        self.lmtp = folder / "socket" / "lmtp"
        self.version = f"Cyrus {self._ask_version()}"

    def start(self) -> None:
        imap, imaps, pop3 = self.ports = tuple(free_ports(3))  # type: ignore[assignment]  # three are three
        self._lay_out()
        configuration, services = self._folder / "imapd.conf", self._folder / "cyrus.conf"
        tls = {"CERTIFICATE": self._folder / "chain.pem", "KEY": self._folder / "key.pem"}
        configuration.write_text(fill_in("imapd.conf", FOLDER=self._folder, **tls))
        services.write_text(fill_in("cyrus.conf", FOLDER=self._folder, IMAP=imap, IMAPS=imaps, POP3=pop3))
        files = ("-C", str(configuration), "-M", str(services), "-p", str(self._folder / "pid"))
        command = debian.in_place(self._root, f"{_PROGRAMS}/master", "-D", *files, users=_USERS)
        self._program = Program("cyrus", command, self._folder, self._meter)
        self._program.wait_until(lambda: all(map(listens, self.ports)), _START_SECONDS)

    def _lay_out(self) -> None:
        """Make folders that belong to Cyrus's own user, and write down the secrets."""
        for name in ("", "lib", "lib/socket", "mail", "sieve", "socket"):
            (self._folder / name).mkdir(exist_ok=True)
            os.chown(self._folder / name, _ID, _ID)
        for name, file in (("chain.pem", self._certificate.chain), ("key.pem", self._certificate.key)):
            shutil.copy(file, self._folder / name)
            os.chown(self._folder / name, _ID, _ID)
        secrets = self._folder / "secrets"
        if not secrets.exists():
            self._write_secrets(secrets)
            os.chown(secrets, _ID, _ID)

    def _write_secrets(self, file: Path) -> None:
        """One program for each account is what the library has; a shell runs them all in one namespace."""
        names = " ".join(user_name(number) for number in range(ACCOUNTS))
        script = f'for name in {names}; do printf %s "$2" | saslpasswd2 -p -c -f "$0" -u "$1" $name || exit 1; done'
        command = debian.in_place(self._root, "sh", "-c", script, str(file), self._domain, SECRET, users=_USERS)
        subprocess.run(command, check=True, capture_output=True)

    def _ask_version(self) -> str:
        command = debian.in_place(self._root, f"{_PROGRAMS}/cyr_info", "-C", "/dev/null", "version", users=_USERS)
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return told.split()[1].partition("-")[0]
