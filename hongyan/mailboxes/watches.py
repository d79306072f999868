"""Follows what viewers reach, for the sessions that want to hear of it (RFC 5465): one reading serves all of a viewer.

The hub's hints wake a watch; it reads a picture of everything and gives it to its listeners, each of which knows what
it has told already. Hints that come while it reads fall into one reading more, and after each reading comes a rest in
proportion to it: however much happens, an account takes no more than that share of the time.
"""

from __future__ import annotations

__all__ = ["Listener", "Watches", "Wishes"]

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hongyan import telemetry
from hongyan.errors import HongyanError
from hongyan.mailboxes.annotations import PRIVATE, SHARED
from hongyan.mailboxes.picture import Notes, Picture
from hongyan.mailboxes.reach import Place, Reach, Viewer, own_place
from hongyan.mailboxes.rights import Right
from hongyan.notify.hub import Hub
from hongyan.store.annotations import EVERYBODY, SERVER_NOTES, AnnotationStore, Topic
from hongyan.store.mailboxes import MailboxStore
from hongyan.types import AccountId, MailboxId, ModSeq

_REST = 9.0  # seconds for each second of reading
_LONGEST_REST = 2.0  # seconds

log = telemetry.logger("notify")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a picture is to hold besides the viewer's own mailboxes and subscriptions."""

    others: bool = False
    notes: bool = False


class Listener(Protocol):
    """Who wants to know."""

    def picture_changed(self, picture: Picture) -> None:
        """Something may have changed, and this is how everything stands now. Never waits."""
        ...

    def picture_lost(self) -> None:
        """How things stand cannot be read: nothing more will be told. Never waits."""
        ...


class Watches:
    """Who listens to what, by viewer."""

    def __init__(self, mailboxes: MailboxStore, reach: Reach, annotations: AnnotationStore, hub: Hub) -> None:
        self._mailboxes = mailboxes
        self._reach = reach
        self._annotations = annotations
        self._hub = hub
        self._watches: dict[Viewer, _Watch] = {}

    def __len__(self) -> int:
        return len(self._watches)

    async def join(self, viewer: Viewer, listener: Listener, wishes: Wishes) -> Picture:
        """Let the listener know from now on, and return how things stand. Raises `HongyanError`; then it is not in."""
        watch = self._watches.get(viewer)
        if watch is None:
            watch = self._watches[viewer] = _Watch(self, viewer, self._hub)
        try:
            return await watch.join(listener, wishes)
        except BaseException:
            self.leave(viewer, listener)
            raise

    def leave(self, viewer: Viewer, listener: Listener) -> None:
        """Let the listener know no longer. A second time does nothing."""
        watch = self._watches.get(viewer)
        if watch is not None and watch.leave(listener):
            del self._watches[viewer]

    async def read_now(self, viewer: Viewer) -> Picture | None:
        """Return how things stand at this moment, for a viewer somebody listens for. Raises `HongyanError`."""
        watch = self._watches.get(viewer)
        return None if watch is None else await watch.read()

    def look_all(self) -> None:
        """Something has changed for everybody."""
        for watch in self._watches.values():
            watch.account_changed(ModSeq(0))

    async def read(self, viewer: Viewer, wishes: Wishes) -> Picture:
        """Read a picture. Raises `HongyanError`."""
        account = viewer.account
        places = {one.name: own_place(viewer, one) for one in await self._mailboxes.list_mailboxes(account)}
        if wishes.others:
            places |= {place.name: place for place in await self._reach.list_others(viewer)}
        subscribed = frozenset(await self._mailboxes.list_subscriptions(account))
        notes = await self._read_notes(account, places) if wishes.notes else {}
        return Picture(places, subscribed, notes)

    async def _read_notes(self, account: AccountId, places: Mapping[str, Place]) -> dict[str, Notes]:
        mine = await self._annotations.read_account(account)
        notes: dict[str, Notes] = {}
        for name, place in places.items():
            if not place.is_own and Right.READ not in place.rights:
                continue  # RFC 5465 §5
            found = _marks(mine, account, place.account, place.mailbox.mailbox_id, "/")
            if not place.is_own:
                topic = Topic(place.account, place.account, place.mailbox.mailbox_id)
                found |= _marks({topic: await self._annotations.read(topic)}, *_parts(topic), SHARED)
            if found:
                notes[name] = found
        server = Topic(EVERYBODY, EVERYBODY, SERVER_NOTES)
        all_read = _marks({server: await self._annotations.read(server)}, *_parts(server), SHARED)
        notes[""] = _marks(mine, account, account, SERVER_NOTES, PRIVATE) | all_read
        return notes


