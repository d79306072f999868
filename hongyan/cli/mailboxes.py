"""`mailbox`: what accounts share with each other."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act, is_dry
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import print_table, tell
from hongyan.cli.words import say

app = group("mailbox", "Mailboxes that accounts share with each other.")

_Owner = Annotated[str, about("The address of the account whose mailbox it is.")]
_Mailbox = Annotated[str, about("The mailbox, as its owner calls it, such as INBOX or Work/Bills.")]
_With = Annotated[str, about("The address of another account, or anyone: all accounts of the owner's domain.")]
_Deny = Annotated[bool, about("Speak of what is denied, whatever else grants it.", negative="", show_default=False)]


@command(app)
def share(
    address: _Owner,
    mailbox: _Mailbox,
    identifier: _With,
    rights: Annotated[
        str,
        about("read, write (change, file and remove messages), all, or letters of RFC 4314 such as lrs."),
    ] = "read",
    /,
    *,
    deny: _Deny = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Let somebody do this with a mailbox, instead of what they could do before."""
    parameters = {**_which(address, mailbox, identifier, deny=deny), "rights": rights, "dry_run": dry_run}
    return act(where, "mailbox.share", parameters, _print_shared)


@command(app)
def unshare(
    address: _Owner,
    mailbox: _Mailbox,
    identifier: _With,
    /,
    *,
    deny: _Deny = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Take back what somebody may do with a mailbox; whoever looks at it is sent away at once."""
    parameters = {**_which(address, mailbox, identifier, deny=deny), "dry_run": dry_run}
    return act(where, "mailbox.unshare", parameters, _print_unshared)


@command(app)
def shares(address: Annotated[str, about("The account's address.")], /, *, where: Where = WHERE) -> int:
    """Show what an account shares with whom, and which mailboxes of others it reaches."""
    return act(where, "mailbox.shares", {"address": address}, _print_shares)


def _which(address: str, mailbox: str, identifier: str, *, deny: bool) -> Document:
    return {"address": address, "mailbox": mailbox, "identifier": f"-{identifier}" if deny else identifier}


def _print_shared(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{mailbox} of {address}: {identifier} has {rights}.", **_words(answer)))


def _print_unshared(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{mailbox} of {address}: nothing for {identifier} any more.", **_words(answer)))


def _words(answer: Document) -> dict[str, object]:
    return {name: answer[name] for name in ("mailbox", "address", "identifier", "rights")}


def _print_shares(answer: Document) -> None:
    print_table(
        ("mailbox", "shared with", "rights"),
        [(one["mailbox"], one["identifier"], one["rights"]) for one in _rows(answer["shares"])],
        empty="It shares no mailbox.",
    )
    print_table(
        ("mailbox of somebody else", "rights"),
        [(one["mailbox"], one["rights"]) for one in _rows(answer["reached"])],
        empty="It reaches no mailbox of others.",
    )


def _rows(value: object) -> list[Document]:
    return list(value) if isinstance(value, list) else []
