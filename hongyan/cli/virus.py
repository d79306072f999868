"""`virus`: the scanner for viruses."""

from __future__ import annotations

__all__ = ["app"]

from hongyan.cli.acting import act
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, Where, command, group
from hongyan.cli.screen import octets_words, print_table, tell
from hongyan.cli.words import say

app = group("virus", "The scanner for viruses.")


@command(app)
def status(*, where: Where = WHERE) -> int:
    """Say whether the virus scanner answers, and what is done with what it finds."""
    return act(where, "virus.status", {}, _print_status, judge=_judge)


def _judge(answer: Document) -> int:
    return DONE if answer["serves"] or not answer["clamd"] else DEGRADED


def _print_status(answer: Document) -> None:
    if not answer["clamd"]:
        tell(say("Mail is not scanned for viruses: [virus] clamd names no scanner."))
        return
    if answer["serves"]:
        tell(say("{place} answers: {version}", place=answer["clamd"], version=answer["version"]))
    else:
        tell(say("{place} does not answer.", place=answer["clamd"]))
    print_table(
        ("a message that is …", "is treated so"),
        [
            (say("infected"), say(str(answer["on_infected"]))),
            (say("not scanned, for the scanner fails"), say(str(answer["on_failure"]))),
            (
                say("larger than {size}", size=octets_words(answer["largest"])),
                say(str(answer["on_too_large"])),
            ),
        ],
    )
