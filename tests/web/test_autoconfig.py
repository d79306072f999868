"""What mail programs find when they ask for their settings: the listeners that run, and nothing of any account."""

from __future__ import annotations

import base64
import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.addresses import Domain
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from tests.support.browser import Browser
from tests.support.server import Server, start_server

OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
IN_OUTLOOK = "{" + OUTLOOK + "}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


def at(server: Server, host: str, service: str = "https") -> Browser:
    endpoint = server.app.endpoints[service]  # type: ignore[index]
    return Browser(endpoint.host, endpoint.port, server.tls if service == "https" else None, name=host)


def asking(address: str, schema: str = OUTLOOK, before: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{before}<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/'
        f'outlook/requestschema/2006"><Request><EMailAddress>{address}</EMailAddress>'
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


def servers_of(octets: bytes) -> list[tuple[str, str, int, str, str]]:
    tree = ET.fromstring(octets)
    assert tree.tag == "clientConfig"
    return [
        (
            each.get("type", ""),
            each.findtext("hostname", ""),
            int(each.findtext("port", "")),
            each.findtext("socketType", ""),
            each.findtext("username", ""),
        )
        for each in tree.iter()
        if each.tag in ("incomingServer", "outgoingServer")
    ]


async def test_thunderbird_finds_the_listeners_that_run_wherever_it_asks(server: Server) -> None:
    ports = {name: endpoint.port for name, endpoint in server.app.endpoints.items()}
    known = [
        ("imap", "imaps", "SSL"),
        ("imap", "imap", "STARTTLS"),
        ("smtp", "submissions", "SSL"),
        ("smtp", "submission", "STARTTLS"),
        ("pop3", "pop3s", "SSL"),
        ("pop3", "pop3", "STARTTLS"),
    ]
    wanted = [
        (kind, f"mail.{DOMAIN}", ports[name], socket, "%EMAILADDRESS%") for kind, name, socket in known if name in ports
    ]
    for host, path in (
        (f"autoconfig.{DOMAIN}", "/mail/config-v1.1.xml"),
        (f"autoconfig.{DOMAIN}", f"/mail/config-v1.1.xml?emailaddress=nobody%40{DOMAIN}"),
        (DOMAIN, "/.well-known/autoconfig/mail/config-v1.1.xml"),
        (DOMAIN, "/.well-known/mail-v1.xml"),
        (f"mail.{DOMAIN}", f"/autoconfig/v1.1/{DOMAIN}"),
        ("localhost", f"/mail/config-v1.1.xml?emailaddress=ann%40{DOMAIN}"),
    ):
        answer = await at(server, host).ask("GET", path)
        assert (answer.status, answer.header("content-type")) == (200, "application/xml"), (host, path)
        assert servers_of(answer.body) == wanted


async def test_no_answer_tells_whether_there_is_such_an_account(server: Server) -> None:
    told = set()
    for name in ("ann", "nobody", "postmaster"):
        web = at(server, f"autodiscover.{DOMAIN}")
        xml = await web.ask("GET", f"/mail/config-v1.1.xml?emailaddress={name}%40{DOMAIN}")
        pox = await web.ask("POST", "/autodiscover/autodiscover.xml", raw=asking(f"{name}@{DOMAIN}"))
        found = await web.ask("GET", f"/autodiscover/autodiscover.json?Email={name}%40{DOMAIN}&Protocol=AutodiscoverV1")
        told.add((xml.body, pox.body.replace(name.encode(), b"NAME"), found.body))
    assert len(told) == 1


async def test_outlook_finds_the_best_way_of_each_service(server: Server) -> None:
    for path in ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"):
        answer = await at(server, f"autodiscover.{DOMAIN}").ask("POST", path, raw=asking(f"ann@{DOMAIN}"))
        tree = ET.fromstring(answer.body)
        assert tree.tag == "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}Autodiscover"
        assert tree.findtext(f".//{IN_OUTLOOK}Action") == "settings"
        found = {
            protocol.findtext(f"{IN_OUTLOOK}Type"): (
                int(protocol.findtext(f"{IN_OUTLOOK}Port", "")),
                protocol.findtext(f"{IN_OUTLOOK}Encryption"),
                protocol.findtext(f"{IN_OUTLOOK}LoginName"),
            )
            for protocol in tree.iter(f"{IN_OUTLOOK}Protocol")
        }
        ports = server.app.endpoints
        assert found["IMAP"] == (ports["imaps"].port, "SSL", f"ann@{DOMAIN}")
        assert found["SMTP"] == (ports["submissions"].port, "SSL", f"ann@{DOMAIN}")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<Autodiscover>",
        asking("ann"),
        asking("ann@elsewhere.example"),
        asking(f"ann@{DOMAIN}", "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"),
        asking("ann@hongyan.test", before='<!DOCTYPE x [<!ENTITY x "ann">]>'),
        asking("ann@hongyan.test", before='<!DOCTYPE x SYSTEM "file:///etc/passwd">'),
        asking("a" * 400 + "@hongyan.test"),
        asking("ann@hongyan.test").replace(b"<Request>", b"<a>" * 20 + b"</a>" * 20 + b"<Request>"),
        asking("ann@hongyan.test" + " " * 20_000),
    ],
    ids=["nothing", "torn", "no-address", "elsewhere", "activesync", "entity", "external", "long", "deep", "large"],
)
async def test_outlook_is_told_of_a_fault_in_its_own_way(server: Server, said: bytes) -> None:
    answer = await at(server, f"autodiscover.{DOMAIN}").ask("POST", "/autodiscover/autodiscover.xml", raw=said)
    assert answer.status == 200
    assert b"<ErrorCode>600</ErrorCode>" in answer.body
    assert b"Server" not in answer.body


