"""`autoconfig`: what mail programs find out about an address by themselves."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated

from hongyan.cli.acting import act
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, Where, about, command, group
from hongyan.cli.screen import console, tell
from hongyan.cli.words import say, translate

app = group("autoconfig", "What mail programs find out about an address by themselves.")


@command(app)
def probe(
    address: Annotated[str, about("The address that is typed into the program.")], /, *, where: Where = WHERE
) -> int:
    """Ask for the settings of an address as each mail program does, in its order, and show what it would find."""
    return act(where, "autoconfig.probe", {"address": address}, _print, judge=_judge)


def _programs(answer: Document) -> list[Document]:
    programs = answer["programs"]
    return list(programs) if isinstance(programs, list) else []


def _steps(program: Document) -> list[Document]:
    steps = program["steps"]
    return list(steps) if isinstance(steps, list) else []


def _judge(answer: Document) -> int:
    is_good = all(any(step["found"] for step in _steps(program)) for program in _programs(answer))
    return DONE if is_good else DEGRADED


def _print(answer: Document) -> None:
    for program in _programs(answer):
        console().print(str(program["program"]), style="bold", highlight=False, markup=False)
        for step in _steps(program):
            found = step["found"]
            lines = list(found) if isinstance(found, list) else []
            mark, style = ("✓", "green") if lines else ("✗", "yellow")
            console().print(f"  {mark} {step['asked']}", style=style, highlight=False, markup=False)
            for line in lines:
                console().print(f"      {line}", highlight=False, markup=False)
            if not lines:
                fault = translate(str(step["fault"])) or say("Nothing is told there.")
                console().print(f"      {fault}", highlight=False, markup=False)
    if _judge(answer) != DONE:
        tell(say("Some programs would find nothing. `hongyan domain check` says which records are missing."))
