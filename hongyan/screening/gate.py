"""The gate of port 25: what a stranger meets before any mail of his is looked at.

One `Gate` for the service, one `Visit` for each connection, asked at each stage: when it comes, at EHLO, at MAIL and
RCPT, for what it does wrong, when it goes. Each answer is a finding that refuses, or None. Facts are counted and
looked up here; what they mean is decided by pure code: `limits.smtp_rates`, `screening.helo`.

1. Who is banned for an offence is told so and sent away (554 in the greeting, RFC 5321 §3.1; 421 if it is known).
2. Who has brought no mail lately waits `greeting_delay` for our 220. Who speaks before it breaks RFC 5321 §4.3.1, as
   programs that only push mail out do: 554, and an offence.
3. A stranger who says EHLO with our own name or address is refused. Other oddities of a name refuse nobody; they make
   a visit suspicious, which greylisting asks for.
4. Who names recipients that do not exist, or sends what is no SMTP, waits longer and longer for each answer. At most
   `tarpitted` connections are held so at once; beyond, the offender is sent away instead.

Peers that are exempt (`smtp_rates.is_exempt`) have no visit at all.
"""

from __future__ import annotations

__all__ = ["Gate", "GateOptions", "Visit", "Welcome"]

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.limits.networks import network_of
from hongyan.limits.smtp_rates import Broken, SmtpRates
from hongyan.options import option
from hongyan.screening.helo import HeloFacts, judge_helo
from hongyan.screening.peers import KnownPeers
from hongyan.screening.verdict import Disposition, Finding
from hongyan.telemetry import metrics
from hongyan.wire.smtp.replies import Reply

_MAX_TO_COUNT = 10_000

log = telemetry.logger("gate")


@dataclass(frozen=True, slots=True)
class GateOptions:
    """The section `[gate]`."""

    enabled: bool = option(True, "Whether strangers are met with delays and checks of their manners.")
    greeting_delay: float = option(
        2.0, "How long a peer that brought no mail lately waits for the greeting; 0: not at all.", unit="s"
    )
    known_for: float = option(36.0, "How long a peer whose mail was taken is known, and greeted at once.", unit="hours")
    free_faults: int = option(3, "Refused recipients and commands of a stranger's connection that cost no time.")
    tarpit_delay: float = option(5.0, "How long the answer to each fault after them waits.", unit="s")
    tarpitted: int = option(500, "Connections that are held for their faults at once; beyond them they are closed.")
    refuse_own_name: bool = option(True, "Whether a stranger who greets with our name or address is refused.")

    def __post_init__(self) -> None:
        if not 0 <= self.greeting_delay <= 60 or not 0 <= self.tarpit_delay <= 60:
            raise ValueError("greeting_delay and tarpit_delay are between 0 and 60 seconds")
        if self.free_faults < 0 or self.tarpitted < 0 or self.known_for < 0:
            raise ValueError("free_faults, tarpitted and known_for are not negative")


@dataclass(frozen=True, slots=True)
class Welcome:
    """How a connection is met: refused, or greeted after so many seconds."""

    refusal: Finding | None = None
    delay: float = 0.0


class RecipientJudge(Protocol):
    """A check that is asked at RCPT: block lists, greylisting."""

    def begin(self, host: str) -> None:
        """A stranger has come: what takes time may be looked up from now on."""
        ...

    async def judge(self, visit: Visit, reverse_path: Address | None, recipient: Address) -> Finding | None:
        """Return a finding that refuses the recipient, or None."""
        ...


