"""`quickstart`: from a fresh machine to a service that can be started, with the DNS records that it needs."""

from __future__ import annotations

__all__ = ["quickstart"]

import asyncio
import pwd
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from hongyan.addresses import Address, Domain
from hongyan.cli.acting import show_progress
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, FAILED, DryRun, about
from hongyan.cli.domains import print_records
from hongyan.cli.fault import UsageFault
from hongyan.cli.local import open_local
from hongyan.cli.screen import console, print_json, print_lines, tell
from hongyan.cli.words import language, say, translate
from hongyan.clients.dns_query import DnsOptions
from hongyan.clients.resolver import DnsResolver
from hongyan.clock import SystemClock
from hongyan.quickstart.checks import Finding, Machine, Status, check_machine
from hongyan.quickstart.files import Plan, write_files

_MARKS: Mapping[Status, tuple[str, str]] = {
    Status.GOOD: ("✓", "green"),
    Status.DOUBTFUL: ("!", "yellow"),
    Status.BAD: ("✗", "red"),
}


def quickstart(
    address: Annotated[str, about("The first account, an admin's: you@your.domain.")],
    /,
    *,
    hostname: Annotated[str | None, about("The name of this host; else its own, or mail.your.domain.")] = None,
    folder: Annotated[Path, about("Where configuration, certificate and unit are written.")] = Path("/etc/hongyan"),
    data: Annotated[Path, about("Where mail is kept.")] = Path("/var/lib/hongyan"),
    user: Annotated[str, about("The user that the service runs as.")] = "hongyan",
    request: Annotated[
        bool, about("Make a request for a certificate too, for a public authority.", negative="")
    ] = False,
    resolver: Annotated[str | None, about("HOST:PORT of the DNS server to ask.")] = None,
    anyway: Annotated[bool, about("Go on, whatever the checks find.", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    json: Annotated[bool, about("Answer with one JSON document.", negative="", show_default=False)] = False,
) -> int:
    """Look whether this machine is fit for mail, write all that a service needs, and print its DNS records."""
    first = Address.parse(address)
    if first.domain.is_literal:
        raise UsageFault("An address is no domain to serve.")
    plan = Plan(first, _hostname(hostname, first.domain), folder.absolute(), data.absolute(), user, request)
    with show_progress(quiet=json):
        findings = asyncio.run(_check(plan, resolver))
    if not json:
        _print_findings(findings)
    worst = {finding.status for finding in findings}
    if dry_run or (Status.BAD in worst and not anyway):
        return _stop(findings, dry_run=dry_run, as_json=json)
    answer = _make(plan)
    if json:
        print_json({"checks": list(map(_as_json, findings)), **answer})
    else:
        _print_made(plan, answer)
    return DONE if worst == {Status.GOOD} else DEGRADED


def _hostname(given: str | None, domain: Domain) -> str:
    """Return the host's name: the one given, the machine's own if it is one in the DNS, or a guess."""
    if given is not None:
        return Domain.parse(given).text
    own = socket.getfqdn().lower().rstrip(".")
    return own if own.endswith(f".{domain.text}") else f"mail.{domain.text}"


async def _check(plan: Plan, resolver: str | None) -> Sequence[Finding]:
    options = DnsOptions(servers=(resolver,) if resolver else ())
    return await check_machine(Machine(plan.hostname, DnsResolver(options, SystemClock())))


def _make(plan: Plan) -> Document:
    """Write the files, and make the domain and the account."""
    written = write_files(plan, SystemClock())
    with open_local(plan.config, None) as service:
        domain = plan.address.domain.text
        records = service.call("domain.add", {"domain": domain}, _quiet)["records"]
        parameters = {"address": str(plan.address), "admin": True, "generate": True, "locale": language()}
        account = service.call("account.add", parameters, _quiet)
    _give_to_user(plan)
    return {"files": list(map(str, written)), "records": records, "account": account}


def _quiet(done: int, total: int) -> None:
    pass


def _give_to_user(plan: Plan) -> None:
    """Let the service's user have what it works with, if there is that user and we may give."""
    try:
        owner = pwd.getpwnam(plan.user)
    except KeyError:
        return
    for top in (plan.data, plan.tls):
        for path in (top, *top.rglob("*")):
            try:
                shutil.chown(path, owner.pw_uid, owner.pw_gid)
            except PermissionError:
                return


def _stop(findings: Sequence[Finding], *, dry_run: bool, as_json: bool) -> int:
    bad = any(finding.status is Status.BAD for finding in findings)
    if as_json:
        print_json({"checks": list(map(_as_json, findings)), **({"dry_run": True} if dry_run else {})})
    elif bad:
        tell(say("Nothing was written. Mend this first, or say --anyway."))
    else:
        tell(say("It could be done. Nothing was changed."))
    return FAILED if bad else DONE


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        mark, style = _MARKS[finding.status]
        console().print(mark, style=style, end=" ")
        tell(translate(finding.sentence))
        if finding.remedy:
            tell(f"    {translate(finding.remedy)}")
    tell("")


def _print_made(plan: Plan, answer: Document) -> None:
    tell(say("Written:"))
    files = answer["files"]
    print_lines(f"    {path}" for path in (files if isinstance(files, list) else []))
    tell("")
    tell(say("The DNS of {domain} wants these records:", domain=plan.address.domain.unicode))
    tell("")
    print_records(answer)
    tell("")
    tell(say("With a certificate by a public authority, set web.mta_sts and add [listen.https]: then TLS is enforced."))
    tell("")
    account = answer["account"]
    if isinstance(account, dict):
        tell(f"{say('Account')}: {account['address']}")
        tell(f"{say('App password, for mail programs')}: {account['app_password']}")
        tell(f"{say('Password, for the web')}: {account['password']}")
        tell(say("They are shown this once."))
    tell("")
    tell(say("What to do next:"))
    print_lines(f"    {line}" for line in _next_commands(plan))


def _next_commands(plan: Plan) -> Sequence[str]:
    return (
        f"useradd --system --home-dir {plan.data} --shell /usr/sbin/nologin {plan.user}",
        f"chown -R {plan.user}: {plan.data} {plan.tls}",
        f"cp {plan.unit} /etc/systemd/system/ && systemctl enable --now hongyan",
        f"hongyan domain check {plan.address.domain.text} --config {plan.config}",
    )


def _as_json(finding: Finding) -> Document:
    return {
        "check": finding.check,
        "status": finding.status.value,
        "sentence": translate(finding.sentence),
        "remedy": translate(finding.remedy),
    }
