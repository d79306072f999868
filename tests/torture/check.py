"""After a restart: what the server has, held against the journal.

Each doubt is decided by what is seen, once; from then on that is what must be there.
"""

from __future__ import annotations

__all__ = ["check"]

import asyncio
import contextlib
import re
import time
from hashlib import sha256

from tests.torture.clients import ImapClient, ImapReply, Refused, Untagged
from tests.torture.journal import Box, Copy, Journal, Presence
from tests.torture.load import SECRET, address
from tests.torture.service import Endpoints

_QUEUE_SECONDS = 30.0
_BATCH = 50
_AGAIN = 30  # messages whose octets are looked at again, of those that were right before
_LOOSE = frozenset({"Sent", "Drafts", "Junk", "Trash"})  # The server files there by itself, at most once.
_DEFAULTS = frozenset({"INBOX", "Archive"}) | _LOOSE
_TOKEN = re.compile(rb"X-Torture: (\S+)", re.IGNORECASE)
_LISTED = re.compile(r'^\* LIST \(([^)]*)\) (?:"."|NIL) (?:"([^"]*)"|(\S+))')


async def check(endpoints: Endpoints, journal: Journal, *, power_lost_at: float | None, is_final: bool) -> None:
    """Look at everything. Before `is_final` a message that was not answered may still come, by being sent again."""
    checker = _Checker(endpoints, journal, power_lost_at, is_final=is_final)
    for account in journal.accounts:
        await checker.look_at(account)


