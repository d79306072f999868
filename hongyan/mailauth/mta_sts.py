"""MTA-STS: a domain says by HTTPS which hosts take its mail, and that TLS with a good certificate is a must (RFC 8461).

The record in the DNS says that there is a policy, and which; the policy says the rest. Both are read here, octets to
values; what is fetched and kept is `queue.sts_policies`.
"""

from __future__ import annotations

__all__ = [
    "MAX_AGE",
    "MAX_POLICY",
    "StsFault",
    "StsMode",
    "StsPolicy",
    "find_record",
    "parse_policy",
    "policy_host",
    "record_name",
]

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hongyan.addresses import AddressFault, Domain
from hongyan.errors import PeerFault

MAX_POLICY: Final = 65_536
"""Octets of a policy (RFC 8461 §3.3 suggests this limit)."""

MAX_AGE: Final = 31_557_600
"""Seconds for which a policy may be kept: a year (§3.2)."""

_MAX_HOSTS: Final = 1000
_MAX_LINE: Final = 1000

# sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim], §3.1
_VERSION = re.compile(r"v=STSv1[ \t]*(?:;|$)")
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([!-:<>-~]+)")
_ID = re.compile(r"[A-Za-z0-9]{1,32}")

# sts-policy-field = sts-policy-field-name ":" *WSP value *WSP, §3.2
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*")
_AGE = re.compile(r"[0-9]{1,10}")


class StsFault(PeerFault):
    """What a domain published is no policy."""


class StsMode(StrEnum):
    """What a policy asks for (RFC 8461 §3.2)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    """Failures are reported, and mail goes on."""
    NONE = "none"
    """There is no policy any more."""


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy. `hosts` are names in lower case, A-labels; one may begin with "*."."""

    mode: StsMode
    hosts: tuple[str, ...]
    max_age: int
    """Seconds for which it may be kept after it was fetched."""

    def find_pattern(self, host: str) -> str | None:
        """Return the pattern that a mail exchanger fits: "*." stands for exactly one label (§4.1)."""
        host = host.lower().removesuffix(".")
        _, _, parent = host.partition(".")
        for pattern in (host, f"*.{parent}"):
            if pattern in self.hosts:
                return pattern
        return None


def record_name(domain: str) -> str:
    """Return the name of the TXT record that says that a domain has a policy."""
    return f"_mta-sts.{domain}"


def policy_host(domain: str) -> str:
    """Return the host that serves the policy of a domain."""
    return f"mta-sts.{domain}"


def find_record(texts: Iterable[bytes]) -> str | None:
    """Return the id in the TXT record (§3.1); None if there is none, more than one, or one that is not well formed."""
    records = [text for text in (octets.decode("ascii", "replace") for octets in texts) if _VERSION.match(text)]
    if len(records) != 1 or not records[0].isascii():
        return None
    fields: dict[str, str] = {}
    for part in records[0].split(";")[1:]:
        part = part.strip(" \t")
        if not part:
            continue
        match = _FIELD.fullmatch(part)
        if not match:
            return None
        fields.setdefault(match[1], match[2])
    identity = fields.get("id", "")
    return identity if _ID.fullmatch(identity) else None


def parse_policy(octets: bytes) -> StsPolicy:
    """Read a policy (§3.2). Lines end with LF or CRLF; fields that are not known are passed over. Raises `StsFault`."""
    if len(octets) > MAX_POLICY:
        raise StsFault(cause="the policy is too large")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise StsFault(cause="the policy is not UTF-8") from None
    hosts: dict[str, None] = {}
    fields: dict[str, str] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip(" \t"):
            continue
        match = _LINE.fullmatch(line) if len(line) <= _MAX_LINE else None
        if not match:
            raise StsFault(cause="a line of the policy is not a field")
        name, value = match[1], match[2]
        if name == "mx":
            hosts[_host(value)] = None
        else:
            fields.setdefault(name, value)  # §3.2: of a field that comes twice, the first counts
        if len(hosts) > _MAX_HOSTS:
            raise StsFault(cause="the policy names too many hosts")
    return _policy(fields, tuple(hosts))


def _policy(fields: dict[str, str], hosts: tuple[str, ...]) -> StsPolicy:
    if fields.get("version") != "STSv1":
        raise StsFault(cause="the policy is not of version STSv1")
    try:
        mode = StsMode(fields.get("mode", ""))
    except ValueError:
        raise StsFault(cause="the policy has no mode that is known") from None
    age = fields.get("max_age", "")
    if not _AGE.fullmatch(age):
        raise StsFault(cause="the policy has no max_age")
    if not hosts and mode is not StsMode.NONE:
        raise StsFault(cause="the policy names no host")
    return StsPolicy(mode, hosts, min(int(age), MAX_AGE))


def _host(value: str) -> str:
    # mx = domain / "*." domain
    wildcard, name = ("*.", value[2:]) if value.startswith("*.") else ("", value)
    try:
        domain = Domain.parse(name.removesuffix("."))
    except AddressFault:
        raise StsFault(cause="the policy names a host that is none") from None
    if domain.is_literal or not name.isascii():
        raise StsFault(cause="the policy names a host that is none")
    return wildcard + domain.text
