"""What clients asked for and what was answered: the harness's own memory, outside the server.

A mailbox (`Box`) is followed through its names, a message in it is a `Copy`. Whatever is under way when the server
dies leaves a doubt: the copy may be there or not, the flags may be the old ones or the new. `check` decides each doubt
by looking, and writes down what it saw; only what cannot be is a violation.
"""

from __future__ import annotations

__all__ = ["Box", "Copy", "Doubt", "Journal", "Mail", "Presence"]

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from itertools import pairwise

FLAGS_MAY_LAG = 1.0
"""Seconds: what a power loss may take of changes of flags that were answered OK."""


class Presence(Enum):
    """Whether a copy is there."""

    REFUSED = "was never accepted"
    MAYBE = "was not answered"
    THERE = "was acknowledged or seen"
    LEAVING = "may have been removed"
    GONE = "was removed, and that was acknowledged"


@dataclass(slots=True, eq=False)
class Copy:
    """A message in a mailbox."""

    box: Box
    token: str
    presence: Presence = Presence.MAYBE
    uid: int | None = None
    least_uid: int = 0  # UIDNEXT that somebody saw before it came
    flags: list[tuple[float, frozenset[str]]] = field(default_factory=list)  # acknowledged, with the time
    asked_flags: frozenset[str] | None = None  # asked for and not answered
    is_followed: bool = True  # whether its flags are known
    by_queue: bool = False
    """Comes by the queue: it may take its time."""

    @property
    def known_flags(self) -> frozenset[str]:
        return self.flags[-1][1] if self.flags else frozenset()

    def possible_flags(self, power_lost_at: float | None) -> set[frozenset[str]]:
        """Return what the flags may be after a crash, or after a power loss at that time."""
        possible = {self.known_flags}
        if self.asked_flags is not None:
            possible.add(self.asked_flags)
        if power_lost_at is not None:
            for (_, flags), (replaced_at, _) in pairwise(self.flags):
                if replaced_at > power_lost_at - FLAGS_MAY_LAG:
                    possible.add(flags)
        return possible


