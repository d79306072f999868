"""`alias`: addresses that stand for others."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import print_table, tell
from hongyan.cli.words import say

app = group("alias", "Aliases: addresses that stand for others.")

_Alias = Annotated[str, about("The alias; *@DOMAIN gets what nobody else of the domain does.")]


@command(app)
def add(
    address: _Alias,
    target: Annotated[str, about("Who gets its mail.")],
    /,
    *targets: Annotated[str, about("More who get it.")],
    members_may_send: Annotated[bool, about("Let those who get its mail write from it too.", negative="")] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Make an alias, or replace it."""
    return act(
        where,
        "alias.add",
        {"address": address, "targets": [target, *targets], "members_may_send": members_may_send, "dry_run": dry_run},
        _print_added,
    )


@command(app, "list")
def list_aliases(
    domain: Annotated[str | None, about("Those of this domain.")] = None, /, *, where: Where = WHERE
) -> int:
    """List aliases."""
    return act(where, "alias.list", {"domain": domain}, _print_aliases)


@command(app)
def remove(address: _Alias, /, *, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Remove an alias."""
    return act(where, "alias.remove", {"address": address, "dry_run": dry_run}, _print_removed)


def _print_added(answer: Document) -> None:
    if not is_dry(answer):
        tell(f"{answer['address']} → {', '.join(texts(answer['targets']))}")


def _print_aliases(answer: Document) -> None:
    listed = answer["aliases"]
    aliases: list[Document] = list(listed) if isinstance(listed, list) else []
    print_table(
        ("alias", "for", "may write from it"),
        [
            (alias["address"], "\n".join(texts(alias["targets"])), say("yes" if alias["members_may_send"] else "no"))
            for alias in aliases
        ],
        empty="There is no alias.",
    )


def _print_removed(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{address} is removed.", address=answer["address"]))
