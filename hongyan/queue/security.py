"""What is asked of the connection to each host, from what the domain published and from what is remembered. Pure.

The order is DANE, MTA-STS, memory: DANE speaks by DNSSEC and is obeyed host by host, also where an MTA-STS policy
says something else (RFC 8461 §2); a policy speaks for the domain; memory speaks for a domain that said nothing and
has had TLS before (`queue.tls_memory`). Who says nothing at all gets TLS as far as it goes.
"""

from __future__ import annotations

__all__ = [
    "NO_TLSA",
    "OPPORTUNISTIC",
    "Demand",
    "Demander",
    "OutgoingTlsOptions",
    "TlsLevel",
    "TlsPolicy",
    "TlsaFacts",
    "TlsaState",
    "decide",
    "for_required_tls",
    "waived",
    "waives",
]

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from hongyan.mailauth.dane import usable_records
from hongyan.mailauth.mta_sts import StsMode, StsPolicy
from hongyan.mailauth.resolver import TlsaRecord
from hongyan.message.headers import iterate_fields
from hongyan.options import option
from hongyan.queue.causes import Cause


class TlsPolicy(Enum):
    """What is asked of the connection to the next hop."""

    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"
    """TLS where it is offered, certificates unchecked (RFC 7435); in the clear where it is not or fails."""
    REQUIRED = "required"
    """TLS or nothing; certificates unchecked."""
    VERIFIED = "verified"
    """TLS with a certificate for the host's name, or nothing."""
    DANE = "dane"
    """TLS with a certificate that fits the host's TLSA records, or nothing."""


class TlsLevel(StrEnum):
    """How well a connection was secured, the least first."""

    PLAIN = "plain"
    TLS = "tls"
    VERIFIED = "verified"

    @property
    def rank(self) -> int:
        return list(TlsLevel).index(self)


class Demander(StrEnum):
    """Who asks for it."""

    NOBODY = "nobody"
    OPERATOR = "operator"
    """A smart host's setting."""
    MEMORY = "memory"
    MESSAGE = "message"
    """Its sender: REQUIRETLS."""
    MTA_STS = "mta-sts"
    DANE = "dane"


@dataclass(frozen=True, slots=True)
class OutgoingTlsOptions:
    """The section `[outgoing_tls]`."""

    dane: bool = option(True, "Obey TLSA records of other domains; it takes a resolver that validates DNSSEC.")
    mta_sts: bool = option(True, "Obey the MTA-STS policies of other domains.")
    remember: bool = option(
        True, "Remember how well connections to a domain were secured, and hold mail back when it is offered less."
    )
    remember_for: int = option(30, "How long that is remembered after it was last seen.", unit="days")
    confirm_after: int = option(
        24, "How long a level must last before it is remembered, unless the domain itself vouches for it.", unit="hours"
    )
    senders_may_waive: bool = option(True, "Let senders waive all this for a message by `TLS-Required: No`.")
    authorities: str = option(
        "", "A file of certificates in PEM: authorities to trust besides those that this machine trusts.", unit="path"
    )
    policy_port: int = option(443, "Port at which MTA-STS policies are fetched; any other is for trying out.")

    def __post_init__(self) -> None:
        if self.remember_for < 1 or self.confirm_after < 0 or not 0 < self.policy_port < 65536:
            raise ValueError("remember_for is 1 or more, confirm_after 0 or more, policy_port a port")


class TlsaState(Enum):
    """What became of the question for TLSA records."""

    NONE = "none"
    """There are none, or DNSSEC does not vouch for the way to them."""
    FOUND = "found"
    FAILED = "failed"
    """They may be there, and could not be had: nothing is sent to the host (RFC 7672 §2.1.2)."""


@dataclass(frozen=True, slots=True)
class TlsaFacts:
    """The TLSA records of a host, which DNSSEC vouches for, as it does for the name of the host."""

    state: TlsaState = TlsaState.NONE
    base: str = ""
    """The name at which they were found (RFC 7672 §2.2.2)."""
    records: tuple[TlsaRecord, ...] = ()


