"""Zones at Cloudflare, by its API of version 4. Never tried on the real service.

https://developers.cloudflare.com/api/resources/dns/subresources/records/
"""

from __future__ import annotations

__all__ = ["Cloudflare"]

import asyncio
import json
from urllib.parse import quote, urlencode

from hongyan.clients.dns_providers.provider import DnsProviderOptions, Json, ask, read_secret
from hongyan.clients.dns_update import UpdateRefused
from hongyan.domains.dns_records import quote_text

_ENDPOINT = "https://api.cloudflare.com/client/v4"


class Cloudflare:
    """`provider.DnsProvider`."""

    def __init__(self, options: DnsProviderOptions) -> None:
        self._options = options
        self._endpoint = options.endpoint or _ENDPOINT

    async def add(self, zone: str, name: str, kind: str, value: str) -> None:
        body = {"type": kind, "name": name, "ttl": self._options.ttl, **_content(kind, value)}
        await self._call("POST", f"/zones/{await self._zone(zone)}/dns_records", body)

    async def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        records = f"/zones/{await self._zone(zone)}/dns_records"
        query = urlencode({"type": kind, "name": name, "per_page": 100})
        for record in (await self._call("GET", f"{records}?{query}"))["result"]:
            if _same(kind, record.get("content", ""), record.get("priority")) == _wanted(kind, value):
                await self._call("DELETE", f"{records}/{quote(str(record['id']), safe='')}")

    async def _zone(self, zone: str) -> str:
        found = (await self._call("GET", f"/zones?{urlencode({'name': zone})}"))["result"]
        if not found:
            raise UpdateRefused(f"Cloudflare has no zone {zone} for this token.")
        return quote(str(found[0]["id"]), safe="")

    async def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        token = await asyncio.to_thread(read_secret, self._options.secret_file)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        octets = b"" if body is None else json.dumps(body).encode()
        answer = await ask(method, f"{self._endpoint}{path}", headers, octets)
        if answer.get("success") is not True or "result" not in answer:
            errors = answer.get("errors") or [{}]
            raise UpdateRefused(f"Cloudflare refuses the change: {str(errors[0].get('message', 'no reason'))[:200]}.")
        return answer


def _content(kind: str, value: str) -> Json:
    """Return a value as Cloudflare takes it: some kinds in parts."""
    words = value.split()
    match kind:
        case "TXT":
            return {"content": quote_text(value)}
        case "MX":
            return {"content": words[1].rstrip("."), "priority": int(words[0])}
        case "SRV":
            priority, weight, port = map(int, words[:3])
            target = words[3].rstrip(".") or "."
            return {"data": {"priority": priority, "weight": weight, "port": port, "target": target}}
        case "CAA":
            return {"data": {"flags": int(words[0]), "tag": words[1], "value": words[2].strip('"')}}
        case "TLSA":
            usage, selector, matching = map(int, words[:3])
            return {"data": {"usage": usage, "selector": selector, "matching_type": matching, "certificate": words[3]}}
        case _:
            return {"content": value.rstrip(".")}


def _same(kind: str, content: str, priority: object) -> str:
    """Return what is compared of a record as Cloudflare shows it."""
    if kind == "TXT":
        return content if content.startswith('"') else quote_text(content)
    shown = " ".join(content.replace('"', "").split()).rstrip(".").lower()
    return f"{priority} {shown}" if kind == "MX" else shown


def _wanted(kind: str, value: str) -> str:
    if kind == "TXT":
        return quote_text(value)
    return " ".join(value.replace('"', "").split()).rstrip(".").lower()
