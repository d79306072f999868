"""`ban`: who is refused for a time, and why."""

from __future__ import annotations

__all__ = ["app"]

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from hongyan.cli.acting import act, is_dry
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import moment_words, print_lines, print_table, tell
from hongyan.cli.words import say, translate
from hongyan.clock import SystemClock
from hongyan.limits.firewall import Banned, fail2ban_lines, nftables_lines
from hongyan.limits.smtp_rates import OFFENCES

app = group("ban", "Bans: who is refused for a time, and why.")


@command(app, "list")
def list_bans(
    *,
    form: Annotated[
        Literal["table", "nftables", "fail2ban"], about("For people, or as lines for nftables or fail2ban.")
    ] = "table",
    where: Where = WHERE,
) -> int:
    """List the bans in force."""
    return act(where, "ban.list", {}, _print_bans if form == "table" else partial(_print_lines, _LINES[form]))


@command(app)
def lift(
    host: Annotated[str, about("An address in the banned network.")],
    /,
    *,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Lift the bans of a network, and forget its failures."""
    return act(where, "ban.lift", {"host": host, "dry_run": dry_run}, _print_lifted)


def _print_bans(answer: Document) -> None:
    print_table(
        ("network", "login", "why", "until", "refused"),
        [
            (
                ban["network"],
                ban["name"] or say("port 25" if ban["rule"] in OFFENCES else "any"),
                translate(str(ban["why"])),
                moment_words(ban["until"]),
                ban["refused"],
            )
            for ban in _bans(answer)
        ],
        empty="Nobody is banned.",
    )


_Lines = Callable[[Iterable[Banned]], Iterator[str]]
_LINES: dict[str, _Lines] = {"nftables": nftables_lines, "fail2ban": fail2ban_lines}


def _print_lines(lines: _Lines, answer: Document) -> None:
    now = SystemClock().now()
    banned = [
        Banned(
            str(ban["network"]),
            int((datetime.fromisoformat(str(ban["until"])) - now).total_seconds()),
            ban["rule"] in OFFENCES,
        )
        for ban in _bans(answer)
        if not ban["name"]
    ]
    print_lines(lines(banned))


def _print_lifted(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{count} lifted.", count=len(_bans(answer))))


def _bans(answer: Document) -> list[Document]:
    bans = answer["bans"]
    return list(bans) if isinstance(bans, list) else []
