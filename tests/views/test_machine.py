"""Several clients of two mailboxes, in one process: whatever they do in whatever order, each knows what is true.

Hypothesis chooses commands and looks for the shortest sequence that shows a fault. A client may stop to read in the
middle of FETCH; the server is made to write row by row, so that others come between any two rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from hongyan.auth.principal import Principal
from hongyan.servers.imap import fetch_rows
from hongyan.servers.imap.commands import fetch
from tests.support.server import Server, start_server
from tests.views.client import numbers_of
from tests.views.model import Message, ModelMailbox
from tests.views.peer import Memory, Peer

T = TypeVar("T")

EXAMPLES, STEPS = 40, 30
_KINDS = ((False, False), (False, True), (True, True), (True, True))  # QRESYNC, CONDSTORE
_FLAG = st.sampled_from([b"\\Seen", b"\\Deleted", b"\\Deleted", b"$a", b"$b"])
_FLAGS = st.frozensets(_FLAG, min_size=1, max_size=2)
_WHO = st.integers(0, len(_KINDS) - 1)
_WHICH = st.lists(st.integers(0, 1000), min_size=1, max_size=4)
_ITEMS = ("(FLAGS)", "(UID FLAGS)", "(UID RFC822.SIZE)", "(UID FLAGS ENVELOPE)", "(FLAGS MODSEQ UID)")


class World:
    """One running service for all examples, with a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self._stack = contextlib.AsyncExitStack()
        self.server: Server = self.run(self._stack.enter_async_context(start_server(folder, limits=False)))
        self.principal: Principal = self.run(self._log_in())
        self.names = (f"box{n}" for n in itertools.count())

    async def _log_in(self) -> Principal:
        imap = await self.server.imap("ann")
        session = next(iter(self.server.app.services.hub._waiters.values()))
        principal: Principal = next(iter(session)).principal  # type: ignore[attr-defined]  # it is an ImapSession
        await imap.close()
        return principal

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, 20))

    def close(self) -> None:
        self.run(self._stack.aclose())
        self.loop.close()


