"""The mailbox that a session has selected: what it is, and what its client knows of it."""

from __future__ import annotations

__all__ = ["Selected"]

from collections.abc import Iterator
from typing import Protocol

from pyroaring import BitMap

from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import NoPermission, Right, Rights, keepable_flags
from hongyan.mailboxes.state import MailboxState
from hongyan.mailboxes.viewed import Viewed, ViewedMailboxes
from hongyan.types import ModSeq
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.sequence import SequenceSet
from hongyan.wire.imap.view import News, View

_CHANGING = frozenset({Right.SEEN, Right.WRITE, Right.INSERT, Right.DELETE_MESSAGES, Right.EXPUNGE})

SYSTEM_FLAGS = (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")


class _Speaker(Protocol):
    def say_bye(self, text: str, *, code: bytes = b"") -> None: ...


class Selected:
    """Binds a client's view to the mailbox in memory. `cursor` is the change up to which the client was told."""

    __slots__ = (
        "_marked",
        "_opened_by_examine",
        "_own",
        "_told_flags",
        "_told_texts",
        "account",
        "cursor",
        "place",
        "state",
        "view",
        "viewed",
    )

    def __init__(
        self,
        place: Place,
        state: MailboxState,
        viewed: Viewed | None,
        *,
        read_only: bool,
        condstore: bool,
        qresync: bool = False,
        uidonly: bool = False,
    ) -> None:
        self.place = place
        self.account = place.account
        """Whose mailbox it is: not always the session's account."""
        self.state = state
        self.viewed = viewed
        self._opened_by_examine = read_only
        self.view = View(state.uids, condstore=condstore, qresync=qresync, uidonly=uidonly)
        self.cursor: ModSeq = state.modseq
        self._own: set[int] = set()
        self._marked: set[int] = set()
        self._told_flags = frozenset(self.flags)
        self._told_texts = (state.column.texts, len(state.column.texts))

    def leave(self, live: LiveMailboxes, views: ViewedMailboxes) -> None:
        """Let the mailbox go."""
        live.unpin(self.account, self.state.mailbox_id)
        if self.viewed is not None:
            views.leave(self.viewed)

    # -- what may be done

    @property
    def rights(self) -> Rights:
        """What the session's account may do with the mailbox now (RFC 4314)."""
        return self.place.rights if self.viewed is None else self.viewed.rights

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed: opened by EXAMINE, or without a right to (RFC 4314 §5.2)."""
        return self._opened_by_examine or _CHANGING.isdisjoint(self.rights)

    @property
    def permanent_flags(self) -> list[bytes]:
        """The flags that the session may change for good, `\\*` among them where it may make new ones."""
        if self.read_only:
            return []
        flags = list(keepable_flags(self.flags, self.rights))
        return [*flags, b"\\*"] if Right.WRITE in self.rights else flags

    def require(self, *rights: str) -> None:
        """Raise `NoPermission` unless these rights are there."""
        if not self.rights.issuperset(rights):
            raise NoPermission("You may not do that with this mailbox.")

    @property
    def is_closed(self) -> bool:
        """Whether the mailbox may not be looked at any more."""
        return self.viewed is not None and self.viewed.is_closed

    # -- what messages a command speaks of

    def positions(self, messages: SequenceSet, *, uid: bool) -> list[tuple[int, int]]:
        """Return positions of the client's view."""
        return self.view.positions(messages, uid=uid)

    def uids(self, positions: list[tuple[int, int]]) -> BitMap:
        """Return the UIDs at positions of the view."""
        return BitMap(self.view.uids_of(positions))

    def has_arrivals(self, messages: SequenceSet) -> bool:
        """Whether a set of UIDs reaches to messages that the client was not told of yet."""
        uids, view = self.state.uids, self.view
        known = view.uids[view.exists - 1] if view.exists else 0
        if not uids or uids[-1] <= known:
            return False
        return messages.has_star or any(max(bounds) > known for bounds in messages.ranges)

    @property
    def is_current(self) -> bool:
        """Whether the positions of the view are those of the mailbox."""
        return self.view.uids is self.state.uids

    # -- news

    @property
    def flags(self) -> list[bytes]:
        """The flags that the mailbox has, the system's in any case."""
        keywords = [flag for flag in self.state.column.flags if flag not in SYSTEM_FLAGS]
        return [*SYSTEM_FLAGS, *keywords]

    def made(self, modseq: ModSeq) -> None:
        """The session itself made this change, and answers for it."""
        self._own.add(modseq)

    def marked(self, modseq: ModSeq | None) -> None:
        """The session itself made this change of flags by reading, and is told of it whatever it wants to hear."""
        if modseq is not None:
            self._marked.add(modseq)

    def own_marks(self) -> list[bytes]:
        """Return the responses that tell what the client marked by reading, to one that wants to hear nothing else."""
        if not self._marked or self.is_gone:
            return []
        delta = self.state.delta_since(self.cursor, self.view.uids, self.view.exists)
        told = self.view.changed_flags(self._changed(delta.changed, flags=False))
        self._marked.clear()
        return told

    @property
    def is_gone(self) -> bool:
        """Whether the mailbox cannot be looked at any more, which every client has to hear."""
        return self.is_closed or self.state.is_deleted

    def news(self, speaker: _Speaker, *, expunge: bool, flags: bool = True) -> list[bytes]:
        """Return the responses that tell the client what became of the mailbox.

        Without `flags` those that others changed are not told.
        """
        if self.is_closed:
            speaker.say_bye("The selected mailbox is not shared with you any more.", code=codes.NOPERM)
            return []
        state, view = self.state, self.view
        if state.modseq == self.cursor and not (expunge and view.held):
            return []
        if state.is_deleted:
            speaker.say_bye("The selected mailbox was deleted.", code=codes.NONEXISTENT)
            return []
        delta = state.delta_since(self.cursor, view.uids, view.exists, but=self._own)
        told = self._new_flags()
        news = News(state.uids, delta.expunged, self._changed(delta.changed, flags=flags))
        told += view.apply(news, expunges=expunge)
        self.cursor = state.modseq
        self._own.clear()
        self._marked.clear()
        return told

    @property
    def told(self) -> ModSeq | None:
        """Where the mailbox stands, if the client was told of everything until then."""
        everything = self.cursor == self.state.modseq and not self.view.held
        return self.state.highestmodseq if everything else None

    def _new_flags(self) -> list[bytes]:
        """Tell the flags of the mailbox if it has one that the client does not know (RFC 9051 §7.3.5)."""
        texts = self.state.column.texts
        known, count = self._told_texts
        if texts is known and len(texts) == count:
            return []  # no new set of flags, so no new flag
        self._told_texts = (texts, len(texts))
        flags = self.flags
        if self._told_flags.issuperset(flags):
            return []
        self._told_flags |= frozenset(flags)
        return [responses.flags(flags)]

    def _changed(self, uids: BitMap, *, flags: bool) -> Iterator[tuple[int, bytes, int]]:
        state, marked = self.state, self._marked
        texts, flag_codes = state.column.texts, state.column.codes
        for start, stop in state.position_runs(uids):
            for at in range(start, stop):
                if flags or state.modseqs[at] in marked:
                    yield state.uids[at], texts[flag_codes[at]], state.modseqs[at]
