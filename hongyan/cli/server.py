"""`server`: the server as others meet it."""

from __future__ import annotations

__all__ = ["app"]

from hongyan.cli.acting import act, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, Where, command, group
from hongyan.cli.domains import print_findings
from hongyan.cli.screen import tell
from hongyan.cli.words import say

app = group("server", "The server as others meet it.")


@command(app)
def check(*, where: Where = WHERE) -> int:
    """Connect to each port of the running server at its public addresses, and out to others, and say what is amiss."""
    return act(where, "server.check", {}, _print_checked, judge=_judge)


def _print_checked(answer: Document) -> None:
    addresses = ", ".join(texts(answer["addresses"]))
    if addresses:
        tell(say("{hostname} is {addresses}.", hostname=answer["hostname"], addresses=addresses))
    print_findings(answer)


def _judge(answer: Document) -> int:
    return DEGRADED if answer["trouble"] else DONE
