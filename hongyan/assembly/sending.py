"""What accounts may send: the counts, the quotas, and the holds of accounts that look stolen."""

from __future__ import annotations

__all__ = ["Sending", "make_sending"]

from dataclasses import dataclass

from hongyan.assembly.directory import Directory, Entrance
from hongyan.assembly.ground import Ground
from hongyan.assembly.outgoing import Outgoing
from hongyan.clock import Clock
from hongyan.engines.sql.correspondents import SqlCorrespondents
from hongyan.engines.sql.sending import SqlSending
from hongyan.limits.sending import SendingOptions
from hongyan.store.correspondents import CorrespondentStore
from hongyan.store.sending import SendingStore
from hongyan.submission.allowance import Allowance
from hongyan.submission.evidence import Evidence
from hongyan.submission.holds import Holds


@dataclass(frozen=True, slots=True)
class Sending:
    """What counts, lets out and holds back."""

    store: SendingStore
    correspondents: CorrespondentStore
    allowance: Allowance
    holds: Holds
    evidence: Evidence
    options: SendingOptions
    clock: Clock

    async def expire(self) -> int:
        """Drop counts that are over, and the correspondents that are too many."""
        dropped = await self.store.expire(self.clock.now())
        return dropped + await self.correspondents.forget_oldest(self.options.correspondents)


def make_sending(ground: Ground, directory: Directory, entrance: Entrance, outgoing: Outgoing) -> Sending:
    """Make what judges submissions."""
    options = ground.config.sending
    store = SqlSending(ground.database)
    holds = Holds(
        store,
        outgoing.acts,
        directory.accounts,
        directory.aliases,
        outgoing.queue,
        directory.audit,
        ground.clock,
        ground.random,
        options,
        hostname=ground.config.server.hostname,
        wake=outgoing.worker.wake,
    )
    allowance = Allowance(store, directory.domains, holds, ground.clock, options)
    evidence = Evidence(store, holds, entrance.locator, ground.clock, options)
    outgoing.ends.add(evidence)
    entrance.logins.listen(evidence.note_login)
    correspondents = SqlCorrespondents(ground.database)
    return Sending(store, correspondents, allowance, holds, evidence, options, ground.clock)
