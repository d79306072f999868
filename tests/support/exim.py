"""Exim from Debian's package, in a directory of its own: the next hop of our mail, and a sender of mail to us.

Mail for `domains` is kept as files; all other mail goes where the DNS says, signed by the first of them. As a next
hop it has recipients of every kind: `nobody@` is refused, `later@` is put off until `let_in`, all others are taken.
"""

from __future__ import annotations

__all__ = ["Exim", "start_exim"]

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hongyan.addresses import Domain
from hongyan.domains.dkim_keys import KeyKind, make_key, public_record
from tests.support import debian
from tests.support.mail_server import MailServer
from tests.support.ports import wait_for_port

PACKAGE = "exim4-daemon-heavy"  # The light one knows neither SPF nor what DANE wants of it.

_SECONDS = 20
_USER = "Debian-exim"

_MAIN = """\
primary_hostname = {hostname}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/spool/pid
log_selector = +tls_certificate_verified +dnssec +smtp_protocol_error +smtp_syntax_error +pipelining
domainlist local_domains = {domains}
local_interfaces = {host}
daemon_smtp_ports = 25
keep_environment =
tls_advertise_hosts = *
tls_certificate = {chain}
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
message_size_limit = {size}
rfc1413_query_timeout = 0s
dns_dnssec_ok = 1
acl_smtp_rcpt = recipient
acl_smtp_dkim = accept
acl_smtp_data = message
{options}

begin acl
recipient:
  warn   spf = pass : fail : softfail : neutral : none : permerror : temperror
  deny   domains = +local_domains
         local_parts = nobody
         message = 550 5.1.1 No such goose
  defer  domains = +local_domains
         local_parts = later
         condition = ${{if exists{{{folder}/open}}{{no}}{{yes}}}}
         message = 451 4.7.1 Greylisted, please come back
  accept

message:
  accept add_header = :at_start:${{authresults {{{hostname}}}}}

begin routers
remote:
  driver = dnslookup
  domains = ! +local_domains
  transport = smtp
  dnssec_request_domains = *
  no_more
local:
  driver = accept
  transport = files

begin transports
smtp:
  driver = smtp
  interface = {host}
  hosts_try_chunking = *
  dnssec_request_domains = *
  dkim_domain = {domain}
  dkim_selector = exim
  dkim_private_key = {folder}/dkim.pem
  {sending}
files:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  user = {user}
  return_path_add

begin retry
* * F,1h,1s
"""


@dataclass(frozen=True, slots=True)
class Exim(MailServer):
    """A running Exim. `dkim_record` is the text that its key wants at exim._domainkey of its domain."""

    host: str
    dkim_record: str

    LOG: ClassVar[str] = "log/mainlog"

    def let_in(self) -> None:
        """Take mail for `later@` from now on."""
        (self.folder / "open").touch()


@contextmanager
def start_exim(
    *,
    host: str,
    resolver: str,
    chain: Path,
    domains: Sequence[str] = ("exim.test",),
    hostname: str = "mx.exim.test",
    size: str = "50M",
    options: Sequence[str] = (),
    sending: Sequence[str] = (),
) -> Iterator[Exim]:
    """Run Exim on port 25 of `host`, an address of loopback, from which it sends too.

    `resolver` is the address of whom it asks the DNS; `chain` holds the certificates that it shows, and their key.
    `options` are more lines of the main section, `sending` of the transport that sends.
    """
    root = debian.require(PACKAGE)
    domain = domains[0]
    names = {
        "domains": " : ".join(domains),
        "domain": domain,
        "hostname": hostname,
        "host": host,
        "size": size,
        "user": _USER,
    }
    with tempfile.TemporaryDirectory(prefix="hongyan-exim-") as made:
        folder = Path(made)
        record = _lay_out(folder, chain, domain)
        text = _MAIN.format(
            folder=folder, chain=folder / "chain.pem", options="\n".join(options), sending="\n  ".join(sending), **names
        )
        etc = debian.resolving(folder / "system", resolver)
        (etc / "exim4").mkdir(mode=0o755)
        (etc / "exim4" / "exim4.conf").write_text(text)
        with _run_daemon(root, folder, etc) as process:
            wait_for_port(25, process, host=host, log=folder / "stderr")
            yield Exim(folder, host, record)


def _lay_out(folder: Path, chain: Path, domain: str) -> str:
    """Make its directories and keys; return the record of its DKIM key."""
    owner = debian.FIRST_UID
    folder.chmod(0o755)
    for name in ("spool", "log", "mail"):
        (folder / name).mkdir(mode=0o750)
        os.chown(folder / name, owner, owner)
    key = make_key(Domain(domain), "exim", KeyKind.RSA)
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    for name, octets in (("dkim.pem", pem), ("chain.pem", chain.read_bytes())):
        (folder / name).write_bytes(octets)
        (folder / name).chmod(0o600)
        os.chown(folder / name, owner, owner)
    return public_record(key).text


@contextmanager
def _run_daemon(root: Path, folder: Path, etc: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = debian.in_place(root, "exim4", "-bdf", "-q1s", users=(_USER,), etc=etc)
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_SECONDS)
