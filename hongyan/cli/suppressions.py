"""`suppression`: addresses that are not written to for a while, because they bounced."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, Where, about, command, group
from hongyan.cli.screen import moment_words, print_table, tell
from hongyan.cli.words import say

app = group("suppression", "Addresses that are not written to, because they bounced.")


@command(app, "list")
def list_suppressions(
    *, limit: Annotated[int, about("How many addresses at most.")] = 100, where: Where = WHERE
) -> int:
    """List addresses that are suppressed."""
    return act(where, "suppression.list", {"limit": limit}, _print_suppressions)


@command(app)
def remove(
    address: Annotated[str, about("The address that bounced.")],
    /,
    *,
    account: Annotated[str | None, about("Only for this account.", name="--account")] = None,
    where: Where = WHERE,
) -> int:
    """Let an address be written to again."""
    return act(where, "suppression.remove", {"address": address, "account": account}, _print_removed)


def _print_suppressions(answer: Document) -> None:
    suppressions = answer["suppressions"]
    print_table(
        ("address", "account", "bounces", "until", "last answer"),
        [
            (
                one["address"],
                one["account"] or say("all"),
                one["bounces"],
                moment_words(one["until"]),
                f"{one['status']} {one['text']}",
            )
            for one in (suppressions if isinstance(suppressions, list) else [])
        ],
        empty="Nothing is suppressed.",
    )


def _print_removed(answer: Document) -> None:
    tell(say("{count} removed.", count=answer["removed"]))
