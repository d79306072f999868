"""`app-password`: secrets for single mail programs (授权码)."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated, Literal

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import moment_words, print_table, tell
from hongyan.cli.words import say

app = group("app-password", "App passwords: secrets for single mail programs.")

_Address = Annotated[str, about("The account's address.")]


@command(app)
def create(
    address: _Address,
    label: Annotated[str, about("What it is for, such as the name of a device.")] = "mail program",
    /,
    *,
    service: Annotated[
        tuple[Literal["imap", "pop3", "smtp"], ...],
        about("For this service alone; may be said several times.", name="--service", negative=""),
    ] = (),
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Make an app password, and show it this once."""
    return act(
        where,
        "app-password.create",
        {"address": address, "label": label, "services": list(service) or None, "dry_run": dry_run},
        _print_created,
    )


@command(app, "list")
def list_app_passwords(address: _Address, /, *, where: Where = WHERE) -> int:
    """List the app passwords of an account, and when each was last used. Nobody knows the secrets."""
    return act(where, "app-password.list", {"address": address}, _print_app_passwords)


@command(app)
def revoke(
    address: _Address,
    number: Annotated[tuple[int, ...], about("Its number in the list; several may be said.", negative="")] = (),
    /,
    *,
    everything: Annotated[bool, about("Revoke all.", name="--all", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Revoke app passwords. Connections that were opened with them end."""
    if everything == bool(number):
        raise UsageFault("Name app passwords by their numbers, or say --all.")
    return act(
        where,
        "app-password.revoke",
        {"address": address, "numbers": None if everything else list(number), "dry_run": dry_run},
        _print_revoked,
    )


def _print_created(answer: Document) -> None:
    if is_dry(answer):
        return
    tell(f"{say('App password, for mail programs')}: {answer['app_password']}")
    tell(f"{say('services')}: {' '.join(texts(answer['services']))}")
    tell(say("It is shown this once."))


def _print_app_passwords(answer: Document) -> None:
    listed = answer["app_passwords"]
    known: list[Document] = list(listed) if isinstance(listed, list) else []
    print_table(
        ("number", "label", "services", "made", "last used", "from"),
        [
            (
                one["number"],
                one["label"],
                " ".join(texts(one["services"])),
                moment_words(one["created_at"]),
                moment_words(one["last_used_at"]) or say("never"),
                one["last_used_from"],
            )
            for one in known
        ],
        empty="The account has no app password.",
    )


def _print_revoked(answer: Document) -> None:
    if not is_dry(answer):
        revoked = answer["app_passwords"]
        tell(say("{count} revoked.", count=len(revoked) if isinstance(revoked, list) else 0))
