"""The mailbox that a session has selected: what it is, and what its client knows of it."""

from __future__ import annotations

__all__ = ["Selected"]

from collections.abc import Iterator
from typing import Protocol

from pyroaring import BitMap

from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.state import MailboxState
from hongyan.types import AccountId, ModSeq
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.sequence import SequenceSet
from hongyan.wire.imap.view import News, View

SYSTEM_FLAGS = (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")


class _Speaker(Protocol):
    def say_bye(self, text: str, *, code: bytes = b"") -> None: ...


class Selected:
    """Binds a client's view to the mailbox in memory. `cursor` is the change up to which the client was told."""

    __slots__ = ("_own", "_told_flags", "_told_texts", "account", "cursor", "read_only", "state", "view")

    def __init__(self, account: AccountId, state: MailboxState, *, read_only: bool, condstore: bool) -> None:
        self.account = account
        self.state = state
        self.read_only = read_only
        self.view = View(state.uids, condstore=condstore)
        self.cursor: ModSeq = state.modseq
        self._own: set[int] = set()
        self._told_flags = frozenset(self.flags)
        self._told_texts = (state.column.texts, len(state.column.texts))

    def leave(self, live: LiveMailboxes) -> None:
        """Let the mailbox go."""
        live.unpin(self.account, self.state.mailbox_id)

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

    def news(self, speaker: _Speaker, *, expunge: bool) -> list[bytes]:
        """Return the responses that tell the client what became of the mailbox."""
        state, view = self.state, self.view
        if state.modseq == self.cursor and not (expunge and view.held):
            return []
        if state.is_deleted:
            speaker.say_bye("The selected mailbox was deleted.", code=codes.NONEXISTENT)
            return []
        delta = state.delta_since(self.cursor, view.uids, view.exists, but=self._own)
        told = self._new_flags()
        news = News(state.uids, delta.expunged, self._changed(delta.changed))
        told += view.apply(news, expunges=expunge)
        self.cursor = state.modseq
        self._own.clear()
        return told

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

    def _changed(self, uids: BitMap) -> Iterator[tuple[int, bytes, int]]:
        state = self.state
        texts, flag_codes = state.column.texts, state.column.codes
        for start, stop in state.position_runs(uids):
            for at in range(start, stop):
                yield state.uids[at], texts[flag_codes[at]], state.modseqs[at]
