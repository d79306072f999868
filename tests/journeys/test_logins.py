"""Who gets in, who is told what, and how soon somebody is out again."""

from __future__ import annotations

import asyncio

from hongyan.audit.events import SERVER
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from tests.support.lines import Lines
from tests.support.server import SECRET, Server

REVOCATION = 5.0  # seconds: the promise


async def refusal(server: Server, name: str, secret: str) -> bytes:
    """Return the answer to a login that fails."""
    imap = await server.connect("imaps")
    await imap.line()
    answer = (await imap.try_command("a", f'LOGIN {name}@hongyan.test "{secret}"'))[-1]
    await imap.close()
    return answer


async def require_farewell(imap: Lines) -> None:
    async with asyncio.timeout(REVOCATION):
        assert (await imap.ended())[-1].startswith(b"* BYE")


async def test_a_revoked_app_password_ends_the_sessions_that_hold_it_and_no_others(server: Server) -> None:
    ann = await server.account("ann")
    app_passwords = server.app.services.directory.app_passwords
    issued = await app_passwords.create(ann.account_id, "phone", APP_PASSWORD_SCOPES, SERVER)
    phone, other = await server.imap("ann", issued.shown.reveal_text()), await server.imap("ann")
    await app_passwords.revoke(ann.account_id, [issued.app_password.credential], SERVER)
    await require_farewell(phone)
    await other.command("n", "NOOP")
    assert b"AUTHENTICATIONFAILED" in await refusal(server, "ann", issued.shown.reveal_text())


async def test_a_new_password_ends_all_sessions(server: Server) -> None:
    imap = await server.imap("ann")
    ann = await server.account("ann")
    await server.app.services.directory.passwords.change(ann.account_id, Secret("another goose"), SERVER)
    await require_farewell(imap)


async def test_a_service_switched_off_ends_its_sessions_and_says_so_after_a_right_secret(
    server: Server,
) -> None:
    imap = await server.imap("ann")
    ann = await server.account("ann")
    await server.app.services.directory.accounts.switch_service(ann.account_id, Service.IMAP, on=False, actor=SERVER)
    await require_farewell(imap)
    wrong, right = await refusal(server, "ann", "wrong secret"), await refusal(server, "ann", SECRET)
    assert b"AUTHENTICATIONFAILED" in wrong
    assert right.startswith(b"a NO [CONTACTADMIN]")


async def test_a_wrong_secret_an_unknown_name_and_the_accounts_own_password_get_one_and_the_same_answer(
    server: Server,
) -> None:
    ann = await server.account("ann")
    await server.app.services.directory.app_passwords.revoke(ann.account_id, None, SERVER)
    answers = {
        await refusal(server, "ann", SECRET),  # it is the account's password too, which mail programs may not use
        await refusal(server, "bob", "wrong secret"),
        await refusal(server, "nobody", SECRET),
    }
    assert len(answers) == 1


async def test_logins_are_taken_under_tls_only(server: Server) -> None:
    imap = await server.connect("imap")
    assert b"LOGINDISABLED" in await imap.line()
    refused = (await imap.try_command("a", f'LOGIN ann@hongyan.test "{SECRET}"'))[-1]
    assert refused.startswith(b"a NO [PRIVACYREQUIRED]")
    pop3 = await server.connect("pop3")
    await pop3.line()
    pop3.say("USER ann@hongyan.test")
    assert (await pop3.line()).startswith(b"-ERR")
    smtp = await server.connect("submission")
    await smtp.reply()
    smtp.say("EHLO client.test")
    await smtp.reply()
    smtp.say("AUTH PLAIN")
    assert (await smtp.reply())[:3] in (b"530", b"538")
