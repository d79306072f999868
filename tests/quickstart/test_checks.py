"""Each check, with a DNS and a machine that the test makes. On a real network: test_namespaces.py."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from hongyan.clients import port_probe
from hongyan.clients.resolver import DnsResolver
from hongyan.mailauth.resolver import Answer, Dnssec, DnsTemporary
from hongyan.quickstart.checks import Finding, Machine, Status, check_machine
from tests.support.resolver import FakeResolver

OURS = "198.18.0.5"


class World:
    """A DNS in which all is well. `vouches` is what it says of DNSSEC, `known` what it knows."""

    def __init__(self) -> None:
        self.vouches: Dnssec | None = Dnssec.SECURE
        self.known = FakeResolver()
        self.mx, self.ptr, self.addresses = self.known.mx, self.known.ptr, self.known.addresses

    async def records(self, name: str, kind: str) -> Answer[str]:
        if self.vouches is None:
            raise DnsTemporary(f"{name} {kind}", "no server answered")
        return Answer(("an SOA record",), name, self.vouches, 60)


@pytest.fixture
def world() -> World:
    world = World()
    world.known.add_address("mail.geese.test", OURS).add_ptr(OURS, "mail.geese.test")
    world.known.add_mx("big.test", (20, "elsewhere.big.test"), (10, "mx.big.test")).add_address(
        "mx.big.test", "127.0.0.1"
    )
    return world


@pytest.fixture
async def machine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    """A machine that is fit: its only fault can be what a test does to it."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.big.test ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    monkeypatch.setattr(port_probe, "_SMTP_PORT", server.sockets[0].getsockname()[1])
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n# 127.0.1.1 mail.geese.test\n")
    yield Machine(
        "mail.geese.test",
        cast(DnsResolver, world),
        hosts_file=hosts,
        ports=(),
        big_domains=("silent.test", "big.test"),
        find_own_addresses=lambda: [ip_address(OURS)],
    )
    server.close()


async def found(machine: Machine) -> dict[str, Finding]:
    findings = {finding.check: finding for finding in await check_machine(machine)}
    assert all(bool(finding.remedy) == (finding.status is not Status.GOOD) for finding in findings.values())
    return findings


async def require(machine: Machine, check: str, status: Status) -> None:
    """Assert that one check ends so, and that all others are good unless they follow from it."""
    findings = await found(machine)
    assert findings.pop(check).status is status, findings
    assert {finding.check for finding in findings.values() if finding.status is not Status.GOOD} <= {"reverse"}


async def test_a_machine_that_is_fit_is_found_fit(machine: Machine) -> None:
    assert {finding.status for finding in (await found(machine)).values()} == {Status.GOOD}


@pytest.mark.parametrize(
    ("vouches", "status"), [(None, Status.BAD), (Dnssec.INSECURE, Status.DOUBTFUL), (Dnssec.SECURE, Status.GOOD)]
)
async def test_the_resolver_answers_and_vouches_for_dnssec(
    machine: Machine, world: World, vouches: Dnssec | None, status: Status
) -> None:
    world.vouches = vouches
    await require(machine, "resolver", status)


@pytest.mark.parametrize("line", ["127.0.1.1 mail.geese.test mail", "::1 other MAIL.geese.test. # x"])
async def test_the_hosts_file_does_not_lead_the_name_to_loopback(machine: Machine, line: str) -> None:
    machine.hosts_file.write_text(f"127.0.0.1 localhost\n{line}\n")
    await require(machine, "hosts", Status.BAD)
    assert "line 2" in (await found(machine))["hosts"].remedy


async def test_the_hosts_file_may_lead_the_name_to_the_public_address_or_be_missing(machine: Machine) -> None:
    machine.hosts_file.write_text(f"{OURS} mail.geese.test\nnonsense mail.geese.test\n")
    await require(machine, "hosts", Status.GOOD)
    machine.hosts_file.unlink()
    await require(machine, "hosts", Status.GOOD)


@pytest.mark.parametrize(
    ("own", "status"),
    [
        ([OURS, "2001:4860::5"], Status.GOOD),
        (["10.0.0.5"], Status.DOUBTFUL),
        (["5.6.7.8"], Status.BAD),
        ([], Status.BAD),
    ],
)
async def test_the_name_leads_to_this_machine(machine: Machine, own: list[str], status: Status) -> None:
    await require(replace(machine, find_own_addresses=lambda: list(map(ip_address, own))), "address", status)


async def test_a_name_without_an_address_is_bad(machine: Machine, world: World) -> None:
    del world.known.records["A", "mail.geese.test"]
    await require(machine, "address", Status.BAD)


@pytest.mark.parametrize("name", [None, "host-5.provider.test"])
async def test_forward_and_reverse_dns_agree(machine: Machine, world: World, name: str | None) -> None:
    world.known.records["PTR", ip_address(OURS).reverse_pointer] = [name] if name else []
    await require(machine, "reverse", Status.BAD)
    assert ("nothing" if name is None else name) in (await found(machine))["reverse"].sentence


async def test_some_big_server_is_reached_on_port_25(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(port_probe, "_SMTP_PORT", unused.getsockname()[1])
        await require(machine, "port 25", Status.BAD)
    await require(replace(machine, big_domains=("silent.test",)), "port 25", Status.BAD)


async def test_no_other_program_has_our_ports(machine: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        await require(replace(machine, ports=(taken.getsockname()[1],)), "ports", Status.BAD)
