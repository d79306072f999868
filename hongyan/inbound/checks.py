"""What a message that comes in is found to be: its origin, and what every check says of it, under one deadline.

The results are values (`Examination`); the transaction acts on them.
"""

from __future__ import annotations

__all__ = ["Checks", "Examination", "read_header"]

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hongyan.addresses import Address
from hongyan.inbound.origin import Origin, OriginServices
from hongyan.limits.networks import is_within, parse_networks
from hongyan.mailauth.authentication import NOT_CHECKED, Authentication
from hongyan.mailauth.results import describe_origin
from hongyan.message.authres import write_authentication_results
from hongyan.message.authres_claims import find_claims
from hongyan.screening.asking import ask_all
from hongyan.screening.examined import Examined, MessageCheck
from hongyan.screening.origin import OriginOptions, judge_origin
from hongyan.screening.verdict import Finding, Verdict
from hongyan.telemetry import metrics

_IN_A_THREAD = 8 << 10
"""Octets of a header from which it is read beside the loop: what strangers put there may take a tenth of a second."""

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out about a message."""

    authentication: Authentication
    verdict: Verdict
    field: bytes
    """Our Authentication-Results; empty if nothing was checked."""
    claims: tuple[tuple[int, int], ...]
    """Octet ranges of fields that pretend to be ours, and are not served."""


class Checks:
    """Examines the messages of all transactions."""

    def __init__(
        self,
        services: OriginServices,
        options: OriginOptions,
        checks: Sequence[MessageCheck] = (),
        *,
        seconds: float = 30.0,
    ) -> None:
        """`seconds` is how long all `checks` together may take."""
        self._services = services
        self._options = options
        self._checks = checks
        self._seconds = seconds
        self._trusted = parse_networks(options.trusted_networks)

    def begin(self, peer: str, helo: str, sender: Address | None) -> Origin | None:
        """A message is announced: begin to ask where it comes from. None: that is switched off."""
        if not self._options.check:
            return None
        return Origin(self._services, peer, helo, sender, asks_spf=not is_within(peer, self._trusted))

    async def examine(
        self, origin: Origin | None, message: Examined, *, to_postmaster: bool, smtputf8: bool
    ) -> Examination:
        """Return what is found out about a message that has come in completely.

        `to_postmaster`: it is for nobody but those who look after the server. `smtputf8`: its header may hold UTF-8.
        """
        found = NOT_CHECKED
        findings: list[Finding] = []
        field = b""
        if origin is not None:
            found = await origin.find(message.octets)
            _count(found)
            if not is_within(message.peer, self._trusted):
                findings.extend(judge_origin(found, self._options, to_postmaster=to_postmaster))
            results = describe_origin(self._services.hostname, found, sender=message.reverse_path, helo=message.helo)
            field = write_authentication_results(results, internationalized=smtputf8)
        if self._checks and Verdict(tuple(findings)).refusal(list(message.accounts)) is None:
            asked = replace(message, authentication=found)
            findings.extend(await ask_all(self._checks, asked, self._seconds))
        ours = (self._services.hostname,)
        claims = await read_header(
            lambda header: find_claims(header, ours), message.octets[: message.body], message.body
        )
        return Examination(found, Verdict(tuple(findings)), field, claims)


async def read_header(read: Callable[[bytes], _Read], octets: bytes, size: int) -> _Read:
    """Return what is read in a header of so many octets, without keeping everybody else waiting for it."""
    return read(octets) if size < _IN_A_THREAD else await asyncio.to_thread(read, octets)


def _count(found: Authentication) -> None:
    if found.spf is not None:
        metrics.spf_total.labels(found.spf.status.value).inc()
    for signature in found.signatures:
        metrics.dkim_verify_total.labels(signature.status.value).inc()
    if found.dmarc is not None:
        metrics.dmarc_total.labels(found.dmarc.status.value, found.dmarc.disposition.value).inc()
