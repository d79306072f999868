"""The DNS of a domain, as `hongyan domain check` sees it: what is there, what is not, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.cli import Cli
from tests.support.dns_server import serve_dns
from tests.support.server import in_thread, start_server


def as_zone(record: Mapping[str, str]) -> str:
    if record["type"] != "TXT":
        return record["value"]
    return " ".join(f'"{record["value"][at : at + 255]}"' for at in range(0, len(record["value"]), 255))


async def test_records_are_checked_against_those_that_were_asked_for(tmp_path: Path) -> None:
    async with serve_dns() as zone:
        zone.records["A mail.hongyan.test"] = ["192.0.2.1"]
        async with start_server(tmp_path / "data", resolver=zone.server):
            cli = Cli(tmp_path / "data")
            wanted = (await in_thread(lambda: cli.json("domain", "dns", "hongyan.test")))["records"]
            for record in wanted:
                zone.records.setdefault(f"{record['type']} {record['name']}", []).append(as_zone(record))  # type: ignore[attr-defined]
            zone.records["A mail.hongyan.test"] = ["192.0.2.1"]
            checked = await in_thread(lambda: cli.json("domain", "check", "hongyan.test"))
            assert {record["status"] for record in checked["records"]} == {"good"}
        zone.records["MX hongyan.test"] = ["10 elsewhere.test."]
        del zone.records["TXT _dmarc.hongyan.test"]
        async with start_server(tmp_path / "data", resolver=zone.server):  # which remembers nothing of before
            checked = await in_thread(lambda: cli.json("domain", "check", "hongyan.test", code=3))
            people = await in_thread(lambda: cli("domain", "check", "hongyan.test", language="zh_CN.UTF-8"))
        trouble = {record["name"]: record["status"] for record in checked["records"] if record["status"] != "good"}
        assert trouble == {"hongyan.test": "different", "_dmarc.hongyan.test": "missing"}
        assert "该域名的邮件发往别的主机" in people.out
