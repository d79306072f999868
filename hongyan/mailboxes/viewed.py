"""A shared mailbox as one of its viewers sees it: all is the owner's but `\\Seen`, which is the viewer's own.

The view is a mailbox in memory of its own. It follows the owner's, change by change, and takes MODSEQs from the same
log: what a viewer has seen is an entry there too, so that CONDSTORE means to viewers what it means to the owner. The
sessions of one viewer share a view. Who loses the right to read it, or loses track, learns it from `is_closed`.
"""

from __future__ import annotations

__all__ = ["Viewed", "ViewedMailboxes", "mark_as_viewer", "mark_seen"]

from array import array
from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.errors import NotFound
from hongyan.mailboxes.flags import FlagAction, Marked, mark
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.reach import Place, Viewer
from hongyan.mailboxes.rights import Right, Rights, effective_rights, keepable_flags
from hongyan.mailboxes.state import MailboxState
from hongyan.store.accounts import AccountState, AccountStore
from hongyan.store.changes import (
    AccessChanged,
    Appended,
    Change,
    Flag,
    FlagsAdded,
    FlagsRemoved,
    FlagsReplaced,
    LoggedChange,
    SeenBy,
)
from hongyan.store.directory import DirectoryChange
from hongyan.store.shares import ANYONE, Grant, Reached, SeenNote, ShareStore
from hongyan.types import AccountId, MailboxId, ModSeq

_SEEN = b"\\Seen"
_NO_UIDS = BitMap()


class Viewed:
    """The view of one viewer. `state` is what its sessions work on, `rights` what the viewer may do now."""

    __slots__ = ("_grants", "_is_neighbour", "_owners", "is_closed", "reached", "rights", "sessions", "state", "viewer")

    def __init__(self, viewer: AccountId, place: Place, owners: MailboxState, note: SeenNote) -> None:
        self.viewer = viewer
        self.reached = Reached(place.account, owners.mailbox_id)
        self.state = _view_of(owners, note)
        self.is_closed = False
        self.sessions = 0
        self._owners = owners
        self._grants = {(grant.grantee, grant.is_negative): grant for grant in place.grants}
        self._is_neighbour = place.is_neighbour
        self.rights: Rights = effective_rights(self._grants.values())
        for logged in owners.recent_after(note.modseq):
            self._apply_seen(logged.change)
        for logged in owners.recent_after(place.mailbox.highestmodseq):  # since the grants were read
            if isinstance(logged.change, AccessChanged):
                self._take_access(logged.change)
        owners.followers.append(self)

    def leave(self) -> None:
        """One session looks no more; with the last one the view goes."""
        self.sessions -= 1
        if self.sessions <= 0 and self in self._owners.followers:
            self._owners.followers.remove(self)

    def follows(self, owners: MailboxState) -> bool:
        """Whether this is a view of that mailbox in memory."""
        return self._owners is owners

    def follow(self, logged: LoggedChange) -> None:
        """Take in what the owner's mailbox has taken in."""
        change = logged.change
        if isinstance(change, AccessChanged):
            self._take_access(change)
        kept = _NO_UIDS
        if isinstance(change, FlagsReplaced):
            kept = self.state.with_flag(_SEEN) & change.uids
        self.state.apply(LoggedChange(logged.modseq, logged.mailbox, self._as_seen(change)))
        if kept:
            self.state.set_flags(kept, self.state.column.adding((_SEEN,)))

    def lose_track(self) -> None:
        """The owner's mailbox was read anew: the sessions begin anew too."""
        self.is_closed = True

    def _take_access(self, change: AccessChanged) -> None:
        if change.grantee not in (ANYONE, self.viewer):
            return
        key = (change.grantee, change.is_negative)
        if change.grantee == ANYONE and not self._is_neighbour:
            return
        self._grants[key] = Grant(change.grantee, change.rights, change.is_negative)
        self.rights = effective_rights(self._grants.values())
        if Right.READ not in self.rights:
            self.is_closed = True

    def _as_seen(self, change: Change) -> Change:
        """Return what a change of the owner's mailbox is to the viewer."""
        match change:
            case Appended(first_uid, count, flags) if _SEEN in flags:
                return Appended(first_uid, count, {flag: uids for flag, uids in flags.items() if flag != _SEEN})
            case FlagsAdded(uids, flags) if _SEEN in flags:
                others = _without_seen(flags)
                return FlagsAdded(uids if others else _NO_UIDS, others)
            case FlagsRemoved(uids, flags) if _SEEN in flags:
                others = _without_seen(flags)
                return FlagsRemoved(uids if others else _NO_UIDS, others)
            case FlagsReplaced(uids, flags):
                return FlagsReplaced(uids, _without_seen(flags))
            case SeenBy(viewer, uids, is_seen) if viewer == self.viewer:
                return FlagsAdded(uids, (_SEEN,)) if is_seen else FlagsRemoved(uids, (_SEEN,))
        return change

    def _apply_seen(self, change: Change) -> None:
        """Take in a mark that was logged and not yet noted when the view was made."""
        if isinstance(change, SeenBy) and change.viewer == self.viewer:
            column = self.state.column
            action = column.adding if change.is_seen else column.removing
            self.state.set_flags(change.uids, action((_SEEN,)))


