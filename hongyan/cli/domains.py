"""`domain`: which domains are served, what the DNS says of them, whether they are ready to send, and their keys."""

from __future__ import annotations

__all__ = ["app"]

from collections.abc import Mapping
from typing import Annotated

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, DryRun, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import console, moment_words, print_table, tell
from hongyan.cli.words import say, translate

app = group("domain", "Domains that are served, and their DNS records.")

_Domain = Annotated[str, about("The domain.")]
_Aspect = Annotated[str, about("One of spf, dkim, dmarc, mx and ptr.")]

_MARKS: Mapping[str, tuple[str, str]] = {
    "good": ("✓", "green"),
    "missing": ("✗", "red"),
    "different": ("✗", "red"),
    "unknown": ("?", "yellow"),
    "note": ("i", "blue"),
    "warning": ("!", "yellow"),
    "error": ("✗", "red"),
}


@command(app)
def add(domain: _Domain, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Serve a domain: make its DKIM keys, and print the DNS records that it wants."""
    return act(where, "domain.add", {"domain": domain, "dry_run": dry_run}, _print_added)


@command(app, "list")
def list_domains(*, where: Where = WHERE) -> int:
    """List the domains that are served, and whether each is ready to send."""
    return act(where, "domain.list", {}, _print_domains)


@command(app)
def remove(domain: _Domain, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Serve a domain no longer, once it has neither accounts nor aliases."""
    return act(where, "domain.remove", {"domain": domain, "dry_run": dry_run}, _print_removed)


@command(app)
def dns(
    domain: _Domain,
    /,
    *,
    zone: Annotated[bool, about("Print them as a zone file has them.", negative="", show_default=False)] = False,
    where: Where = WHERE,
) -> int:
    """Print the DNS records that a domain should have, each with the reason why."""
    return act(where, "domain.dns", {"domain": domain}, _print_zone if zone else _print_records)


@command(app)
def check(domain: _Domain, /, *, where: Where = WHERE) -> int:
    """Compare the DNS of a domain with what it should be, and say what to mend and whether it is ready to send."""
    return act(where, "domain.check", {"domain": domain}, _print_checked, judge=_judge_checked)


@command(app)
def tls(
    domain: Annotated[str | None, about("A domain that mail goes to; all that are known, if none is named.")] = None,
    /,
    *,
    forget: Annotated[
        bool, about("Forget it: the next message takes what is offered then.", negative="", show_default=False)
    ] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Show to how much TLS other domains are held when mail goes to them, or forget it."""
    if not forget:
        return act(where, "transport.list", {"domain": domain}, _print_security)
    if domain is None:
        raise UsageFault("Say which domain is to be forgotten.")
    return act(where, "transport.forget", {"domain": domain, "dry_run": dry_run}, _print_forgotten)


@command(app)
def waive(
    domain: _Domain,
    aspect: _Aspect,
    /,
    *,
    reason: Annotated[str, about("Why: it is kept and shown.")],
    where: Where = WHERE,
) -> int:
    """Let a domain count as ready to send without one of the things that should be right."""
    return act(where, "domain.waive", {"domain": domain, "aspect": aspect, "reason": reason}, _print_readiness)


@command(app)
def require(domain: _Domain, aspect: _Aspect, /, *, where: Where = WHERE) -> int:
    """Take back what was waived."""
    return act(where, "domain.require", {"domain": domain, "aspect": aspect}, _print_readiness)


@command(app)
def second_factor(
    domain: _Domain,
    /,
    *,
    required: Annotated[bool, about("Whether each account has to have one; --no-required: as its owner likes.")] = True,
    where: Where = WHERE,
) -> int:
    """Make two-step verification a duty in a domain: who has none sets it up on the web before anything else."""
    return act(where, "domain.second-factor", {"domain": domain, "required": required}, _print_second_factor)


@command(app)
def keys(domain: _Domain, /, *, where: Where = WHERE) -> int:
    """List the DKIM keys of a domain: which sign, which wait for their record, which have gone."""
    return act(where, "domain.keys", {"domain": domain}, _print_keys)


@command(app)
def rotate(domain: _Domain, /, *, where: Where = WHERE) -> int:
    """Make new DKIM keys now; they take over once every name server of the zone shows their records."""
    return act(where, "domain.rotate", {"domain": domain}, _print_rotated)


@command(app)
def publish(domain: _Domain, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Write the records that a domain wants into its zone, where the configuration allows it."""
    return act(
        where, "domain.publish", {"domain": domain, "dry_run": dry_run}, _print_published, judge=_judge_published
    )


def _print_second_factor(answer: Document) -> None:
    if answer["second_factor"]:
        tell(say("Each account of {domain} has to have a second factor now.", domain=answer["domain"]))
    else:
        tell(say("Accounts of {domain} may do without a second factor.", domain=answer["domain"]))


def _print_published(answer: Document) -> None:
    if "dry_run" in answer:
        tell(say("This would be done. Nothing was changed."))
    for word, mark in (("added", "+"), ("removed", "-")):
        for record in _list(answer, word):
            tell(f"{mark} {record['name']} {record['type']} {record['value']}")
    for record in _list(answer, "conflicts"):
        tell(
            say(
                "A foreign record stands in the way of {name} {type}: {found}. Remove it, or merge the two.",
                name=record["name"],
                type=record["type"],
                found=", ".join(texts(record["found"])),
            )
        )
    if not any(_list(answer, word) for word in ("added", "removed", "conflicts")):
        tell(say("There is nothing to do."))


def _judge_published(answer: Document) -> int:
    return DEGRADED if answer["conflicts"] else DONE


def _print_made(answer: Document) -> None:
    made = answer["made"]
    assert isinstance(made, Mapping)  # noqa: S101 - our own answer
    tell("; " + say("made {at} from configuration {configuration}", **made))


def _print_zone(answer: Document) -> None:
    _print_made(answer)
    print_records(answer)


def print_records(answer: Document) -> None:
    """Print records as a zone file has them, with their purposes."""
    for record in _list(answer, "records"):
        tell(f"; {translate(str(record['purpose']))} ({say(str(record['need']))})")
        tell(str(record["zone"]))


def _print_records(answer: Document) -> None:
    """Print records one by one, as the forms of DNS providers want them."""
    _print_made(answer)
    for record in _list(answer, "records"):
        tell("")
        console().print(f"{record['name']} {record['type']}", style="bold", end=" ", highlight=False, soft_wrap=True)
        tell(f"({say(str(record['need']))})")
        tell(f"    {record['value']}")
        tell(f"    {translate(str(record['purpose']))}")


def _print_added(answer: Document) -> None:
    if is_dry(answer):
        return
    tell(say("{domain} is served now. Its DNS wants these records:", domain=answer["domain"]))
    tell("")
    print_records(answer)
    tell("")
    tell(say("`hongyan domain check {domain}` says what is still missing.", domain=answer["domain"]))


def _print_domains(answer: Document) -> None:
    rows = [
        (
            domain["domain"],
            domain["unicode"],
            domain["catch_all"] or "",
            domain["separators"],
            _ready_words(domain),
        )
        for domain in _list(answer, "domains")
    ]
    print_table(
        ("domain", "in its own script", "catch-all", "separators", "ready to send"), rows, empty="No domain is served."
    )


def _ready_words(domain: Document) -> str:
    if domain["ready"] is None:
        return say("not looked at yet")
    return say("yes") if domain["ready"] else say("no: {missing}", missing=_upper(domain["missing"]))


def _print_removed(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{domain} is not served any more.", domain=answer["domain"]))


def _print_security(answer: Document) -> None:
    domains = answer["domains"]
    print_table(
        ("domain", "remembered", "last seen", "policy", "expires"),
        [_security(domain) for domain in (domains if isinstance(domains, list) else [])],
        empty="Nothing is remembered.",
    )


def _security(domain: Document) -> tuple[object, ...]:
    policy = domain["policy"]
    mode, expires = (policy["mode"], policy["expires_at"]) if isinstance(policy, Mapping) else ("", "")
    return (
        domain["domain"],
        _level(domain["level"]),
        moment_words(domain["seen_at"]),
        mode,
        moment_words(expires),
    )


def _level(level: object) -> str:
    match level:
        case "plain":
            return say("nothing yet")
        case "tls":
            return "TLS"
        case "verified":
            return say("TLS with a valid certificate")
    return ""


def _print_forgotten(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{domain} is forgotten.", domain=answer["domain"]))


def _judge_checked(answer: Document) -> int:
    return DEGRADED if answer["trouble"] else DONE


def _print_checked(answer: Document) -> None:
    print_findings(answer)
    amiss = [record for record in _list(answer, "records") if record["status"] in ("missing", "different")]
    if amiss:
        tell("")
        tell(say("Records that are not as wanted:"))
    for record in amiss:
        _print_amiss(record)
    tell("")
    _print_addresses(answer)
    tell("")
    _print_readiness(answer)
    for waiver in _list(answer, "waivers"):
        tell("    " + say("{aspect} was waived by {actor}: {reason}", **waiver))


def print_findings(answer: Document) -> None:
    """Print what was found, each with its remedy."""
    for finding in _list(answer, "findings"):
        _mark(str(finding["severity"]))
        tell(translate(str(finding["sentence"])))
        if finding["remedy"]:
            tell(f"    {translate(str(finding['remedy']))}")


def _print_amiss(record: Document) -> None:
    _mark(str(record["status"]))
    console().print(f"{record['name']} {record['type']}", end=" ", style="bold", highlight=False, soft_wrap=True)
    tell(f"({say(str(record['need']))})")
    tell(f"    {translate(str(record['remedy']))}")
    tell(f"    {say('wanted')}: {record['value']}")
    for value in texts(record["found"]):
        tell(f"    {say('found')}: {value}")


def _print_addresses(answer: Document) -> None:
    rows = [
        (
            say("our resolver") if seen["source"] == "own" else seen["source"],
            seen["type"],
            say("no answer") if seen["addresses"] is None else ", ".join(texts(seen["addresses"])),
            seen["ttl"] or "",
        )
        for seen in _list(answer, "addresses")
    ]
    print_table(("asked", "type", "addresses", "seconds"), rows)


def _print_readiness(answer: Document) -> None:
    if answer["ready"]:
        tell(say("{domain} is ready to send.", domain=answer["domain"]))
    else:
        tell(
            say(
                "{domain} is not ready to send: {missing} must be mended first.",
                domain=answer["domain"],
                missing=_upper(answer["missing"]),
            )
        )


def _print_keys(answer: Document) -> None:
    rows = [
        (key["selector"], key["kind"], say(str(key["state"])), moment_words(key["since"]))
        for key in _list(answer, "keys")
    ]
    print_table(("selector", "kind", "state", "since"), rows, empty="The domain has no DKIM key.")


def _print_rotated(answer: Document) -> None:
    if not answer["made"]:
        tell(say("There are keys that wait for their records already."))
    _print_keys(answer)
    tell("")
    tell(say("These records are wanted now:"))
    print_records(answer)


def _mark(word: str) -> None:
    mark, style = _MARKS[word]
    console().print(mark, style=style, end=" ")


def _upper(words: object) -> str:
    return ", ".join(word.upper() for word in texts(words))


def _list(answer: Document, name: str) -> list[Document]:
    found = answer[name]
    return list(found) if isinstance(found, list) else []
