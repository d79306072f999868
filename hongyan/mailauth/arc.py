"""ARC: what those who relayed a message say they saw, and whether their chain holds (RFC 8617).

Each relay adds a set of three fields with the same number: ARC-Authentication-Results (what it saw),
ARC-Message-Signature (the message as it left) and ARC-Seal (all sets so far). Validating follows §5.2
and never raises for what a stranger wrote. It is all or nothing: every failure is permanent, a DNS
that does not answer included (§5.2.1), and of a chain that fails nothing is handed on but why.

A chain that passes says who sealed it, not that they are honest: only results of a sealer whom
somebody trusts are worth anything (§10). We validate and do not seal.
"""

from __future__ import annotations

__all__ = ["MAX_SETS", "ArcHop", "ArcResult", "ArcStatus", "ArcVerifier"]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature

from hongyan.mailauth.canonical import BodyDigests, Canonicalization, HeaderField, canonical_field, split_fields
from hongyan.mailauth.dkim_record import KeyFault, KeyRecord, find_key
from hongyan.mailauth.resolver import Resolver
from hongyan.mailauth.signature import (
    DkimStatus,
    MessageSignature,
    Signature,
    SignedHeader,
    Unusable,
    read_message_signature,
    read_signature,
    require_fit,
    require_tags,
    require_timestamp,
    verify,
)
from hongyan.mailauth.tags import TagListFault, parse_tags, unfold, without_tag

MAX_SETS: Final = 50  # RFC 8617 §4.2.1

_RESULTS = b"arc-authentication-results"
_MESSAGE = b"arc-message-signature"
_SEAL = b"arc-seal"
_TITLES = {_RESULTS: "ARC-Authentication-Results", _MESSAGE: "ARC-Message-Signature", _SEAL: "ARC-Seal"}

# instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS] ";"
_CFWS = rb"(?:[ \t\r\n]|\([^()\\]*\))*+"
_RESULTS_INSTANCE = re.compile(rb"%bi%b=%b([0-9]{1,2})%b;" % (_CFWS, _CFWS, _CFWS, _CFWS))
_INSTANCE = re.compile(rb"[0-9]{1,2}")


class ArcStatus(StrEnum):
    """The words of RFC 8617 §4.4 and §7.1."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class ArcHop:
    """One relay of a chain that holds."""

    instance: int
    domain: str
    """Who sealed it, as A-labels."""
    results: bytes
    """What it saw: the service's name and its results, as in Authentication-Results, folded as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcResult:
    """What the chain of a message is worth."""

    status: ArcStatus
    reason: str = ""
    """Why it fails: one ASCII sentence part for the comment of Authentication-Results."""
    instance: int = 0
    """The highest number that a set has; 0 without a chain."""
    oldest_pass: int = 0
    """The oldest set since which nobody changed the message, or 0 if nobody did at all (RFC 8617 §5.2)."""
    hops: tuple[ArcHop, ...] = ()
    """The relays from the first to the last. Empty unless the chain passes."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Who sealed, from the first to the last."""
        return tuple(hop.domain for hop in self.hops)


