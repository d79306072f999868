"""`mail`: what became of messages, sent and received, refused ones included."""

from __future__ import annotations

__all__ = ["app"]

from datetime import UTC, datetime
from typing import Annotated

from hongyan.cli.acting import act
from hongyan.cli.calls import Document
from hongyan.cli.causes import advice_words, cause_words
from hongyan.cli.commands import WHERE, Where, about, command, group
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import moment_words, tell
from hongyan.cli.words import say

app = group("mail", "What became of messages.")

_STEPS = {"refused": "refused for good"}
"""Steps whose own word heads a column elsewhere."""

_UNHAPPY = ("deferred", "refused", "failed", "expired", "blocked", "held", "bounced")


@command(app)
def trace(
    mid: Annotated[str | None, about("The mid that replies, Received fields and the log tell.")] = None,
    /,
    *,
    account: Annotated[str | None, about("Messages that this account sent or was sent.")] = None,
    counterpart: Annotated[
        str | None, about("Messages to this recipient, or from this sender.", name=("--to", "--from"))
    ] = None,
    since: Annotated[datetime | None, about("From this moment on: 2026-11-23, or 2026-11-23T08:00, in UTC.")] = None,
    limit: Annotated[int, about("How many steps at most.")] = 200,
    where: Where = WHERE,
) -> int:
    """Show messages step by step: who, when, where, what the other server said, why, and what can be done."""
    if mid is None and account is None and counterpart is None:
        raise UsageFault("Say which messages: a mid, --account, or --to or --from.")
    moment = None if since is None else since.replace(tzinfo=since.tzinfo or UTC).isoformat()
    asked = {"mid": mid, "account": account, "counterpart": counterpart, "since": moment, "limit": limit}
    return act(where, "timeline.trace", asked, _print_messages)


def _print_messages(answer: Document) -> None:
    messages = _list(answer["messages"])
    if not messages:
        tell(say("Nothing is known of such a message."))
    # The newest stands last, where a terminal shows it.
    for number, message in enumerate(reversed(messages)):
        if number:
            tell("")
        _print_message(message)
    if answer["next"] is not None:
        tell("")
        tell(say("There is more: ask for a smaller part, or with a larger --limit."))


def _print_message(message: Document) -> None:
    own, other = str(message["address"] or message["account"]), str(message["counterpart"] or "<>")
    sender, recipient = (own, other) if message["direction"] == "outgoing" else (other, own)
    if message["direction"] == "incoming" and not message["counterpart"] and not message["address"]:
        sender = say("several senders")
    mid = f"  mid {message['mid']}" if message["mid"] else ""
    tell(f"{sender} → {recipient}: {say(str(message['state'])).replace('-', ' ')}{mid}")
    for step in _list(message["steps"]):
        _print_step(step)


def _print_step(step: Document) -> None:
    tell(f"  {moment_words(step['at'])}  {_what(step)}")
    if step["text"] and step["step"] not in ("delivered", "notified"):
        tell(f"      {_answer(step)}")
    if isinstance(step["passage"], dict):
        _print_passage(step["passage"])
    cause = cause_words(step["cause"])
    if cause and (step["step"] in _UNHAPPY or step["reason"]):
        tell(f"      {say('why')}: {cause}")
        tell(f"      {say('what to do')}: {advice_words(step['cause'])}")


def _print_passage(passage: Document) -> None:
    """Print the way that the message claims, and how long it took here."""
    for hop in _list(passage["hops"]):
        names = " → ".join(str(name) for name in (hop["from"], hop["by"]) if name) or "?"
        tell(f"      {say('way')}: {moment_words(hop['at']) or say('no date')}{_wait(hop['wait'])}  {names}")
    tell(f"      {say('way')}: {moment_words(passage['begun'])}{_wait(passage['wait'])}  → {say('this server')}")
    stages = [f"{say(stage)} {_seconds(passage[stage])}" for stage in ("transfer", "checks", "storing")]
    tell(f"      {say('took')}: {' · '.join(stages)}")


def _wait(seconds: object) -> str:
    """Return how long a message lay there; below 0, one of two clocks is wrong."""
    return f" ({seconds:+d} s)" if isinstance(seconds, int) else ""


def _seconds(seconds: object) -> str:
    return f"{seconds:.3f} s" if isinstance(seconds, int | float) else ""


def _what(step: Document) -> str:
    """Return a step in one line: what, where, how, when again."""
    words = [say(_STEPS.get(str(step["step"]), str(step["step"])))]
    folder = str(step["folder"])
    if folder:
        words.append(f"→ {say(folder) if folder in ('inbox', 'junk', 'folder') else folder}")
    if step["step"] == "notified":
        words.append(f"({say(str(step['reason']))})")
    if step["host"]:
        words.append(f"@ {step['host']}")
    if step["tls"] is not None:
        words.append("TLS" if step["tls"] else say("without TLS"))
    if step["next_attempt"]:
        words.append(f"· {say('next attempt')} {moment_words(step['next_attempt'])}")
    times = step["times"]
    if isinstance(times, int) and times > 1:
        words.append(say("· {count} times since {moment}", count=times, moment=moment_words(step["first_at"])))
    return " ".join(words)


def _answer(step: Document) -> str:
    """Return what was said, with the stage at which and the codes that the text does not begin with itself."""
    text, code = str(step["text"]), step["code"]
    codes = f"{code} {step['status']} " if code is not None and not text.startswith(str(code)) else ""
    stage = f"{say(str(step['stage']))}: " if step["stage"] else ""
    return f"{stage}{codes}{text}"


def _list(value: object) -> list[Document]:
    return list(value) if isinstance(value, list) else []
