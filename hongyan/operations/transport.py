"""What other domains are held to when mail goes to them: shown, and forgotten."""

from __future__ import annotations

__all__ = ["transport_operations"]

from collections.abc import Mapping

from hongyan.addresses import Domain
from hongyan.assembly.services import Services
from hongyan.errors import NotFound
from hongyan.mailauth.mta_sts import StsFault, StsPolicy, parse_policy
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.transport import KeptLevel, KeptPolicy


def transport_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on transport security, by name."""
    group = _Transport(services)
    return {"transport.list": group.list_domains, "transport.forget": group.forget}


class _Transport:
    def __init__(self, services: Services) -> None:
        self._security = services.outgoing.security

    async def list_domains(self, caller: Caller, *, domain: str | None = None, limit: int = 1000) -> Document:  # noqa: ARG002
        """Return what is known of one domain, or of all."""
        store = self._security.store
        if domain is None:
            levels, policies = await store.list_levels(limit=limit), await store.list_policies(limit=limit)
        else:
            name = Domain.parse(domain).text
            level, policy = await store.find_level(name), await store.find_policy(name)
            levels, policies = [level] if level else [], [policy] if policy else []
        by_domain = {level.domain: level for level in levels}
        policy_of = {policy.domain: policy for policy in policies}
        names = sorted({*by_domain, *policy_of})[:limit]
        return {"domains": [_shown(name, by_domain.get(name), policy_of.get(name)) for name in names]}

    async def forget(self, caller: Caller, *, domain: str, dry_run: bool = False) -> Document:  # noqa: ARG002
        """Forget level and policy of a domain: the next message takes what is offered then."""
        name, security = Domain.parse(domain).text, self._security
        known = await security.store.find_level(name) or await security.store.find_policy(name)
        if known is None:
            raise NotFound("Nothing is remembered of that domain.")
        if dry_run:
            return {"domain": name, "dry_run": True}
        await security.store.forget(name)
        if security.policies is not None:
            security.policies.drop(name)
        if security.memory is not None:
            security.memory.drop(name)
        return {"domain": name}


def _shown(name: str, level: KeptLevel | None, policy: KeptPolicy | None) -> Document:
    return {
        "domain": name,
        "level": None if level is None else level.level,
        "candidate": None if level is None else level.candidate,
        "seen_at": None if level is None else level.seen_at.isoformat(),
        "policy": None if policy is None else _policy(policy),
    }


def _policy(kept: KeptPolicy) -> Document:
    try:
        policy: StsPolicy | None = parse_policy(kept.text)
    except StsFault:
        policy = None
    return {
        "id": kept.identity,
        "mode": "" if policy is None else policy.mode.value,
        "hosts": [] if policy is None else list(policy.hosts),
        "fetched_at": kept.fetched_at.isoformat(),
        "expires_at": kept.expires_at.isoformat(),
    }
