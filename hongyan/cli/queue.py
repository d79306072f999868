"""`queue`: mail on its way out."""

from __future__ import annotations

__all__ = ["app"]

from typing import Annotated, Literal

from hongyan.cli.acting import act, confirm, is_dry
from hongyan.cli.calls import Document
from hongyan.cli.causes import advice_words, cause_words
from hongyan.cli.commands import WHERE, DryRun, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import moment_words, octets_words, print_table, tell
from hongyan.cli.words import say

app = group("queue", "Mail on its way out.")

_Ids = Annotated[tuple[int, ...], about("Messages by their ids.", negative="")]
_To = Annotated[str | None, about("Recipients in this domain.", name="--to")]
_From = Annotated[str | None, about("Messages of this sender.", name="--from")]
_Of = Annotated[str | None, about("Messages that this account sent.", name="--account")]
_All = Annotated[bool, about("Everything in the queue.", name="--all", negative="", show_default=False)]


@command(app, "list")
def list_messages(
    *,
    destination: _To = None,
    sender: _From = None,
    account: _Of = None,
    state: Annotated[Literal["ready", "held"] | None, about("Recipients that wait, or that are held.")] = None,
    limit: Annotated[int, about("How many messages at most.")] = 100,
    where: Where = WHERE,
) -> int:
    """List messages that wait."""
    return act(
        where,
        "queue.list",
        {"destination": destination, "sender": sender, "account": account, "state": state, "limit": limit},
        _print_messages,
    )


@command(app)
def show(message: Annotated[int, about("The message's id.")], /, *, where: Where = WHERE) -> int:
    """Show one message, and what the last attempts brought."""
    return act(where, "queue.show", {"message": message}, _print_message)


@command(app)
def retry(
    message: _Ids = (),
    /,
    *,
    destination: _To = None,
    sender: _From = None,
    everything: _All = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Try again now. What was held is held no longer."""
    selection = _select(message, destination, sender, everything=everything)
    return act(where, "queue.retry", {"dry_run": dry_run, **selection}, _print_count)


@command(app)
def hold(
    message: _Ids = (),
    /,
    *,
    destination: _To = None,
    sender: _From = None,
    everything: _All = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Keep messages back until `queue release` or `queue retry`."""
    selection = _select(message, destination, sender, everything=everything)
    return act(where, "queue.hold", {"dry_run": dry_run, **selection}, _print_count)


@command(app)
def release(
    message: _Ids = (),
    /,
    *,
    destination: _To = None,
    sender: _From = None,
    everything: _All = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Let held messages go, each when it is due."""
    selection = _select(message, destination, sender, everything=everything)
    return act(where, "queue.release", {"dry_run": dry_run, **selection}, _print_count)


@command(app)
def cancel(
    message: Annotated[int, about("The message's id.")],
    /,
    *,
    account: Annotated[str | None, about("Only if this account sent it.", name="--account")] = None,
    where: Where = WHERE,
) -> int:
    """Take back a message that waits for its release."""
    return act(where, "queue.cancel", {"message": message, "account": account}, _print_count)


@command(app)
def drop(
    message: _Ids = (),
    /,
    *,
    destination: _To = None,
    sender: _From = None,
    everything: _All = False,
    yes: Annotated[bool, about("Do not ask.", negative="", show_default=False)] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Drop messages for good. Their senders are not told."""
    selection = _select(message, destination, sender, everything=everything)
    confirm(say("Drop them for good? Their senders are not told."), yes=yes, dry_run=dry_run)
    return act(where, "queue.drop", {"dry_run": dry_run, **selection}, _print_count)


def _select(
    messages: tuple[int, ...], destination: str | None, sender: str | None, *, everything: bool
) -> dict[str, object]:
    """Return the parameters that say which. Nobody means everything by saying nothing."""
    if everything == bool(messages or destination or sender):
        raise UsageFault("Say which messages: by their ids, --to or --from; or --all.")
    return {"messages": list(messages) or None, "destination": destination, "sender": sender}


def _print_messages(answer: Document) -> None:
    print_table(
        ("id", "queued", "size", "from", "to", "state", "next attempt", "last answer"),
        [
            (
                message["id"],
                moment_words(message["queued_at"]),
                octets_words(message["octets"]),
                message["sender"],
                recipient["address"],
                say(str(recipient["state"])),
                _next(recipient),
                _last(recipient),
            )
            for message in _list(answer["messages"])
            for recipient in _list(message["recipients"])
        ],
        empty="Nothing waits.",
    )


def _print_message(answer: Document) -> None:
    tell(f"{say('id')}: {answer['id']}  {say('size')}: {octets_words(answer['octets'])}  mid: {answer['trace']}")
    tell(f"{say('from')}: {answer['sender']}")
    tell(f"{say('queued')}: {moment_words(answer['queued_at'])}  {say('given up')}: {moment_words(answer['expires'])}")
    if answer["not_before"] != answer["queued_at"]:
        tell(f"{say('kept back until')}: {moment_words(answer['not_before'])}")
    print_table(
        ("to", "state", "attempts", "next attempt", "last answer"),
        [
            (
                recipient["address"],
                say(str(recipient["state"])),
                recipient["attempts"],
                _next(recipient),
                _last(recipient),
            )
            for recipient in _list(answer["recipients"])
        ],
    )
    for recipient in _list(answer["recipients"]):
        last = recipient["last"]
        if isinstance(last, dict):
            tell(f"{recipient['address']}: {advice_words(last['cause'])}")


def _next(recipient: Document) -> str:
    """Return when it is tried again; of what is held nobody knows."""
    return "" if recipient["state"] == "held" else moment_words(recipient["next_attempt"])


def _print_count(answer: Document) -> None:
    tell(say("{count} recipients.", count=answer["recipients"]))
    is_dry(answer)


def _last(recipient: Document) -> str:
    last = recipient["last"]
    if recipient["held_for"]:
        return say(str(recipient["held_for"]))
    if not isinstance(last, dict):
        return ""
    answer = f"{last['remote']} {last['status']} {last['text']}".strip()
    return "\n".join(words for words in (answer, cause_words(last["cause"])) if words)


def _list(value: object) -> list[Document]:
    return list(value) if isinstance(value, list) else []
