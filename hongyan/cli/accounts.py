"""`account`: who has mail here."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated, Literal

from hongyan.cli import account_settings, sending
from hongyan.cli.acting import act, confirm, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import octets_words, print_table, tell
from hongyan.cli.secrets import Source, read_password
from hongyan.cli.words import say

app = group("account", "Accounts: who has mail here.")
for function in (
    sending.limits,
    sending.held,
    sending.hold,
    sending.release,
    account_settings.pop3,
    account_settings.imap,
    account_settings.capabilities,
):
    command(app)(function)

_Address = Annotated[str, about("The account's address.")]
_ServiceName = Literal["imap", "pop3", "smtp", "web"]
_Services = Annotated[
    tuple[_ServiceName, ...], about("This service alone; may be said several times.", name="--service", negative="")
]
_PasswordFrom = Annotated[
    Source,
    about(
        "Where its password comes from: made up and shown once, asked for, or the first line of the input.",
        name="--password",
    ),
]


@command(app)
def add(
    address: _Address,
    /,
    *,
    name: Annotated[str, about("The owner's name.")] = "",
    admin: Annotated[bool, about("Make it an admin, who reads postmaster and abuse.", negative="")] = False,
    enterprise: Annotated[bool, about("Count it as a business account.", negative="")] = False,
    language: Annotated[Literal["en", "zh"], about("The language in which the server writes to the owner.")] = "en",
    service: _Services = (),
    quota: Annotated[int | None, about("What it may store, in MiB; 0: no limit.")] = None,
    source: _PasswordFrom = "generate",
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Make an account, with its mailboxes and a first app password that is shown once."""
    if quota is not None and quota < 0:
        raise UsageFault("A quota is not negative.")
    return act(
        where,
        "account.add",
        {
            "address": address,
            "name": name,
            "admin": admin,
            "enterprise": enterprise,
            "locale": language,
            "services": list(service) or None,
            "quota_octets": None if quota is None else quota << 20,
            "dry_run": dry_run,
            **read_password(source),
        },
        _print_added,
    )


@command(app, "list")
def list_accounts(
    domain: Annotated[str | None, about("Those of this domain.")] = None,
    /,
    *,
    usage: Annotated[bool, about("Show what each stores and may store.", negative="")] = False,
    where: Where = WHERE,
) -> int:
    """List accounts."""
    return act(where, "account.list", {"domain": domain, "usage": usage}, _print_accounts)


@command(app)
def disable(address: _Address, /, *, service: _Services = (), dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Take an account out of use: no logins, no deliveries, its mail stays. Or switch single services off."""
    return act(
        where,
        "account.disable",
        {"address": address, "services": list(service) or None, "dry_run": dry_run},
        _print_state,
    )


@command(app)
def enable(address: _Address, /, *, service: _Services = (), dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Put an account into use again. Or switch single services on."""
    return act(
        where,
        "account.enable",
        {"address": address, "services": list(service) or None, "dry_run": dry_run},
        _print_state,
    )


@command(app)
def remove(
    address: _Address,
    /,
    *,
    yes: Annotated[bool, about("Do not ask.", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Remove an account with all its mail, for good."""
    confirm(say("Remove {address} with all its mail, for good?", address=address), yes=yes, dry_run=dry_run)
    return act(where, "account.remove", {"address": address, "dry_run": dry_run}, _print_removed)


@command(app)
def password(
    address: _Address,
    /,
    *,
    source: _PasswordFrom = "generate",
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Give an account another password. Its app passwords are revoked, and its connections end."""
    return act(
        where, "account.password", {"address": address, "dry_run": dry_run, **read_password(source)}, _print_password
    )


def _print_added(answer: Document) -> None:
    if is_dry(answer):
        return
    tell(say("{address} is there.", address=answer["address"]))
    tell(f"{say('App password, for mail programs')}: {answer['app_password']}")
    if "password" in answer:
        tell(f"{say('Password, for the web')}: {answer['password']}")
    tell(say("They are shown this once."))


def _print_accounts(answer: Document) -> None:
    listed = answer["accounts"]
    accounts: list[Document] = list(listed) if isinstance(listed, list) else []
    heads: tuple[str, ...] = ("address", "name", "role", "state", "services")
    shows_usage = bool(accounts) and "used_octets" in accounts[0]
    if shows_usage:
        heads += ("stored", "limit")
    print_table(heads, [_row(account, usage=shows_usage) for account in accounts], empty="There is no account.")


def _row(account: Document, *, usage: bool) -> tuple[object, ...]:
    row = (
        account["address"],
        account["name"],
        say(str(account["role"])),
        say(str(account["state"])),
        " ".join(texts(account["services"])),
    )
    if not usage:
        return row
    return (*row, octets_words(account["used_octets"]), octets_words(account["limit_octets"] or None))


def _print_state(answer: Document) -> None:
    if not is_dry(answer):
        services = " ".join(texts(answer["services"]))
        tell(f"{answer['address']}: {say(str(answer['state']))}; {say('services')}: {services}")


def _print_removed(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{address} is removed.", address=answer["address"]))


def _print_password(answer: Document) -> None:
    if is_dry(answer):
        return
    tell(say("{address} has a new password. Its app passwords are revoked.", address=answer["address"]))
    if "password" in answer:
        tell(f"{say('Password, for the web')}: {answer['password']}")
        tell(say("It is shown this once."))