class ArcVerifier:
    """Validates the chain of one message while it arrives.

    Give it the header block, then the body in chunks, then ask for the result. With a `Verifier` of
    DKIM it may share the digests of the body; then one of the two is fed.
    """

    def __init__(self, header: bytes, now: datetime, body: BodyDigests | None = None) -> None:
        fields = split_fields(header)
        self._header = SignedHeader(fields)
        self._body = body if body is not None else BodyDigests()
        self._chain = _read_chain([received for received in fields if received.name in _TITLES], now)
        for arc_set in self._chain.sets:
            if isinstance(arc_set.message, MessageSignature):
                self._body.require(arc_set.message.body_form)

    @property
    def needs_body(self) -> bool:
        """Whether `update` would do anything."""
        return self._body.needed

    def update(self, octets: bytes) -> None:
        """Take the next octets of the body."""
        self._body.update(octets)

    async def finish(self, resolver: Resolver) -> ArcResult:
        """Return the result. To be called once, after the whole body."""
        chain = self._chain
        if chain.fault:
            return ArcResult(status=ArcStatus.FAIL, reason=chain.fault, instance=chain.instance)
        if not chain.sets:
            return ArcResult(status=ArcStatus.NONE)
        keys = _Keys(resolver)
        try:
            await self._require_message(chain.sets[-1], keys)
            # A chain that does not hold costs least when the seals, which must all verify, come next.
            await _require_seals(chain.sets, keys)
        except _Broken as broken:
            return ArcResult(status=ArcStatus.FAIL, reason=broken.reason, instance=chain.instance)
        return ArcResult(
            status=ArcStatus.PASS,
            instance=chain.instance,
            oldest_pass=await self._find_oldest_pass(keys),
            hops=tuple(ArcHop(each.instance, each.seal.domain, each.results) for each in chain.sets),
        )

    async def _find_oldest_pass(self, keys: _Keys) -> int:
        """Return the number of the oldest set after which each verifies, 0 if all do (RFC 8617 §5.2, 5)."""
        for arc_set in reversed(self._chain.sets[:-1]):
            try:
                await self._require_message(arc_set, keys)
            except _Broken:
                return arc_set.instance + 1
        return 0

    async def _require_message(self, arc_set: _Set, keys: _Keys) -> None:
        """Raise `_Broken` unless the set's signature of the message verifies."""
        message = arc_set.message
        if isinstance(message, Unusable):
            raise _Broken(_MESSAGE, arc_set.instance, message.reason)
        if message.body_digest != self._body.digest(message.body_form):
            raise _Broken(_MESSAGE, arc_set.instance, "body hash did not verify")
        try:
            await keys.require(message.signature, self._header.digest(message))
        except Unusable as unusable:
            raise _Broken(_MESSAGE, arc_set.instance, unusable.reason) from None


async def _require_seals(sets: Sequence[_Set], keys: _Keys) -> None:
    """Raise `_Broken` unless each seal verifies, the latest first (RFC 8617 §5.2, 6)."""
    digests = _seal_digests(sets)
    for arc_set, digest in zip(reversed(sets), reversed(digests), strict=True):
        try:
            await keys.require(arc_set.seal, digest)
        except Unusable as unusable:
            raise _Broken(_SEAL, arc_set.instance, unusable.reason) from None


def _seal_digests(sets: Sequence[_Set]) -> list[bytes]:
    """Return what each seal signs: all sets up to its own in order, relaxed, itself without b= (RFC 8617 §5.1.1).

    Each field is hashed once, however many seals follow.
    """
    digests = []
    running = sha256()
    for arc_set in sets:
        for before in (arc_set.results_field, arc_set.message_field):
            running.update(canonical_field(before.raw, Canonicalization.RELAXED) + b"\r\n")
        name, _, value = arc_set.seal_field.raw.partition(b":")
        own = running.copy()
        own.update(canonical_field(name + b":" + without_tag(value, b"b"), Canonicalization.RELAXED))
        digests.append(own.digest())
        running.update(canonical_field(arc_set.seal_field.raw, Canonicalization.RELAXED) + b"\r\n")
    return digests


