"""Judges what leads to the host and what it is known by: addresses, reverse DNS, MX, blocklists."""

from __future__ import annotations

__all__ = ["judge_blocklists", "judge_host", "judge_mx", "judge_reverse"]

from collections.abc import Iterator, Sequence

from hongyan.domains.dns_records import DomainFacts, Kind
from hongyan.domains.findings import Aspect, Finding, error, good, note, unknown, warning
from hongyan.domains.survey import Exchanger, Reverse, Survey

_RECORDS = "Add the record that `hongyan domain dns` prints."


def judge_host(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """The host's name leads to addresses that the world can reach."""
    hostname = facts.hostname
    seen = [survey.view.best(hostname, kind).values for kind in (Kind.A, Kind.AAAA)]
    if all(values is None for values in seen):
        yield unknown(Aspect.HOST, f"The addresses of {hostname} could not be looked up.")
    elif not any(seen):
        yield error(Aspect.HOST, f"The DNS knows no address of {hostname}.", "Add A and AAAA records for it.")
    else:
        private = [address for address in facts.addresses if not address.is_global]
        for address in private:
            yield warning(
                Aspect.HOST,
                f"{hostname} has the address {address}, which the world cannot reach.",
                "Give it the public address, and only that.",
            )
        if not private:
            yield good(Aspect.HOST, f"{hostname} has addresses.")


def judge_reverse(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """Each address has a name, that of HELO, which leads back (RFC 1912 §2.1): else many servers take no mail."""
    seen = [survey.view.best(facts.hostname, kind).values for kind in (Kind.A, Kind.AAAA)]
    if not survey.reverse and any(values is None for values in seen):
        yield unknown(Aspect.PTR, "It is not known which addresses mail leaves from.")
    elif not survey.reverse:
        yield error(
            Aspect.PTR, "It is not known which addresses mail leaves from.", "Add A and AAAA records of the host."
        )
    for reverse in survey.reverse:
        yield from _judge_address(facts.name_of(reverse.address), reverse)


def _judge_address(hostname: str, reverse: Reverse) -> Iterator[Finding]:
    address, names = reverse.address, reverse.names
    wanted = f"Have whoever gave you the address set its PTR record to {hostname}."
    if names is None:
        yield unknown(Aspect.PTR, f"The reverse DNS of {address} could not be looked up.")
    elif not names:
        yield error(Aspect.PTR, f"The reverse DNS of {address} says nothing.", wanted)
    elif hostname not in names:
        confirmed = [name for name in names if address in (reverse.forward.get(name) or ())]
        if confirmed:
            yield warning(Aspect.PTR, f"The reverse DNS of {address} says {confirmed[0]}, HELO {hostname}.", wanted)
        else:
            yield error(Aspect.PTR, f"The reverse DNS of {address} says {names[0]}.", wanted)
    elif address not in (reverse.forward.get(hostname) or (address,)):
        yield error(
            Aspect.PTR,
            f"{address} is called {hostname}, which does not lead back to it.",
            f"Add an address record of {hostname} with {address}.",
        )
    else:
        if len(names) > 1:
            yield note(Aspect.PTR, f"The reverse DNS of {address} gives {len(names)} names.", "Leave one.")
        yield good(Aspect.PTR, f"{address} is called {hostname}, and that leads back.")


def judge_mx(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """MX: names hosts, not aliases, and ours comes first (RFC 5321 §5.1, RFC 2181 §10.3)."""
    domain, exchangers = facts.domain.text, survey.exchangers
    if exchangers is None:
        yield unknown(Aspect.MX, f"The MX records of {domain} could not be looked up.")
    elif not exchangers:
        yield error(Aspect.MX, f"{domain} has no MX record.", _RECORDS)
    elif any(not exchanger.name for exchanger in exchangers):
        yield error(Aspect.MX, f"{domain} says by a null MX that it takes no mail.", "Replace the record.")
    else:
        for exchanger in exchangers:
            yield from _judge_exchanger(exchanger)
        yield _judge_order(facts, exchangers)


def _judge_exchanger(exchanger: Exchanger) -> Iterator[Finding]:
    if exchanger.is_alias:
        yield error(
            Aspect.MX,
            f"The mail exchanger {exchanger.name} is an alias (CNAME).",
            "Name the host itself in the MX record.",
        )
    if exchanger.addresses is None:
        yield unknown(Aspect.MX, f"The addresses of {exchanger.name} could not be looked up.")
    elif not exchanger.addresses:
        yield error(
            Aspect.MX, f"The mail exchanger {exchanger.name} has no address.", "Add one, or take it out of the records."
        )


def _judge_order(facts: DomainFacts, exchangers: Sequence[Exchanger]) -> Finding:
    domain, hostname = facts.domain.text, facts.hostname
    ours = [exchanger for exchanger in exchangers if _is_ours(facts, exchanger)]
    if not ours:
        return error(Aspect.MX, f"Mail for {domain} goes to another host: {exchangers[0].name}.", "Replace the record.")
    first = min(exchanger.preference for exchanger in exchangers)
    if min(exchanger.preference for exchanger in ours) > first:
        return warning(
            Aspect.MX, f"Another host comes before {hostname} in the MX records.", "Give this one the lowest number."
        )
    return good(Aspect.MX, f"Mail for {domain} is led here.")


def _is_ours(facts: DomainFacts, exchanger: Exchanger) -> bool:
    return exchanger.name == facts.hostname or bool(set(exchanger.addresses or ()) & set(facts.addresses))


def judge_blocklists(survey: Survey) -> Iterator[Finding]:
    """Addresses of ours that others publish as senders of spam."""
    for address, lists in survey.listings.items():
        for name in lists:
            yield error(
                Aspect.BLOCKLIST,
                f"{address} is listed by {name}.",
                "Find out what was sent, end it, and then ask the list to take the address out.",
            )
