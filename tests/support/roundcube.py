"""Roundcube, from Debian's packages: served by PHP's own server, used by what a browser would send."""

from __future__ import annotations

__all__ = ["Roundcube", "start_roundcube"]

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.support import debian

_PACKAGES = ("php-cli", "php-sqlite3", "roundcube-core", "roundcube-plugins", "roundcube-sqlite3")
_SECONDS = 20.0
_EXTENSIONS = "ctype dom fileinfo iconv intl mbstring pdo posix simplexml sockets tokenizer xml xmlreader xmlwriter"
_LATER = "pdo_sqlite sqlite3"  # they stand on others
_PHP_INI = """
include_path = {root}/usr/share/php:{root}/usr/share/php/PEAR
extension_dir = {extensions}
{names}
error_log = {home}/php.log
log_errors = on
display_errors = off
date.timezone = UTC
auto_prepend_file = {home}/begin.php
session.save_path = {home}/temp
"""
_CONFIG = """<?php
$config = [
  'db_dsnw' => 'sqlite:///{home}/roundcube.db?mode=0600',
  'imap_host' => 'ssl://localhost:{imaps}',
  'imap_conn_options' => ['ssl' => ['verify_peer' => true, 'cafile' => '{authority}']],
  'smtp_host' => 'ssl://localhost:{submissions}',
  'smtp_conn_options' => ['ssl' => ['verify_peer' => true, 'cafile' => '{authority}']],
  'smtp_log' => false, 'smtp_user' => '%u', 'smtp_pass' => '%p',
  'des_key' => 'twentyfour octets as key',
  'plugins' => ['acl', 'archive', 'markasjunk', 'subscriptions_option'],
  'skin' => 'elastic', 'enable_spellcheck' => false, 'language' => 'en_US',
  'log_dir' => '{home}/logs', 'temp_dir' => '{home}/temp',
  'drafts_mbox' => 'Drafts', 'junk_mbox' => 'Junk', 'sent_mbox' => 'Sent', 'trash_mbox' => 'Trash',
  'archive_mbox' => 'Archive', 'archive_type' => '', 'imap_cache' => null, 'ip_check' => false,
];
"""


@dataclass
class Roundcube:
    """A browser that has Roundcube open."""

    url: str
    home: Path
    _browser: requests.Session = field(default_factory=requests.Session)
    _token: str = ""

    def log_in(self, address: str, secret: str) -> None:
        """Fill in the first page."""
        page = self.page(task="login")
        given = {"_task": "login", "_action": "login", "_user": address, "_pass": secret, "_timezone": "UTC"}
        shown = self._take(self._browser.post(self.url, {**given, "_token": self._token}, timeout=_SECONDS))
        assert 'id="messagelist"' in shown, self.logs() + page[:300] + shown[:3000]

    def page(self, **parameters: str) -> str:
        """Return a page, as its reader gets it."""
        asked = {f"_{name}": value for name, value in parameters.items()}
        return self._take(self._browser.get(self.url, params=asked, timeout=_SECONDS))

    def act(self, action: str, given: Mapping[str, str] | None = None, **parameters: str) -> str:
        """Do what a button does: what is given is posted; return the script that comes back."""
        asked = {f"_{name}": value for name, value in {"task": "mail", **parameters, "action": action}.items()}
        asked["_remote"] = "1"
        headers = {"X-Requested-With": "XMLHttpRequest", "X-Roundcube-Request": self._token}
        if given is None:
            answer = self._browser.get(self.url, params=asked, headers=headers, timeout=_SECONDS)
        else:
            answer = self._browser.post(self.url, {**asked, **given}, headers=headers, timeout=_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["exec"])

    def submit(self, **fields: str) -> str:
        """Send a form."""
        given = {f"_{name}": value for name, value in fields.items()}
        return self._take(self._browser.post(self.url, {**given, "_token": self._token}, timeout=_SECONDS))

    def logs(self) -> str:
        """What Roundcube and PHP complained of."""
        files = [self.home / "php.log", *(self.home / "logs").glob("*")]
        return "".join(file.read_text() for file in files if file.exists())

    def _take(self, answer: requests.Response) -> str:
        assert answer.ok, f"{answer.status_code}: {answer.text[:2000]}\n{self.logs()}"
        if found := re.search(r'"request_token":"([^"]+)"', answer.text):
            self._token = found[1]
        return answer.text


@contextlib.contextmanager
def start_roundcube(home: Path, authority: Path, *, imaps: int, submissions: int) -> Iterator[Roundcube]:
    """Serve Roundcube for these ports."""
    root = debian.require(*_PACKAGES)
    installed = root / "usr/share/roundcube"
    for name in ("program", "plugins", "skins", "SQL", "index.php"):
        (home / name).symlink_to(installed / name)
    for name in ("config", "logs", "temp"):
        (home / name).mkdir()
    (home / "begin.php").write_text(f"<?php define('INSTALL_PATH', '{home}/');")
    config = _CONFIG.format(home=home, imaps=imaps, submissions=submissions, authority=authority)
    (home / "config" / "config.inc.php").write_text(config)
    (home / "config" / "defaults.inc.php").symlink_to(root / "etc/roundcube/defaults.inc.php")
    (home / "config" / "mimetypes.php").symlink_to(root / "etc/roundcube/mimetypes.php")
    (home / "php.ini").write_text(_php_ini(root, home))
    port = _free_port()
    php = [str(debian.find_program(root, "php8.2")), "-c", str(home / "php.ini"), "-S", f"127.0.0.1:{port}"]
    environment = debian.run_environment(root) | {"HOME": str(home), "PHP_INI_SCAN_DIR": ""}
    with (
        (home / "server.log").open("wb") as log,
        subprocess.Popen([*php, "-t", str(home)], env=environment, cwd=home, stdout=log, stderr=log) as server,
    ):
        try:
            _wait_for(port, server)
            yield Roundcube(f"http://127.0.0.1:{port}/index.php", home)
        finally:
            server.terminate()


def _php_ini(root: Path, home: Path) -> str:
    (extensions,) = root.glob("usr/lib/php/20*")
    there = [name for name in f"{_EXTENSIONS} {_LATER}".split() if (extensions / f"{name}.so").exists()]
    names = "\n".join(f"extension = {name}" for name in there)
    return _PHP_INI.format(root=root, home=home, extensions=extensions, names=names)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _SECONDS
    while server.poll() is None and time.monotonic() < ends:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    raise AssertionError(f"PHP's server did not begin: {server.poll()}")