class _Checker:
    def __init__(self, endpoints: Endpoints, journal: Journal, power_lost_at: float | None, *, is_final: bool) -> None:
        self._at = endpoints
        self._journal = journal
        self._power_lost_at = power_lost_at
        self._is_final = is_final
        self._deadline = time.monotonic() + _QUEUE_SECONDS
        self._was_there: dict[Copy, bool] = {}

    async def look_at(self, account: str) -> None:
        """Look at one account."""
        client = await ImapClient.open(self._at["imap"], address(account), SECRET)
        names = _names(await client.command('LIST "" "*"'))
        self._settle_names(account, names)
        self._settle_subscriptions(account, _names(await client.command('LIST (SUBSCRIBED) "" "*"')))
        for box in list(self._journal.boxes_of(account)):
            await self._look_into(client, box)
        self._settle_doubts(account)
        client.close()

    # -- mailboxes

    def _settle_names(self, account: str, names: set[str]) -> None:
        blame = self._journal.blame
        trees: dict[frozenset[str], set[str]] = {}
        known: set[str] = set()
        for box in list(self._journal.boxes_of(account)):
            found = box.names & names
            known |= box.names
            if len(found) > 1:
                blame(f"{box} has two names after a RENAME that was not answered")
            if len(box.names) > 1 and found:
                tops = frozenset(name.partition("/")[0] for name in box.names)
                trees.setdefault(tops, set()).update(name.partition("/")[0] for name in found)
            if found:
                box.names, box.presence = {min(found)}, Presence.THERE
                continue
            if box.presence is Presence.THERE:
                blame(f"the mailbox {box} is lost")
            box.presence = Presence.GONE
            for copy in box.copies.values():
                copy.presence = Presence.GONE
        for tops, found in trees.items():
            if len(found) > 1:
                blame(f"{account}: a RENAME was carried out in part: {sorted(tops)}")
        for name in names - known - _DEFAULTS:
            blame(f"{account} has a mailbox that nobody made: {name}")

    def _settle_subscriptions(self, account: str, names: set[str]) -> None:
        subscribed = self._journal.subscribed
        for key, possible in subscribed.items():
            if key[0] == account:
                is_there = key[1] in names
                if is_there not in possible:
                    self._journal.blame(f"{account} is {'' if is_there else 'not '}subscribed to {key[1]}")
                subscribed[key] = {is_there}

    # -- what is in them

    async def _look_into(self, client: ImapClient, box: Box) -> None:
        while True:
            said = await client.command(f'EXAMINE "{box.name}"')
            self._check_numbers(box, said)
            found = await self._read(client, box)
            missing = [c for c in box.copies.values() if c.presence is Presence.THERE and c.token not in found]
            if not any(copy.by_queue for copy in missing) or time.monotonic() > self._deadline:
                break
            await asyncio.sleep(0.1)
        for copy in list(box.copies.values()):
            self._settle_presence(copy, is_there=copy.token in found)
        for token, fetched in found.items():
            self._settle_flags(box, token, fetched)
        await self._compare_octets(client, box, found)

    def _check_numbers(self, box: Box, said: ImapReply) -> None:
        blame = self._journal.blame
        validity, uidnext, modseq = (int(said.code(name) or 0) for name in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ"))
        if box.uidvalidity not in (None, validity):
            blame(f"UIDVALIDITY of {box} was {box.uidvalidity} and is {validity}")
        if uidnext < box.uidnext:
            blame(f"UIDNEXT of {box} was {box.uidnext} and is {uidnext}")
        if modseq < box.modseq:
            blame(f"HIGHESTMODSEQ of {box} was {box.modseq} and is {modseq}")
        box.uidvalidity, box.uidnext, box.modseq = validity, uidnext, modseq

    async def _read(self, client: ImapClient, box: Box) -> dict[str, Untagged]:
        """Return what the mailbox holds, by token; each token is there once."""
        found: dict[str, Untagged] = {}
        said = await client.command("UID FETCH 1:* (UID FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (X-TORTURE)])")
        for fetched in said.fetches():
            uid = fetched.number(b"UID") or 0
            match = _TOKEN.search(fetched.literals[0]) if fetched.literals else None
            if match is None:
                self._journal.blame(f"UID {uid} of {box} is a message of nobody: {fetched.literals!r}")
                continue
            token = match[1].decode()
            if token in found:
                self._journal.blame(f"duplicate: {token} is in {box} as UID {found[token].number(b'UID')} and {uid}")
            found[token] = fetched
            if wrong := box.note_uid(uid, token):
                self._journal.blame(wrong)
            if uid >= box.uidnext:
                self._journal.blame(f"UID {uid} of {box} is not below UIDNEXT {box.uidnext}")
            if token not in box.copies and box.name not in _LOOSE:
                self._journal.blame(f"{token} is in {box}, where nobody put it")
        return found

    def _settle_presence(self, copy: Copy, *, is_there: bool) -> None:
        self._was_there[copy] = is_there
        match copy.presence, is_there:
            case Presence.THERE, False:
                self._journal.blame(f"lost: {copy.token} is not in {copy.box}, where it {copy.presence.value}")
                copy.presence = Presence.GONE
            case ((Presence.GONE | Presence.REFUSED), True):
                self._journal.blame(f"{copy.token} is in {copy.box}, but it {copy.presence.value}")
                copy.presence = Presence.THERE
            case ((Presence.MAYBE | Presence.LEAVING), True):
                copy.presence = Presence.THERE
            case Presence.LEAVING, False:
                copy.presence = Presence.GONE
            case Presence.MAYBE, False:
                mail = self._journal.mails.get(copy.token)
                may_come = mail is not None and copy.box is self._journal.inbox(copy.box.account)
                if self._is_final or not may_come:
                    copy.presence = Presence.REFUSED

    def _settle_flags(self, box: Box, token: str, fetched: Untagged) -> None:
        uid, flags, modseq = fetched.number(b"UID") or 0, fetched.flags() or frozenset(), fetched.number(b"MODSEQ") or 0
        copy = box.copies.get(token)
        if copy is not None:
            possible = copy.possible_flags(self._power_lost_at)
            if copy.is_followed and flags not in possible:
                self._journal.blame(
                    f"flags of {token} in {box} are {sorted(flags)}; promised: {[sorted(one) for one in possible]}"
                )
            copy.flags, copy.asked_flags, copy.is_followed = [(0.0, flags)], None, True
        known = box.modseqs.get(uid)
        if known is not None:
            if known[0] == modseq and known[1] != flags:
                self._journal.blame(
                    f"MODSEQ {modseq} of UID {uid} in {box} stood for {sorted(known[1])} and stands for {sorted(flags)}"
                )
            if modseq < known[0] and self._power_lost_at is None:
                self._journal.blame(f"MODSEQ of UID {uid} in {box} was {known[0]} and is {modseq}")
        box.modseqs[uid] = (modseq, flags)

    async def _compare_octets(self, client: ImapClient, box: Box, found: dict[str, Untagged]) -> None:
        """Read messages whole: those that were never read, and some of the others again."""
        journal = self._journal
        fresh = [token for token in found if (box.account, token) not in journal.compared]
        again = [token for token in found if (box.account, token) in journal.compared][-_AGAIN:]
        wanted = {found[token].number(b"UID"): token for token in fresh + again}
        uids = sorted(uid for uid in wanted if uid is not None)
        for at in range(0, len(uids), _BATCH):
            for fetched in await self._read_whole(client, uids[at : at + _BATCH]):
                token = wanted.pop(fetched.number(b"UID"), "")
                size, digest = journal.octets.get(token, (0, b""))
                if not fetched.literals or sha256(fetched.literals[0][-size:]).digest() != digest:
                    journal.blame(f"{token} in {box} has other octets than were sent")
                journal.compared.add((box.account, token))
        for uid, token in wanted.items():
            journal.blame(f"{token} in {box}, UID {uid}, cannot be read")

    async def _read_whole(self, client: ImapClient, uids: list[int]) -> list[Untagged]:
        """Return these messages as far as they can be read; one that cannot does not keep us from the others."""
        with contextlib.suppress(Refused):
            return (await client.command(f"UID FETCH {','.join(map(str, uids))} (UID BODY.PEEK[])")).fetches()
        if len(uids) == 1:
            return []
        half = len(uids) // 2
        return await self._read_whole(client, uids[:half]) + await self._read_whole(client, uids[half:])

    def _settle_doubts(self, account: str) -> None:
        journal, left = self._journal, []
        for doubt in journal.doubts:
            if doubt.copies[0].box.account != account:
                left.append(doubt)
                continue
            there = [copy for copy in doubt.copies if self._was_there.get(copy)]
            if doubt.one_of and len(there) != 1:
                journal.blame(f"a MOVE that was not answered left {doubt.copies[0].token} in {len(there)} mailboxes")
            if not doubt.one_of and len(there) not in (0, len(doubt.copies)):
                journal.blame(f"a COPY that was not answered copied {len(there)} of {len(doubt.copies)} messages")
        journal.doubts = left


def _names(said: ImapReply) -> set[str]:
    """Return the names of a LIST that can be selected."""
    names = set()
    for response in said.untagged:
        found = _LISTED.match(response.text.decode())
        if found and not {"\\nonexistent", "\\noselect"} & set(found[1].lower().split()):
            names.add(found[2] or found[3])
    return names
