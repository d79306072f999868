"""What each mail program would find for an address, asked as it asks; nobody else's directory is asked."""

from __future__ import annotations

__all__ = ["autoconfig_operations"]

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.clients.https import HttpsClient, HttpsFault
from hongyan.clients.resolver import RecordResolver
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.config import Config
from hongyan.domains.client_answers import MAX_ANSWER, read_pacc, read_servers
from hongyan.domains.client_documents import pacc_record
from hongyan.mailauth.resolver import DnsFault
from hongyan.operations.calling import Caller, Document, Operation

_DEADLINE: Final = 10.0
_POX: Final = "/autodiscover/autodiscover.xml"
_SCHEMA: Final = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
_SERVICES: Final = ("imaps", "submissions", "pop3s")


def autoconfig_operations(services: Services, config: Config) -> Mapping[str, Operation]:
    """Return the operations on client configuration, by name."""
    resolver = services.outgoing.resolver
    contexts = TlsContexts.system(config.outgoing_tls.authorities)
    # An operator names the domain: it may be one of a private network.
    client = HttpsClient(
        resolver, lambda: contexts.find(verified=True), lambda _: True, port=config.outgoing_tls.policy_port
    )
    return {"autoconfig.probe": _Probe(resolver, client).probe}


class _Probe:
    def __init__(self, resolver: RecordResolver, client: HttpsClient) -> None:
        self._resolver = resolver
        self._client = client

    async def probe(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002 - anybody who may call may read
        """Return what each program would find for an address: what it asks for, and what that leads to."""
        parsed = Address.parse(address)
        domain, name = parsed.domain.text, quote(str(parsed), safe="")
        pox = (
            f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{_SCHEMA}/requestschema/2006"><Request>'
            f"<EMailAddress>{escape(str(parsed))}</EMailAddress><AcceptableResponseSchema>{_SCHEMA}/responseschema/"
            "2006a</AcceptableResponseSchema></Request></Autodiscover>"
        ).encode()
        return {
            "address": str(parsed),
            "programs": [
                {
                    "program": "Thunderbird, K-9, Evolution",
                    "steps": [
                        await self._get(f"autoconfig.{domain}", f"/mail/config-v1.1.xml?emailaddress={name}"),
                        await self._get(domain, "/.well-known/autoconfig/mail/config-v1.1.xml"),
                    ],
                },
                {
                    "program": "Outlook",
                    "steps": [
                        await self._post(domain, pox),
                        await self._post(f"autodiscover.{domain}", pox),
                        await self._srv(f"_autodiscover._tcp.{domain}"),
                    ],
                },
                {
                    "program": "Evolution, KMail, Geary (SRV)",
                    "steps": [await self._srv(f"_{service}._tcp.{domain}") for service in _SERVICES],
                },
                {"program": "PACC", "steps": await self._pacc(domain)},
            ],
        }

    async def _get(self, host: str, path: str) -> Document:
        asked = f"GET https://{host}{path}"
        try:
            answer = await self._client.get(host, path, limit=MAX_ANSWER, deadline=_DEADLINE)
        except HttpsFault as fault:
            return _step(asked, (), fault.cause)
        return _step(asked, read_servers(answer.octets))

    async def _post(self, host: str, octets: bytes) -> Document:
        asked = f"POST https://{host}{_POX}"
        try:
            answer = await self._client.ask(host, _POX, "text/xml", octets, limit=MAX_ANSWER, deadline=_DEADLINE)
        except HttpsFault as fault:
            return _step(asked, (), fault.cause)
        return _step(asked, read_servers(answer.octets))

    async def _srv(self, name: str) -> Document:
        try:
            found = (await self._resolver.records(name, "SRV")).records
        except DnsFault as fault:
            return _step(f"SRV {name}", (), fault.cause)
        return _step(f"SRV {name}", [one for one in found if not one.endswith(" 0 .")])

    async def _pacc(self, domain: str) -> Sequence[Document]:
        host, path = f"ua-auto-config.{domain}", "/.well-known/user-agent-configuration.json"
        name = f"_ua-auto-config.{domain}"
        asked = f"GET https://{host}{path}"
        try:
            answer = await self._client.get(host, path, limit=MAX_ANSWER, deadline=_DEADLINE)
        except HttpsFault as fault:
            return [_step(asked, (), fault.cause)]
        first = _step(asked, read_pacc(answer.octets))
        try:
            vouched = [one.decode("utf-8", "replace") for one in (await self._resolver.txt(name)).records]
        except DnsFault as fault:
            return [first, _step(f"TXT {name}", (), fault.cause)]
        wanted = pacc_record(answer.octets)
        right = [one for one in vouched if one.replace(" ", "") == wanted.replace(" ", "")]
        return [first, _step(f"TXT {name}", right, "" if right else "no record vouches for this answer")]


def _step(asked: str, found: Sequence[str], fault: str = "") -> Document:
    return {"asked": asked, "found": list(found), "fault": fault}