@dataclass(slots=True, eq=False)
class Box:
    """A mailbox, whatever it is called. `names` has more than one entry while a RENAME is not answered."""

    account: str
    names: set[str]
    presence: Presence = Presence.THERE
    uidvalidity: int | None = None
    uidnext: int = 1
    modseq: int = 0
    copies: dict[str, Copy] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)  # each UID that was ever seen, whatever became of it
    modseqs: dict[int, tuple[int, frozenset[str]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        (name,) = self.names
        return name

    def find(self, token: str) -> Copy:
        """Return the copy, made if need be."""
        copy = self.copies.get(token)
        if copy is None:
            copy = self.copies[token] = Copy(self, token, Presence.REFUSED, least_uid=self.uidnext)
        return copy

    def present(self) -> list[Copy]:
        """Return the copies that are there for certain and have a known UID."""
        return [copy for copy in self.copies.values() if copy.presence is Presence.THERE and copy.uid is not None]

    def note_uid(self, uid: int, token: str) -> str | None:
        """A UID was seen with a message. Return what is wrong about it."""
        known = self.tokens.setdefault(uid, token)
        self.uidnext = max(self.uidnext, uid + 1)
        if known != token:
            return f"UID {uid} of {self} was {known} and is {token}"
        copy = self.copies.get(token)
        if copy is not None:
            if uid < copy.least_uid:
                return f"UID {uid} of {token} in {self} is lower than a UIDNEXT of before ({copy.least_uid})"
            copy.uid = uid
        return None

    def __str__(self) -> str:
        return f"{self.account}:{'|'.join(sorted(self.names))}"


@dataclass(slots=True, eq=False)
class Mail:
    """A message that is sent by SMTP."""

    token: str
    octets: bytes
    sender: str
    recipients: tuple[str, ...]
    by_submission: bool
    by_chunks: bool
    accepted: bool = False
    refused: bool = False
    at: float = 0.0


@dataclass(slots=True, eq=False)
class Doubt:
    """Copies of which exactly one is there (a MOVE), or all or none (a COPY)."""

    copies: Sequence[Copy]
    one_of: bool


class Journal:
    """Everything that was asked for."""

    def __init__(self, accounts: Iterable[str]) -> None:
        self.accounts = tuple(accounts)
        self.boxes: list[Box] = [Box(account, {"INBOX"}) for account in self.accounts]
        self._inboxes = {box.account: box for box in self.boxes}
        self.mails: dict[str, Mail] = {}
        self.octets: dict[str, tuple[int, bytes]] = {}  # size and SHA-256 of each message
        self.compared: set[tuple[str, str]] = set()  # account and token of what was read whole and was right
        self.subscribed: dict[tuple[str, str], set[bool]] = {}
        self.doubts: list[Doubt] = []
        self.violations: list[str] = []
        self.counts: dict[str, int] = {}
        self.sent = asyncio.Event()  # something that will be acknowledged has just been sent
        self.on_sent = self.sent.set
        self.refusal_is_doubt = False
        """Whether what was refused may be there after a crash: a disk that fails does not say what it has kept."""
        self.is_over = False  # the server was killed: what fails now fails for that reason
        self._tokens = 0

    # -- names

    def new_token(self) -> str:
        """Return what no other message is called."""
        self._tokens += 1
        return f"m{self._tokens:06d}x{int(time.time() * 1000) % 10_000_000:07d}"

    def inbox(self, account: str) -> Box:
        """Return an account's INBOX."""
        return self._inboxes[account]

    def box(self, account: str, name: str) -> Box:
        """Return the mailbox that is called so, known from now on."""
        for box in self.boxes:
            if box.account == account and name in box.names and box.presence is not Presence.GONE:
                return box
        self.boxes.append(Box(account, {name}))
        return self.boxes[-1]

    def boxes_of(self, account: str) -> Iterator[Box]:
        """Yield the mailboxes of an account that may be there."""
        return (box for box in self.boxes if box.account == account and box.presence is not Presence.GONE)

    def remember(self, token: str, octets: bytes) -> None:
        """Remember what a message is, to know it again."""
        self.octets[token] = (len(octets), sha256(octets).digest())

    def count(self, what: str, number: int = 1) -> None:
        """Count what was acknowledged."""
        self.counts[what] = self.counts.get(what, 0) + number

    def blame(self, sentence: str) -> None:
        """Write down what may not be."""
        self.violations.append(sentence)
        print(f"  VIOLATION {sentence}", flush=True)

    # -- SMTP

    def sending(self, mail: Mail) -> None:
        """A message is about to be sent whole."""
        self.mails[mail.token] = mail
        self.remember(mail.token, mail.octets)
        mail.at = time.monotonic()
        for recipient in mail.recipients:
            copy = self.inbox(recipient).find(mail.token)
            copy.by_queue = mail.by_submission
            if copy.presence is Presence.REFUSED:
                copy.presence = Presence.MAYBE

    def accepted(self, mail: Mail) -> None:
        """It was answered 250."""
        mail.accepted = True
        self.count("submitted" if mail.by_submission else "delivered")
        for recipient in mail.recipients:
            copy = self.inbox(recipient).find(mail.token)
            if copy.presence in (Presence.MAYBE, Presence.REFUSED):
                copy.presence = Presence.THERE

    def refused(self, mail: Mail) -> None:
        """It was answered by another code: nothing may be stored."""
        self.count("refused")
        if self.refusal_is_doubt:
            return
        mail.refused = True
        for recipient in mail.recipients:
            copy = self.inbox(recipient).find(mail.token)
            if copy.presence is Presence.MAYBE:
                copy.presence = Presence.REFUSED

    def unanswered(self) -> list[Mail]:
        """Return the messages that a client would send again."""
        return [mail for mail in self.mails.values() if not mail.accepted and not mail.refused]

    # -- IMAP and POP3

    def appending(self, box: Box, token: str, octets: bytes, flags: frozenset[str]) -> Copy:
        """APPEND is about to be sent."""
        self.remember(token, octets)
        copy = box.find(token)
        copy.presence = Presence.MAYBE
        copy.flags = [(time.monotonic(), flags)]
        return copy

    def appended(self, copy: Copy, uid: int | None) -> None:
        """APPEND was answered OK."""
        copy.presence = Presence.THERE
        self.count("appended")
        if uid is not None:
            self._note(copy.box.note_uid(uid, copy.token))

    def copying(self, copies: Sequence[Copy], target: Box, *, move: bool) -> list[Copy]:
        """COPY or MOVE is about to be sent."""
        made = []
        for copy in copies:
            new = target.find(copy.token)
            new.presence = Presence.MAYBE
            new.flags = [(time.monotonic(), copy.known_flags)]
            new.is_followed = copy.is_followed
            made.append(new)
            if move:
                copy.presence = Presence.LEAVING
                self.doubts.append(Doubt((copy, new), one_of=True))
        if not move:
            self.doubts.append(Doubt(tuple(made), one_of=False))
        return made

    def copied(self, copies: Sequence[Copy], made: Sequence[Copy], uids: Sequence[int], *, move: bool) -> None:
        """COPY or MOVE was answered OK."""
        self.count("moved" if move else "copied", len(copies))
        self.doubts = [doubt for doubt in self.doubts if not set(doubt.copies) & set(made)]
        for copy, new, uid in zip(copies, made, uids, strict=True):
            new.presence = Presence.THERE
            self._note(new.box.note_uid(uid, new.token))
            if move:
                copy.presence = Presence.GONE

    def removing(self, copies: Iterable[Copy]) -> None:
        """EXPUNGE, or the QUIT of POP3, is about to be sent."""
        for copy in copies:
            copy.presence = Presence.LEAVING

    def removed(self, copies: Sequence[Copy]) -> None:
        """It was answered OK."""
        self.count("removed", len(copies))
        for copy in copies:
            copy.presence = Presence.GONE

    def flagging(self, copies: Iterable[Copy], flags: frozenset[str], action: str) -> None:
        """STORE, or a FETCH that sets \\Seen, is about to be sent."""
        for copy in copies:
            if copy.asked_flags is not None:
                copy.is_followed = False  # Twice asked for and never answered: it may be anything.
            if not copy.flags:
                copy.flags.append((0.0, frozenset()))
            copy.asked_flags = _changed(copy.known_flags, flags, action)

    def flagged(self, copies: Sequence[Copy]) -> None:
        """It was answered OK."""
        self.count("flagged", len(copies))
        now = time.monotonic()
        for copy in copies:
            if copy.asked_flags is not None:
                copy.flags.append((now, copy.asked_flags))
                copy.asked_flags = None

    def seen(
        self, box: Box, uid: int, token: str, flags: frozenset[str] | None = None, modseq: int | None = None
    ) -> None:
        """A client was shown a message: so it is stored.

        If it is gone already, by what another client did, that is no contradiction: answers wait in sockets.
        """
        copy = box.find(token)
        if copy.presence in (Presence.MAYBE, Presence.REFUSED):
            if copy.presence is Presence.REFUSED:
                self.blame(f"{token} is in {box}, and was refused or never sent there")
            copy.presence = Presence.THERE
        self._note(box.note_uid(uid, token))
        self.seen_modseq(box, uid, flags, modseq)

    def seen_modseq(self, box: Box, uid: int, flags: frozenset[str] | None, modseq: int | None) -> None:
        """A client was shown flags and MODSEQ of a message."""
        if modseq is None:
            return
        box.modseq = max(box.modseq, modseq)
        if flags is not None:
            box.modseqs[uid] = (modseq, flags)

    def _note(self, wrong: str | None) -> None:
        if wrong is not None:
            self.blame(wrong)


def _changed(flags: frozenset[str], named: frozenset[str], action: str) -> frozenset[str]:
    match action:
        case "+":
            return flags | named
        case "-":
            return flags - named
        case _:
            return named
