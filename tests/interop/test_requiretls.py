"""Nodemailer asks for TLS on the whole way (REQUIRETLS, RFC 8689), and smtp-server of npm is asked for it by us."""

from __future__ import annotations

import asyncio
import json
import ssl
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from hongyan.config import Service
from tests.journeys.test_transport_security import MAIL_HOST, MX, publish, trusting
from tests.support.dns_server import serve_dns
from tests.support.lines import PATIENCE
from tests.support.node import run_node
from tests.support.operations import read_own
from tests.support.public import wait_for_mail
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server

pytestmark = [pytest.mark.interop, pytest.mark.root]  # root: another server listens on port 25

ANN, GOOSE = f"ann@{DOMAIN}", "goose@geese.test"

BEGIN = """
import { createTransport } from 'nodemailer';
const [port, user, pass, recipient, host, identity, hidden] = process.argv.slice(2);
const tell = what => console.log(JSON.stringify(what));
const text = 'Where the eggs are.';
const letter = { from: user, to: recipient, subject: 'honk', text, requireTLSExtensionEnabled: true };
const send = (more = {}) => createTransport({ host: 'localhost', port: Number(port), auth: { user, pass }, ...more })
    .sendMail(letter).then(sent => tell(sent.accepted), fault => tell([fault.code, fault.message]));
"""

OVER_STARTTLS = "await send({ requireTLS: true, auth: undefined });"
IN_THE_CLEAR = "await send({ ignoreTLS: true, auth: undefined });"

IS_THE_NEXT_HOP = """
import { SMTPServer } from 'smtp-server';
import { readFileSync } from 'node:fs';
const pem = readFileSync(identity);
let taken = false;
const left = new Promise(resolve => {
    const server = new SMTPServer({
        key: pem, cert: pem, authOptional: true, disabledCommands: ['AUTH'], hideREQUIRETLS: hidden == 'hidden',
        onClose: resolve,
        onData(stream, session, done) {
            const chunks = [];
            stream.on('data', chunk => chunks.push(chunk));
            stream.on('end', () => {
                taken = true;
                tell([session.secure, session.envelope.mailFrom.address, session.envelope.requireTLS]);
                tell(Buffer.concat(chunks).toString().includes(text));
                done(null, 'taken');
            });
        },
    });
    server.listen(25, host, () => send({ secure: true }));
});
await left;
if (!taken) tell('no message');
process.exit();
"""


def run(server: Server, folder: Path, script: str, *more: str | Path, service: Service = "submissions") -> list[Any]:
    """Run a script while the service answers it; return what it told, one value a line."""
    port = server.app.endpoints[service].port
    home = folder / "home"
    home.mkdir(parents=True)
    authority = folder / "ca.pem"
    (certificate,) = server.tls.get_ca_certs(binary_form=True)
    authority.write_text(ssl.DER_cert_to_PEM_cert(certificate))
    said = run_node(home, BEGIN + script, str(port), ANN, SECRET, *more, authority=authority)
    return [json.loads(line) for line in said.splitlines()]


async def run_next_hop(server: Server, folder: Path, promise: str) -> list[Any]:
    """Run a server that promises REQUIRETLS or not, until we leave it: our sessions stay open for more mail."""
    return cast(
        "list[Any]",
        await in_thread(partial(run, server, folder, IS_THE_NEXT_HOP, GOOSE, MAIL_HOST, MX.write(), promise)),
    )


async def until_sent(server: Server) -> None:
    """Wait until something was queued and has left."""
    async with asyncio.timeout(PATIENCE):
        while not await read_own(server, ANN) or (await server.app.services.outgoing.store.counts()).messages:
            await asyncio.sleep(0.05)


async def test_nodemailer_requires_tls_of_us_and_we_of_the_next_hop(tmp_path: Path) -> None:
    async with serve_dns() as zone:
        publish(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
            said = asyncio.create_task(run_next_hop(server, tmp_path, "told"))
            await until_sent(server)
        assert sorted(await said, key=str) == [True, [GOOSE], [True, ANN, True]]


async def test_what_nodemailer_requires_comes_back_where_smtp_server_does_not_promise_it(tmp_path: Path) -> None:
    async with serve_dns() as zone:
        publish(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
            said = asyncio.create_task(run_next_hop(server, tmp_path, "hidden"))
            (notice,) = await wait_for_mail(server, 1)
        assert sorted(await said, key=str) == [[GOOSE], "no message"]
    assert b"Status: 5.7.30" in notice
    assert b"eggs" not in notice


async def test_nodemailer_finds_requiretls_offered_over_tls_alone(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        (secured,) = await in_thread(lambda: run(server, tmp_path / "a", OVER_STARTTLS, ANN, service="smtp"))
        (plain,) = await in_thread(lambda: run(server, tmp_path / "b", IN_THE_CLEAR, ANN, service="smtp"))
        (message,) = await wait_for_mail(server, 1)
    assert secured == [ANN]
    assert plain == ["EREQUIRETLS", "REQUIRETLS can only be used over TLS connections (RFC 8689)"]
    assert b"Where the eggs are." in message
