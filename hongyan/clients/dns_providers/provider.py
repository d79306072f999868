"""What every provider offers, its settings, and the one way in which it is asked."""

from __future__ import annotations

__all__ = ["DnsProvider", "DnsProviderOptions", "Json", "ProviderKind", "ask", "read_secret", "relative_name"]

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol, cast

from hongyan.clients.dns_update import UpdateRefused
from hongyan.errors import Unavailable
from hongyan.options import option

ProviderKind = Literal["cloudflare", "aliyun", "dnspod"]
Json = Mapping[str, Any]

_TIMEOUT: Final = 20.0  # seconds
_LARGEST_ANSWER: Final = 1 << 20
_LARGEST_SECRET: Final = 4096


@dataclass(frozen=True, slots=True)
class DnsProviderOptions:
    """One entry of `[[dns_provider]]`."""

    kind: ProviderKind = option("cloudflare", "Whose interface it is: cloudflare, aliyun or dnspod.")
    zones: tuple[str, ...] = option((), "Zones that are changed there.")
    secret_file: str = option(
        "",
        "File with the API token of Cloudflare, or with id and secret of the others, readable by Hongyan alone.",
        unit="path",
    )
    endpoint: str = option("", "URL of the interface; empty: the vendor's own.")
    ttl: int = option(600, "How long others may remember a record that is written.", unit="s")

    def __post_init__(self) -> None:
        if self.zones and not self.secret_file:
            raise ValueError("a provider that changes zones needs a secret_file")
        if self.endpoint and not self.endpoint.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("an endpoint begins with https://")
        if self.ttl < 60:
            raise ValueError("no provider takes a ttl below a minute")


class DnsProvider(Protocol):
    """Changes zones, one record at a time. Values are as in a zone file, TXT as bare text."""

    async def add(self, zone: str, name: str, kind: str, value: str) -> None:
        """Add a record beside those that are there. Raises `UpdateRefused` or `Unavailable`."""
        ...

    async def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        """Remove the record with exactly this value, if it is there. Raises `UpdateRefused` or `Unavailable`."""
        ...


def relative_name(name: str, zone: str) -> str:
    """Return a name as providers write it: relative to the zone, "@" for the zone itself."""
    return "@" if name == zone else name.removesuffix(f".{zone}")


def read_secret(path: str) -> str:
    """Return what a file holds. Blocks. Raises `UpdateRefused`."""
    try:
        with Path(path).open(encoding="ascii") as file:
            return file.read(_LARGEST_SECRET).strip()
    except (OSError, ValueError) as error:
        raise UpdateRefused(f"{path} cannot be read.") from error


async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Json:
    """Send a request and return the JSON of the answer, whatever its status. Raises `Unavailable`."""
    return await asyncio.to_thread(_ask, method, url, headers, body)


def _ask(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Json:
    import requests  # here: who changes no zone does not wait for it

    try:
        with requests.request(
            method, url, headers=dict(headers), data=body or None, timeout=_TIMEOUT, allow_redirects=False, stream=True
        ) as response:
            octets = response.raw.read(_LARGEST_ANSWER, decode_content=True)
        answer = json.loads(octets)
    except (requests.RequestException, OSError, ValueError) as error:
        raise Unavailable(f"The DNS provider gives no answer that can be read: {type(error).__name__}.") from error
    if not isinstance(answer, dict):
        raise Unavailable("The DNS provider gives no answer that can be read.")
    return cast(Json, answer)
