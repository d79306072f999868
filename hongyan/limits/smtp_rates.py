"""How much another server may bring to port 25, in numbers that are published (docs/abuse-limits.md).

Each rule counts twice: for the address (an IPv4 address, an IPv6 /64), and with a wider limit for the network around it
(an IPv4 /24, an IPv6 /48), so that neither one machine nor a rented range of them is without bounds. The rule for
accounts counts for the account that gets the mail, whoever brings it. All windows slide.

A rule that marks an offence bans: who breaks it is refused for `ban` seconds at least, on port 25 alone at first, and
whoever goes on trying is not let in at all (`bans`). Loopback, this machine's own addresses and the networks in
`exempt` are never counted.

When the counters cannot be reached a rule either opens (lets pass) or closes (refuses until they are back), as it
says of itself: what only spreads load opens; the rule that keeps names from being guessed closes.
"""

from __future__ import annotations

__all__ = ["ACCOUNT_RULE", "OFFENCES", "Broken", "SmtpRateOptions", "SmtpRates", "SmtpRule", "rules_of"]

import math
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from hongyan import telemetry
from hongyan.errors import Unavailable
from hongyan.limits.bans import Ban, Bans
from hongyan.limits.networks import is_loopback, is_within, network_of, parse_networks, wide_network_of
from hongyan.options import option
from hongyan.store.counters import Counters

log = telemetry.logger("limits")

_MINUTE = 60.0
_HOUR = 3600.0
_AWAY = 60.0  # seconds that who is refused for want of counters is told to wait
_STEP = 256 << 10  # octets that one slot of the rule for octets stands for


@dataclass(frozen=True, slots=True)
class SmtpRateOptions:
    """The section `[smtp_rates]`: for one address or IPv6 /64; `wide` is how many times as much a network may."""

    enabled: bool = option(True, "Whether port 25 counts what other servers bring; off is for load tests.")
    wide: int = option(5, "How many times the numbers below hold for an IPv4 /24 or an IPv6 /48 together.")
    messages: int = option(6000, "Messages from one address or IPv6 /64.", unit="per hour")
    recipients: int = option(20_000, "Recipients named by one address or IPv6 /64.", unit="per hour")
    megabytes: int = option(
        4096, "What one address or IPv6 /64 brings, counted in steps of 256 KiB.", unit="MiB per hour"
    )
    unknown_recipients: int = option(
        50, "Recipients that do not exist, named by one address or IPv6 /64; beyond them it is banned.", unit="per hour"
    )
    refused_commands: int = option(
        100,
        "Commands that are none or out of place, from one address or IPv6 /64; beyond them it is banned.",
        unit="per hour",
    )
    failed_handshakes: int = option(60, "TLS handshakes that failed, with one address or IPv6 /64.", unit="per hour")
    early_talks: int = option(
        5,
        "Connections on which one address or IPv6 /64 spoke before it was its turn; beyond them it is banned.",
        unit="per hour",
    )
    empty_sessions: int = option(
        600, "Connections of one address or IPv6 /64 that ended without a message.", unit="per hour"
    )
    connections: int = option(
        1500,
        "New connections from an IPv4 /24 or an IPv6 /48; those of an address are in [admission].",
        unit="per minute",
    )
    account_messages: int = option(1000, "Messages for one of our accounts, whoever brings them.", unit="per hour")
    ban: float = option(3600.0, "How long a ban for an offence lasts at least.", unit="s")
    exempt_own: bool = option(True, "Whether loopback and this machine's own addresses are exempt.")
    exempt: tuple[str, ...] = option((), "Networks that are exempt, such as that of a backup mail server.")

    def __post_init__(self) -> None:
        numbers = (
            self.wide,
            self.messages,
            self.recipients,
            self.megabytes,
            self.unknown_recipients,
            self.refused_commands,
            self.failed_handshakes,
            self.early_talks,
            self.empty_sessions,
            self.connections,
            self.account_messages,
        )
        if min(numbers) < 1 or not 1 <= self.ban <= 30 * 86400:
            raise ValueError("rates of port 25 are at least one, and a ban lasts between a second and 30 days")
        parse_networks(self.exempt)


@dataclass(frozen=True, slots=True)
class SmtpRule:
    """One rule: so many within a period, for an address (0: not counted) and for the network around it."""

    name: str
    limit: int
    wide: int
    period: float
    what: str
    """What is counted, as the sentence about a ban has it."""
    bans: bool = False
    closes: bool = False
    """Whether it refuses while the counters cannot be reached."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that was broken, and in how many seconds it would hold again."""

    rule: SmtpRule
    seconds: float

    @property
    def minutes(self) -> str:
        """The time to wait, in words."""
        minutes = max(math.ceil(self.seconds / _MINUTE), 1)
        return "1 minute" if minutes == 1 else f"{minutes} minutes"


ACCOUNT_RULE = "account"
OFFENCES = frozenset({"dictionary", "protocol", "early-talk"})
"""The rules whose bans port 25 obeys from the first connection on."""


