"""`listener`: which ports end when, who still uses them, and putting an end off."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act, is_dry
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.screen import moment_words, print_table, tell
from hongyan.cli.words import say, translate

app = group("listener", "Listeners: which end when, and who still uses them.")


@command(app)
def report(*, where: Where = WHERE) -> int:
    """Show each listener's stage, and who still comes to those that end, with which program."""
    return act(where, "listener.report", {}, _print_report)


@command(app)
def prolong(
    service: Annotated[str, about("The listener, such as imap or submissions.")],
    until: Annotated[str, about("The first day on which nobody is served any more, such as 2027-03-01.")],
    /,
    *,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Put the last day of a listener off."""
    parameters = {"service": service, "until": until, "dry_run": dry_run}
    return act(where, "listener.prolong", parameters, _print_prolonged)


def _print_report(answer: Document) -> None:
    listeners = answer["listeners"]
    listed: list[Document] = list(listeners) if isinstance(listeners, list) else []
    print_table(
        ("listener", "stage", "deprecated from", "off from"),
        [
            (each["service"], translate(str(each["stage"])), each["deprecated"] or "", each["off"] or "")
            for each in listed
        ],
        empty="There is none.",
    )
    for each in listed:
        uses = each["uses"]
        if isinstance(uses, list) and uses:
            tell(say("Who still uses {service}:", service=each["service"]))
            rows = [(use["account"], use["client"], use["count"], moment_words(use["last"])) for use in uses]
            print_table(("account", "program", "logins", "last"), rows, empty="")


def _print_prolonged(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("{service} ends on {day}.", service=answer["service"], day=answer["off"]))