def _parts(topic: Topic) -> tuple[AccountId, AccountId, MailboxId]:
    return topic.account, topic.owner, topic.mailbox


def _marks(
    notes: Mapping[Topic, Mapping[str, bytes]], account: AccountId, owner: AccountId, mailbox: MailboxId, scope: str
) -> dict[str, int]:
    entries = notes.get(Topic(account, owner, mailbox), {})
    return {entry: hash(value) for entry, value in entries.items() if entry.startswith(scope)}


class _Watch:
    """What one viewer's listeners are told of. It waits at the hub, for the viewer and for who shares with it."""

    def __init__(self, watches: Watches, viewer: Viewer, hub: Hub) -> None:
        self._watches = watches
        self._viewer = viewer
        self._hub = hub
        self._listeners: dict[Listener, Wishes] = {}
        self._joining = 0
        self._accounts: set[AccountId] = set()
        self._turn = asyncio.Lock()  # pictures are read one after the other, so that a later one is never older
        self._is_stale = False
        self._task: asyncio.Task[None] | None = None
        self._wait_for({viewer.account})

    async def join(self, listener: Listener, wishes: Wishes) -> Picture:
        """Read a picture; what happens after it reaches the listener."""
        self._joining += 1
        try:
            async with self._turn:
                picture = await self._read(wishes)
                self._listeners[listener] = wishes
                return picture
        finally:
            self._joining -= 1

    def leave(self, listener: Listener) -> bool:
        """Return whether nobody listens any more."""
        self._listeners.pop(listener, None)
        if self._listeners or self._joining:
            return False
        self._wait_for(set())
        if self._task is not None:
            self._task.cancel()
        return True

    async def read(self) -> Picture:
        """Read a picture after those that are being read."""
        async with self._turn:
            return await self._read(Wishes())

    async def _read(self, more: Wishes) -> Picture:
        every = [*self._listeners.values(), more]
        wishes = Wishes(others=any(one.others for one in every), notes=any(one.notes for one in every))
        picture = await self._watches.read(self._viewer, wishes)
        self._wait_for({self._viewer.account, *(place.account for place in picture.places.values())})
        return picture

    def _wait_for(self, accounts: set[AccountId]) -> None:
        for account in accounts - self._accounts:
            self._hub.join(account, self)
        for account in self._accounts - accounts:
            self._hub.leave(account, self)
        self._accounts = accounts

    def account_changed(self, modseq: ModSeq) -> None:  # noqa: ARG002 - a hint; what is read is the truth
        """Look, unless that is being done; then look again."""
        self._is_stale = True
        if self._task is None and (self._listeners or self._joining):
            self._task = asyncio.get_running_loop().create_task(self._follow())
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("panic", error=error, account=int(self._viewer.account))
            self._lose()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while self._is_stale:
            began = loop.time()
            async with self._turn:
                self._is_stale = False
                try:
                    picture = await self._read(Wishes())
                except HongyanError as error:
                    log.warning("picture-unreadable", account=int(self._viewer.account), error=error)
                    self._lose()
                    return
                for listener in tuple(self._listeners):
                    listener.picture_changed(picture)
            await asyncio.sleep(min((loop.time() - began) * _REST, _LONGEST_REST))

    def _lose(self) -> None:
        for listener in tuple(self._listeners):
            listener.picture_lost()
