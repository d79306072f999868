"""A storage whose process is killed at any moment: what was told is there, once, and what was not may be, once."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan.engines.local.storage import StorageOptions, open_local_storage
from hongyan.engines.upkeep.verify import Verification
from tests.support.mail import MailShop, message_octets

pytestmark = pytest.mark.torture

_KILLS = 6
_WORK = """
import asyncio, json, random, sys
from pathlib import Path
from pyroaring import BitMap
from hongyan.engines.local.storage import StorageOptions, open_local_storage
from hongyan.mailboxes.flags import FlagAction, mark
from tests.support.mail import ACCOUNT, MailShop, new_message

def tell(*what):
    print(json.dumps(what), flush=True)

async def main(path, run):
    storage = await open_local_storage(Path(path), StorageOptions(reserve=0, segment_size=1))
    shop = MailShop(storage.sql)
    if run == 0:
        await shop.open_account()
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    tell("open")
    chance = random.Random(run)

    async def work(turn):
        for n in range(100000):
            name = f"{run}-{turn}-{n}"
            tell("try", name)
            done = await shop.add(new_message(name, "x" * chance.randrange(30000)))
            await mail.live.catch_up(ACCOUNT)
            tell("kept", name, done.first_uid, done.modseq)
            if n % 3 == 0:
                await mark(mail, ACCOUNT, state, BitMap([done.first_uid]), FlagAction.ADD, (b"\\\\Seen",))
                tell("seen", done.first_uid)
            if n % 4 == 0:
                tell("expunging", done.first_uid)
                await shop.expunge(done.first_uid)
                tell("gone", done.first_uid)

    await asyncio.gather(*[work(turn) for turn in range(4)])

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


class Ledger:
    """What the killed processes said."""

    def __init__(self) -> None:
        self.tried: dict[str, int] = {}
        self.kept: dict[int, str] = {}
        self.seen: set[int] = set()
        self.gone: set[int] = set()
        self.doubtful: set[int] = set()
        self.modseq = 0

    def read(self, line: bytes) -> None:
        match json.loads(line):
            case ["try", name]:
                self.tried[name] = 0
            case ["kept", name, uid, modseq]:
                assert uid not in self.kept, "a UID was given out twice"
                self.kept[uid] = name
                self.modseq = max(self.modseq, modseq)
            case ["seen", uid]:
                self.seen.add(uid)
            case ["expunging", uid]:
                self.doubtful.add(uid)
            case ["gone", uid]:
                self.gone.add(uid)

    async def require(self, shop: MailShop) -> None:
        assert (await Verification(shop.storage, shop.clock).run()).is_sound
        await shop.require_exact_counters()
        uids = set(await shop.uids())
        assert set(self.kept) - self.doubtful <= uids
        assert not uids & self.gone
        state = await shop.mail().live.open(shop.account, shop.inbox)
        assert list(state.uids) == sorted(uids)
        for uid in uids & self.seen:
            at = state.position_of(uid)
            assert at is not None
            assert b"\\Seen" in state.column.set_of(at)
        for uid in uids:
            octets = await shop.read(uid)
            name = octets.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            self.tried[name] += 1
            assert octets == message_octets(name, octets.split(b"\r\n\r\n", 1)[1][:-2].decode())
            assert self.kept.get(uid, name) == name
        assert max(self.tried.values()) <= 1
        self.tried = dict.fromkeys(self.tried, 0)
        assert (await shop.mailbox()).uidnext > max(self.kept)
        assert await shop.mailboxes.highestmodseq(shop.account) >= self.modseq


async def test_what_was_told_outlives_every_kill(tmp_path: Path) -> None:
    chance = random.Random(7)
    ledger = Ledger()
    for run in range(_KILLS):
        command = [sys.executable, "-c", _WORK, str(tmp_path / "data"), str(run)]
        worker = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        left = chance.randrange(20, 400)  # lines that it may still say
        while (line := await worker.stdout.readline()) and left:
            ledger.read(line)
            left -= 1
        assert line, "the worker ended by itself"
        worker.send_signal(signal.SIGKILL)
        for rest in (await worker.stdout.read()).split(b"\n"):
            if rest.endswith(b"]"):
                ledger.read(rest)
        ledger.read(line)
        await worker.wait()
        storage = await open_local_storage(tmp_path / "data", StorageOptions(reserve=0))
        await ledger.require(MailShop(storage.sql))
        await storage.close()
