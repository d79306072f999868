"""What a client knows of the selected mailbox, from the responses alone; it raises when it is told what cannot be.

The rules: sequence numbers are 1 … n without gaps and go with ascending UIDs; a number never comes to mean another UID;
EXPUNGE and VANISHED come only where they may (RFC 9051 §7.5.1, RFC 7162 §3.2.10); EXISTS never shrinks; the MODSEQ of a
message never falls, and rises with a change of its flags.
"""

from __future__ import annotations

__all__ = ["NO_EXPUNGE", "Broken", "ClientView", "Known", "numbers_of"]

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_FETCH = re.compile(rb"\* (\d+) FETCH \((.*)\)\Z")
_UID = re.compile(rb"\bUID (\d+)")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_MODSEQ = re.compile(rb"\bMODSEQ \((\d+)\)")
_SUBJECT = re.compile(rb'ENVELOPE \((?:NIL|"[^"]*") "([^"]*)"')
_CODE = re.compile(rb"\A\S+ OK \[([A-Z]+) ([^\]]*)\]")

NO_EXPUNGE = frozenset({"", "FETCH", "STORE", "SEARCH"})
"""Commands during which numbers must stay; the empty one is none at all."""


class Broken(AssertionError):
    """The client was told what cannot be."""


@dataclass
class Known:
    """What the client knows of one message; None is what it was not told."""

    uid: int | None = None
    flags: frozenset[bytes] | None = None
    modseq: int = 0


