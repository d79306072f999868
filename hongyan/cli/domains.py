"""`domain`: which domains are served, and what the DNS says of them."""

from __future__ import annotations

__all__ = ["app"]

from collections.abc import Mapping
from typing import Annotated

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import console, print_table, tell
from hongyan.cli.words import say, translate

app = group("domain", "Domains that are served, and their DNS records.")

_Domain = Annotated[str, about("The domain.")]

_MARKS: Mapping[str, tuple[str, str]] = {
    "good": ("✓", "green"),
    "missing": ("✗", "red"),
    "different": ("✗", "red"),
    "unknown": ("?", "yellow"),
}


@command(app)
def add(domain: _Domain, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Serve a domain: make its DKIM keys, and print the DNS records that it wants."""
    return act(where, "domain.add", {"domain": domain, "dry_run": dry_run}, _print_added)


@command(app, "list")
def list_domains(*, where: Where = WHERE) -> int:
    """List the domains that are served."""
    return act(where, "domain.list", {}, _print_domains)


@command(app)
def remove(domain: _Domain, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Serve a domain no longer, once it has neither accounts nor aliases."""
    return act(where, "domain.remove", {"domain": domain, "dry_run": dry_run}, _print_removed)


@command(app)
def dns(domain: _Domain, /, *, where: Where = WHERE) -> int:
    """Print the DNS records that a domain should have, as a zone file has them."""
    return act(where, "domain.dns", {"domain": domain}, _print_zone)


@command(app)
def check(domain: _Domain, /, *, where: Where = WHERE) -> int:
    """Compare the DNS records that a domain should have with those that it has."""
    return act(where, "domain.check", {"domain": domain}, _print_checked, judge=_judge_checked)


def _print_zone(answer: Document) -> None:
    made = answer["made"]
    assert isinstance(made, Mapping)  # noqa: S101 - our own answer
    tell("; " + say("made {at} from configuration {configuration}", **made))
    print_records(answer)


def print_records(answer: Document) -> None:
    """Print records with their purposes."""
    for record in _records(answer):
        tell(f"; {translate(str(record['purpose']))} ({say(str(record['need']))})")
        tell(str(record["zone"]))


def _print_added(answer: Document) -> None:
    if is_dry(answer):
        return
    tell(say("{domain} is served now. Its DNS wants these records:", domain=answer["domain"]))
    tell("")
    print_records(answer)
    tell("")
    tell(say("`hongyan domain check {domain}` says what is still missing.", domain=answer["domain"]))


def _print_domains(answer: Document) -> None:
    domains = answer["domains"]
    rows = [
        (domain["domain"], domain["unicode"], domain["catch_all"] or "", domain["separators"])
        for domain in (domains if isinstance(domains, list) else [])
    ]
    print_table(("domain", "in its own script", "catch-all", "separators"), rows, empty="No domain is served.")


def _print_removed(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{domain} is not served any more.", domain=answer["domain"]))


def _judge_checked(answer: Document) -> int:
    return DEGRADED if answer["trouble"] else DONE


def _print_checked(answer: Document) -> None:
    for record in _records(answer):
        mark, style = _MARKS[str(record["status"])]
        lines = console()
        lines.print(mark, style=style, end=" ")
        lines.print(f"{record['name']} {record['type']}", end=" ", style="bold", highlight=False)
        lines.print(f"({say(str(record['need']))})", highlight=False)
        if record["status"] != "good":
            tell(f"    {translate(str(record['remedy']))}")
            tell(f"    {say('wanted')}: {record['value']}")
            for value in texts(record["found"]):
                tell(f"    {say('found')}: {value}")


def _records(answer: Document) -> list[Document]:
    records = answer["records"]
    return list(records) if isinstance(records, list) else []
