"""postfix-mta-sts-resolver reads the policy that we serve, and Postfix holds us to it."""

from __future__ import annotations

import contextlib
import os
import smtplib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.config import Config
from tests.support import debian
from tests.support.authority import Authority
from tests.support.dnssec import SignedDns, SignedZone, start_signed_dns
from tests.support.ports import free_addresses, free_port, wait_for_port
from tests.support.postfix import Postfix, start_postfix
from tests.support.public import HOSTNAME, WRITER, our_zone, serve_publicly, wait_for_mail
from tests.support.server import in_thread

pytestmark = [pytest.mark.interop, pytest.mark.root]

SENDER = "gander@other.test"
FOXES = Authority("Foxes")

_DAEMON = """\
host: 127.0.0.1
port: {port}
shutdown_timeout: 1
cache: {{type: internal}}
default_zone: {{strict_testing: false, timeout: 10}}
"""


def enforce(config: Config) -> Config:
    """Serve a policy; the zone is not signed, so that the policy is all there is."""
    return replace(config, web=replace(config.web, mta_sts="enforce"))


@contextlib.contextmanager
def run_resolver(folder: Path, dns: SignedDns, authority: Path) -> Iterator[int]:
    """Run the daemon that tells Postfix of policies; gives its port."""
    root = debian.require("postfix-mta-sts-resolver")
    etc, port = debian.resolving(folder / "system", dns.address), free_port()
    (folder / "daemon.yml").write_text(_DAEMON.format(port=port))
    command = debian.in_place(root, "mta-sts-daemon", "-c", str(folder / "daemon.yml"), etc=etc)
    with (folder / "daemon.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | {"SSL_CERT_FILE": str(authority)}, stdout=log, stderr=log)
    try:
        wait_for_port(port, process, log=folder / "daemon.log")
        yield port
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def run_postfix(dns: SignedDns, host: str, policies: int, trusted: Path) -> Iterator[Postfix]:
    lines: Sequence[str] = (
        f"smtp_bind_address = {host}",
        f"smtp_tls_policy_maps = socketmap:inet:127.0.0.1:{policies}:postfix",
        f"smtp_tls_CAfile = {trusted}",
        "smtp_tls_loglevel = 1",
    )
    with start_postfix(
        domains=["other.test"], hostname="mx.other.test", extra=lines, at=(host, 25), resolver=dns.address
    ) as postfix:
        yield postfix


@pytest.mark.parametrize("is_right", [True, False])
async def test_postfix_obeys_the_policy_that_we_serve(tmp_path: Path, is_right: bool) -> None:
    ours, theirs = free_addresses(2)
    zones = [replace(our_zone(ours), is_signed=False), SignedZone("other.test", [f"@ MX 10 mx\nmx A {theirs}"])]
    with start_signed_dns(tmp_path / "dns", zones) as dns:
        async with serve_publicly(tmp_path, dns, ours, change=enforce) as server:
            own = tmp_path / "data" / "tls" / "ca.pem"
            with (
                run_resolver(tmp_path, dns, own) as policies,
                run_postfix(dns, theirs, policies, own if is_right else FOXES.file()) as postfix,
            ):

                def send() -> None:
                    with smtplib.SMTP(theirs, 25) as smtp:
                        smtp.sendmail(SENDER, [WRITER], f"From: {SENDER}\r\nSubject: honk\r\n\r\nHonk.\r\n")

                await in_thread(send)
                if is_right:
                    (message,) = await wait_for_mail(server, 1)
                    assert b"with ESMTPS id" in message
                    await in_thread(lambda: postfix.wait_for_log(f"Verified TLS connection established to {HOSTNAME}"))
                else:
                    await in_thread(lambda: postfix.wait_for_log("Server certificate not verified", 20))
                    imap = await server.imap("ann")
                    assert b"* 0 EXISTS" in await imap.command("s", "SELECT INBOX")