@dataclass
class ClientView:
    """A client's picture of the selected mailbox."""

    qresync: bool = False
    condstore: bool = False
    selected: str = ""
    command: str = ""
    """What is in progress: `FETCH`, `UID FETCH`, `IDLE`; empty: nothing."""
    messages: list[Known] = field(default_factory=list)
    returning: dict[int, Known] = field(default_factory=dict)
    """While a mailbox is selected again: what is remembered of it, by UID."""
    codes: dict[bytes, bytes] = field(default_factory=dict)
    found: list[int] = field(default_factory=list)
    told: set[int] = field(default_factory=set)
    """UIDs of the rows of this command."""
    subjects: dict[int, bytes] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)

    def begin(self, command: str, text: str) -> None:
        """A command is sent."""
        self.command = command
        self.codes.clear()
        self.told.clear()
        self.story.append(f"C: {text}")
        if command in {"SELECT", "EXAMINE", "CLOSE", "UNSELECT"}:
            self.messages = []

    def end(self) -> None:
        """Its answer has come."""
        self.command = ""

    def known_uids(self) -> Iterator[tuple[int, int]]:
        """Yield (sequence number, UID) as far as it is known."""
        for seq, known in enumerate(self.messages, 1):
            if known.uid is not None:
                yield seq, known.uid

    def by_uid(self) -> dict[int, Known]:
        """Return what is known, by UID."""
        return {known.uid: known for known in self.messages if known.uid is not None}

    def hear(self, line: bytes) -> None:
        """Take in one response."""
        self.story.append(f"S: {line.decode('latin-1')}")
        code = _CODE.match(line)
        if code:
            self.codes[code[1]] = code[2]
        if not line.startswith(b"* "):
            return
        words = line[2:].split(b" ")
        if fetch := _FETCH.match(line):
            self._row(int(fetch[1]), fetch[2])
        elif words[-1] == b"EXISTS":
            self._exists(int(words[0]))
        elif words[-1] == b"EXPUNGE":
            self._expunge(int(words[0]))
        elif words[0] == b"VANISHED":
            self._vanished(words[1:])
        elif words[0] == b"SEARCH":
            self.found = [int(word) for word in words[1:] if word.isdigit()]
        elif words[0] == b"ESEARCH":
            self.found = numbers_of(line.rpartition(b"ALL ")[2]) if b" ALL " in line else []

    def fail(self, why: str) -> None:
        """Say what was wrong, and after which lines."""
        raise Broken(why + "\n  " + "\n  ".join(self.story[-40:]))

    def _exists(self, count: int) -> None:
        if count < len(self.messages):
            self.fail(f"EXISTS shrinks from {len(self.messages)}")
        self.messages += [Known() for _ in range(count - len(self.messages))]

    def _expunge(self, seq: int) -> None:
        if self.qresync:
            self.fail("EXPUNGE after ENABLE QRESYNC")
        self._require_room_for_expunge()
        if not 1 <= seq <= len(self.messages):
            self.fail(f"EXPUNGE of {seq}, of {len(self.messages)}")
        del self.messages[seq - 1]

    def _require_room_for_expunge(self) -> None:
        if self.command in NO_EXPUNGE:
            self.fail(f"something leaves during {self.command or 'no command'}")

    def _vanished(self, words: list[bytes]) -> None:
        uids = set(numbers_of(words[-1]))
        if not self.qresync:
            self.fail("VANISHED without ENABLE QRESYNC")
        if words[0] == b"(EARLIER)":
            if self.command not in {"SELECT", "EXAMINE", "UID FETCH"}:
                self.fail(f"VANISHED (EARLIER) during {self.command}")
            if uids & self.by_uid().keys():
                self.fail("VANISHED (EARLIER) of what has a number")
            for uid in uids & self.returning.keys():
                del self.returning[uid]
            return
        self._require_room_for_expunge()
        mine = self.by_uid()
        for uid in sorted(uids - mine.keys()):  # it left before its UID was told
            self._drop_nameless(uid)
        self.messages = [known for known in self.messages if known.uid not in uids]

    def _drop_nameless(self, uid: int) -> None:
        """Drop a message without a known UID from where this one must have been."""
        before = max((seq for seq, known in self.known_uids() if known < uid), default=0)
        after = min((seq for seq, known in self.known_uids() if known > uid), default=len(self.messages) + 1)
        if after - before < 2:
            self.fail(f"VANISHED of {uid}, which was not there")
        del self.messages[before]

    def _row(self, seq: int, items: bytes) -> None:
        if not 1 <= seq <= len(self.messages):
            self.fail(f"FETCH of {seq}, of {len(self.messages)}")
        known = self.messages[seq - 1]
        if uid := _UID.search(items):
            self._name(seq, int(uid[1]))
        elif self.qresync and self.command not in {"FETCH", "STORE"}:
            self.fail("FETCH without UID after ENABLE QRESYNC")  # RFC 7162 §3.2.4
        modseq = _MODSEQ.search(items)
        if flags := _FLAGS.search(items):
            self._flag(known, frozenset(flags[1].split()), int(modseq[1]) if modseq else None)
        if modseq:
            if int(modseq[1]) < known.modseq:
                self.fail(f"MODSEQ falls from {known.modseq}")
            known.modseq = int(modseq[1])
        if known.uid is not None:
            self.told.add(known.uid)
            if subject := _SUBJECT.search(items):
                self._same_subject(known.uid, subject[1])

    def _name(self, seq: int, uid: int) -> None:
        known = self.messages[seq - 1]
        if known.uid not in (None, uid):
            self.fail(f"number {seq} was UID {known.uid}")
        if known.uid is None:
            if self.returning and uid in self.returning:
                known.flags, known.modseq = self.returning[uid].flags, self.returning[uid].modseq
            known.uid = uid
            uids = [uid for _, uid in self.known_uids()]
            if uids != sorted(set(uids)):
                self.fail("UIDs do not ascend")

    def _flag(self, known: Known, flags: frozenset[bytes], modseq: int | None) -> None:
        if self.condstore and modseq is None and self.command not in {"FETCH", "UID FETCH"}:
            self.fail("FETCH of changed flags without MODSEQ")
        known.flags = flags

    def _same_subject(self, uid: int, subject: bytes) -> None:
        if self.subjects.setdefault(uid, subject) != subject:
            self.fail(f"UID {uid} was {self.subjects[uid]!r}")

    # -- what the client does itself

    def suppose(self, seqs: list[int], sign: str, flags: frozenset[bytes]) -> None:
        """Before a silent STORE: it will be done, and nobody tells it."""
        for seq in seqs:
            known = self.messages[seq - 1]
            if sign == "":
                known.flags = flags
            elif known.flags is not None:
                known.flags = known.flags | flags if sign == "+" else known.flags - flags

    def doubt(self, uids: set[int]) -> None:
        """A STORE was refused for these."""
        for uid, known in self.by_uid().items():
            if uid in uids:
                known.flags = None

    def remember(self) -> dict[int, Known]:
        """Return what a client writes to its disk."""
        return {uid: Known(uid, known.flags, known.modseq) for uid, known in self.by_uid().items()}

    def settle(self) -> None:
        """After a SELECT with QRESYNC: what is remembered and did not vanish has its number by its UID."""
        fresh = dict(self.by_uid().items())
        merged = sorted({**self.returning, **fresh}.values(), key=lambda known: known.uid or 0)
        if len(merged) != len(self.messages):
            self.fail(f"{len(merged)} messages after resynchronization, and EXISTS says {len(self.messages)}")
        for seq, known in enumerate(merged, 1):
            told = self.messages[seq - 1].uid
            if told is not None and told != known.uid:
                self.fail(f"number {seq} is UID {told} and should be {known.uid}")
        self.messages = merged
        self.returning = {}


def numbers_of(octets: bytes) -> list[int]:
    """Return the numbers of a set."""
    found: list[int] = []
    for part in octets.split(b","):
        low, _, high = part.partition(b":")
        found += range(int(low), int(high or low) + 1)
    return found