NO_TLSA: Final = TlsaFacts()


@dataclass(frozen=True, slots=True)
class Demand:
    """What a connection must have, and who asks for it."""

    policy: TlsPolicy
    demander: Demander = Demander.NOBODY
    tlsa: tuple[TlsaRecord, ...] = ()
    names: tuple[str, ...] = ()
    """Names that a certificate below an authority of a TLSA record may be for (RFC 7672 §3.2.2)."""
    sts: StsPolicy | None = None
    """The domain's MTA-STS policy where it counts, also in testing mode."""
    pattern: str | None = None
    """What in that policy the host fits."""

    @property
    def cause(self) -> Cause:
        """Why mail waits when the demand is not met."""
        return _CAUSES.get(self.demander, Cause.TLS_FAILED)


OPPORTUNISTIC: Final = Demand(TlsPolicy.OPPORTUNISTIC)

_CAUSES: Final = {
    Demander.DANE: Cause.DANE_FAILED,
    Demander.MTA_STS: Cause.STS_FAILED,
    Demander.MEMORY: Cause.TLS_LESS_THAN_BEFORE,
    Demander.MESSAGE: Cause.NO_REQUIRETLS,
}

_REMEMBERED: Final = {
    TlsLevel.PLAIN: OPPORTUNISTIC,
    TlsLevel.TLS: Demand(TlsPolicy.REQUIRED, Demander.MEMORY),
    TlsLevel.VERIFIED: Demand(TlsPolicy.VERIFIED, Demander.MEMORY),
}


def decide(
    domain: str, host: str, tlsa: TlsaFacts, sts: StsPolicy | None, remembered: TlsLevel = TlsLevel.PLAIN
) -> Demand | Cause:
    """Return what is asked of a connection to a host for a domain, or why nothing may be sent to that host."""
    if tlsa.state is TlsaState.FAILED:
        return Cause.DANE_UNAVAILABLE
    if tlsa.state is TlsaState.FOUND:
        usable = usable_records(tlsa.records)
        if usable:
            return Demand(TlsPolicy.DANE, Demander.DANE, usable, tuple(dict.fromkeys((tlsa.base, domain))))
        # RFC 7672 §2.2: records that nobody can use still say that there is TLS.
        return Demand(TlsPolicy.REQUIRED, Demander.DANE)
    if sts is None or sts.mode is StsMode.NONE:
        return _REMEMBERED[remembered]
    pattern = sts.find_pattern(host)
    if sts.mode is StsMode.ENFORCE:
        if pattern is None:
            return Cause.STS_HOST_NOT_NAMED
        return Demand(TlsPolicy.VERIFIED, Demander.MTA_STS, sts=sts, pattern=pattern)
    asked = _REMEMBERED[remembered]
    return Demand(asked.policy, asked.demander, sts=sts, pattern=pattern)


def for_required_tls(demand: Demand) -> Demand:
    """Return what a message with REQUIRETLS asks: a certificate that is verified (RFC 8689 §4.2.1)."""
    if demand.policy in (TlsPolicy.VERIFIED, TlsPolicy.DANE):
        return demand
    return Demand(TlsPolicy.VERIFIED, Demander.MESSAGE, sts=demand.sts, pattern=demand.pattern)


def waives(header: bytes) -> bool:
    """Whether a message says `TLS-Required: No`."""
    if b"tls-required" not in header.lower():
        return False  # of nearly all, and every message is asked
    return any(name.lower() == b"tls-required" and value.lower() == b"no" for name, value in iterate_fields(header))


def waived(demand: Demand) -> Demand:
    """Return what is left when the sender waives all that domains publish: `TLS-Required: No` (RFC 8689 §5)."""
    return demand if demand.demander in (Demander.NOBODY, Demander.OPERATOR) else OPPORTUNISTIC