async def test_outlook_is_led_from_one_form_to_the_other_and_from_plain_http_to_tls(server: Server) -> None:
    url = f"https://mail.{DOMAIN}:{server.app.endpoints['https'].port}/autodiscover/autodiscover.xml"
    web = at(server, f"autodiscover.{DOMAIN}")
    for path in (
        f"/autodiscover/autodiscover.json/v1.0/ann@{DOMAIN}?Protocol=Autodiscoverv1",
        f"/autodiscover/autodiscover.json?Email=ann%40{DOMAIN}&Protocol=AutodiscoverV1",
    ):
        answer = await web.ask("GET", path)
        assert (answer.status, answer.json()) == (200, {"Protocol": "AutodiscoverV1", "Url": url})
    refused = await web.ask("GET", f"/autodiscover/autodiscover.json?Email=ann%40{DOMAIN}&Protocol=ActiveSync")
    assert (refused.status, refused.json()["ErrorCode"]) == (400, "InvalidProtocol")
    plain = at(server, f"autodiscover.{DOMAIN}", "http")
    led = await plain.ask("GET", "/autodiscover/autodiscover.xml")
    assert (led.status, led.header("location")) == (302, url)
    assert (await plain.ask("POST", "/autodiscover/autodiscover.xml", raw=asking(f"ann@{DOMAIN}"))).status == 404


async def test_a_domain_that_is_not_ours_is_not_answered_for(server: Server) -> None:
    assert (await at(server, "autoconfig.elsewhere.example").ask("GET", "/mail/config-v1.1.xml")).status == 421
    for path in (
        "/mail/config-v1.1.xml?emailaddress=a%40elsewhere.example",
        "/autoconfig/v1.1/%00",
        "/autoconfig/v1.1/x",
    ):
        assert (await at(server, "localhost").ask("GET", path)).status == 404


def on_usual_ports(config: Config) -> Config:
    """The listeners as the world expects them; in truth they listen elsewhere."""
    return replace(config, listen={name: replace(each, port=0) for name, each in config.listen.items()})


async def test_pacc_tells_what_a_record_of_the_dns_vouches_for(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=on_usual_ports) as server:
        web = at(server, f"ua-auto-config.{DOMAIN}")
        answer = await web.ask("GET", "/.well-known/user-agent-configuration.json")
        assert answer.status == 200
        document = answer.json()
        assert document["protocols"]["imap"] == {"host": f"mail.{DOMAIN}"}
        assert document["protocols"]["smtp"] == {"host": f"mail.{DOMAIN}"}
        assert document["authentication"] == {"password": True}
        assert answer.header("access-control-allow-origin") == "*"
        digest = base64.b64encode(hashlib.sha256(answer.body).digest()).decode()
        records = await server.app.services.domain_care.facts.facts(Domain(DOMAIN))
        assert records.pacc is not None
        assert base64.b64encode(hashlib.sha256(records.pacc).digest()).decode() == digest
        plain = at(server, f"ua-auto-config.{DOMAIN}", "http")
        assert (await plain.ask("GET", "/.well-known/user-agent-configuration.json")).status == 404
        assert json.loads(answer.body) == document


async def test_a_network_that_asks_without_end_is_told_to_wait(server: Server) -> None:
    web = at(server, "localhost")
    answers = [await web.ask("GET", f"/autoconfig/v1.1/{DOMAIN}") for _ in range(121)]
    assert [answer.status for answer in answers] == [200] * 120 + [429]
    assert int(answers[-1].header("retry-after")) > 0
