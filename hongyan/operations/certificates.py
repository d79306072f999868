"""Certificates: those in files that the operator names, and those that an authority issues."""

from __future__ import annotations

__all__ = ["certificate_operations"]

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509

from hongyan.assembly.services import Services
from hongyan.audit.events import AuditEvent
from hongyan.clock import Clock
from hongyan.config import Config
from hongyan.domains.certificate_store import names_of
from hongyan.domains.issuance import Issuance, Shown
from hongyan.errors import Refused
from hongyan.operations.calling import Caller, Document, Operation


def certificate_operations(services: Services, config: Config, clock: Clock) -> Mapping[str, Operation]:
    """Return the operations on certificates, by name."""
    group = _Certificates(services, config, clock)
    return {"certificate.list": group.list_certificates, "certificate.renew": group.renew}


class _Certificates:
    def __init__(self, services: Services, config: Config, clock: Clock) -> None:
        self._issuing = services.issuing
        self._audit = services.directory.audit
        self._config = config
        self._clock = clock

    async def list_certificates(self, caller: Caller) -> Document:  # noqa: ARG002 - anybody who may call may read
        """Return all certificates: when they end, when they are renewed, and what failed."""
        chains = [files.chain for files in self._config.certificates]
        listed = list(await asyncio.to_thread(_read_files, chains))
        if self._issuing.issuance is not None:
            listed += [_shown(each) for each in await self._issuing.issuance.list_certificates()]
        return {"certificates": listed}

    async def renew(self, caller: Caller, *, name: str | None = None, dry_run: bool = False) -> Document:
        """Order certificates now, all or one; they are in service when this returns. That it was asked is noted."""
        issuance = self._require()
        if dry_run:
            wanted = [each.name for each in await issuance.list_certificates() if name in (None, each.name)]
            return {"renewed": wanted, "dry_run": True}
        await self._audit.append(self._audit.entry(AuditEvent.CERTIFICATE_RENEWED, caller.actor, name=name or "all"))
        return {"renewed": list(await issuance.renew(name))}

    def _require(self) -> Issuance:
        if self._issuing.issuance is None:
            raise Refused("No authority is configured: see [acme].")
        return self._issuing.issuance


def _read_files(chains: Sequence[str]) -> Sequence[Document]:
    return [_read_file(chain) for chain in chains]


def _read_file(chain: str) -> Document:
    try:
        certificate = x509.load_pem_x509_certificates(Path(chain).read_bytes())[0]
    except (OSError, ValueError) as error:
        return {"name": chain, "from": "file", "names": [], "ends": None, "trouble": [str(error)]}
    return {
        "name": chain,
        "from": "file",
        "names": sorted(names_of(certificate)),
        "ends": certificate.not_valid_after_utc.isoformat(),
        "trouble": [],
    }


def _shown(each: Shown) -> Document:
    held, tries = each.held, [failure.until for failure in each.failures.values()]
    return {
        "name": each.name,
        "from": "authority",
        "names": sorted(each.wanted) if held is None else sorted(held.names),
        "wanted": sorted(each.wanted),
        "ends": None if held is None else held.ends.isoformat(),
        "renewal": None if each.renewal is None else each.renewal.isoformat(timespec="seconds"),
        "key": each.digest,
        "next_key": each.next_digest,
        "trouble": [f"{name}: {failure.reason}" if name else failure.reason for name, failure in each.failures.items()],
        "next_try": max(tries).isoformat(timespec="seconds") if tries else None,
    }
