"""Zones at DNSPod, by the interface of Tencent Cloud of 2021-03-23. Never tried on the real service.

Requests are signed by TC3-HMAC-SHA256: https://cloud.tencent.com/document/api/1427/56189
"""

from __future__ import annotations

__all__ = ["Dnspod", "authorize", "canonical_request"]

import asyncio
import hashlib
import hmac
import json
from datetime import datetime
from urllib.parse import urlsplit

from hongyan.clients.dns_providers.provider import DnsProviderOptions, Json, ask, read_secret, relative_name
from hongyan.clients.dns_update import UpdateRefused
from hongyan.clock import Clock

_ENDPOINT = "https://dnspod.tencentcloudapi.com"
_VERSION = "2021-03-23"
_SERVICE = "dnspod"
_LINE = "默认"
"""The line of resolution that everybody is on."""
_CONTENT_TYPE = "application/json; charset=utf-8"
_SIGNED = "content-type;host;x-tc-action"
_NOTHING_THERE = "ResourceNotFound.NoDataOfRecord"


class Dnspod:
    """`provider.DnsProvider`."""

    def __init__(self, options: DnsProviderOptions, clock: Clock) -> None:
        self._options = options
        self._endpoint = options.endpoint or _ENDPOINT
        self._clock = clock

    async def add(self, zone: str, name: str, kind: str, value: str) -> None:
        body = {
            "Domain": zone,
            "SubDomain": relative_name(name, zone),
            "RecordType": kind,
            "RecordLine": _LINE,
            "TTL": self._options.ttl,
            **_value(kind, value),
        }
        await self._call("CreateRecord", body)

    async def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        wanted = {key: str(part).rstrip(".") for key, part in _value(kind, value).items()}
        listed = {"Domain": zone, "Subdomain": relative_name(name, zone), "RecordType": kind}
        for record in (await self._call("DescribeRecordList", listed)).get("RecordList", []):
            if {key: str(record.get(key, "")).rstrip(".") for key in wanted} == wanted:
                await self._call("DeleteRecord", {"Domain": zone, "RecordId": record["RecordId"]})

    async def _call(self, action: str, body: Json) -> Json:
        identity, _, key = (await asyncio.to_thread(read_secret, self._options.secret_file)).partition(" ")
        payload = json.dumps(body, ensure_ascii=False).encode()
        host, now = urlsplit(self._endpoint).netloc, self._clock.now()
        headers = {
            "Authorization": authorize(identity, key.strip(), _SERVICE, host, action, payload, now),
            "Content-Type": _CONTENT_TYPE,
            "Host": host,
            "X-TC-Action": action,
            "X-TC-Timestamp": str(int(now.timestamp())),
            "X-TC-Version": _VERSION,
        }
        answer = (await ask("POST", f"{self._endpoint}/", headers, payload)).get("Response", {})
        fault = answer.get("Error")
        if fault:
            code = str(fault.get("Code", ""))
            if code == _NOTHING_THERE:
                return {}
            raise UpdateRefused(f"DNSPod refuses the change: {code[:200]}.")
        return dict(answer)


def canonical_request(host: str, action: str, payload: bytes) -> str:
    """Return the request in the form that is signed."""
    return "\n".join(
        (
            "POST",
            "/",
            "",
            f"content-type:{_CONTENT_TYPE}",
            f"host:{host}",
            f"x-tc-action:{action.lower()}",
            "",
            _SIGNED,
            hashlib.sha256(payload).hexdigest(),
        )
    )


def authorize(identity: str, key: str, service: str, host: str, action: str, payload: bytes, now: datetime) -> str:
    """Return the Authorization field of a request."""
    date = f"{now:%Y-%m-%d}"
    scope = f"{date}/{service}/tc3_request"
    digest = hashlib.sha256(canonical_request(host, action, payload).encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{int(now.timestamp())}\n{scope}\n{digest}"
    signing = _hmac(_hmac(_hmac(f"TC3{key}".encode(), date), service), "tc3_request")
    signature = _hmac(signing, text).hex()
    return f"TC3-HMAC-SHA256 Credential={identity}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _value(kind: str, value: str) -> Json:
    if kind == "MX":
        priority, _, host = value.partition(" ")
        return {"Value": host, "MX": int(priority)}
    return {"Value": value}
