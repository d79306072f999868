"""What accounts may send, as commands of `account`: limits, held, hold, release."""

from __future__ import annotations

__all__ = ["held", "hold", "limits", "release"]

from typing import Annotated

from hongyan.cli.acting import act, is_dry, texts
from hongyan.cli.calls import Document
from hongyan.cli.commands import WHERE, DryRun, Where, about
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import moment_words, print_table, tell
from hongyan.cli.words import say, translate

_Address = Annotated[str, about("The account's address.")]
_Reason = Annotated[str, about("Why, for the audit trail; the owner reads the reason of a hold.")]

_NAMES = {
    "messages_per_day": "messages a day",
    "first_per_day": "new recipients a day",
    "first_per_hour": "new recipients an hour",
    "recipients_per_message": "recipients of one message",
}


def limits(
    address: _Address,
    /,
    *,
    messages_per_day: Annotated[int | None, about("Messages that leave within a day.")] = None,
    new_per_day: Annotated[int | None, about("Recipients within a day that it never wrote to before.")] = None,
    new_per_hour: Annotated[int | None, about("Recipients within an hour that it never wrote to before.")] = None,
    recipients: Annotated[int | None, about("Recipients elsewhere of one message.")] = None,
    exempt: Annotated[bool | None, about("Whether it is never put on hold without an operator.")] = None,
    reset: Annotated[bool, about("Forget its own limits first: those of its class hold.", negative="")] = False,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Show what an account may send, what it has sent and whether it is on hold; or give it limits of its own."""
    wanted = {
        "messages_per_day": messages_per_day,
        "first_per_day": new_per_day,
        "first_per_hour": new_per_hour,
        "recipients_per_message": recipients,
        "exempt": exempt,
    }
    if not reset and all(value is None for value in wanted.values()):
        if dry_run:
            raise UsageFault("Say which limit.")
        return act(where, "account.sending", {"address": address}, _print_sending)
    parameters = {"address": address, **wanted, "reset": reset, "dry_run": dry_run}
    return act(where, "account.limits", parameters, _print_set)


def held(*, where: Where = WHERE) -> int:
    """List the accounts on hold."""
    return act(where, "account.held", {}, _print_held)


def hold(address: _Address, /, *, reason: _Reason, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Let an account send no more, and tell its owner. Its mail in the queue is held; it still reads mail."""
    return act(where, "account.hold", {"address": address, "reason": reason, "dry_run": dry_run}, _print_hold)


def release(address: _Address, /, *, reason: _Reason, dry_run: DryRun = False, where: Where = WHERE) -> int:
    """Let an account that is on hold send again: its mail in the queue leaves."""
    return act(where, "account.release", {"address": address, "reason": reason, "dry_run": dry_run}, _print_release)


def _print_set(answer: Document) -> None:
    if not is_dry(answer):
        _print_sending(answer)


def _print_sending(answer: Document) -> None:
    most, used, own = _table(answer["limits"]), _table(answer["used"]), texts(answer["own"])
    print_table(
        ("limit", "at most", "used", "set for"),
        [
            (say(words), most[name], used.get(name, ""), say("this account" if name in own else str(answer["class"])))
            for name, words in _NAMES.items()
        ],
    )
    hold = _table(answer["hold"])
    if hold:
        since, reason = moment_words(hold["since"]), translate(str(hold["reason"]))
        trigger = say(str(hold["trigger"]))
        tell(say("On hold since {since}: {trigger}. {reason}", since=since, trigger=trigger, reason=reason))
    elif answer["exempt"]:
        tell(say("It is never put on hold without an operator."))
    elif answer["grace_until"]:
        until = moment_words(answer["grace_until"])
        tell(say("It was released, and is not put on hold by itself before {until}.", until=until))


def _print_held(answer: Document) -> None:
    listed = answer["accounts"]
    accounts: list[Document] = list(listed) if isinstance(listed, list) else []
    print_table(
        ("address", "since", "by", "trigger", "why"),
        [
            (
                one["address"],
                moment_words(one["since"]),
                one["by"],
                say(str(one["trigger"])),
                translate(str(one["reason"])),
            )
            for one in accounts
        ],
        empty="No account is on hold.",
    )


def _print_hold(answer: Document) -> None:
    if not is_dry(answer):
        address, count = answer["address"], answer["recipients"]
        tell(say("{address} is on hold; {count} recipients in the queue are held.", address=address, count=count))
        tell(say("Was it stolen? Revoke its app passwords: `hongyan app-password revoke {address}`.", address=address))


def _print_release(answer: Document) -> None:
    if not is_dry(answer):
        address, count = answer["address"], answer["recipients"]
        tell(say("{address} may send again; {count} recipients in the queue go on.", address=address, count=count))
        hours = answer["grace_hours"]
        tell(say("For {hours} hours it is not put on hold by itself.", hours=hours))


def _table(value: object) -> Document:
    return value if isinstance(value, dict) else {}
