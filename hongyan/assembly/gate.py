"""The gate of port 25, with what it counts by and remembers, and the checks of whole messages that go with it."""

from __future__ import annotations

__all__ = ["Gatehouse", "make_gatehouse"]

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from hongyan.addresses import Address
from hongyan.assembly.directory import Entrance
from hongyan.assembly.ground import Ground
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.engines.sql.correspondents import SqlCorrespondents
from hongyan.engines.sql.greylist import SqlGreylist
from hongyan.engines.sql.reputation import SqlReputation
from hongyan.limits.smtp_rates import SmtpRates
from hongyan.mailauth.resolver import Resolver
from hongyan.mailauth.spf import Inquiry, SpfStatus, check_mail_from
from hongyan.screening.dnsbl_service import DnsblCheck, DnsblJudge, Listings
from hongyan.screening.examined import MessageCheck
from hongyan.screening.gate import Gate, RecipientJudge
from hongyan.screening.greylist import Greylist, PassesSpf
from hongyan.screening.inflow import InflowCheck
from hongyan.screening.pardon import Pardoned
from hongyan.screening.peers import KnownPeers
from hongyan.screening.reputation import Reputation, ReputationCheck

_NEVER_PARDONED = "virus"
_SPF_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """What meets strangers, and what is remembered of them."""

    gate: Gate
    reputation: Reputation
    listings: Listings
    greylist: Greylist
    inflow: InflowCheck

    def with_checks(self, others: Sequence[MessageCheck]) -> Sequence[MessageCheck]:
        """Return everything that is asked with a whole message that comes in.

        What known good senders pass is left out for accounts that know them; a virus nobody passes.
        """
        lists = [DnsblCheck(self.listings)] if self.listings.options.lists else []
        strict = [check for check in others if check.name == _NEVER_PARDONED]
        lenient = [check for check in (*others, *lists) if check.name != _NEVER_PARDONED]
        pardoned = [Pardoned(check, self.reputation) for check in lenient]
        return [*strict, self.inflow, ReputationCheck(self.reputation), *pardoned]

    async def expire(self) -> int:
        """Forget what is old."""
        return await self.reputation.expire() + await self.greylist.expire()

    async def close(self) -> None:
        """Ask nobody any more."""
        await self.listings.close()


def make_gatehouse(ground: Ground, entrance: Entrance, resolver: Resolver) -> Gatehouse:
    """Make what meets strangers."""
    config, database = ground.config, ground.database
    own = [ip_network(address) for address in find_own_addresses()]
    rates = SmtpRates(config.smtp_rates, ground.engines.counters, entrance.bans, own, offences=ground.engines.offences)
    reputation = Reputation(config.reputation, SqlReputation(database), SqlCorrespondents(database), ground.clock)
    peers = KnownPeers(ground.clock, config.gate.known_for, reputation.has_good_name)
    listings = Listings(config.dnsbl, resolver, ground.clock)
    greylist = Greylist(config.greylist, SqlGreylist(database), ground.clock, _spf(ground, resolver))
    judges: list[RecipientJudge] = [DnsblJudge(listings)] if config.dnsbl.lists else []
    if config.greylist.enabled:
        judges.append(greylist)  # after the lists: a listing is what it asks for
    gate = Gate(config.gate, rates, peers, hostname=config.server.hostname, judges=judges)
    return Gatehouse(gate, reputation, listings, greylist, InflowCheck(rates))


def _spf(ground: Ground, resolver: Resolver) -> PassesSpf:
    async def passes(host: str, sender: Address) -> bool:
        deadline = ground.clock.monotonic() + _SPF_SECONDS
        inquiry = Inquiry(resolver=resolver, clock=ground.clock, deadline=deadline, explains=False)
        result = await check_mail_from(ip_address(host.partition("%")[0]), sender, "unknown", inquiry)
        return result.status is SpfStatus.PASS

    return passes
