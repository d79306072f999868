"""SPF records at work: what matches a client, where redirect= leads, what exp= explains (RFC 7208 §4.6, §5, §6)."""

from __future__ import annotations

__all__ = ["MAX_EXPLANATION", "Evaluation", "Found"]

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

from hongyan.mailauth.resolver import IPAddress
from hongyan.mailauth.spf_macros import MacroFault, MacroString, parse_macro_string
from hongyan.mailauth.spf_questions import Inquiry, Questions, SpfEnded
from hongyan.mailauth.spf_record import (
    MAX_RECORD,
    A,
    All,
    Exists,
    Include,
    Mechanism,
    Mx,
    Network,
    Ptr,
    SpfStatus,
    printable,
)

MAX_EXPLANATION: Final = 400
"""Characters of an explanation that are kept: it has to fit into a reply of 512 octets (RFC 5321 §4.5.3.1.5)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a record came to, and whose it was: redirect= leads to another domain."""

    status: SpfStatus
    domain: str
    mechanism: str = ""
    explanation: MacroString | None = None


class Evaluation:
    """One check of one client."""

    __slots__ = ("_address", "_inquiry", "_number", "_values", "_version", "questions")

    def __init__(self, address: IPAddress, sender: str, helo: str, inquiry: Inquiry) -> None:
        self._address = address
        self._number = int(address)
        self._version = address.version
        self._inquiry = inquiry
        self._values = _macro_values(address, sender, helo)
        self.questions = Questions(address, inquiry)

    async def evaluate(self, domain: str) -> Found:
        """Return what the record of a domain says: the first mechanism that matches decides (RFC 7208 §4.6.2)."""
        record = await self.questions.record(domain)
        if record is None:
            return Found(SpfStatus.NONE, domain)
        for directive in record.directives:
            if await self._matches(directive.mechanism, domain):
                return Found(directive.status, domain, printable(directive.text), record.explanation)
        if record.redirect is None:
            return Found(SpfStatus.NEUTRAL, domain)  # RFC 7208 §4.7
        # RFC 7208 §6.1: as if the other domain had been asked for, its exp= included.
        return await self._evaluate_other("redirect=", record.redirect, domain)

    async def _evaluate_other(self, term: str, target: MacroString, domain: str) -> Found:
        self.questions.count_term(domain)
        name = await self._name(target, domain)
        found = await self.evaluate(name) if name else None
        if found is None or found.status is SpfStatus.NONE:
            # RFC 7208 §5.2, §6.1: a record that is counted on has to be there.
            missing = printable(f"{term}{name or '?'}")
            raise SpfEnded(SpfStatus.PERMERROR, f"{printable(domain)} counts on a record that is not there, {missing}")
        return found

    async def _matches(self, mechanism: Mechanism, domain: str) -> bool:
        match mechanism:
            case Network():
                return mechanism.version == self._version and mechanism.prefix == self._number >> mechanism.ignored
            case All():
                return True
            case Include(target):
                return (await self._evaluate_other("include:", target, domain)).status is SpfStatus.PASS
            case A() | Mx() | Ptr() | Exists():
                self.questions.count_term(domain)
                name = await self._name(mechanism.target, domain)
                # RFC 7208 §4.8: a name that cannot be is nobody's.
                return name is not None and await self._matches_name(mechanism, name)
            case _:
                assert_never(mechanism)

    async def _matches_name(self, mechanism: A | Mx | Ptr | Exists, name: str) -> bool:
        match mechanism:
            case A(_, prefix4, prefix6):
                return self._is_any_within(await self.questions.addresses(name), prefix4, prefix6)
            case Mx(_, prefix4, prefix6):
                is_within = partial(self._is_any_within, prefix4=prefix4, prefix6=prefix6)
                return await self.questions.has_exchanger(name, is_within)
            case Ptr():
                return await self.questions.has_pointer_within(name)
            case Exists():
                return bool(await self.questions.addresses(name, version=4))  # IPv4 for all (RFC 7208 §5.7)
            case _:
                assert_never(mechanism)

    def _is_any_within(self, addresses: Iterable[IPAddress], prefix4: int, prefix6: int) -> bool:
        """Whether the client is in the network of any of these addresses, which are of its own version."""
        ignored = 32 - prefix4 if self._version == 4 else 128 - prefix6
        wanted = self._number >> ignored
        return any(int(address) >> ignored == wanted for address in addresses)

    async def explain(self, found: Found) -> str:
        """Return the domain's explanation, or nothing: what is wrong with it changes no result (RFC 7208 §6.2)."""
        if found.explanation is None:
            return ""
        try:
            return await self._explanation(found.explanation, found.domain)
        except (SpfEnded, MacroFault, UnicodeDecodeError):
            return ""

    async def _explanation(self, target: MacroString, domain: str) -> str:
        name = await self._name(target, domain, is_term=False)
        records = await self.questions.texts(name) if name else ()
        if len(records) != 1 or len(records[0]) > MAX_RECORD:
            return ""
        text = parse_macro_string(records[0].decode("ascii"), is_explanation=True)
        facts = await self._facts(text.letters, domain)
        now = str(int(self._inquiry.clock.timestamp()))
        facts |= {"c": str(self._address), "r": self._inquiry.receiver, "t": now}
        explanation = text.expand(facts, MAX_EXPLANATION)
        return explanation if explanation.isascii() and explanation.isprintable() else ""

    async def _name(self, target: MacroString | None, domain: str, *, is_term: bool = True) -> str | None:
        """Return the target-name of a term (RFC 7208 §4.8), or None where there can be no such name."""
        if target is None:
            return domain
        letters = target.letters
        if not letters:
            return target.expand_name({})
        if letters & {"s", "l"} and not self._values["l"].isascii():
            return None  # RFC 8616 §4
        if is_term and "p" in letters and not self.questions.knows_pointers:
            self.questions.count_term(domain)  # RFC 7208 §4.6.4: it asks as a ptr term does.
        return target.expand_name(await self._facts(letters, domain))

    async def _facts(self, letters: frozenset[str], domain: str) -> dict[str, str]:
        facts = {**self._values, "d": domain}
        if "p" in letters:
            facts["p"] = await self.questions.client_name(domain)
        return facts


def _macro_values(address: IPAddress, sender: str, helo: str) -> dict[str, str]:
    """Return what macros stand for, but for those that change or have to be asked for (RFC 7208 §7.2, §7.3)."""
    local_part, _, host = sender.rpartition("@")
    local_part = local_part or "postmaster"  # RFC 7208 §4.3
    is_v6 = address.version == 6
    return {
        "s": f"{local_part}@{host}",
        "l": local_part,
        "o": host,
        "i": ".".join(address.exploded.replace(":", "")) if is_v6 else str(address),
        "v": "ip6" if is_v6 else "in-addr",
        "h": helo,
    }
