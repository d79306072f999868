"""Asking DNS block lists: only about strangers, from the moment they come, and never for long.

The lists are asked while a stranger waits for the greeting; what they say is kept for half an hour. A listing makes a
visit suspicious; what it weighs decides with the message, and not for accounts that know the sender. What fails opens:
a list that does not answer in time has said nothing.
"""

from __future__ import annotations

__all__ = ["DnsblCheck", "DnsblJudge", "DnsblOptions", "Listings"]

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.clock import Clock
from hongyan.limits.networks import is_loopback
from hongyan.mailauth.resolver import DnsNotFound, DnsTemporary, IPAddress, Resolver
from hongyan.options import option
from hongyan.screening.dnsbl import BlockList, Health, Reading, judge_health, name_of, read_answer, tried_with
from hongyan.screening.examined import Examined
from hongyan.screening.gate import Visit
from hongyan.screening.verdict import Disposition, Finding
from hongyan.telemetry import metrics
from hongyan.wire.smtp.replies import Reply

log = telemetry.logger("dnsbl")

_MAX_KEPT = 20_000
_MAX_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DnsblOptions:
    """The section `[dnsbl]`. No list is asked unless it is named here."""

    lists: tuple[BlockList, ...] = option((), "The block lists that are asked about strangers.")
    refuse: float = option(2.0, "What the listings of an address have to weigh together for its mail to be refused.")
    junk: float = option(1.0, "What they have to weigh for its mail to be filed in Junk.")
    seconds: float = option(5.0, "How long the lists may take to answer.", unit="s")
    keep: float = option(1800.0, "How long their answers are kept.", unit="s")
    check_every: float = option(21_600.0, "How often each list is tried with what it has to list.", unit="s")

    def __post_init__(self) -> None:
        if not 0 < self.junk <= self.refuse:
            raise ValueError("refuse is at least junk, and junk more than 0")
        if not 0 < self.seconds <= 20 or self.keep < 60 or self.check_every < 60:
            raise ValueError("block lists have between 0 and 20 seconds, and answers are kept for a minute at least")


