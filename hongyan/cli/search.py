"""`search`: the text index, how far it has come, and making it anew."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act, is_dry
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import octets_words, print_table, tell
from hongyan.cli.words import say

app = group("search", "The index of words that answers searches for text.")

Whose = Annotated[str | None, about("Of this account; else of all.")]


@command(app)
def status(address: Whose = None, /, *, where: Where = WHERE) -> int:
    """Tell how much mail is indexed, how much has still to come, and what the index takes."""
    return act(where, "search.status", {"address": address}, _print_status)


@command(app)
def rebuild(address: Whose = None, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Make the index anew from the mail; searches read messages meanwhile."""
    return act(where, "search.rebuild", {"address": address, "dry_run": dry_run}, _print_rebuilt)


def _print_status(answer: Document) -> None:
    listed = answer["accounts"]
    accounts: list[Document] = list(listed) if isinstance(listed, list) else []
    print_table(
        ("account", "indexed", "read by each search", "still to come", "size"),
        [(one["address"], one["emails"], one["partial"], one["lag"], octets_words(one["octets"])) for one in accounts],
    )
    if answer["stopped"]:
        tell(
            say(
                "Indexing has stopped: {free} are free on the disk; from {needed} on it goes on. Searches read.",
                free=octets_words(answer["free"]),
                needed=octets_words(answer["needed"]),
            )
        )


def _print_rebuilt(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{count} accounts are indexed anew.", count=answer["accounts"]))
