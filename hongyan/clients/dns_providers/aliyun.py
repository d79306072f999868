"""Zones at Aliyun DNS (alidns), by its RPC interface of 2015-01-09. Never tried on the real service.

Requests are signed by HMAC-SHA1 over their sorted parameters (signature version 1.0):
https://help.aliyun.com/document_detail/29747.html
"""

from __future__ import annotations

__all__ = ["Aliyun", "sign_parameters", "string_to_sign"]

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from hongyan.clients.dns_providers.provider import DnsProviderOptions, Json, ask, read_secret, relative_name
from hongyan.clients.dns_update import UpdateRefused
from hongyan.clock import Clock, Random

_ENDPOINT = "https://alidns.aliyuncs.com"
_VERSION = "2015-01-09"


class Aliyun:
    """`provider.DnsProvider`."""

    def __init__(self, options: DnsProviderOptions, clock: Clock, random: Random) -> None:
        self._options = options
        self._endpoint = options.endpoint or _ENDPOINT
        self._clock = clock
        self._random = random

    async def add(self, zone: str, name: str, kind: str, value: str) -> None:
        parameters = {
            "DomainName": zone,
            "RR": relative_name(name, zone),
            "Type": kind,
            "TTL": str(self._options.ttl),
            **_value(kind, value),
        }
        await self._call("AddDomainRecord", parameters)

    async def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        wanted = _value(kind, value)
        found = await self._call("DescribeSubDomainRecords", {"SubDomain": name, "DomainName": zone, "Type": kind})
        for record in found.get("DomainRecords", {}).get("Record", []):
            shown = {"Value": str(record.get("Value", ""))}
            if kind == "MX":
                shown["Priority"] = str(record.get("Priority", ""))
            if shown == wanted:
                await self._call("DeleteDomainRecord", {"RecordId": str(record["RecordId"])})

    async def _call(self, action: str, parameters: Mapping[str, str]) -> Json:
        secret = await asyncio.to_thread(read_secret, self._options.secret_file)
        identity, _, key = secret.partition(" ")
        signed = sign_parameters(
            {
                "Action": action,
                "Format": "JSON",
                "Version": _VERSION,
                "AccessKeyId": identity,
                "SignatureMethod": "HMAC-SHA1",
                "SignatureVersion": "1.0",
                "SignatureNonce": self._random.token(16).hex(),
                "Timestamp": f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}",
                **parameters,
            },
            key.strip(),
        )
        answer = await ask("GET", f"{self._endpoint}/?{urlencode(signed)}", {})
        if "Code" in answer:
            raise UpdateRefused(f"Aliyun refuses the change: {str(answer['Code'])[:200]}.")
        return answer


def string_to_sign(parameters: Mapping[str, str], method: str = "GET") -> str:
    """Return what is signed: the method, the path and the sorted parameters, percent-encoded (RFC 3986) twice."""
    query = "&".join(f"{_encode(name)}={_encode(parameters[name])}" for name in sorted(parameters))
    return f"{method}&{_encode('/')}&{_encode(query)}"


def sign_parameters(parameters: Mapping[str, str], secret: str, method: str = "GET") -> Mapping[str, str]:
    """Return the parameters with their signature."""
    digest = hmac.new(f"{secret}&".encode(), string_to_sign(parameters, method).encode(), hashlib.sha1).digest()
    return {**parameters, "Signature": base64.b64encode(digest).decode()}


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _value(kind: str, value: str) -> Mapping[str, str]:
    if kind == "MX":
        priority, _, host = value.partition(" ")
        return {"Value": host.rstrip("."), "Priority": priority}
    return {"Value": value.rstrip(".") if kind in ("CNAME", "SRV") else value}