@dataclass(slots=True)
class _Trust:
    """What is known of a list."""

    health: Health | None = None
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Where an address is listed."""

    weight: float = 0.0
    zones: tuple[str, ...] = ()


@dataclass(slots=True)
class _Known:
    listing: Listing
    until: float


@dataclass
class Listings:
    """What the lists say, asked for and kept."""

    options: DnsblOptions
    resolver: Resolver
    clock: Clock
    _known: dict[str, _Known] = field(default_factory=dict)
    _asked: dict[str, asyncio.Task[Listing]] = field(default_factory=dict)
    _trust: dict[tuple[str, bool], _Trust] = field(default_factory=dict)

    def begin(self, host: str) -> None:
        """Ask about a host, unless it is known or asked about already, or too many are."""
        if not self.options.lists or is_loopback(host) or host in self._asked or len(self._asked) >= _MAX_AT_ONCE:
            return
        known = self._known.get(host)
        if known is not None and known.until > self.clock.monotonic():
            return
        task = asyncio.get_running_loop().create_task(self._ask_all(host))
        self._asked[host] = task
        task.add_done_callback(lambda done: self._settle(host, done))

    async def find(self, host: str) -> Listing:
        """Return where a host is listed, as far as it was asked for: nowhere, if the answer does not come in time."""
        task = self._asked.get(host)
        if task is not None:
            await asyncio.wait([task], timeout=self.options.seconds)
        known = self._known.get(host)
        return known.listing if known is not None and known.until > self.clock.monotonic() else Listing()

    async def close(self) -> None:
        """Ask no more."""
        for task in list(self._asked.values()):
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    def _settle(self, host: str, task: asyncio.Task[Listing]) -> None:
        del self._asked[host]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            metrics.panic_total.labels("dnsbl").inc()
            log.error("panic", error=error)
            return
        self._known.pop(host, None)
        self._known[host] = _Known(task.result(), self.clock.monotonic() + self.options.keep)
        if len(self._known) > _MAX_KEPT:
            del self._known[next(iter(self._known))]

    async def _ask_all(self, host: str) -> Listing:
        address = ip_address(host.partition("%")[0])
        tasks = [asyncio.create_task(self._is_listed(entry, address)) for entry in self.options.lists]
        done, late = await asyncio.wait(tasks, timeout=self.options.seconds)
        for task in late:
            task.cancel()
        listed = [
            entry
            for entry, task in zip(self.options.lists, tasks, strict=True)
            if task in done and task.exception() is None and task.result()
        ]
        return Listing(sum(entry.weight for entry in listed), tuple(entry.zone for entry in listed))

    async def _is_listed(self, entry: BlockList, address: IPAddress) -> bool:
        ipv6 = address.version == 6
        if (ipv6 and not entry.ipv6) or not await self._is_trusted(entry, ipv6=ipv6):
            return False
        try:
            reading = read_answer(entry, await self._ask(address, entry.zone))
        except DnsTemporary:
            return False
        if reading is Reading.UNUSABLE:
            self._note(entry, Health.REFUSES, ipv6=ipv6)
        return reading is Reading.LISTED

    async def _is_trusted(self, entry: BlockList, *, ipv6: bool) -> bool:
        trust = self._trust.get((entry.zone, ipv6))
        if trust is None or trust.until <= self.clock.monotonic():
            has_to, must_not = tried_with(ipv6=ipv6)
            try:
                health = judge_health(await self._ask(has_to, entry.zone), await self._ask(must_not, entry.zone))
            except DnsTemporary:
                return False  # Nobody knows; the next stranger asks again.
            trust = self._note(entry, health, ipv6=ipv6)
        return trust.health is Health.GOOD

    def _note(self, entry: BlockList, health: Health, *, ipv6: bool) -> _Trust:
        metrics.dnsbl_tried_total.labels(entry.zone, health.value).inc()
        if health is not Health.GOOD:
            log.warning("list-switched-off", zone=entry.zone, health=health.value, ipv6=ipv6)
        trust = _Trust(health, self.clock.monotonic() + self.options.check_every)
        self._trust[entry.zone, ipv6] = trust
        return trust

    async def _ask(self, address: IPAddress, zone: str) -> Sequence[IPAddress]:
        try:
            return (await self.resolver.addresses(name_of(address, zone), version=4)).records
        except DnsNotFound:
            return ()


class DnsblJudge:
    """`screening.gate.RecipientJudge`: begins to ask when a stranger comes; a listing makes the visit suspicious."""

    def __init__(self, listings: Listings) -> None:
        self._listings = listings

    def begin(self, host: str) -> None:
        self._listings.begin(host)

    async def judge(self, visit: Visit, reverse_path: Address | None, recipient: Address) -> Finding | None:  # noqa: ARG002
        if not visit.is_known:
            self._listings.begin(visit.host)  # again, if it stayed for longer than answers are kept
        listing = await self._listings.find(visit.host)
        visit.suspicion = max(visit.suspicion, listing.weight)
        return None


class DnsblCheck:
    """`screening.examined.MessageCheck`: what the listings weigh."""

    name = "dnsbl"

    def __init__(self, listings: Listings) -> None:
        self._listings = listings

    async def judge(self, message: Examined) -> Sequence[Finding]:
        listing = await self._listings.find(message.peer)
        options = self._listings.options
        if listing.weight < options.junk:
            return ()
        refused = listing.weight >= options.refuse
        zones = ", ".join(listing.zones)[:200]
        text = f"{message.peer} is listed by {zones}"
        return (
            Finding(
                check=self.name,
                reason="listed",
                disposition=Disposition.REJECT if refused else Disposition.JUNK,
                text=text,
                reply=Reply(550, "5.7.1", (f"Mail from your address is refused: {text}",)) if refused else None,
                score=listing.weight,
            ),
        )

    def overdue(self) -> Sequence[Finding]:
        return ()
