"""Dovecot from Debian's package, in a directory of its own: the server whose answers ours are compared with.

IMAP and POP3 listen on unprivileged ports, plain and with TLS, LMTP takes mail in. Every account
of `accounts` exists with its password; mail is kept as Maildir.
"""

from __future__ import annotations

__all__ = ["Dovecot", "start_dovecot"]

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import debian
from tests.support.ports import free_ports, wait_for_port

PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-pop3d")

_STOP_SECONDS = 20
_USERS = ("dovecot", "dovenull", "mailboxes")
_MAIL_UID = debian.FIRST_UID + 2

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {folder}
log_path = {folder}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={folder}/mail/%u
}}
first_valid_uid = {uid}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
# A failed login is answered at once: a test has no time for the penalty.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
}}
{extra}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running Dovecot. Without a certificate the ports of TLS are 0."""

    imap: int
    imaps: int
    pop3: int
    pop3s: int
    lmtp: int
    folder: Path

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def start_dovecot(
    accounts: Mapping[str, str], *, certificate: Path | None = None, key: Path | None = None, extra: Sequence[str] = ()
) -> Iterator[Dovecot]:
    """Run Dovecot in a temporary directory. `certificate` and `key` are PEM files that its TLS ports show."""
    root = debian.require(*PACKAGES)
    with tempfile.TemporaryDirectory(prefix="hongyan-dovecot-") as made:
        folder = Path(made)
        imap, imaps, pop3, pop3s, lmtp = free_ports(5)
        if certificate is None:
            imaps = pop3s = 0
        dovecot = Dovecot(imap, imaps, pop3, pop3s, lmtp, folder)
        _lay_out(folder, accounts)
        configuration = folder / "dovecot.conf"
        configuration.write_text(_configure(dovecot, certificate, key, extra))
        command = debian.in_place(root, "dovecot", "-F", "-c", str(configuration), users=_USERS)
        with _run(command, folder) as process:
            for port in (imap, pop3, lmtp):
                wait_for_port(port, process, log=folder / "log")
            yield dovecot


def _configure(dovecot: Dovecot, certificate: Path | None, key: Path | None, extra: Sequence[str]) -> str:
    shown = "" if certificate is None else f"ssl_cert = <{certificate}\nssl_key = <{key or certificate}"
    ports = {name: getattr(dovecot, name) for name in ("imap", "imaps", "pop3", "pop3s", "lmtp")}
    ssl = "no" if certificate is None else "yes"
    more = "\n".join(extra)
    return _CONFIGURATION.format(folder=dovecot.folder, uid=_MAIL_UID, ssl=ssl, certificate=shown, extra=more, **ports)


def _lay_out(folder: Path, accounts: Mapping[str, str]) -> None:
    folder.chmod(0o755)  # The users that Dovecot's processes run as have to reach it.
    (folder / "users").write_text("".join(f"{name}:{{PLAIN}}{secret}\n" for name, secret in accounts.items()))
    for name in ("mail", "run", "state"):
        (folder / name).mkdir()
    os.chown(folder / "mail", _MAIL_UID, _MAIL_UID)


@contextmanager
def _run(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
