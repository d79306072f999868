"""Servers that break a promise on purpose: the proof that the harness can fail.

Each is a change made in the child before it serves; the scenario named with it has to find it.
"""

from __future__ import annotations

__all__ = ["MUTATIONS", "Mutation", "apply"]

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hongyan.engines.sql.units import Unit


@dataclass(frozen=True, slots=True)
class Mutation:
    """A broken promise: who finds it, by which words, and how it is broken."""

    scenario: str
    evidence: tuple[str, ...]
    apply: Callable[[], None]
    quiet: float = 0.2


def apply(name: str) -> None:
    """Break the promise of that name; nothing for an empty one."""
    if name:
        MUTATIONS[name].apply()


def _no_sync_of_blobs() -> None:
    from hongyan.engines.disk import Disk

    Disk.sync = lambda self, fd: None  # type: ignore[method-assign]


def _no_sync_of_names() -> None:
    from hongyan.engines.disk import Disk

    Disk.sync_directory = lambda self, directory: None  # type: ignore[method-assign]


def _no_sync_of_rows() -> None:
    from hongyan.engines.sqlite.writer import Writer

    def never(self: Writer, *, full: bool) -> None:
        self._cursor.execute("PRAGMA synchronous = OFF")

    Writer._set_sync = never  # type: ignore[method-assign]


def _no_sync_of_flags() -> None:
    from hongyan.engines.sqlite.writer import Writer

    def never(self: Writer) -> None:
        self._unsynced_since = 0.0

    Writer._sync_log = never  # type: ignore[method-assign]


def _no_skip_of_modseqs() -> None:
    from hongyan.engines.local import storage

    async def nothing(database: object) -> None:
        pass

    storage.skip_after_power_loss = nothing  # type: ignore[attr-defined]


def _no_receipts() -> None:
    from hongyan.engines.sql import messages

    def always(*_asked: object) -> Unit[bool]:
        yield from ()
        return True

    messages._take_receipt = always  # type: ignore[assignment]


def _no_receipts_of_queue() -> None:
    from hongyan.engines.sql import queue

    def always(*_asked: object) -> Unit[None]:
        yield from ()

    queue._take_receipt = always  # type: ignore[assignment]


def _early_answer() -> None:
    """250 is said while the message is being stored, half a second later."""
    from hongyan.delivery.deliver import Delivered, Deliverer

    store = Deliverer.deliver
    tasks = set()

    async def later(*arguments: object, **named: object) -> None:
        await asyncio.sleep(0.5)
        await store(*arguments, **named)  # type: ignore[arg-type]

    async def deliver(self: Deliverer, accounts: list[int], *arguments: object, **named: object) -> list[Delivered]:
        task = asyncio.create_task(later(self, accounts, *arguments, **named))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return [Delivered(account, None) for account in accounts]  # type: ignore[arg-type]

    Deliverer.deliver = deliver  # type: ignore[method-assign, assignment]


def _two_steps_of_a_move() -> None:
    """MOVE is a COPY, and an EXPUNGE a little later."""
    from hongyan.mailboxes import move as moves
    from hongyan.mailboxes.expunge import expunge

    whole = moves.copy_messages

    async def in_two(mail, account, source, uids, target, *, move=False):  # type: ignore[no-untyped-def]
        done = await whole(mail, account, source, uids, target)
        if move:
            await asyncio.sleep(0.2)
            await expunge(mail, account, source.mailbox_id, uids)
        return done

    from hongyan.servers.imap.commands import copy

    copy.copy_messages = in_two  # type: ignore[attr-defined]


_NO_BLOBS = ("holds a database and not its messages", "cannot be read")

MUTATIONS = {
    "no-sync-of-blobs": Mutation("power", _NO_BLOBS, _no_sync_of_blobs),
    "no-sync-of-names": Mutation("power", _NO_BLOBS, _no_sync_of_names),
    "no-sync-of-rows": Mutation("power", ("lost: ",), _no_sync_of_rows),
    "no-sync-of-flags": Mutation("power", ("flags of ",), _no_sync_of_flags, quiet=1.0),
    "no-skip-of-modseqs": Mutation("power", ("MODSEQ",), _no_skip_of_modseqs, quiet=1.0),
    "no-receipts": Mutation("kill", ("duplicate: ", "it was removed"), _no_receipts),
    "no-receipts-of-queue": Mutation("kill", ("duplicate: ", "it was removed"), _no_receipts_of_queue),
    "early-answer": Mutation("kill", ("lost: ",), _early_answer),
    "two-steps-of-a-move": Mutation("kill", ("a MOVE that was not answered left",), _two_steps_of_a_move),
}