def rules_of(options: SmtpRateOptions) -> dict[str, SmtpRule]:
    """Return the rules by name, with the numbers that hold."""
    wide = options.wide
    steps = options.megabytes * (1 << 20) // _STEP
    rules = (
        SmtpRule("connections", 0, options.connections, _MINUTE, "connections"),
        SmtpRule("messages", options.messages, options.messages * wide, _HOUR, "messages"),
        SmtpRule("recipients", options.recipients, options.recipients * wide, _HOUR, "recipients"),
        SmtpRule("octets", steps, steps * wide, _HOUR, "octets"),
        SmtpRule("handshakes", options.failed_handshakes, options.failed_handshakes * wide, _HOUR, "failed handshakes"),
        SmtpRule("empty", options.empty_sessions, options.empty_sessions * wide, _HOUR, "connections without mail"),
        SmtpRule(
            "dictionary",
            options.unknown_recipients,
            options.unknown_recipients * wide,
            _HOUR,
            "unknown recipients",
            bans=True,
            closes=True,
        ),
        SmtpRule(
            "protocol", options.refused_commands, options.refused_commands * wide, _HOUR, "refused commands", bans=True
        ),
        SmtpRule(
            "early-talk",
            options.early_talks,
            options.early_talks * wide,
            _HOUR,
            "connections that spoke first",
            bans=True,
        ),
        SmtpRule(ACCOUNT_RULE, options.account_messages, 0, _HOUR, "messages for one account"),
    )
    return {rule.name: rule for rule in rules}


class SmtpRates:
    """Counts, and says when a rule is broken."""

    def __init__(
        self,
        options: SmtpRateOptions,
        counters: Counters,
        bans: Bans,
        own: Iterable[IPv4Network | IPv6Network] = (),
        *,
        offences: Counters | None = None,
    ) -> None:
        """`own` are this machine's addresses; `offences` are the windows of the rules that ban, if those are others."""
        self._options = options
        self._counters = counters
        self._offences = offences or counters
        self._bans = bans
        self._rules = rules_of(options)
        self._exempt = (*parse_networks(options.exempt), *(own if options.exempt_own else ()))

    def is_exempt(self, host: str) -> bool:
        """Whether the peer is one of ours, or of those that the operator named."""
        return (self._options.exempt_own and is_loopback(host)) or is_within(host, self._exempt)

    def find_ban(self, host: str) -> Ban | None:
        """Return the ban by which the peer is refused on port 25. It counts as one more try."""
        return self._bans.meet(host, OFFENCES)

    async def take(self, name: str, host: str, amount: int = 1) -> Broken | None:
        """Count something that a peer did; return the rule if it is one too many."""
        if not self._options.enabled:
            return None
        rule = self._rules[name]
        try:
            for network, limit in ((network_of(host), rule.limit), (wide_network_of(host), rule.wide)):
                if limit and (
                    seconds := await self._windows(rule).take(f"{network} smtp-{name}", limit, rule.period, amount)
                ):
                    return self._break(rule, network, limit, seconds)
        except Unavailable as fault:
            return self._without_counters(rule, fault)
        return None

    async def look(self, name: str, host: str) -> Broken | None:
        """Return the rule if its windows are full; nothing is counted."""
        if not self._options.enabled:
            return None
        rule = self._rules[name]
        try:
            for network, limit in ((network_of(host), rule.limit), (wide_network_of(host), rule.wide)):
                if limit and await self._windows(rule).count(f"{network} smtp-{name}", rule.period) >= limit:
                    return Broken(rule, rule.period)
        except Unavailable as fault:
            return self._without_counters(rule, fault)
        return None

    async def take_octets(self, host: str, octets: int) -> Broken | None:
        """Count what a message weighs."""
        return await self.take("octets", host, max(1, -(-octets // _STEP)))

    async def take_account(self, account: int) -> Broken | None:
        """Count a message for one of our accounts."""
        if not self._options.enabled:
            return None
        rule = self._rules[ACCOUNT_RULE]
        try:
            seconds = await self._counters.take(f"account-{account} smtp", rule.limit, rule.period)
        except Unavailable as fault:
            return self._without_counters(rule, fault)
        return Broken(rule, seconds) if seconds else None

    def _windows(self, rule: SmtpRule) -> Counters:
        return self._offences if rule.bans else self._counters

    def _break(self, rule: SmtpRule, network: str, limit: int, seconds: float) -> Broken:
        if rule.bans:
            seconds = max(seconds, self._options.ban)
            self._bans.note(network, "", rule.name, f"{limit} {rule.what} within an hour", seconds)
        else:
            log.info("over-rate", rule=rule.name, network=network, seconds=round(seconds))
        return Broken(rule, seconds)

    def _without_counters(self, rule: SmtpRule, fault: Unavailable) -> Broken | None:
        log.warning("counters-unreachable", rule=rule.name, cause=fault.cause)
        return Broken(rule, _AWAY) if rule.closes else None
