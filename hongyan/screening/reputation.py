"""Who is known, to an account: from what it did with the mail of a sender before. The decision is pure.

The closest history that is clear decides: the sender's address, then its domain, then the network that the mail comes
from. Addresses and domains count only where SPF or DKIM vouches for them; otherwise anybody could borrow a good name.
An account that wrote to a sender itself knows the sender. Whoever is in none of the histories is a first-timer:
neither good nor bad, and asked more questions (block lists, greylisting).

A domain whose users have nothing to do with each other has no history (`shared_domains`): at a mailbox provider only
addresses are known. So that those that are in no list do little harm, a domain of which the account has heard many
senders lends its good name to none that is new; its bad name stays.

| history of | good from | bad from |
|--|--|--|
| the address | 1 good, and 4 good for each bad | 2 bad, and 4 bad for each good |
| the domain | 3 good, the same | 4 bad, the same |
| the network | 5 good, the same | 8 bad, the same |

What decides is kept for 180 days after it was last noted. A known bad sender's mail is filed in Junk, and refused from
ten bad messages without a good one on. The store being away makes everybody a first-timer: it opens.
"""

from __future__ import annotations

__all__ = [
    "Opinion",
    "Reputation",
    "ReputationCheck",
    "ReputationOptions",
    "Sender",
    "Standing",
    "judge_sender",
    "sender_of",
]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from hongyan import telemetry
from hongyan.addresses import Address, AddressFault, Domain
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.limits.networks import is_loopback, network_of
from hongyan.mailauth.authentication import Authentication
from hongyan.options import option
from hongyan.screening.examined import Examined
from hongyan.screening.shared_domains import is_shared
from hongyan.screening.verdict import Disposition, Finding
from hongyan.store.correspondents import Correspondents, correspondent_key
from hongyan.store.reputation import History, Kind, ReputationStore, Subject
from hongyan.types import AccountId
from hongyan.wire.smtp import replies

log = telemetry.logger("reputation")

_NOTHING = History()
_THRESHOLDS = {Kind.ADDRESS: (1, 2), Kind.DOMAIN: (3, 4), Kind.NETWORK: (5, 8)}
_CLEAR = 4  # times as many of one kind as of the other
_REFUSED_FROM = 10
_GOOD_NAME = 2  # accounts that think well of a network


@dataclass(frozen=True, slots=True)
class ReputationOptions:
    """The section `[reputation]`."""

    enabled: bool = option(True, "Whether mail is judged by what its recipient did with the sender's mail before.")
    refuse: bool = option(True, "Whether mail of a sender with ten bad messages and no good one is refused, not filed.")
    shared_domains: tuple[str, ...] = option(
        (), "Domains beside those of the built-in list whose users have nothing to do with each other."
    )
    crowd: int = option(
        25, "Senders of a domain that an account has heard from which on the domain's good name is lent to no new one."
    )
    keep: float = option(180.0, "How long a history is kept after it was last noted.", unit="days")

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ValueError("a history is kept for a day at least")
        if self.crowd < 1:
            raise ValueError("crowd is at least one sender")
        for domain in self.shared_domains:
            try:
                Domain.parse(domain)
            except AddressFault as fault:
                raise ValueError(f"shared_domains: {domain!r} is no domain") from fault


class Standing(Enum):
    """What an account thinks of a sender."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A standing, and which history made it."""

    standing: Standing = Standing.UNKNOWN
    reason: str = "first-time"
    history: History = _NOTHING

    @property
    def is_personal(self) -> bool:
        """Whether it is about the sender, as somebody vouched for, and not about the network alone."""
        return self.reason != Kind.NETWORK.value


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose mail it is, as far as it is known: the address and the domains are vouched for, or not there."""

    address: Address | None = None
    domains: tuple[str, ...] = ()
    network: str = ""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What histories there may be, the closest first."""
        address = () if self.address is None else (Subject(Kind.ADDRESS, correspondent_key(self.address)),)
        domains = tuple(Subject(Kind.DOMAIN, domain) for domain in self.domains)
        return (*address, *domains, *((Subject(Kind.NETWORK, self.network),) if self.network else ()))


def sender_of(peer: str, reverse_path: Address | None, authentication: Authentication) -> Sender:
    """Return whose mail it is. Pure.

    The address is MAIL FROM if SPF passed for its domain or a signature of that domain holds.
    """
    vouched = tuple(dict.fromkeys((*authentication.signers, *filter(None, (authentication.spf_domain.lower(),)))))
    domain = "" if reverse_path is None else reverse_path.domain.text
    address = reverse_path if domain and domain in vouched else None
    return Sender(address, vouched[:_MAX_DOMAINS], "" if is_loopback(peer) else network_of(peer))


_MAX_DOMAINS = 4


