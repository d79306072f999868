"""The DNS of a domain, as `hongyan domain check` sees it: what is there, what is not, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import dns.message

from tests.quickstart.world import answer
from tests.support.cli import Cli
from tests.support.server import in_thread, start_server


class Dns(asyncio.DatagramProtocol):
    """Answers from records that a test fills in."""

    def __init__(self) -> None:
        self.records: dict[str, Sequence[str]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        response = answer(dns.message.from_wire(data), self.records)
        self.transport.sendto(response.to_wire(), addr)


def as_zone(record: Mapping[str, str]) -> str:
    if record["type"] != "TXT":
        return record["value"]
    return " ".join(f'"{record["value"][at : at + 255]}"' for at in range(0, len(record["value"]), 255))


async def test_records_are_checked_against_those_that_were_asked_for(tmp_path: Path) -> None:
    transport, zone = await asyncio.get_running_loop().create_datagram_endpoint(Dns, local_addr=("127.0.0.1", 0))
    resolver = "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    zone.records["A mail.hongyan.test"] = ["192.0.2.1"]
    async with start_server(tmp_path / "data", resolver=resolver):
        cli = Cli(tmp_path / "data")
        wanted = (await in_thread(lambda: cli.json("domain", "dns", "hongyan.test")))["records"]
        for record in wanted:
            zone.records.setdefault(f"{record['type']} {record['name']}", []).append(as_zone(record))  # type: ignore[attr-defined]
        zone.records["A mail.hongyan.test"] = ["192.0.2.1"]
        checked = await in_thread(lambda: cli.json("domain", "check", "hongyan.test"))
        assert {record["status"] for record in checked["records"]} == {"good"}
    zone.records["MX hongyan.test"] = ["10 elsewhere.test."]
    del zone.records["TXT _dmarc.hongyan.test"]
    async with start_server(tmp_path / "data", resolver=resolver):  # which remembers nothing of before
        checked = await in_thread(lambda: cli.json("domain", "check", "hongyan.test", code=3))
        people = await in_thread(lambda: cli("domain", "check", "hongyan.test", language="zh_CN.UTF-8"))
    trouble = {record["name"]: record["status"] for record in checked["records"] if record["status"] != "good"}
    assert trouble == {"hongyan.test": "different", "_dmarc.hongyan.test": "missing"}
    assert "该域名的邮件去了别的主机" in people.out
    transport.close()
