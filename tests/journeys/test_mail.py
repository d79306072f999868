"""A message on its way: from another server, between users, to another server."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from hongyan.audit.events import SERVER
from hongyan.mailauth.tags import parse_tags, unfold
from tests.support.cli import Cli
from tests.support.lines import PATIENCE, Lines
from tests.support.server import SECRET, Server, in_thread, start_server
from tests.support.smtp_peer import SmtpPeer


async def idle(server: Server, name: str) -> Lines:
    """Return a connection that idles in INBOX."""
    imap = await server.imap(name)
    await imap.command("s", "SELECT INBOX")
    imap.say("i IDLE")
    await imap.until(b"+")
    return imap


async def submit(server: Server, name: str, recipient: str) -> None:
    """Send a message as a mail program does."""
    port = server.app.endpoints["submissions"].port
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"{name}@hongyan.test", recipient, "Hello"
    message.set_content("The geese are back.\n")

    def send() -> None:
        with smtplib.SMTP_SSL("localhost", port, context=server.tls) as smtp:
            smtp.login(f"{name}@hongyan.test", SECRET)
            smtp.send_message(message)

    await in_thread(send)


async def test_what_another_server_brings_is_told_to_a_program_that_idles(server: Server) -> None:
    imap = await idle(server, "ann")
    assert (await server.bring("ann@hongyan.test", "The geese are back")).startswith(b"250")
    await imap.until(b"* 1 EXISTS")
    imap.say("DONE")
    await imap.until(b"i OK")
    fetched = b"\n".join(await imap.command("f", "FETCH 1 (FLAGS BODY[HEADER])"))
    assert b"Return-Path: <friend@elsewhere.test>" in fetched
    assert b"The geese are back" in fetched


async def test_what_one_user_submits_another_sees_while_idling(server: Server) -> None:
    imap = await idle(server, "bob")
    await submit(server, "ann", "bob@hongyan.test")
    await imap.until(b"* 1 EXISTS")
    imap.say("DONE")
    await imap.until(b"i OK")
    header = b"\n".join(await imap.command("f", "FETCH 1 BODY[HEADER]"))
    assert b"ESMTPSA" in header
    assert b"Message-ID: <" in header


async def test_what_leaves_goes_to_the_relay_signed_with_both_kinds_of_key(tmp_path: Path) -> None:
    async with SmtpPeer() as relay, start_server(tmp_path / "data", relay=f"127.0.0.1:{relay.port}") as server:
        await submit(server, "ann", "friend@elsewhere.test")
        async with asyncio.timeout(PATIENCE):
            await relay.arrived.wait()
    (message,) = relay.messages
    signatures = [field for field in fields(message.octets) if field.lower().startswith(b"dkim-signature:")]
    tags = [parse_tags(unfold(signature.partition(b":")[2])) for signature in signatures]
    assert {tag[b"a"] for tag in tags} == {b"rsa-sha256", b"ed25519-sha256"}
    assert {tag[b"d"] for tag in tags} == {b"hongyan.test"}


async def test_without_a_way_out_mail_for_other_servers_is_held_and_the_operator_sees_why(server: Server) -> None:
    cli = Cli(server.app.engines.directory.path)
    bob = await idle(server, "bob")
    await submit(server, "ann", "friend@elsewhere.test, bob@hongyan.test")
    await bob.until(b"* 1 EXISTS")
    async with asyncio.timeout(PATIENCE):
        while not (held := await in_thread(lambda: cli.json("queue", "list", "--state", "held")["messages"])):
            pass
    recipients = {recipient["address"]: recipient for recipient in held[0]["recipients"]}
    assert "sends nothing to other servers" in recipients["friend@elsewhere.test"]["last"]["text"]
    people = await in_thread(lambda: cli("queue", "list", language="zh_CN.UTF-8"))
    assert "暂扣" in people.out


def fields(octets: bytes) -> list[bytes]:
    """Return the fields of a message's header, unfolded."""
    return octets.partition(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ").split(b"\r\n")


@pytest.mark.parametrize("recipient", ["postmaster@hongyan.test", "Abuse@hongyan.test", "postmaster"])
async def test_postmaster_and_abuse_are_read_by_the_admin(server: Server, recipient: str) -> None:
    assert (await server.bring(recipient)).startswith(b"250")
    imap = await server.imap("admin")
    assert b"* 1 EXISTS" in await imap.command("s", "SELECT INBOX")


async def test_mail_for_nobody_for_elsewhere_and_for_a_full_account_is_refused_in_session(server: Server) -> None:
    ann = await server.account("ann")
    await server.app.services.directory.quotas.set_limits(
        ann.account_id, limit_octets=0, limit_messages=1, actor=SERVER
    )
    assert (await server.bring("nobody@hongyan.test")).startswith(b"550 5.1.1")
    assert (await server.bring("ann@elsewhere.test")).startswith(b"550 5.7.1")
    assert (await server.bring("ann@hongyan.test")).startswith(b"250")
    server.app.services.directory.quotas._full.clear()  # what was known of it is forgotten within seconds
    assert (await server.bring("ann@hongyan.test")).startswith(b"452 4.2.2")
    assert (await server.bring("bob@hongyan.test")).startswith(b"250")