class Clients(RuleBasedStateMachine):
    """What clients may do."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.boxes = {name: ModelMailbox(name) for name in (next(self.world.names), next(self.world.names))}
        self.subjects = itertools.count()
        self._broken = False
        imap = self.world.server.app.services.imap
        self.peers = [
            Peer(imap, self.world.principal, qresync=qresync, condstore=condstore) for qresync, condstore in _KINDS
        ]
        self.world.run(self._begin())

    async def _begin(self) -> None:
        for peer in self.peers:
            await peer.start()
        for name in self.boxes:
            await self.peers[0].say("CREATE", f"CREATE {name}")
        first = next(iter(self.boxes))
        for _ in range(3):
            await self._append(self.peers[0], first, frozenset())
        for peer in self.peers:
            await self._select(peer, first, returns=False)

    def teardown(self) -> None:
        try:
            if not self._broken:
                self.world.run(self._end())
        finally:
            for peer in self.peers:
                peer.leave()

    async def _end(self) -> None:
        for peer in self.peers:
            await self._finish(peer)
            await self._sync(peer)

    # -- the clients' steps

    def free(self, who: int) -> Peer | None:
        """Return the client, if it is at rest."""
        peer = self.peers[who]
        return None if peer.is_busy or peer.view.command == "IDLE" else peer

    def box(self, peer: Peer) -> ModelMailbox:
        return self.boxes[peer.view.selected]

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry out a step; whoever idles hears of it at once."""

        async def whole() -> None:
            await work
            for _ in range(3):
                await asyncio.sleep(0)
            for peer in self.peers:
                if peer.view.command == "IDLE":
                    peer.listen()

        self._broken = True  # until it has ended well: what follows a fault would hide it
        self.world.run(whole())
        self._broken = False

    async def _finish(self, peer: Peer) -> None:
        while peer.is_busy:
            await peer.go_on()
        if peer.view.command == "IDLE":
            await peer.end_idle()

    async def _fill(self, peer: Peer) -> None:
        """Ask for the UIDs and flags that are not known yet."""
        while any(known.uid is None or known.flags is None for known in peer.view.messages):
            await peer.say("FETCH", "FETCH 1:* (UID FLAGS)")
            if any(known.uid is None for known in peer.view.messages):
                await peer.say("NOOP", "NOOP")  # what has left has no row, and is told now

    async def _choose(self, peer: Peer, which: list[int], *, uid: bool) -> tuple[str, list[int], set[int]]:
        """Return a set of messages as the command says it, their numbers, and their UIDs."""
        await self._fill(peer)
        messages = peer.view.messages
        if not messages:
            return "", [], set()
        seqs = sorted({n % len(messages) + 1 for n in which})
        uids = {messages[seq - 1].uid or 0 for seq in seqs}
        if uid and len(which) == 1:  # to the end, beyond what the client was told of
            first = min(uids)
            seqs = [seq for seq, named in peer.view.known_uids() if named >= first]
            uids |= {named for named in self.box(peer).messages if named >= first}
            return f"{first}:*", seqs, uids
        return ",".join(map(str, sorted(uids) if uid else seqs)), seqs, uids

    async def _sync(self, peer: Peer) -> None:
        """NOOP tells everything."""
        await peer.say("NOOP", "NOOP")
        self._compare(peer)
        peer.modseq = max([peer.modseq, *(known.modseq for known in peer.view.messages)])

    def _compare(self, peer: Peer) -> None:
        """What the client knows has to be the truth."""
        truth, view = self.box(peer).messages, peer.view
        if len(view.messages) != len(truth):
            view.fail(f"{len(view.messages)} messages instead of {len(truth)}")
        for known, (uid, message) in zip(view.messages, sorted(truth.items()), strict=True):
            if known.uid not in (None, uid):
                view.fail(f"UID {known.uid} stands where {uid} is")
            if known.flags not in (None, message.flags):
                view.fail(f"UID {uid} has {message.flags}, and the client knows {known.flags}")

    async def _select(self, peer: Peer, name: str, *, returns: bool) -> None:
        view = peer.view
        if view.selected:
            await self._sync(peer)
            peer.memories[view.selected] = Memory(peer.validity, peer.modseq, view.remember(), len(view.messages))
        memory = peer.memories.get(name) if returns and view.qresync else None
        # What has no flags on the client's disk is not on it.
        view.returning = dict(memory.messages.items()) if memory else {}
        view.selected = name
        await peer.say(
            "SELECT", f"SELECT {name}" + (f" (QRESYNC ({memory.uidvalidity} {memory.modseq}))" if memory else "")
        )
        peer.validity, peer.modseq = view.codes[b"UIDVALIDITY"].decode(), int(view.codes[b"HIGHESTMODSEQ"])
        if memory and (len(memory.messages) == memory.count):
            view.settle()
            self._compare(peer)
        view.returning = {}

    async def _append(self, peer: Peer, name: str, flags: frozenset[bytes]) -> None:
        subject = f"m{next(self.subjects)}"
        octets = f"Subject: {subject}\r\n\r\nx\r\n"
        told = " ".join(flag.decode() for flag in sorted(flags))
        answer = await peer.say("APPEND", f"APPEND {name} ({told}) {{{len(octets)}+}}\r\n{octets}")
        assert answer.startswith(b"OK [APPENDUID "), answer
        uid = self.boxes[name].append(Message(subject.encode(), flags))
        assert int(answer.split()[3].rstrip(b"]")) == uid

    # -- rules

    @rule(who=_WHO, other=st.booleans(), flags=st.frozensets(_FLAG, max_size=1))
    def append(self, who: int, other: bool, flags: frozenset[bytes]) -> None:
        if peer := self.free(who):
            self.run(self._append(peer, list(self.boxes)[other], flags))

    @rule(who=_WHO, which=_WHICH, sign=st.sampled_from("+-="), flags=_FLAGS, uid=st.booleans(), silent=st.booleans())
    def store(self, who: int, which: list[int], sign: str, flags: frozenset[bytes], uid: bool, silent: bool) -> None:
        if peer := self.free(who):
            self.run(self._store(peer, which, sign.strip("="), flags, uid=uid, silent=silent))

    async def _store(
        self, peer: Peer, which: list[int], sign: str, flags: frozenset[bytes], *, uid: bool, silent: bool
    ) -> None:
        named, seqs, uids = await self._choose(peer, which, uid=uid)
        if not named:
            return
        word = "UID STORE" if uid else "STORE"
        told = " ".join(flag.decode() for flag in sorted(flags))
        if silent:
            peer.view.suppose(seqs, sign, flags)
        await peer.say(word, f"{word} {named} {sign}FLAGS{'.SILENT' if silent else ''} ({told})")
        self.box(peer).store(uids, sign, flags)
        truth = self.box(peer).messages
        for known_uid, known in peer.view.by_uid().items():
            if known_uid in uids & truth.keys() and known.flags != truth[known_uid].flags:
                peer.view.fail(f"after STORE, UID {known_uid} has {truth[known_uid].flags} and is told {known.flags}")

    @rule(who=_WHO, which=_WHICH, items=st.sampled_from(_ITEMS), uid=st.booleans(), slow=st.booleans())
    def fetch(self, who: int, which: list[int], items: str, uid: bool, slow: bool) -> None:
        if peer := self.free(who):
            self.run(self._fetch(peer, which, items, uid=uid, slow=slow))

    async def _fetch(self, peer: Peer, which: list[int], items: str, *, uid: bool, slow: bool) -> None:
        named, _seqs, uids = await self._choose(peer, which, uid=uid)
        if not named:
            return
        word = "UID FETCH" if uid else "FETCH"
        there = uids & self.box(peer).messages.keys()
        await peer.say(word, f"{word} {named} {items}", slow=slow)
        if not peer.is_busy and not slow and there - peer.view.told:
            peer.view.fail(f"no rows of {there - peer.view.told}")

    @rule(who=_WHO, slow=st.booleans())
    def read_on(self, who: int, slow: bool) -> None:
        if self.peers[who].is_busy:
            self.run(self.peers[who].go_on(slow=slow))

    @rule(who=_WHO, which=_WHICH, uid=st.booleans())
    def expunge(self, who: int, which: list[int], uid: bool) -> None:
        if peer := self.free(who):
            self.run(self._expunge(peer, which, uid=uid))

    async def _expunge(self, peer: Peer, which: list[int], *, uid: bool) -> None:
        named, _seqs, uids = await self._choose(peer, which, uid=uid)
        doomed = self.box(peer).having(b"\\Deleted") & (uids if uid else peer.view.by_uid().keys())
        if named:
            await peer.say("EXPUNGE", f"UID EXPUNGE {named}" if uid else "EXPUNGE")
            for gone in doomed:
                del self.box(peer).messages[gone]

    @rule(who=_WHO, which=_WHICH, uid=st.booleans(), move=st.booleans())
    def copy(self, who: int, which: list[int], uid: bool, move: bool) -> None:
        if peer := self.free(who):
            self.run(self._copy(peer, which, uid=uid, move=move))

    async def _copy(self, peer: Peer, which: list[int], *, uid: bool, move: bool) -> None:
        named, _seqs, uids = await self._choose(peer, which, uid=uid)
        if not named:
            return
        source = self.box(peer)
        target = next(box for box in self.boxes.values() if box is not source)
        there = uids & source.messages.keys()
        word = ("UID " if uid else "") + ("MOVE" if move else "COPY")
        answer = await peer.say(word, f"{word} {named} {target.name}")
        assert answer.startswith(b"OK" if there else b"NO"), answer
        if there:
            assert set(numbers_of(peer.view.codes[b"COPYUID"].split()[1])) == there
        source.copy(there, target)
        for gone in there if move else ():
            del source.messages[gone]

    @rule(who=_WHO)
    def sync(self, who: int) -> None:
        if peer := self.free(who):
            self.run(self._sync(peer))

    @rule(who=_WHO, flag=_FLAG, uid=st.booleans())
    def search(self, who: int, flag: bytes, uid: bool) -> None:
        if peer := self.free(who):
            self.run(self._search(peer, flag, uid=uid))

    async def _search(self, peer: Peer, flag: bytes, *, uid: bool) -> None:
        await self._fill(peer)
        expected = self.box(peer).having(flag) & peer.view.by_uid().keys()
        key = f"KEYWORD {flag.decode()}" if flag.startswith(b"$") else flag[1:].decode().upper()
        numbers = dict(peer.view.known_uids())
        await peer.say("UID SEARCH" if uid else "SEARCH", f"{'UID ' if uid else ''}SEARCH {key}")
        found = set(peer.view.found) if uid else {numbers[seq] for seq in peer.view.found}
        if found != expected:
            peer.view.fail(f"SEARCH finds {found} instead of {expected}")

    @rule(who=_WHO)
    def idle(self, who: int) -> None:
        if peer := self.free(who):
            self.run(self._idle(peer))

    async def _idle(self, peer: Peer) -> None:
        await peer.say("IDLE", "IDLE")

    @rule(who=_WHO)
    def end_idle(self, who: int) -> None:
        if self.peers[who].view.command == "IDLE":
            self._compare(self.peers[who])  # it was told all as it happened
            self.run(self.peers[who].end_idle())

    @rule(who=_WHO, other=st.booleans(), returns=st.booleans())
    def select(self, who: int, other: bool, returns: bool) -> None:
        if peer := self.free(who):
            self.run(self._select(peer, list(self.boxes)[other], returns=returns))

    @rule(who=_WHO, other=_WHO, which=_WHICH)
    def come_back(self, who: int, other: int, which: list[int]) -> None:
        """A client leaves the mailbox, another expunges there, and the first returns."""
        peer, busy = self.free(who), self.free(other)
        if peer and busy and peer is not busy and peer.view.selected == busy.view.selected:
            self.run(self._come_back(peer, busy, which))

    async def _come_back(self, peer: Peer, busy: Peer, which: list[int]) -> None:
        here = peer.view.selected
        await self._fill(peer)
        await self._select(peer, next(name for name in self.boxes if name != here), returns=True)
        await self._store(busy, which, "+", frozenset({b"\\Deleted"}), uid=False, silent=False)
        await self._expunge(busy, which, uid=False)
        await self._select(peer, here, returns=True)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # nothing here has to outlive the process
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        world = World(Path(folder))
        yield world
        world.close()


def test_each_client_knows_what_is_true(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_AT_ONCE", 1)
    for name, value in (("_FROM_MEMORY", 1), ("_BATCH", 2), ("_DRAIN_ABOVE", -1), ("_AT_HAND", 1)):
        monkeypatch.setattr(fetch_rows, name, value)
    monkeypatch.setattr(Clients, "world", world, raising=False)
    run_state_machine_as_test(
        Clients,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
