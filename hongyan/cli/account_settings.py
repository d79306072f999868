"""How POP3 and IMAP serve an account, as commands of `account`: pop3, imap, capabilities."""

from __future__ import annotations

__all__ = ["capabilities", "imap", "pop3"]

from typing import Annotated, Literal

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import print_table, tell
from hongyan.cli.words import say

_Address = Annotated[str, about("The account's address.")]


def pop3(
    address: _Address,
    /,
    *,
    days: Annotated[int | None, about("Messages that came within so many days are shown, such as 30; 0: all.")] = None,
    fetched: Annotated[
        Literal["keep", "seen", "delete"] | None,
        about("What becomes of what was fetched: nothing, it counts as read, or it is removed."),
    ] = None,
    keep_days: Annotated[int | None, about("How many days what is to be removed stays after it came.")] = None,
    deleted: Annotated[
        Literal["expunge", "trash", "keep"] | None,
        about("What DELE does: the message is gone, goes to Trash, or stays where it is."),
    ] = None,
    reset: Annotated[bool, about("Forget first what was set for this account.", negative="")] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Show how POP3 serves an account; or set it, from its next login."""
    wanted = {"days": days, "fetched": fetched, "keep_days": keep_days, "deleted": deleted}
    if not reset and all(value is None for value in wanted.values()):
        if dry_run:
            raise UsageFault("Say what to set.")
        return act(where, "account.settings", {"address": address}, _print_pop3)
    parameters = {"address": address, **wanted, "reset": reset, "dry_run": dry_run}
    return act(where, "account.pop3", parameters, _print_pop3)


def imap(
    address: _Address,
    /,
    *,
    deleted: Annotated[
        Literal["expunge", "trash", "keep"] | None,
        about(
            "What EXPUNGE does: the message is gone, goes to Trash, or to Archive; what is elsewhere too just leaves."
        ),
    ] = None,
    reset: Annotated[bool, about("Forget what was set for this account.", negative="")] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Show what EXPUNGE of IMAP does to an account's mail; or set it, from now on."""
    if deleted is None and not reset:
        if dry_run:
            raise UsageFault("Say what to set.")
        return act(where, "account.settings", {"address": address}, _print_imap)
    parameters = {"address": address, "deleted": deleted, "reset": reset, "dry_run": dry_run}
    return act(where, "account.imap", parameters, _print_imap)


def capabilities(
    address: _Address,
    /,
    *,
    off: Annotated[
        tuple[str, ...], about("Offer this no more, such as MOVE; may be said several times.", negative="")
    ] = (),
    on: Annotated[tuple[str, ...], about("Offer this again; may be said several times.", negative="")] = (),
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Show which capabilities of IMAP are switched off for an account; or switch, for a program that is broken."""
    if not off and not on:
        if dry_run:
            raise UsageFault("Say what to set.")
        return act(where, "account.settings", {"address": address}, _print_capabilities)
    parameters = {"address": address, "off": list(off), "on": list(on), "dry_run": dry_run}
    return act(where, "account.capabilities", parameters, _print_capabilities)


def _print_pop3(answer: Document) -> None:
    policy = answer["pop3"]
    if is_dry(answer) or not isinstance(policy, dict):
        return
    shown = say("all") if not policy["days"] else say("those of the last {days} days", days=policy["days"])
    fetched = say(_FETCHED[str(policy["fetched"])], days=policy["keep_days"])
    print_table(
        ("what", "how"),
        [
            (say("messages that are shown"), shown),
            (say("what was fetched"), fetched),
            (say("what is deleted"), say(_DELETED[str(policy["deleted"])])),
        ],
    )


_FETCHED = {
    "keep": "stays as it is",
    "seen": "counts as read",
    "delete": "is removed {days} days after it came",
}
_DELETED = {"expunge": "is gone", "trash": "goes to Trash", "keep": "stays as it is"}
_EXPUNGED = {"expunge": "is gone", "trash": "goes to Trash", "keep": "goes to Archive"}


def _print_imap(answer: Document) -> None:
    policy = answer["imap"]
    if is_dry(answer) or not isinstance(policy, dict):
        return
    print_table(("what", "how"), [(say("what is deleted"), say(_EXPUNGED[str(policy["deleted"])]))])


def _print_capabilities(answer: Document) -> None:
    if is_dry(answer):
        return
    off = " ".join(texts(answer["switched_off"]))
    tell(say("Switched off for {address}: {names}", address=answer["address"], names=off or say("nothing")))