class _Keys:
    """The keys of a chain, each asked for once."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._found: dict[str, KeyRecord | KeyFault] = {}

    async def require(self, signature: Signature, digest: bytes) -> None:
        """Raise `Unusable` unless the signature is one of this digest."""
        if signature.key_name not in self._found:
            self._found[signature.key_name] = await find_key(signature.key_name, self._resolver)
        key = self._found[signature.key_name]
        if isinstance(key, KeyFault):
            raise Unusable(DkimStatus.PERMERROR, key.cause)
        require_fit(signature, key)
        try:
            verify(signature, key, digest)
        except InvalidSignature:
            raise Unusable(DkimStatus.FAIL, "signature did not verify") from None


# -- The structure of a chain (RFC 8617 §4.1, §4.2, §5.2) -------------------------------------------------------------


class _Broken(Exception):
    """Why the chain does not hold."""

    def __init__(self, name: bytes, instance: int, reason: str) -> None:
        self.reason = f"{_TITLES[name]} {instance or ''}".rstrip() + f": {reason}"
        super().__init__(self.reason)


@dataclass(frozen=True, slots=True)
class _Set:
    instance: int
    results_field: HeaderField
    results: bytes
    message_field: HeaderField
    message: MessageSignature | Unusable
    """An older one may be unusable: that tells something, but breaks no chain."""
    seal_field: HeaderField
    seal: Signature


@dataclass(frozen=True, slots=True)
class _Part:
    """One field of a set."""

    received: HeaderField
    instance: int
    tags: Mapping[bytes, bytes] = field(default_factory=dict)
    results: bytes = b""


@dataclass(frozen=True, slots=True)
class _Chain:
    instance: int
    sets: tuple[_Set, ...] = ()
    fault: str = ""


def _read_chain(fields: Sequence[HeaderField], now: datetime) -> _Chain:
    highest = 0
    try:
        if len(fields) > len(_TITLES) * MAX_SETS:
            return _Chain(MAX_SETS, fault=f"more than {MAX_SETS} sets")
        parts = []
        for received in fields:
            part = _read_part(received)
            highest = max(highest, part.instance)
            parts.append(part)
        return _Chain(highest, _read_sets(parts, highest, now))
    except _Broken as broken:
        return _Chain(highest, fault=broken.reason)


def _read_part(received: HeaderField) -> _Part:
    if received.name == _RESULTS:
        found = _RESULTS_INSTANCE.match(received.value)
        if found is None:
            raise _Broken(_RESULTS, 0, "it does not begin with its number")
        return _Part(received, _instance(_RESULTS, found[1]), results=received.value[found.end() :].strip(b" \t\r\n"))
    try:
        tags = parse_tags(received.value)
    except TagListFault as fault:
        raise _Broken(received.name, 0, fault.cause) from None
    if b"i" not in tags:
        raise _Broken(received.name, 0, "the tag i= is missing")
    return _Part(received, _instance(received.name, tags[b"i"]), tags)


def _instance(name: bytes, value: bytes) -> int:
    instance = int(value) if _INSTANCE.fullmatch(value) else 0
    if not 1 <= instance <= MAX_SETS:
        raise _Broken(name, 0, f"its number is not one from 1 to {MAX_SETS}")
    return instance


def _read_sets(parts: Sequence[_Part], highest: int, now: datetime) -> tuple[_Set, ...]:
    found: dict[tuple[bytes, int], _Part] = {}
    for part in parts:
        name = part.received.name
        if (name, part.instance) in found:
            raise _Broken(name, part.instance, "it comes twice")
        found[name, part.instance] = part
    last = found.get((_SEAL, highest))
    if last is not None and last.tags.get(b"cv", b"").lower() == b"fail":
        raise _Broken(_SEAL, highest, "the chain is sealed as broken")  # RFC 8617 §5.2, 2
    for instance in range(1, highest + 1):
        for name in _TITLES:
            if (name, instance) not in found:
                raise _Broken(name, instance, "it is missing")
    return tuple(
        _read_set(found[_RESULTS, instance], found[_MESSAGE, instance], found[_SEAL, instance], now)
        for instance in range(1, highest + 1)
    )


def _read_set(results: _Part, message: _Part, seal: _Part, now: datetime) -> _Set:
    try:
        signature = _read_seal(seal)
    except Unusable as unusable:
        raise _Broken(_SEAL, seal.instance, unusable.reason) from None
    return _Set(
        instance=seal.instance,
        results_field=results.received,
        results=results.results,
        message_field=message.received,
        message=_read_message(message, now),
        seal_field=seal.received,
        seal=signature,
    )


def _read_seal(seal: _Part) -> Signature:
    tags = seal.tags
    require_tags(tags, (b"cv",))
    # RFC 8617 §5.2, 3: the first seal says "none", each other one "pass".
    if tags[b"cv"].lower() != (b"none" if seal.instance == 1 else b"pass"):
        raise Unusable(DkimStatus.PERMERROR, "its cv= breaks the chain")
    if b"h" in tags:
        raise Unusable(DkimStatus.PERMERROR, "it has a tag h=")  # RFC 8617 §4.1.3
    require_timestamp(tags, b"t")
    return read_signature(tags)


def _read_message(message: _Part, now: datetime) -> MessageSignature | Unusable:
    """RFC 8617 §4.1.2: as in DKIM, but i= is the number, there is no v=, and seals are not signed."""
    try:
        if _SEAL in unfold(message.tags.get(b"h", b"")).lower().split(b":"):
            return Unusable(DkimStatus.PERMERROR, "it signs seals")
        return read_message_signature(message.received, message.tags, now)
    except Unusable as unusable:
        return unusable
