"""`hongyan autoconfig probe` asks a running service as mail programs do, by its own names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hongyan.addresses import Domain
from hongyan.config import Config
from hongyan.domains.client_documents import pacc_record
from tests.support.cli import Cli
from tests.support.dns_server import serve_dns
from tests.support.ports import free_port
from tests.support.server import in_thread, start_server

DOMAIN = "hongyan.test"
ADDRESS = f"nobody@{DOMAIN}"


async def test_what_programs_would_find_is_shown_and_what_is_missing(tmp_path: Path) -> None:
    port = free_port()

    def trusting(config: Config) -> Config:
        """Ask where the service listens; the ports that it is said to have are those of the world."""
        authorities = str(next(tmp_path.rglob("ca.pem")))
        listen = {name: replace(each, port=0) for name, each in config.listen.items()}
        outgoing = replace(config.outgoing_tls, authorities=authorities, policy_port=port)
        return replace(config, outgoing_tls=outgoing, listen=listen)

    cli = Cli(tmp_path / "data")
    places = {"https": ("127.0.0.1", port)}
    async with (
        serve_dns() as zone,
        start_server(cli.data, resolver=zone.server, change=trusting, places=places) as server,  # type: ignore[arg-type]
    ):
        zone.records[f"A autoconfig.{DOMAIN}"] = ["127.0.0.1"]
        zone.records[f"A ua-auto-config.{DOMAIN}"] = ["127.0.0.1"]
        zone.records[f"A autodiscover.{DOMAIN}"] = ["127.0.0.1"]
        facts = await server.app.services.domain_care.facts.facts(Domain(DOMAIN))
        assert facts.pacc is not None
        zone.records[f"TXT _ua-auto-config.{DOMAIN}"] = [f'"{pacc_record(facts.pacc)}"']
        zone.records[f"SRV _imaps._tcp.{DOMAIN}"] = [f"0 1 993 mail.{DOMAIN}."]
        zone.records[f"SRV _pop3s._tcp.{DOMAIN}"] = ["0 0 0 ."]
        shown = await in_thread(lambda: cli("autoconfig", "probe", ADDRESS, "--json"))
        thunderbird, outlook, by_srv, pacc = shown.document["programs"]
        imaps = server.app.endpoints["imaps"].port
        assert f"imap mail.{DOMAIN} {imaps} SSL" in thunderbird["steps"][0]["found"]
        assert [bool(step["found"]) for step in outlook["steps"]] == [False, True, False]
        assert by_srv["steps"][0]["found"] == [f"0 1 993 mail.{DOMAIN}."]
        assert by_srv["steps"][2]["found"] == []
        assert f"imap mail.{DOMAIN}" in pacc["steps"][0]["found"]
        assert pacc["steps"][1]["found"] == [pacc_record(facts.pacc)]
        assert shown.code == 0
        assert (await in_thread(lambda: cli("autoconfig", "probe", "goose@elsewhere.example"))).code == 3

        english = await in_thread(lambda: cli("autoconfig", "probe", ADDRESS))
        assert "✓ POST https://autodiscover" in english.out
        chinese = await in_thread(lambda: cli("autoconfig", "probe", ADDRESS, language="zh_CN.UTF-8"))
        assert "那里没有提供设置。" in chinese.out
