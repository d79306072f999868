"""Certificates from pebble, an authority for tests: proven over HTTP and over DNS, and in service at once."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from hongyan.clients.acme_options import AcmeOptions
from hongyan.clients.dns_update import DnsUpdateOptions
from hongyan.config import Config
from tests.support.bind import KEY_NAME, start_bind
from tests.support.cli import Cli
from tests.support.pebble import EAB_KEY, EAB_KEY_ID, start_dns, start_pebble
from tests.support.ports import free_port
from tests.support.server import Server, in_thread, start_server

pytestmark = pytest.mark.interop

ELSEWHERE = "elsewhere.hongyan.test"
HOST = "mail.hongyan.test"


@dataclass
class Place:
    """Where pebble will be, and the DNS that it asks."""

    folder: Path
    port: int
    dns: str

    def configure(self, **options: object) -> Callable[[Config], Config]:
        """Return what lets a server order certificates there, and have none of its own."""
        acme = AcmeOptions(
            enabled=True,
            accept_terms=True,
            directory=f"https://localhost:{self.port}/dir",
            authority_file=str(self.folder / "pebble" / "ca.pem"),
            contact="admin@hongyan.test",
            patience=60.0,
            timeout=10.0,
        )

        def change(config: Config) -> Config:
            return replace(
                config,
                server=replace(config.server, hostname=HOST),
                certificates=(),
                acme=replace(acme, **options),  # type: ignore[arg-type]
                dns=replace(config.dns, enabled=True, servers=(self.dns,)),
            )

        return change


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with start_dns(ELSEWHERE) as dns:
        yield Place(tmp_path, free_port(), dns)


async def shown(server: Server, name: str = HOST) -> x509.Certificate:
    """Return the certificate that a mail program is shown."""
    context = ssl._create_unverified_context()
    endpoint = server.app.endpoints["imaps"]
    _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context, server_hostname=name)
    octets = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(octets)


def names_of(certificate: x509.Certificate) -> set[str]:
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(held.get_values_for_type(x509.DNSName))


async def test_names_that_point_here_are_proven_over_http_and_shown_at_once(place: Place, tmp_path: Path) -> None:
    async with start_server(tmp_path / "data", change=place.configure()) as server:
        assert "pebble" not in (await shown(server)).issuer.rfc4514_string().lower(), "the stand-in"
        http_port = server.app.endpoints["http"].port
        with start_pebble(tmp_path, place.port, http_port=http_port, dns=place.dns):
            told = await hongyan(server, "renew")
            assert told["renewed"] == [HOST, "hongyan.test"]
            (entry,) = await server.app.services.directory.audit.query(event_prefix="domains:certificate:renewed")
            assert (entry.actor, entry.detail) == ("cli", {"name": "all"})
            certificate = await shown(server)
            assert "pebble" in certificate.issuer.rfc4514_string().lower()
            assert names_of(certificate) == {HOST}
            assert names_of(await shown(server, "mta-sts.hongyan.test")) == {
                "mta-sts.hongyan.test",
                "autoconfig.hongyan.test",
                "autodiscover.hongyan.test",
                "ua-auto-config.hongyan.test",
            }
            await hongyan(server, "renew", HOST)
            again = await shown(server)
            assert again.serial_number != certificate.serial_number
            assert again.public_key() == certificate.public_key(), (
                "this DNS does not tell whether there are TLSA records"
            )
    keys = [path for path in (tmp_path / "data" / "acme").rglob("*") if path.is_file() and "stand-in" not in str(path)]
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


async def hongyan(server: Server, *arguments: str, code: int = 0) -> Any:
    """Run a command against the running server; return its document."""
    cli = Cli(Path(server.app.config.server.data))
    return await in_thread(lambda: cli.json("certificate", *arguments, code=code))


async def test_an_authority_that_wants_an_external_account_is_given_it(place: Place, tmp_path: Path) -> None:
    (tmp_path / "eab").write_text(EAB_KEY)
    bound = place.configure(eab_key_id=EAB_KEY_ID, eab_key_file=str(tmp_path / "eab"))
    async with start_server(tmp_path / "data", change=bound) as server:
        http_port = server.app.endpoints["http"].port
        with start_pebble(tmp_path, place.port, http_port=http_port, dns=place.dns, binding=True):
            await hongyan(server, "renew", HOST)
            assert names_of(await shown(server)) == {HOST}


async def test_without_the_external_account_the_authority_says_what_it_wants(place: Place, tmp_path: Path) -> None:
    async with start_server(tmp_path / "data", change=place.configure()) as server:
        http_port = server.app.endpoints["http"].port
        with start_pebble(tmp_path, place.port, http_port=http_port, dns=place.dns, binding=True):
            told = await hongyan(server, "renew", HOST, code=1)
            assert "externalAccountBinding" in str(told)


async def test_a_name_that_fails_does_not_keep_the_others_waiting(place: Place, tmp_path: Path) -> None:
    wanted = place.configure(names=("pop.hongyan.test", ELSEWHERE))
    async with start_server(tmp_path / "data", change=wanted) as server:
        http_port = server.app.endpoints["http"].port
        with start_pebble(tmp_path, place.port, http_port=http_port, dns=place.dns):
            told = await hongyan(server, "renew", HOST, code=1)
            assert ELSEWHERE in str(told)
            assert names_of(await shown(server)) == {HOST, "pop.hongyan.test"}
            listed = (await hongyan(server, "list"))["certificates"]
            assert listed[0]["trouble"][0].startswith(ELSEWHERE)
            assert listed[0]["next_try"]


async def test_names_are_proven_over_dns_by_updates_of_a_zone_on_bind(place: Place, tmp_path: Path) -> None:
    (tmp_path / "bind").mkdir()
    records = ("mail A 127.0.0.1", "mta-sts A 127.0.0.1")
    with start_bind(tmp_path / "bind", "hongyan.test", records=records) as bind:
        place.dns = bind.server
        key = DnsUpdateOptions(
            server=bind.server, key_name=KEY_NAME, key_file=str(bind.secret_file), shown_by=(bind.server,)
        )

        def change(config: Config) -> Config:
            return replace(place.configure(challenge="dns-01")(config), dns_update=(key,))

        async with start_server(tmp_path / "data", change=change) as server:
            with start_pebble(tmp_path, place.port, http_port=free_port(), dns=bind.server):
                told = await hongyan(server, "renew")
                assert told["renewed"] == [HOST, "hongyan.test"]
                assert names_of(await shown(server)) == {HOST}
                assert names_of(await shown(server, "mta-sts.hongyan.test")) == {"mta-sts.hongyan.test"}
                first = await shown(server)
                await hongyan(server, "renew", HOST)
                assert (await shown(server)).public_key() != first.public_key(), "there are no TLSA records"
        assert "adding an RR at '_acme-challenge.mail.hongyan.test' TXT" in bind.log.read_text()
        assert "deleting an RR at _acme-challenge.mail.hongyan.test TXT" in bind.log.read_text()
