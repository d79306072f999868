"""Programs that others wrote log in by certificate: curl by IMAP, POP3 and SMTP, `openssl s_client` by hand."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hongyan.audit.events import SERVER
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES
from hongyan.config import Service
from tests.support.server import Server, in_thread, start_server

pytestmark = pytest.mark.interop

OWNER = "ann@hongyan.test"


async def issue(server: Server, folder: Path) -> tuple[Path, Path, str]:
    """Return a certificate in PEM and in PKCS#12, with the password of the latter."""
    ann = await server.account("ann")
    certificates = server.app.services.directory.client_certificates
    issued = await certificates.issue(ann.account_id, "curl", APP_PASSWORD_SCOPES, SERVER)
    pem, bundle = folder / "ann.pem", folder / "ann.p12"
    pem.write_bytes(issued.keys.pem.reveal())
    bundle.write_bytes(issued.keys.pkcs12.reveal())
    return pem, bundle, issued.password.reveal_text()


def port(server: Server, service: Service) -> int:
    return server.app.endpoints[service].port


async def run(*command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = await in_thread(lambda: subprocess.run(command, input=given, capture_output=True, timeout=20))
    assert isinstance(done, subprocess.CompletedProcess)
    return done


async def test_curl_logs_in_by_certificate_everywhere(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        pem, bundle, password = await issue(server, tmp_path)
        fixed = ("curl", "-sS", "--cacert", str(tmp_path / "data/tls/ca.pem"), "--login-options", "AUTH=EXTERNAL")
        shown, wrapped = ("--cert", str(pem)), ("--cert-type", "P12", "--cert", f"{bundle}:{password}")
        letter = f"From: {OWNER}\r\nSubject: certified\r\n\r\nHonk.\r\n".encode()
        smtp = f"smtps://localhost:{port(server, 'submissions-certificate')}"
        addressed = ("--mail-from", OWNER, "--mail-rcpt", OWNER, "-T", "-")
        sent = await run(*fixed, *shown, "-u", f"{OWNER}:", smtp, *addressed, given=letter)
        assert sent.returncode == 0, sent.stderr
        imap = f"imaps://localhost:{port(server, 'imaps-certificate')}"
        for certificate in (shown, wrapped):
            listed = await run(*fixed, *certificate, "-u", f"{OWNER}:", f"{imap}/")
            assert b"* LIST" in listed.stdout, listed.stderr
        pop3 = f"pop3s://localhost:{port(server, 'pop3s-certificate')}"
        for account, ends_with in ((OWNER, 0), ("bob@hongyan.test", 67)):
            fetched = await run(*fixed, *shown, "-u", f"{account}:", f"{imap}/INBOX?ALL")
            assert fetched.returncode == ends_with, fetched.stderr
        refused = await run(*fixed, *shown, "-u", "user@hongyan.test:", f"{pop3}/")
        assert refused.returncode == 67
        assert (await run(*fixed, "-u", f"{OWNER}:", f"{imap}/")).returncode != 0, "without a certificate"


async def test_openssl_logs_in_by_certificate_to_pop3_and_imap(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        pem, _, _ = await issue(server, tmp_path)
        account = await server.account("user")
        certificates = server.app.services.directory.client_certificates
        issued = await certificates.issue(account.account_id, "openssl", APP_PASSWORD_SCOPES, SERVER)
        other = tmp_path / "user.pem"
        other.write_bytes(issued.keys.pem.reveal())
        client = ("openssl", "s_client", "-quiet", "-ign_eof", "-cert")
        at = f"localhost:{port(server, 'imaps-certificate')}"
        said = await run(
            *client, str(pem), "-connect", at, given=b"a AUTHENTICATE EXTERNAL =\r\nb SELECT INBOX\r\nc LOGOUT\r\n"
        )
        assert b"\na OK " in said.stdout
        assert b"\nb OK " in said.stdout
        at = f"localhost:{port(server, 'pop3s-certificate')}"
        said = await run(*client, str(other), "-connect", at, given=b"AUTH EXTERNAL =\r\nSTAT\r\nQUIT\r\n")
        assert b"+OK 0 0" in said.stdout
