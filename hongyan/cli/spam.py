"""`spam`: what the filter has learnt, teaching it, and why a message looks as it does."""

from __future__ import annotations

__all__ = ["app"]

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from hongyan.cli.acting import act, confirm, is_dry, show_progress
from hongyan.cli.backend import open_backend
from hongyan.cli.calls import Document
from hongyan.cli.commands import DONE, WHERE, DryRun, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import print_json, print_table, tell
from hongyan.cli.words import say
from hongyan.migrate.mbox import read_mbox

app = group("spam", "The spam filter: what it has learnt, and why.")

_TOGETHER = 50  # messages of one call
_MOST = 256 * 1024  # octets of a message: more of it is not looked at
_LARGEST = 64 << 20  # octets of a message in an mbox


@command(app)
def status(*, where: Where = WHERE) -> int:
    """Tell what the filter has learnt, and from which score on a message is filed in Junk."""
    return act(where, "spam.status", {}, _print_status)


@command(app)
def train(
    *files: Annotated[Path, about("Messages, mbox files, or directories of messages.")],
    spam: Annotated[
        bool | None, about("What they are: unwanted, or wanted.", name="--spam", negative="--ham", show_default=False)
    ] = None,
    where: Where = WHERE,
) -> int:
    """Teach the filter, for all accounts: --spam for mail that nobody wants, --ham for mail that is wanted."""
    if spam is None or not files:
        raise UsageFault("Name files, and say --spam or --ham.")
    learnt = 0
    with open_backend(where) as backend, show_progress(quiet=where.json) as bar:
        batch: list[str] = []
        for octets in _read_messages(files):
            batch.append(base64.b64encode(octets[:_MOST]).decode())
            if len(batch) == _TOGETHER:
                learnt += int(str(backend.call("spam.train", {"messages": batch, "spam": spam}, bar)["learnt"]))
                batch = []
        if batch:
            learnt += int(str(backend.call("spam.train", {"messages": batch, "spam": spam}, bar)["learnt"]))
    if where.json:
        print_json({"learnt": learnt})
    else:
        tell(say("{count} messages learnt.", count=learnt))
    return DONE


@command(app)
def forget(
    address: Annotated[str, about("The account's address.")],
    /,
    *,
    yes: Annotated[bool, about("Do not ask.", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Forget what an account has taught its own filter."""
    confirm(say("Forget what {address} has taught the filter, for good?", address=address), yes=yes, dry_run=dry_run)
    return act(where, "spam.forget", {"address": address, "dry_run": dry_run}, _print_forgotten)


@command(app)
def explain(
    message: Annotated[Path, about("The message, as a file.")],
    /,
    *,
    account: Annotated[str | None, about("For this account; else for the server as a whole.")] = None,
    where: Where = WHERE,
) -> int:
    """Say how a message looks to the filter, and by which words."""
    parameters = {"message": base64.b64encode(_read(message)[:_MOST]).decode(), "address": account}
    return act(where, "spam.explain", parameters, _print_explained)


def _read_messages(files: tuple[Path, ...]) -> Iterator[bytes]:
    for path in files:
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if found.is_file():
                    yield _read(found)
            continue
        octets = _read(path, 5)
        if octets == b"From ":
            with path.open("rb") as file:
                yield from (carried.octets for carried in read_mbox(file, most=_LARGEST) if carried is not None)
        else:
            yield _read(path)


def _read(path: Path, most: int = _MOST) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}.") from None


def _print_status(answer: Document) -> None:
    if not answer["enabled"]:
        tell(say("The spam filter is off."))
    tell(
        say(
            "From score {score} on a message is filed in Junk. Nothing is judged before {spam} unwanted and {ham}"
            " wanted messages were learnt.",
            score=answer["junk_from"],
            spam=answer["least_spam"],
            ham=answer["least_ham"],
        )
    )
    listed = answer["accounts"]
    accounts = list(listed) if isinstance(listed, list) else []
    rows = [(say("all"), answer["spam"], answer["ham"])]
    print_table(
        ("account", "unwanted", "wanted"), [*rows, *((one["address"], one["spam"], one["ham"]) for one in accounts)]
    )


def _print_forgotten(answer: Document) -> None:
    if not is_dry(answer):
        tell(say("What {address} had taught the filter is forgotten.", address=answer["forgotten"]))


def _print_explained(answer: Document) -> None:
    score = f"{float(str(answer['score'])):.2f}"
    if not answer["enough"]:
        tell(say("Score {score}; but too little was learnt, and nothing is judged.", score=score))
    elif answer["junk"]:
        tell(say("Score {score}: the message is filed in Junk.", score=score))
    else:
        tell(say("Score {score}: the message is wanted.", score=score))
    reasons = answer["reasons"]
    print_table(
        ("word", "how unwanted"),
        [(one["word"], f"{float(one['belief']):.2f}") for one in (reasons if isinstance(reasons, list) else [])],
        empty="No word says anything.",
    )