class Gate:
    """What all visits share."""

    def __init__(
        self,
        options: GateOptions,
        rates: SmtpRates,
        peers: KnownPeers,
        *,
        hostname: str,
        judges: Sequence[RecipientJudge] = (),
    ) -> None:
        self.options = options
        self.rates = rates
        self.peers = peers
        self.hostname = hostname.lower()
        self.judges = tuple(judges)
        self.tarpitted = 0
        self._to_count: deque[tuple[str, str]] = deque(maxlen=_MAX_TO_COUNT)

    def visit(self, host: str, local: str, cid: str) -> Visit | None:
        """Return what meets a connection from `host` to our address `local`; None for those that are exempt."""
        if not self.options.enabled or self.rates.is_exempt(host):
            return None
        return Visit(self, host, local, cid)

    def count_later(self, rule: str, host: str) -> None:
        """Count what a peer did that is gone already: nobody waits for it."""
        self._to_count.append((rule, host))

    async def settle(self) -> None:
        """Count what was left by those that are gone."""
        waiting, self._to_count = self._to_count, deque(maxlen=_MAX_TO_COUNT)
        for rule, host in waiting:
            await self.rates.take(rule, host)


class Visit:
    """One connection of a stranger."""

    __slots__ = (
        "_cid",
        "_faults",
        "_gate",
        "_held",
        "_is_judged",
        "_mail_taken",
        "_spoke_early",
        "host",
        "is_known",
        "local",
        "suspicion",
    )

    def __init__(self, gate: Gate, host: str, local: str, cid: str) -> None:
        self._gate = gate
        self._cid = cid
        self.host = host
        self.local = local
        self.is_known = False
        self.suspicion = 0.0
        """How odd the visitor is; above 0 its first contacts are greylisted, where that is on."""
        self._faults = 0
        self._held = False
        self._is_judged = False
        self._mail_taken = 0
        self._spoke_early = False

    # -- stage by stage

    async def connect(self) -> Welcome:
        """The connection is there and nothing was said."""
        gate = self._gate
        ban = gate.rates.find_ban(self.host)
        if ban is not None:
            # Others write through the same machine as whoever offended: their mail waits, and does not go back.
            is_known = await gate.peers.knows(network_of(self.host))
            return Welcome(self._refusal("banned", ban.rule, _banned(is_temporary=is_known)))
        await gate.settle()
        for rule, what in _AT_CONNECTING.items():
            broken = (
                await gate.rates.take(rule, self.host)
                if rule == "connections"
                else await gate.rates.look(rule, self.host)
            )
            if broken is not None:
                return Welcome(self._refusal("rate", rule, _wait(421, broken, what)))
        self.is_known = await gate.peers.knows(network_of(self.host))
        if self.is_known:
            return Welcome()
        for judge in gate.judges:
            judge.begin(self.host)
        return Welcome(delay=gate.options.greeting_delay)

    async def spoke_early(self, how: str = "spoke before the greeting") -> None:
        """Octets came before it was their turn; the wire has refused them, or thrown them away."""
        self._spoke_early = True
        self._note("early-talk", how)
        await self._gate.rates.take("early-talk", self.host)

    def hello(self, name: str) -> Finding | None:
        """The visitor has said what it is called."""
        gate = self._gate
        facts = HeloFacts(name=name.lower(), peer=self.host, own_name=gate.hostname, own_address=self.local)
        oddity = judge_helo(facts)
        self.suspicion = max(self.suspicion, oddity.score)
        if oddity.is_own and gate.options.refuse_own_name:
            return self._refusal("helo", oddity.reason, _OWN_NAME)
        return None

    async def mail(self) -> Finding | None:
        """A message is begun."""
        broken = await self._gate.rates.take("messages", self.host)
        return self._over(broken, "messages from your address")

    async def recipient(self, reverse_path: Address | None, recipient: Address | None) -> Finding | None:
        """A recipient is named; None is the bare postmaster, who can always be written to (RFC 5321 §4.5.1)."""
        broken = await self._gate.rates.take("recipients", self.host)
        if broken is not None:
            return self._over(broken, "recipients from your address")
        if recipient is None or recipient.local_part.lower() in _ALWAYS_REACHED:
            return None
        for judge in self._gate.judges:
            finding = await judge.judge(self, reverse_path, recipient)
            if finding is not None:
                self._count(finding)
                return finding
        self._is_judged = True
        return None

    async def unknown_recipient(self) -> Finding | None:
        """A recipient does not exist. A finding sends the visitor away."""
        return self._away(await self._gate.rates.take("dictionary", self.host), "unknown recipients")

    async def refused_command(self) -> Finding | None:
        """What was sent is no command, or is out of place. A finding sends the visitor away."""
        return self._away(await self._gate.rates.take("protocol", self.host), "errors")

    async def message(self, octets: int) -> Finding | None:
        """A message has come whole, and is about to be looked at."""
        return self._over(await self._gate.rates.take_octets(self.host, octets), "mail from your address")

    def taken(self) -> None:
        """A message was accepted. Its peer is known from now on, unless something about it was odd or not asked for."""
        self._mail_taken += 1
        if self._is_judged and not self.suspicion and not self._spoke_early and not self._faults:
            self._gate.peers.learn(network_of(self.host))

    def leave(self, *, handshake_failed: bool) -> None:
        """The connection is gone."""
        self.released()
        if handshake_failed:
            self._gate.count_later("handshakes", self.host)
        elif not self._mail_taken:
            self._gate.count_later("empty", self.host)

    # -- the tarpit

    def penalty(self) -> float | None:
        """Return how long the answer to one more fault is to wait; None: there is no room, end the visit."""
        options = self._gate.options
        self._faults += 1
        if self._faults <= options.free_faults or not options.tarpit_delay:
            return 0.0
        if not self._held:
            if self._gate.tarpitted >= options.tarpitted:
                self._note("tarpit-full", "held connections are many")
                return None
            self._held = True
            self._gate.tarpitted += 1
            metrics.smtpserver_tarpitted.set(self._gate.tarpitted)
        return options.tarpit_delay

    def released(self) -> None:
        """The connection is not held any more."""
        if self._held:
            self._held = False
            self._gate.tarpitted -= 1
            metrics.smtpserver_tarpitted.set(self._gate.tarpitted)

    # -- in words

    def _over(self, broken: Broken | None, what: str) -> Finding | None:
        return None if broken is None else self._refusal("rate", broken.rule.name, _wait(450, broken, what))

    def _away(self, broken: Broken | None, what: str) -> Finding | None:
        return None if broken is None else self._refusal("rate", broken.rule.name, _wait(421, broken, what))

    def _refusal(self, check: str, reason: str, reply: Reply) -> Finding:
        disposition = Disposition.DEFER if reply.is_transient else Disposition.REJECT
        finding = Finding(check=check, reason=reason, disposition=disposition, text=reply.text, reply=reply)
        self._count(finding)
        return finding

    def _count(self, finding: Finding) -> None:
        metrics.smtpserver_gate_total.labels(finding.check, finding.reason).inc()
        self._note(finding.check, finding.reason)

    def _note(self, event: str, reason: str) -> None:
        log.info(event, cid=self._cid, peer=self.host, reason=reason)


_AT_CONNECTING = {
    "connections": "connections from your network",
    "handshakes": "failed TLS handshakes with your address",
    "empty": "connections from your address that brought no mail",
}
_ALWAYS_REACHED = frozenset({"postmaster", "abuse"})  # RFC 5321 §4.5.1, RFC 2142 §4
_OWN_NAME = Reply(550, "5.7.1", ("That is the name or address of this server; say your own",))


def _banned(*, is_temporary: bool) -> Reply:
    if is_temporary:
        return Reply(421, "4.7.0", ("No mail is taken from your address for some time; see who sends through it",))
    return Reply(554, "5.7.1", ("No mail is taken from your address for some time; see who sends through it",))


def _wait(code: int, broken: Broken, what: str) -> Reply:
    return Reply(code, "4.7.0" if code == 421 else "4.7.1", (f"Too many {what}; try again in {broken.minutes}",))
