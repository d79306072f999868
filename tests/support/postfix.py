"""Postfix from Debian's package, in a directory of its own: the next hop of our mail, and a sender of mail to us.

It runs beside the system's own, if there is one, on an unprivileged port. Mail for `domains` is
kept as files; all other mail goes to `relay_host`.
"""

from __future__ import annotations

__all__ = ["Postfix", "start_postfix"]

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import debian
from tests.support.ports import free_port, wait_for_port

PACKAGES = ("postfix", "libsasl2-modules")  # The second lets it log in where it sends.

_STOP_SECONDS = 20
_POLL_SECONDS = 0.02
_USERS = ("postfix", "postdrop", "mailboxes")
_OWNER_ID, _, _MAIL_ID = (debian.FIRST_UID + number for number in range(len(_USERS)))
_PUBLIC = "public"
_QUEUES: tuple[str, ...] = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming")
_QUEUES += ("maildrop", "private", "saved", "trace", _PUBLIC)

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {hostname}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:{mail_id}
virtual_gid_maps = static:{mail_id}
virtual_minimum_uid = 1
relayhost = {relay_host}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
# No names are asked for: the next hop is an address in brackets.
smtp_dns_support_level = disabled
smtp_tls_security_level = {tls}
smtp_host_lookup = native
smtputf8_enable = yes
smtputf8_autodetect_classes = all
biff = no
mailbox_size_limit = 0
virtual_mailbox_limit = 0
message_size_limit = 104857600
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
# A test has no time for the manners of the Internet.
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
in_flow_delay = 0s
{extra}
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup     unix       n - n 60    1 pickup
cleanup    unix       n - n -     0 cleanup
qmgr       unix       n - n 1     1 qmgr
tlsmgr     unix       - - n 1000? 1 tlsmgr
rewrite    unix       - - n -     - trivial-rewrite
bounce     unix       - - n -     0 bounce
defer      unix       - - n -     0 bounce
trace      unix       - - n -     0 bounce
verify     unix       - - n -     1 verify
flush      unix       n - n 1000? 0 flush
proxymap   unix       - - n -     - proxymap
proxywrite unix       - - n -     1 proxymap
smtp       unix       - - n -     - smtp
relay      unix       - - n -     - smtp
showq      unix       n - n -     - showq
error      unix       - - n -     - error
retry      unix       - - n -     - error
discard    unix       - - n -     - discard
virtual    unix       - n n -     - virtual
lmtp       unix       - - n -     - lmtp
anvil      unix       - - n -     1 anvil
scache     unix       - - n -     1 scache
postlog    unix-dgram n - n -     1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix."""

    port: int
    folder: Path

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self.folder / "log").read_text(errors="replace")

    def messages(self) -> list[bytes]:
        """The messages that it has delivered for its own domains, octet for octet, the oldest first."""
        files = (self.folder / "mail" / "new").glob("*")
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def wait_for_messages(self, count: int, seconds: float = 30.0) -> list[bytes]:
        """Return the messages when there are `count` of them."""
        deadline = time.monotonic() + seconds
        while len(messages := self.messages()) < count:
            assert time.monotonic() < deadline, f"{len(messages)} of {count} messages arrived\n{self.log}"
            time.sleep(_POLL_SECONDS)
        return messages


@contextmanager
def start_postfix(
    *,
    domains: Sequence[str] = ("postfix.test",),
    relay_host: str = "",
    hostname: str = "mx.postfix.test",
    tls: str = "may",
    extra: Sequence[str] = (),
) -> Iterator[Postfix]:
    """Run Postfix in a temporary directory.

    `relay_host` is an address in brackets with a port: `[127.0.0.1]:2525`. `tls` is how it sends
    (smtp_tls_security_level); `extra` are more lines of main.cf, such as a certificate to show.
    """
    root = debian.require(*PACKAGES)
    names = {"domains": ", ".join(domains), "relay_host": relay_host, "hostname": hostname, "tls": tls}
    with tempfile.TemporaryDirectory(prefix="hongyan-postfix-") as made:
        folder = Path(made)
        port = free_port()
        _lay_out(folder)
        main = _MAIN.format(folder=folder, mail_id=_MAIL_ID, extra="\n".join(extra), **names)
        _write(folder / "etc" / "main.cf", main)
        _write(folder / "etc" / "master.cf", _MASTER.format(port=port))
        with _run_master(root, folder) as process:
            wait_for_port(port, process, log=folder / "log")
            yield Postfix(port, folder)


@contextmanager
def _run_master(root: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = debian.in_place(root, "/usr/lib/postfix/sbin/master", "-c", str(folder / "etc"), "-d", users=_USERS)
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _write(file: Path, text: str) -> None:
    """Postfix waits until a file of its configuration has not changed for a second: make it look old."""
    file.write_text(text)
    os.utime(file, (0, 0))


def _lay_out(folder: Path) -> None:
    """Make the directories that the package's installation would have made, owned as Postfix wants them."""
    folder.chmod(0o755)  # The users that deliveries run as have to reach it.
    queues = [folder / "queue" / queue for queue in _QUEUES]
    for made in (folder / "etc", folder / "queue" / "pid", folder / "data", folder / "mail", *queues):
        made.mkdir(parents=True, exist_ok=True)
    for owned in (folder / "data", *queues):
        os.chown(owned, _OWNER_ID, -1)
        owned.chmod(0o700 if owned.name != _PUBLIC else 0o755)
    os.chown(folder / "mail", _MAIL_ID, _MAIL_ID)