def _without_seen(flags: tuple[Flag, ...]) -> tuple[Flag, ...]:
    return tuple(flag for flag in flags if flag != _SEEN)


def _view_of(owners: MailboxState, note: SeenNote) -> MailboxState:
    """Return a copy of the owner's mailbox in which what the viewer has seen is seen, and nothing else."""
    state = owners.copy()
    everything = BitMap(state.uids)
    state.set_flags(everything, state.column.removing((_SEEN,)))
    state.set_flags(note.now_seen() & everything, state.column.adding((_SEEN,)))
    # What the viewer marked is as new as the mark; of marks that were folded only the last one's place is known.
    for modseq, uids in [(note.base, note.touched), *((modseq, uids) for modseq, _is_seen, uids in note.steps)]:
        _raise_modseqs(state, uids, modseq)
    return state


def _raise_modseqs(state: MailboxState, uids: BitMap, modseq: ModSeq) -> None:
    modseqs = state.modseqs
    for start, stop in state.position_runs(uids):
        modseqs[start:stop] = array("Q", [max(old, modseq) for old in modseqs[start:stop]])


class ViewedMailboxes:
    """The views that sessions look through now."""

    def __init__(self, mail: Mail, shares: ShareStore, accounts: AccountStore) -> None:
        self._mail = mail
        self._shares = shares
        self._accounts = accounts
        self._views: dict[tuple[AccountId, AccountId, MailboxId], Viewed] = {}

    async def open(self, viewer: Viewer, place: Place) -> Viewed:
        """Return the viewer's view of a mailbox of somebody else, for one session until `Viewed.leave`.

        The owner's mailbox is to be pinned before. Raises `NotFound` and `Corrupt`.
        """
        key = (viewer.account, place.account, place.mailbox.mailbox_id)
        reached = Reached(place.account, place.mailbox.mailbox_id)
        note = await self._shares.seen_note(viewer.account, reached)
        owners = await self._mail.live.open(place.account, place.mailbox.mailbox_id)
        viewed = self._views.get(key)
        if viewed is None or viewed.sessions <= 0 or viewed.is_closed or not viewed.follows(owners):
            viewed = self._views[key] = Viewed(viewer.account, place, owners, note)
        viewed.sessions += 1
        if not await self._is_in_use(place.account):
            # Asked only now: whoever stops using it from here on finds the view, and closes it.
            self.leave(viewed)
            raise NotFound("There is no such mailbox.")
        return viewed

    def leave(self, viewed: Viewed) -> None:
        """One session looks no more."""
        viewed.leave()
        if viewed.sessions <= 0:
            key = (viewed.viewer, viewed.reached.owner, viewed.reached.mailbox)
            if self._views.get(key) is viewed:
                del self._views[key]

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log: who looks at mailboxes of an account that is out of use is sent away."""
        owners = {viewed.reached.owner for viewed in self._views.values()}
        if changes is not None:
            owners &= {change.account for change in changes if change.account is not None}
        for owner in owners:
            if not await self._is_in_use(owner):
                self._close_all_of(owner)

    async def _is_in_use(self, owner: AccountId) -> bool:
        account = await self._accounts.find_account(owner)
        return account is not None and account.state is AccountState.ACTIVE

    def _close_all_of(self, owner: AccountId) -> None:
        for viewed in self._views.values():
            if viewed.reached.owner == owner:
                viewed.is_closed = True
        self._mail.live.stir(owner)

    async def count_unseen(self, viewer: AccountId, place: Place) -> int:
        """Return how many messages the viewer has not seen."""
        viewed = self._views.get((viewer, place.account, place.mailbox.mailbox_id))
        if viewed is not None and not viewed.is_closed:
            return viewed.state.unseen()
        state = await self._mail.live.open(place.account, place.mailbox.mailbox_id)
        note = await self._shares.seen_note(viewer, Reached(place.account, place.mailbox.mailbox_id))
        return len(state) - len(note.now_seen() & BitMap(state.uids))


async def mark_seen(mail: Mail, shares: ShareStore, viewer: AccountId, place: Reached, uids: BitMap) -> None:
    """Let messages be seen by a viewer who does not look at their mailbox: what it put there itself."""
    await _log_seen(mail, shares, SeenBy(viewer, uids, is_seen=True), place)


async def _log_seen(mail: Mail, shares: ShareStore, change: SeenBy, reached: Reached) -> ModSeq:
    """Log it with the owner, then note it with the viewer; who is told OK has both."""
    modseq = await mail.messages.change_flags(reached.owner, reached.mailbox, change)
    await mail.live.follow(reached.owner, (LoggedChange(modseq, reached.mailbox, change),))
    await shares.note_seen(change.viewer, reached, modseq, change.uids, is_seen=change.is_seen)
    return modseq


async def mark_as_viewer(
    mail: Mail,
    shares: ShareStore,
    viewed: Viewed,
    uids: BitMap,
    action: FlagAction,
    flags: tuple[Flag, ...],
    *,
    unchanged_since: ModSeq | None = None,
    durable: bool = False,
) -> Marked:
    """Change flags of messages as far as the viewer's rights go, the rest is left as it is (RFC 4314 §4).

    Of a condition the whole is held to first: what others change while this is carried out may be met half-way.
    """
    modified = viewed.state.changed_after(uids, unchanged_since) if unchanged_since is not None else BitMap()
    chosen = uids - modified
    changed, last = BitMap(), None
    for step, names in _steps(viewed, action, flags):
        done = await _mark_step(mail, shares, viewed, chosen, step, names, durable=durable)
        changed |= done.changed
        last = done.modseq if done.modseq is not None else last
    return Marked(last, changed, modified)


def _steps(viewed: Viewed, action: FlagAction, flags: tuple[Flag, ...]) -> list[tuple[FlagAction, tuple[Flag, ...]]]:
    allowed = keepable_flags(flags, viewed.rights)
    if action is not FlagAction.REPLACE:
        return [(action, allowed)] if allowed else []
    named = {flag.lower() for flag in flags}
    present = [flag for flag in viewed.state.column.flags if flag.lower() not in named]
    steps = [(FlagAction.REMOVE, keepable_flags(present, viewed.rights)), (FlagAction.ADD, allowed)]
    return [(step, names) for step, names in steps if names]


async def _mark_step(
    mail: Mail,
    shares: ShareStore,
    viewed: Viewed,
    uids: BitMap,
    action: FlagAction,
    flags: tuple[Flag, ...],
    *,
    durable: bool,
) -> Marked:
    done = Marked(None, _NO_UIDS, _NO_UIDS)
    others = _without_seen(flags)
    if others:
        owner = viewed.reached.owner
        done = await mark(mail, owner, viewed.state, uids, action, others, durable=durable)
    if _SEEN not in flags:
        return done
    is_seen = action is FlagAction.ADD
    column = viewed.state.column
    change = column.adding((_SEEN,)) if is_seen else column.removing((_SEEN,))
    seen = viewed.state.changed_by(viewed.state.position_runs(uids), change)
    if not seen:
        return done
    modseq = await _log_seen(mail, shares, SeenBy(viewed.viewer, seen, is_seen), viewed.reached)
    return Marked(modseq, done.changed | seen, _NO_UIDS)
