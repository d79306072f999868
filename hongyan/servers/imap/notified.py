"""What a session is told that has said NOTIFY (RFC 5465): when, in which words, and how much at most.

Of the selected mailbox it hears what `Selected` tells, of all else what two pictures differ in (`mailboxes.picture`).
Nothing is said while a command is carried out. What the client itself has done is passed over (§5).
"""

from __future__ import annotations

__all__ = ["Notified"]

from bisect import bisect_right
from collections.abc import Iterator

from pyroaring import BitMap

from hongyan.errors import HongyanError
from hongyan.mailboxes.picture import Difference, Picture, compare
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right
from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.servers.imap.fetch_plan import FetchPlan, compile_plan
from hongyan.servers.imap.fetch_rows import tell_at_hand, tell_memory_rows, tell_rows, tell_sections
from hongyan.servers.imap.listed import attributes_of, parents_of
from hongyan.servers.imap.notice import MESSAGES, Notice
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.servers.imap.standing import status_line
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap import commands as wire
from hongyan.wire.imap.commands import EventName, StatusItem

_NO_PICTURE = Picture({}, frozenset())
_COUNTS = (StatusItem.MESSAGES, StatusItem.UIDNEXT)


class Notified:
    """Between one NOTIFY and the next."""

    __slots__ = (
        "_described",
        "_fresh",
        "_is_lost",
        "_own_names",
        "_own_uids",
        "_session",
        "_told",
        "_viewer",
        "notice",
    )

    def __init__(self, session: ImapSession, notice: Notice) -> None:
        self.notice = notice
        self._session = session
        self._viewer = session.viewer
        self._told = _NO_PICTURE
        self._fresh: Picture | None = None
        self._is_lost = False
        self._own_names: set[str] = set()
        self._own_uids = BitMap()
        self._described = 0  # the last UID of the selected mailbox whose message was told of
        self.selection_changed()

    async def begin(self) -> Picture:
        """Listen, where there is something to listen for, and return how things stand. Raises `HongyanError`."""
        if self.notice.looks_elsewhere:
            watches = self._session.services.watches
            self._told = await watches.join(self._viewer, self, self.notice.wishes)
        return self._told

    def end(self) -> None:
        """Listen no more."""
        self._session.services.watches.leave(self._viewer, self)

    # -- for the watch

    def picture_changed(self, picture: Picture) -> None:
        self._fresh = picture
        self._session.connection.wake()

    def picture_lost(self) -> None:
        self._is_lost = True
        self._session.connection.wake()

    # -- for the session

    @property
    def hears_selected(self) -> bool:
        """Whether events of the selected mailbox are of interest."""
        return bool(self.notice.selected_events)

    @property
    def hears_flags(self) -> bool:
        """Whether changed flags in the selected mailbox are."""
        return EventName.FLAG_CHANGE in self.notice.selected_events

    def selection_changed(self) -> None:
        """Another mailbox is selected, or none: what is in it is told by other means."""
        selected = self._session.selected
        self._own_uids.clear()
        self._described = _last_uid(selected) if selected is not None else 0

    async def carried_out(self, command: object) -> None:
        """Look at what the client's own command has done, so that it is not told of it."""
        names = _names_changed_by(command)
        if names and self.notice.looks_elsewhere:
            self._own_names |= names
            self._own_names |= parents_of(names)
            try:
                self._fresh = await self._session.services.watches.read_now(self._viewer) or self._fresh
            except HongyanError:
                self._is_lost = True

    async def tell_until(self, picture: Picture) -> None:
        """Another NOTIFY takes the place of this one: tell what has happened until it begins, with this picture."""
        if self.notice.looks_elsewhere and not self._is_lost:
            try:
                await self._tell_difference(picture)
            except HongyanError:
                self._overflow()

    def made(self, uids: BitMap) -> None:
        """The client itself has put these messages into the selected mailbox (§5.2)."""
        self._own_uids |= uids

    def speak(self) -> Work | None:
        """Tell what there is to tell while no command is in progress."""
        session = self._session
        if self._is_lost:
            self._overflow()
            return None
        if session.selected is not None and self.hears_selected:
            session.tell_news(expunge=self.notice.is_immediate or session.idle_tag is not None)
            if session.closing:
                return None
        fresh = self._fresh
        arrived = self._arrived()
        if fresh is None and not arrived:
            return None
        if fresh is None and self._describe_at_hand(arrived):
            return None
        return self._speak(arrived)

    async def _speak(self, arrived: list[tuple[int, int]]) -> None:
        try:
            if arrived and not self._describe_at_hand(arrived):
                await self._describe(arrived)
            fresh, self._fresh = self._fresh, None
            if fresh is not None:
                await self._tell_difference(fresh)
        except HongyanError:
            self._overflow()

    def _overflow(self) -> None:
        """Tell the client that it is told no more (§5.8)."""
        session = self._session
        session.send(responses.ok("Too much to tell; look for yourself.", code=codes.NOTIFICATIONOVERFLOW))
        session.notify(Notified(session, Notice(())))

    # -- new messages of the selected mailbox

    def _arrived(self) -> list[tuple[int, int]]:
        """Return the positions of messages that the client knows the number of, and nothing else."""
        selected = self._session.selected
        if selected is None or not self.notice.items:
            return []
        view = selected.view
        start = bisect_right(view.uids, self._described, 0, view.exists)
        if start >= view.exists:
            return []
        uids = BitMap(view.uids[start : view.exists]) - self._own_uids
        return view.positions_of(uids)

    def _is_too_much(self, count: int) -> bool:
        return count > self._session.services.options.notify_burst

    def _describe_at_hand(self, arrived: list[tuple[int, int]]) -> bool:
        session, selected = self._session, self._session.selected
        if selected is None or not arrived:
            return True
        plan = self._plan()
        if not tell_at_hand(session, selected, plan, arrived):
            return False
        self._note_described(selected)
        return True

    async def _describe(self, arrived: list[tuple[int, int]]) -> None:
        """Tell what the client wants to know of each new message; `\\Seen` is not set by that (§5.2)."""
        session = self._session
        selected = session.require_selected()
        self._note_described(selected)
        if self._is_too_much(sum(stop - start for start, stop in arrived)):
            self._overflow()
            return
        plan = self._plan()
        if plan.is_from_memory:
            await tell_memory_rows(session, selected, plan, arrived)
        elif plan.sections:
            await tell_sections(session, selected, plan, arrived)
        else:
            await tell_rows(session, selected, plan, arrived)

    def _plan(self) -> FetchPlan:
        session = self._session
        return compile_plan(self.notice.items, uid=True, modseq=False, utf8=session.utf8, by_uid=session.uidonly)

    def _note_described(self, selected: Selected) -> None:
        self._described = max(self._described, _last_uid(selected))
        self._own_uids.clear()

    # -- everything else

    async def _tell_difference(self, fresh: Picture) -> None:
        told, self._told = self._told, fresh
        own, self._own_names = self._own_names, set()
        difference = compare(told, fresh)
        lines = [*self._names(told, fresh, difference, own), *self._notes(fresh, difference, own)]
        stood = [(was, now) for was, now in difference.changed if now.name not in own]
        if self._is_too_much(len(lines) + len(stood)):
            self._overflow()
            return
        for line in lines:
            self._session.send(line)
        for was, now in stood:
            await self._tell_standing(was, now, fresh)
        for name in difference.made:
            if name not in own and EventName.FLAG_CHANGE in self._events(fresh.places[name], fresh):
                # §5.1: another UIDVALIDITY, as far as the client knows the name.
                items = (*_COUNTS, StatusItem.UIDVALIDITY, *self._modseq_item())
                self._session.send(await status_line(self._session, fresh.places[name], items))

    def _names(self, told: Picture, fresh: Picture, difference: Difference, own: set[str]) -> Iterator[bytes]:
        """Tell of names and subscriptions (§5.4, §5.5)."""
        both = told.subscribed | fresh.subscribed
        affected: dict[str, str | None] = {
            new: old
            for old, new in difference.renamed
            if self._wants(EventName.MAILBOX_NAME, both, old, new) and own.isdisjoint((old, new))
        }
        for place in difference.gone:
            wanted = self._wants(EventName.MAILBOX_NAME, both, place.name)
            if not wanted and not place.is_own and self._wants(EventName.MESSAGE_NEW, both, place.name):
                yield self._no_access(place.name)  # §5.9
            if wanted and place.name not in own:
                affected.setdefault(place.name, None)
            self._affect_parent(place.name, affected, both, own)
        for name in difference.made:
            if self._wants(EventName.MAILBOX_NAME, both, name) and name not in own:
                affected.setdefault(name, None)
            self._affect_parent(name, affected, both, own)
        for name in difference.subscriptions:
            if self._wants(EventName.SUBSCRIPTION_CHANGE, both, name) and name not in own:
                affected.setdefault(name, None)
        parents = parents_of(fresh.places) if affected else frozenset()
        for name in sorted(affected):
            attributes = attributes_of(
                fresh.places.get(name),
                has_children=name in parents,
                is_subscribed=name in fresh.subscribed,
                rev2="IMAP4REV2" in self._session.enabled,
            )
            yield responses.list_(attributes, name, utf8=self._session.utf8, oldname=affected[name])

    def _affect_parent(self, name: str, affected: dict[str, str | None], both: frozenset[str], own: set[str]) -> None:
        """What is made or deleted affects the name above it (§5.4)."""
        parent = name.rpartition("/")[0]
        if parent and name not in own and parent not in own and self._wants(EventName.MAILBOX_NAME, both, parent):
            affected.setdefault(parent, None)

    def _wants(self, event: EventName, subscribed: frozenset[str], *names: str) -> bool:
        return any(event in self.notice.events_of(name, subscribed) for name in names)

    def _notes(self, fresh: Picture, difference: Difference, own: set[str]) -> Iterator[bytes]:
        """Tell which entries are other ones now (§5.6, §5.7)."""
        for name, entries in difference.noted.items():
            if name in own:
                continue
            event = EventName.MAILBOX_METADATA_CHANGE
            if self.notice.wants_server_notes if not name else self._wants(event, fresh.subscribed, name):
                yield responses.metadata_changed(name, entries, utf8=self._session.utf8)

    async def _tell_standing(self, was: Place, now: Place, fresh: Picture) -> None:
        """Tell how a mailbox stands in which something has happened (§5.1 to §5.3)."""
        session, selected = self._session, self._session.selected
        events = self._events(now, fresh)
        if not events:
            return
        if Right.READ not in now.rights:
            if Right.READ in was.rights:
                session.send(self._no_access(now.name))
            return
        may_read_at_last = Right.READ not in was.rights
        if may_read_at_last:
            session.send(responses.list_([], now.name, utf8=session.utf8))
        if selected is not None and (selected.account, selected.state.mailbox_id) == (
            now.account,
            now.mailbox.mailbox_id,
        ):
            return
        items: tuple[StatusItem, ...] = ()
        counts = was.mailbox.uidnext, was.mailbox.messages
        if may_read_at_last or counts != (now.mailbox.uidnext, now.mailbox.messages):
            items = (*_COUNTS, *self._modseq_item())
        elif EventName.FLAG_CHANGE in events and was.mailbox.highestmodseq != now.mailbox.highestmodseq:
            items = (StatusItem.UIDVALIDITY, StatusItem.UNSEEN, *self._modseq_item())
        if items:
            session.send(await status_line(session, now, items))

    def _modseq_item(self) -> tuple[StatusItem, ...]:
        return (StatusItem.HIGHESTMODSEQ,) if self._session.condstore else ()

    def _events(self, place: Place, picture: Picture) -> frozenset[EventName]:
        return self.notice.events_of(place.name, picture.subscribed) & MESSAGES

    def _no_access(self, name: str) -> bytes:
        return responses.list_([b"\\NoAccess"], name, utf8=self._session.utf8)


def _last_uid(selected: Selected) -> int:
    view = selected.view
    return view.uids[view.exists - 1] if view.exists else 0


def _names_changed_by(command: object) -> set[str]:
    """Return the mailboxes to which a command does what others would be told of."""
    match command:
        case wire.Rename(mailbox=mailbox, new_mailbox=new):
            return {mailbox, new}
        case (
            wire.Create(mailbox=mailbox)
            | wire.Delete(mailbox=mailbox)
            | wire.Subscribe(mailbox=mailbox)
            | wire.Unsubscribe(mailbox=mailbox)
            | wire.SetMetadata(mailbox=mailbox)
            | wire.Copy(mailbox=mailbox)
            | wire.Move(mailbox=mailbox)
            | AppendReceived(mailbox=mailbox)
        ):
            return {mailbox}
        case _:
            return set()
