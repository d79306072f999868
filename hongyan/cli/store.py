"""`verify`, `backup` and `restore`: is what is kept whole, and is it kept twice?"""

from __future__ import annotations

__all__ = ["backup", "restore", "verify"]

import asyncio
from pathlib import Path
from typing import Annotated

from hongyan.cli.acting import act, is_dry, show_progress
from hongyan.cli.calls import Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, DryRun, Where, about
from hongyan.cli.fault import UsageFault
from hongyan.cli.screen import octets_words, print_json, print_table, tell
from hongyan.cli.words import say

_FINDINGS = 100


def verify(
    *,
    repair: Annotated[bool, about("Mend what can be mended.", negative="", show_default=False)] = False,
    shallow: Annotated[
        bool, about("Do not read the messages, only see that they are there.", negative="", show_default=False)
    ] = False,
    where: Where = WHERE,
) -> int:
    """Look whether everything that is kept is whole; the service goes on meanwhile."""
    parameters = {"repair": repair, "shallow": shallow}
    return act(where, "store.verify", parameters, _print_report, judge=_judge_report)


def backup(
    target: Annotated[Path, about("The directory of the backup; an earlier one there is brought up to date.")],
    /,
    *,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Make a backup, while the service goes on."""
    parameters = {"target": str(target.absolute()), "dry_run": dry_run}
    return act(where, "store.backup", parameters, _print_backup, in_octets=True)


def restore(
    source: Annotated[Path, about("The directory of the backup.")],
    data: Annotated[Path, about("The data directory to be made; it is empty or not there.")],
    /,
    *,
    dry_run: DryRun = False,
    json: Annotated[bool, about("Answer with one JSON document.", negative="", show_default=False)] = False,
) -> int:
    """Make a data directory from a backup."""
    from hongyan.operations.store import check_restore, restore_backup  # here: it imports the engines

    if data.absolute() == source.absolute():
        raise UsageFault("The data are not made where the backup lies.")
    if dry_run:
        check_restore(source.absolute(), data.absolute())
    else:
        with show_progress(quiet=json, in_octets=True) as bar:
            asyncio.run(restore_backup(source.absolute(), data.absolute(), bar))
    answer: Document = {"data": str(data.absolute()), **({"dry_run": True} if dry_run else {})}
    if json:
        print_json(answer)
    elif not is_dry(answer):
        tell(say("{data} is made from the backup.", data=data))
    return DONE


def _judge_report(answer: Document) -> int:
    return DONE if answer["sound"] else DEGRADED


def _print_report(answer: Document) -> None:
    names = ("accounts", "mailboxes", "messages", "blobs", "segments")
    print_table(names, [[answer[name] for name in names]])
    tell(f"{say('size')}: {octets_words(answer['octets'])}")
    _print_index(answer["index"])
    findings = answer["findings"]
    rows: list[Document] = list(findings) if isinstance(findings, list) else []
    if not rows:
        tell(say("Everything is whole."))
        return
    print_table(
        ("finding", "account", "mailbox", "UID", "detail", "mended"),
        [
            (
                say(str(one["fault"])),
                one["account"] or "",
                one["mailbox"] or "",
                one["uid"] or "",
                one["detail"],
                say("yes" if one["repaired"] else "no"),
            )
            for one in rows[:_FINDINGS]
        ],
    )
    if answer["sound"]:
        tell(say("Nothing is lost: crashes leave such things behind, and the service removes them."))
    else:
        tell(say("`hongyan verify --repair` mends what can be mended."))


def _print_index(index: object) -> None:
    """Tell how the text index is: whatever it lacks, searches read."""
    if not isinstance(index, dict) or not index["accounts"]:
        return
    count, damaged = index["accounts"], len(index["damaged"])
    if not damaged:
        behind = index["behind"]
        tell(
            say("Text index: whole, of {count} accounts; {behind} messages are not in it.", count=count, behind=behind)
        )
    elif index["repaired"]:
        tell(say("Text index: that of {damaged} of {count} accounts was made anew.", damaged=damaged, count=count))
    else:
        tell(say("Text index: damaged for {damaged} of {count} accounts; searches read.", damaged=damaged, count=count))


def _print_backup(answer: Document) -> None:
    if is_dry(answer):
        return
    tell(
        say(
            "{target}: {copied} copied, {kept} lay there already.",
            target=answer["target"],
            copied=octets_words(answer["copied_octets"]),
            kept=octets_words(answer["kept_octets"]),
        )
    )
