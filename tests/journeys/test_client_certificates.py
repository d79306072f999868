"""Mail programs log in by certificates of our own authority, over TLS, on ports of their own."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hongyan.audit.events import SERVER, AuditEvent
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES
from hongyan.auth.client_certificates import IssuedCertificate
from hongyan.config import Service
from hongyan.store.accounts import Service as AccountService
from tests.support.authority import Authority
from tests.support.clock import FakeClock
from tests.support.lines import Lines
from tests.support.server import SECRET, Server, start_server

REVOCATION = 5.0  # seconds: the promise


async def issue(server: Server, name: str, *services: AccountService, days: int | None = None) -> IssuedCertificate:
    account = await server.account(name)
    certificates = server.app.services.directory.client_certificates
    scopes = frozenset(services) or APP_PASSWORD_SCOPES
    return await certificates.issue(account.account_id, "phone", scopes, SERVER, days=days)


async def connect(server: Server, service: Service, folder: Path, pem: str) -> Lines:
    """Connect and show what is in the PEM."""
    path = folder / "shown.pem"
    path.write_text(pem)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(path)
    endpoint = server.app.endpoints[service]
    lines = await Lines.connect(endpoint.host, endpoint.port, context)
    server.connections.append(lines)
    return lines


async def imap(server: Server, folder: Path, issued: IssuedCertificate) -> Lines:
    lines = await connect(server, "imaps-certificate", folder, issued.keys.pem.reveal_text())
    assert b"AUTH=EXTERNAL" in await lines.line()
    return lines


async def answer(lines: Lines, authorization_id: str = "") -> bytes:
    response = b64encode(authorization_id.encode()).decode() or "="
    return (await lines.try_command("a", f"AUTHENTICATE EXTERNAL {response}"))[-1]


async def test_a_certificate_opens_its_account_by_imap(server: Server, tmp_path: Path) -> None:
    issued = await issue(server, "ann")
    for own in ("", "ann@hongyan.test", "ANN@hongyan.test"):
        lines = await imap(server, tmp_path, issued)
        assert (await answer(lines, own)).startswith(b"a OK")
        await lines.command("s", "SELECT INBOX")
    asked = await imap(server, tmp_path, issued)
    asked.say("b AUTHENTICATE EXTERNAL")
    assert (await asked.line()).rstrip() == b"+"
    asked.say("")
    assert (await asked.until(b"b ")).startswith(b"b OK")


async def test_a_certificate_opens_its_account_by_pop3_and_submission(server: Server, tmp_path: Path) -> None:
    pem = (await issue(server, "user")).keys.pem.reveal_text()
    pop3 = await connect(server, "pop3s-certificate", tmp_path, pem)
    assert (await pop3.line()).startswith(b"+OK")
    pop3.say("CAPA")
    assert b"EXTERNAL" in (await pop3.until(b"SASL")).split()
    await pop3.until(b".")
    pop3.say("AUTH EXTERNAL =")
    assert (await pop3.line()).startswith(b"+OK")
    smtp = await connect(server, "submissions-certificate", tmp_path, pem)
    await smtp.reply()
    smtp.say("EHLO phone.test")
    assert b"EXTERNAL" in (await smtp.until(b"250-AUTH")).split()
    await smtp.until(b"250 ")
    smtp.say("AUTH EXTERNAL =")
    assert (await smtp.reply()).startswith(b"235")
    smtp.say("MAIL FROM:<user@hongyan.test>")
    assert (await smtp.reply()).startswith(b"250")


async def test_nobody_acts_for_somebody_else_by_a_certificate(server: Server, tmp_path: Path) -> None:
    lines = await imap(server, tmp_path, await issue(server, "ann"))
    for other in ("bob@hongyan.test", "nobody@hongyan.test", "b\x00b"):
        assert (await answer(lines, other)).startswith(b"a NO [AUTHENTICATIONFAILED]")
    assert (await answer(lines)).startswith(b"a OK")


async def test_external_is_offered_only_to_who_has_shown_a_certificate(server: Server) -> None:
    for service in ("imaps", "imap"):
        lines = await server.connect(service)  # type: ignore[arg-type]  # both are services
        assert b"EXTERNAL" not in await lines.line()
        assert (await answer(lines)).startswith(b"a NO")
    smtp = await server.connect("submissions")
    await smtp.reply()
    smtp.say("EHLO phone.test")
    assert b"EXTERNAL" not in await smtp.until(b"250-AUTH")
    await smtp.until(b"250 ")
    smtp.say("AUTH EXTERNAL =")
    assert (await smtp.reply()).startswith(b"504")
    pop3 = await server.connect("pop3s")
    await pop3.line()
    pop3.say("AUTH EXTERNAL =")
    assert (await pop3.line()).startswith(b"-ERR")


async def closes(lines: Lines) -> bool:
    """Whether the server ends the connection without a word."""
    try:
        return await lines.line() == b""
    except (ssl.SSLError, ConnectionError):
        return True


async def test_a_certificate_of_another_authority_or_none_is_turned_away_by_tls(server: Server, tmp_path: Path) -> None:
    await issue(server, "ann")  # whose serial number a forger would know
    forged = Authority("Forgers").issue("ann@hongyan.test").write().read_text()
    assert await closes(await connect(server, "imaps-certificate", tmp_path, forged))
    assert await closes(await server_without_certificate(server))


async def server_without_certificate(server: Server) -> Lines:
    endpoint = server.app.endpoints["imaps-certificate"]
    lines = await Lines.connect(endpoint.host, endpoint.port, server.tls)
    server.connections.append(lines)
    return lines


async def test_a_revoked_certificate_ends_its_sessions_and_opens_nothing(server: Server, tmp_path: Path) -> None:
    ann = await server.account("ann")
    issued, other = await issue(server, "ann"), await issue(server, "ann")
    lines, kept = await imap(server, tmp_path, issued), await imap(server, tmp_path, other)
    assert (await answer(lines)).startswith(b"a OK")
    assert (await answer(kept)).startswith(b"a OK")
    certificates = server.app.services.directory.client_certificates
    await certificates.revoke(ann.account_id, [issued.certificate.credential], SERVER)
    async with asyncio.timeout(REVOCATION):
        assert (await lines.ended())[-1].startswith(b"* BYE")
    await kept.command("n", "NOOP")
    refused = await answer(await imap(server, tmp_path, issued))
    assert refused.startswith(b"a NO [AUTHENTICATIONFAILED] This certificate was revoked")
    audit = await server.app.services.directory.audit.query(account=ann.account_id)
    told = {entry.event for entry in audit}
    assert {AuditEvent.CLIENT_CERTIFICATE_ISSUED, AuditEvent.CLIENT_CERTIFICATES_REVOKED} <= told


async def test_a_new_password_revokes_certificates_too(server: Server, tmp_path: Path) -> None:
    from hongyan.secret import Secret

    ann = await server.account("ann")
    lines = await imap(server, tmp_path, issued := await issue(server, "ann"))
    assert (await answer(lines)).startswith(b"a OK")
    await server.app.services.directory.passwords.change(ann.account_id, Secret("another goose"), SERVER)
    async with asyncio.timeout(REVOCATION):
        assert (await lines.ended())[-1].startswith(b"* BYE")
    assert (await answer(await imap(server, tmp_path, issued))).startswith(b"a NO [AUTHENTICATIONFAILED]")


async def test_a_certificate_of_another_scope_or_of_a_suspended_account_is_refused(
    server: Server, tmp_path: Path
) -> None:
    lines = await imap(server, tmp_path, await issue(server, "ann", AccountService.SMTP))
    assert (await answer(lines)).startswith(b"a NO [AUTHORIZATIONFAILED]")
    bob, issued = await server.account("bob"), await issue(server, "bob")
    held = await imap(server, tmp_path, issued)
    assert (await answer(held)).startswith(b"a OK")
    await server.app.services.directory.accounts.suspend(bob.account_id, SERVER)
    async with asyncio.timeout(REVOCATION):
        assert (await held.ended())[-1].startswith(b"* BYE")
    assert (await answer(await imap(server, tmp_path, issued))).startswith(b"a NO [CONTACTADMIN]")


async def test_a_certificate_ends_by_itself_and_its_sessions_with_it(tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    async with start_server(tmp_path / "data", clock=clock) as server:
        issued = await issue(server, "ann", days=2)
        clock.advance(timedelta(days=1, hours=23, minutes=50).total_seconds())
        lines = await imap(server, tmp_path, issued)
        assert (await answer(lines)).startswith(b"a OK")
        server.app.services.entrance.revocations.end_expired()
        await lines.command("n", "NOOP")
        clock.advance(timedelta(minutes=11).total_seconds())
        server.app.services.entrance.revocations.end_expired()
        assert (await lines.ended())[-1].startswith(b"* BYE")
        # The clock of TLS goes on by itself: there the certificate is good, here it is not.
        assert (await answer(await imap(server, tmp_path, issued))).startswith(b"a NO [AUTHENTICATIONFAILED]")


async def test_an_app_password_is_taken_beside_a_certificate(server: Server, tmp_path: Path) -> None:
    lines = await imap(server, tmp_path, await issue(server, "ann"))
    await lines.command("a", f'LOGIN bob@hongyan.test "{SECRET}"')


@pytest.mark.parametrize("days", [0, 1101])
async def test_a_certificate_lasts_no_longer_than_it_may(server: Server, days: int) -> None:
    from hongyan.errors import Refused

    with pytest.raises(Refused, match="between 1 and 1100"):
        await issue(server, "ann", days=days)