def judge_sender(
    sender: Sender,
    histories: Mapping[Subject, History],
    *,
    is_correspondent: bool,
    crowds: Collection[str] = (),
) -> Opinion:
    """Return what an account thinks of a sender. Pure. `crowds` are domains that lend their good name to nobody."""
    for subject in sender.subjects:
        history = histories.get(subject, _NOTHING)
        least_good, least_bad = _THRESHOLDS[subject.kind]
        if history.bad >= least_bad and history.bad >= _CLEAR * history.good:
            return Opinion(Standing.BAD, subject.kind.value, history)
        if subject.kind is Kind.ADDRESS and is_correspondent:
            return Opinion(Standing.GOOD, "correspondent", history)
        is_lent = subject.kind is not Kind.DOMAIN or subject.name not in crowds
        if is_lent and history.good >= least_good and history.good >= _CLEAR * history.bad:
            return Opinion(Standing.GOOD, subject.kind.value, history)
    return Opinion()


class Reputation:
    """What accounts remember: noted by who sees what they do with their mail, asked by who judges new mail."""

    def __init__(
        self, options: ReputationOptions, store: ReputationStore, correspondents: Correspondents, clock: Clock
    ) -> None:
        self.options = options
        self._store = store
        self._correspondents = correspondents
        self._clock = clock
        self._shared = frozenset(Domain.parse(domain).text for domain in options.shared_domains)

    async def note(
        self, account: AccountId, sender: Address | None, domain: str | None, network: str | None, *, good: bool
    ) -> None:
        """Note what an account did with a message: kept or answered (good), or moved to Junk (bad).

        `sender` and `domain` are to be given only where SPF or DKIM vouched for them. Raises what the store raises.
        """
        known = Sender(sender, (domain.lower(),) if domain else (), network_of(network) if network else "")
        subjects = self._with_own_name(known).subjects
        if subjects:
            await self._store.note(account, subjects, self._clock.now(), good=good)

    async def opinion(self, account: AccountId, sender: Sender) -> Opinion:
        """Return what an account thinks of a sender; nothing, when the store is away."""
        if not self.options.enabled:
            return Opinion()
        sender = self._with_own_name(sender)
        try:
            histories = await self._store.find(account, sender.subjects)
            is_correspondent = False
            if sender.address is not None:
                found = await self._correspondents.find_correspondents(account, [sender.address])
                is_correspondent = any(one.written for one in found.values())
            opinion = judge_sender(sender, histories, is_correspondent=is_correspondent)
            if opinion.standing is not Standing.GOOD or opinion.reason != Kind.DOMAIN.value:
                return opinion
            crowds = [domain for domain in sender.domains if await self._is_crowd(account, domain)]
        except ServerFault as fault:
            log.warning("store-unreachable", cause=fault.cause)
            return Opinion()
        if not crowds:
            return opinion
        return judge_sender(sender, histories, is_correspondent=is_correspondent, crowds=crowds)

    def _with_own_name(self, sender: Sender) -> Sender:
        """Leave out domains that are used by many."""
        own = tuple(domain for domain in sender.domains if not is_shared(domain, self._shared))
        return sender if len(own) == len(sender.domains) else replace(sender, domains=own)

    async def _is_crowd(self, account: AccountId, domain: str) -> bool:
        most = self.options.crowd
        return await self._correspondents.count_senders(account, domain, most) >= most

    async def has_good_name(self, network: str) -> bool:
        """Whether several accounts think well of a network, and hardly any ill. Raises what the store raises."""
        if not self.options.enabled:
            return False
        history = await self._store.find_network(network)
        return history.good >= _GOOD_NAME and history.good >= _CLEAR * history.bad

    async def expire(self) -> int:
        """Forget what was not noted for long."""
        return await self._store.expire(self._clock.now() - timedelta(days=self.options.keep))


class ReputationCheck:
    """`screening.examined.MessageCheck`: known bad senders go to Junk, or away; known good ones are named as such."""

    name = "reputation"

    def __init__(self, reputation: Reputation) -> None:
        self._reputation = reputation

    async def judge(self, message: Examined) -> Sequence[Finding]:
        sender = sender_of(message.peer, message.reverse_path, message.authentication)
        found = []
        for account in message.accounts:
            opinion = await self._reputation.opinion(account, sender)
            if opinion.standing is not Standing.UNKNOWN:
                found.append(_finding(account, opinion, refuses=self._reputation.options.refuse))
        return found

    def overdue(self) -> Sequence[Finding]:
        return ()


def _finding(account: AccountId, opinion: Opinion, *, refuses: bool) -> Finding:
    history = opinion.history
    disposition = Disposition.ACCEPT
    if opinion.standing is Standing.BAD:
        is_hopeless = history.bad >= _REFUSED_FROM and not history.good
        disposition = Disposition.REJECT if refuses and is_hopeless else Disposition.JUNK
    return Finding(
        check="reputation",
        reason=f"{opinion.standing.value}-{opinion.reason}",
        disposition=disposition,
        text=f"known by its {opinion.reason}: {history.good} good, {history.bad} bad",
        reply=replies.RECIPIENT_REFUSES if disposition.is_refusal else None,
        account=account,
        score=float(history.bad - history.good),
    )
