"""Postfix from Debian's package, in a directory of its own: the next hop of our mail, and a sender of mail to us.

It runs beside the system's own, if there is one, on an unprivileged port. Mail for `domains` is
kept as files; all other mail goes to `relay_host`.
"""

from __future__ import annotations

__all__ = ["Postfix", "start_postfix"]

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import debian
from tests.support.mail_server import MailServer
from tests.support.ports import free_port, wait_for_port

PACKAGES = ("postfix", "libsasl2-modules")  # The second lets it log in where it sends.

_STOP_SECONDS = 20
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
{dns}
smtp_tls_security_level = {tls}
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

# No names are asked for: the next hop is an address in brackets.
_NO_DNS = "smtp_dns_support_level = disabled\nsmtp_host_lookup = native"
_DNS = "smtp_dns_support_level = dnssec\nsmtp_host_lookup = dns"

_MASTER = """\
{host}:{port} inet n - n - - smtpd
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
class Postfix(MailServer):
    """A running Postfix."""

    port: int


@contextmanager
def start_postfix(
    *,
    domains: Sequence[str] = ("postfix.test",),
    relay_host: str = "",
    hostname: str = "mx.postfix.test",
    tls: str = "may",
    extra: Sequence[str] = (),
    at: tuple[str, int] | None = None,
    resolver: str = "",
) -> Iterator[Postfix]:
    """Run Postfix in a temporary directory.

    `relay_host` is an address in brackets with a port: `[127.0.0.1]:2525`. `tls` is how it sends
    (smtp_tls_security_level); `extra` are more lines of main.cf, such as a certificate to show.
    `at` is where it listens. `resolver` is the address of whom it asks the DNS, and believes.
    """
    root = debian.require(*PACKAGES)
    host, port = at or ("127.0.0.1", free_port())
    names = {"domains": ", ".join(domains), "relay_host": relay_host, "hostname": hostname, "tls": tls}
    names["dns"] = _DNS if resolver else _NO_DNS
    with tempfile.TemporaryDirectory(prefix="hongyan-postfix-") as made:
        folder = Path(made)
        _lay_out(folder)
        main = _MAIN.format(folder=folder, mail_id=_MAIL_ID, extra="\n".join(extra), **names)
        _write(folder / "etc" / "main.cf", main)
        _write(folder / "etc" / "master.cf", _MASTER.format(host=host, port=port))
        etc = debian.resolving(folder / "system", resolver) if resolver else None
        with _run_master(root, folder, etc) as process:
            wait_for_port(port, process, host=host, log=folder / "log")
            yield Postfix(folder, port)


@contextmanager
def _run_master(root: Path, folder: Path, etc: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    master = ("/usr/lib/postfix/sbin/master", "-c", str(folder / "etc"), "-d")
    command = debian.in_place(root, *master, users=_USERS, etc=etc)
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
