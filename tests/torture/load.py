"""The load: mail programs and other servers, all at once, each with its own connection and its own part of the mail.

One worker alone changes a given copy, so that what must be there is always known; the workers themselves run side by
side. Accounts: `anna` has flags set on her mail, `bo` moves, copies and expunges, `chen` makes and renames mailboxes,
`dora` fetches by POP3, `emil` submits.
"""

from __future__ import annotations

__all__ = ["ACCOUNTS", "DOMAIN", "SECRET", "Load", "address", "make_message"]

import asyncio
import base64
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence

from tests.torture.clients import Dismissed, Gone, ImapClient, ImapReply, Pop3Client, Refused, SmtpClient
from tests.torture.journal import Box, Copy, Journal, Mail, Presence
from tests.torture.service import Endpoints

DOMAIN = "hongyan.test"
SECRET = "abcdefghijklmnop"
ACCOUNTS = ("anna", "bo", "chen", "dora", "emil")

_FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$Work", "$Later")
_HEADER = "BODY.PEEK[HEADER.FIELDS (X-TORTURE)]"
_TOKEN = re.compile(rb"X-Torture: (\S+)", re.IGNORECASE)
_MAX_KEPT = 250  # copies in a mailbox, above which a worker removes more than it makes


def address(account: str) -> str:
    """Return an account's address."""
    return f"{account}@{DOMAIN}"


def make_message(token: str, sender: str, recipients: Sequence[str], chance: random.Random) -> bytes:
    """Return a message that names its token; most are small, some large, some have octets above 127."""
    size = chance.choices((chance.randint(200, 6000), chance.randint(30_000, 120_000), 1_300_000), (90, 9, 1))[0]
    text = base64.encodebytes(chance.randbytes(size * 3 // 4)).replace(b"\n", b"\r\n")
    head = (
        f"From: <{sender}>\r\nTo: {', '.join(f'<{one}>' for one in recipients)}\r\nSubject: torture {token}\r\n"
        f"X-Torture: {token}\r\nMessage-ID: <{token}@torture.test>\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    odd = "鸿雁\r\n".encode() if chance.random() < 0.3 else b""
    return head.encode() + b".\r\n..dots\r\n" + odd + text


class Load:
    """Workers on one running server."""

    def __init__(self, endpoints: Endpoints, journal: Journal, seed: int) -> None:
        self._at = endpoints
        self._journal = journal
        self._chance = random.Random(seed)
        self._stop = asyncio.Event()
        self._is_quiet = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Let all workers begin."""
        journal = self._journal
        journal.is_over = False
        work: list[Callable[[], Awaitable[None]]] = [
            lambda: self._deliver("one.example"),
            lambda: self._deliver("two.example"),
            self._submit,
            self._append,
            self._flag,
            self._move,
            self._folders,
            self._subscribe,
            lambda: self._listen("anna"),
            lambda: self._listen("bo"),
            self._fetch_and_delete,
        ]
        self._tasks = [asyncio.create_task(self._worker(one)) for one in work]

    def only_flags(self) -> None:
        """From now on nothing but flags is changed."""
        self._is_quiet = True

    async def lasts(self, seconds: float) -> None:
        """Let it go on for a while."""
        await asyncio.sleep(seconds)

    async def end(self) -> None:
        """Wait until the workers have noticed that the server is gone, or stop them after what they are doing."""
        self._stop.set()
        done, late = await asyncio.wait(self._tasks, timeout=60)
        for task in late:
            task.cancel()
            self._journal.blame("a client waits and gets no answer")
        await asyncio.gather(*done, *late, return_exceptions=True)

    async def _worker(self, work: Callable[[], Awaitable[None]]) -> None:
        journal = self._journal
        try:
            while not journal.is_over:
                try:
                    return await work()
                except (Refused, Dismissed):
                    # A disk that fails beneath a large APPEND ends its connection: the rest of it is on its way.
                    if not journal.refusal_is_doubt:
                        raise
                    journal.count("refused")
                    if self._stop.is_set():
                        return None
                    await self._breathe(0.1)
        except Gone as error:
            if not journal.is_over:
                journal.blame(f"{work} a connection ended by itself: {error}")
        except Refused as error:
            if not journal.is_over:
                journal.blame(f"the server refused: {error.said}")
        return None

    @property
    def _goes_on(self) -> bool:
        return self._is_on and not self._is_quiet

    @property
    def _is_on(self) -> bool:
        return not self._stop.is_set() and not self._journal.is_over

    async def _breathe(self, most: float = 0.02) -> None:
        await asyncio.sleep(self._chance.uniform(0, most))

    # -- SMTP

    async def _deliver(self, domain: str) -> None:
        """Another server: mail for one to three of our accounts, by port 25."""
        client = await SmtpClient.open(self._at["smtp"])
        while self._goes_on:
            count = self._chance.choice((1, 1, 1, 2, 3))
            await self._send(client, f"peer@{domain}", self._chance.sample(ACCOUNTS[:4], count), submission=False)
            if self._chance.random() < 0.05:
                await client.quit()
                client = await SmtpClient.open(self._at["smtp"])
            await self._breathe()
        client.close()

    async def _submit(self) -> None:
        """Our user emil: mail for one or two of the others, by submission and the queue."""
        client = await SmtpClient.open(self._at["submission"], (address("emil"), SECRET))
        while self._goes_on:
            await self._send(client, address("emil"), self._chance.sample(ACCOUNTS[:4], 2), submission=True)
            await self._breathe(0.06)
        client.close()

    async def _send(self, client: SmtpClient, sender: str, accounts: Sequence[str], *, submission: bool) -> None:
        token = self._journal.new_token()
        octets = make_message(token, sender, [address(one) for one in accounts], self._chance)
        by_chunks = self._chance.random() < 0.3
        await send(client, Mail(token, octets, sender, tuple(accounts), submission, by_chunks), self._journal)

    # -- IMAP

    async def _open(self, account: str, name: str) -> tuple[ImapClient, Box]:
        client = await ImapClient.open(self._at["imap"], address(account), SECRET)
        return client, await self._select(client, account, name)

    async def _select(self, client: ImapClient, account: str, name: str) -> Box:
        journal = self._journal
        box = journal.box(account, name)
        before = {"UIDNEXT": box.uidnext, "HIGHESTMODSEQ": box.modseq}  # Another client may see more meanwhile.
        said = await client.command(f'SELECT "{name}"')
        validity = int(said.code("UIDVALIDITY") or 0)
        if box.uidvalidity not in (None, validity):
            journal.blame(f"UIDVALIDITY of {box} was {box.uidvalidity} and is {validity}")
        box.uidvalidity = validity
        now = {code: int(said.code(code) or 0) for code in before}
        for code, number in now.items():
            if number < before[code]:
                journal.blame(f"{code} of {box} was {before[code]} and is {number}")
        box.uidnext, box.modseq = max(box.uidnext, now["UIDNEXT"]), max(box.modseq, now["HIGHESTMODSEQ"])
        return box

    async def _look(self, client: ImapClient, box: Box, since: int) -> int:
        """Look at what is new; return the highest UID."""
        said = await client.command(f"UID FETCH {since + 1}:* (UID FLAGS MODSEQ {_HEADER})")
        return self._note(said, box, since)

    def _note(self, said: ImapReply, box: Box, since: int) -> int:
        highest = since
        for fetched in said.fetches():
            uid, modseq = fetched.number(b"UID"), fetched.number(b"MODSEQ")
            found = _TOKEN.search(fetched.literals[0]) if fetched.literals else None
            if uid is None:
                continue
            if found is None:
                self._journal.seen_modseq(box, uid, fetched.flags(), modseq)
            elif uid > since:
                self._journal.seen(box, uid, found[1].decode(), fetched.flags(), modseq)
                highest = max(highest, uid)
        return highest

    async def _listen(self, account: str) -> None:
        """An idling client: told of new mail, it looks; no UID may come below one that it has seen."""
        client, box = await self._open(account, "INBOX")
        last = await self._look(client, box, 0)
        while self._is_on:
            said = await client.idle(self._stop)
            self._note(said, box, 0)
            last = await self._look(client, box, last)
        client.close()

    async def _append(self) -> None:
        """A client that saves messages, with flags."""
        await self._make("anna", "Work")
        client, box = await self._open("anna", "Work")
        chance = self._chance
        while self._goes_on:
            token = self._journal.new_token()
            octets = make_message(token, address("anna"), [address("anna")], chance)
            flags = frozenset(chance.sample(_FLAGS, chance.randint(0, 2)))
            copy = self._journal.appending(box, token, octets, flags)
            said = await client.command(
                f'APPEND "Work" ({" ".join(sorted(flags))})', octets, on_sent=self._journal.on_sent
            )
            placed = said.code("APPENDUID")
            self._journal.appended(copy, int(placed.split()[1]) if placed else None)
            await self._breathe(0.06)
        client.close()

    async def _make(self, account: str, name: str) -> None:
        """Make a mailbox, unless it is there."""
        journal = self._journal
        if any(name in box.names and box.presence is Presence.THERE for box in journal.boxes_of(account)):
            return
        client = await ImapClient.open(self._at["imap"], address(account), SECRET)
        box = journal.box(account, name)
        box.presence = Presence.MAYBE
        try:
            await client.command(f'CREATE "{name}"', on_sent=journal.on_sent)
        except Refused as error:
            if "[ALREADYEXISTS]" not in error.said:
                raise
        box.presence = Presence.THERE
        journal.count("created")
        client.close()

    async def _flag(self) -> None:
        """A client that sets flags, here and there, of one message or of many."""
        client = await ImapClient.open(self._at["imap"], address("anna"), SECRET)
        chance = self._chance
        while self._is_on:
            there = {box.name for box in self._journal.boxes_of("anna") if box.presence is Presence.THERE}
            box = await self._select(client, "anna", chance.choice(sorted(there & {"INBOX", "Work"})))
            await self._look(client, box, 0)
            for _ in range(chance.randint(3, 12)):
                if not self._stop.is_set() and (copies := self._some(box, chance.choice((1, 1, 3, 20)))):
                    await self._flag_once(client, copies)
            await self._breathe()
            if len(box.present()) > _MAX_KEPT and not self._is_quiet:
                await self._expunge(client, self._some(box, _MAX_KEPT // 2))
        client.close()

    async def _flag_once(self, client: ImapClient, copies: list[Copy]) -> None:
        chance, journal = self._chance, self._journal
        uids = _uid_set(copies)
        if len(copies) == 1 and chance.random() < 0.2:
            journal.flagging(copies, frozenset({"\\Seen"}), "+")
            said = await client.command(f"UID FETCH {uids} (UID BODY[TEXT]<0.50>)", on_sent=journal.on_sent)
        else:
            action = chance.choice(("+", "+", "-", ""))
            flags = frozenset(chance.sample(_FLAGS, chance.randint(1, 2)))
            journal.flagging(copies, flags, action)
            silent = ".SILENT" if chance.random() < 0.5 else ""
            said = await client.command(
                f"UID STORE {uids} {action}FLAGS{silent} ({' '.join(sorted(flags))})", on_sent=journal.on_sent
            )
        journal.flagged(copies)
        self._note(said, copies[0].box, 0)

    def _some(self, box: Box, count: int) -> list[Copy]:
        present = box.present()
        return self._chance.sample(present, min(count, len(present)))

    async def _move(self) -> None:
        """A client that tidies up: moves, copies and expunges."""
        await self._make("bo", "Kept")
        client, box = await self._open("bo", "INBOX")
        chance, last = self._chance, 0
        while self._goes_on:
            last = await self._look(client, box, last)
            copies = self._some(box, chance.choice((1, 2, 5)))
            if not copies:
                await self._breathe(0.1)
            elif chance.random() < 0.5:
                await self._copy(client, copies, chance.choice(("Kept", "Archive")), move=True)
            elif chance.random() < 0.5:
                await self._copy(client, copies, "Kept", move=False)
            else:
                await self._expunge(client, copies)
            if chance.random() < 0.1:
                await self._tidy(client)
                box, last = await self._select(client, "bo", "INBOX"), last
            await self._breathe(0.05)
        client.close()

    async def _tidy(self, client: ImapClient) -> None:
        """Expunge in the other mailboxes."""
        for name in ("Kept", "Archive"):
            box = await self._select(client, "bo", name)
            if copies := self._some(box, self._chance.choice((1, 4, len(box.copies) // 8))):
                await self._expunge(client, copies)

    async def _copy(self, client: ImapClient, copies: list[Copy], name: str, *, move: bool) -> None:
        journal = self._journal
        target = journal.box("bo", name)
        copies = [copy for copy in copies if copy.token not in target.copies]
        if not copies:
            return
        copies.sort(key=_uid)
        made = journal.copying(copies, target, move=move)
        said = await client.command(
            f'UID {"MOVE" if move else "COPY"} {_uid_set(copies)} "{name}"', on_sent=journal.on_sent
        )
        placed = said.code("COPYUID")
        if placed is None:
            journal.blame(f"no COPYUID: {said.text}")
            return
        _validity, sources, targets = placed.split()
        if _numbers(sources) != [copy.uid for copy in copies]:
            journal.blame(f"COPYUID names {sources} for {_uid_set(copies)}")
        journal.copied(copies, made, _numbers(targets), move=move)

    async def _expunge(self, client: ImapClient, copies: list[Copy]) -> None:
        journal = self._journal
        for copy in copies:
            copy.is_followed = False  # They are to go: whether \\Deleted is among their flags does not matter.
        await client.command(f"UID STORE {_uid_set(copies)} +FLAGS.SILENT (\\Deleted)")
        journal.removing(copies)
        await client.command(f"UID EXPUNGE {_uid_set(copies)}", on_sent=journal.on_sent)
        journal.removed(copies)

    # -- mailboxes

    async def _folders(self) -> None:
        """A client that makes mailboxes, fills, renames and deletes them."""
        client = await ImapClient.open(self._at["imap"], address("chen"), SECRET)
        chance = self._chance
        while self._goes_on:
            mine = [box for box in self._projects() if box.presence is Presence.THERE]
            if len(mine) < 4 or (len(mine) < 12 and chance.random() < 0.4):
                await self._make_project(client)
            elif chance.random() < 0.6:
                await self._rename(client, chance.choice(mine))
            else:
                await self._delete(client, chance.choice(mine))
            await self._breathe(0.08)
        client.close()

    def _projects(self) -> list[Box]:
        """Return the mailboxes whose name is known for certain."""
        boxes = [box for box in self._journal.boxes_of("chen") if len(box.names) == 1]
        return [box for box in boxes if box.name.startswith("Project")]

    async def _make_project(self, client: ImapClient) -> None:
        """Make a mailbox with one below it, and a message in each."""
        journal = self._journal
        top = f"Project {journal.new_token()}"
        for name in (top, f"{top}/notes"):
            box = journal.box("chen", name)
            box.presence = Presence.MAYBE
            await client.command(f'CREATE "{name}"', on_sent=journal.on_sent)
            box.presence = Presence.THERE
            journal.count("created")
            token = journal.new_token()
            octets = make_message(token, address("chen"), [address("chen")], self._chance)
            copy = journal.appending(box, token, octets, frozenset())
            said = await client.command(f'APPEND "{name}"', octets, on_sent=journal.on_sent)
            placed = said.code("APPENDUID")
            journal.appended(copy, int(placed.split()[1]) if placed else None)

    async def _rename(self, client: ImapClient, box: Box) -> None:
        """Rename the whole tree that the mailbox stands in."""
        journal = self._journal
        old = box.name.partition("/")[0]
        new = f"Project {journal.new_token()}"
        tree = [one for one in self._projects() if one.name == old or one.name.startswith(old + "/")]
        before = [one.name for one in tree]
        for one in tree:
            one.names.add(new + one.name.removeprefix(old))
        await client.command(f'RENAME "{old}" "{new}"', on_sent=journal.on_sent)
        for one, name in zip(tree, before, strict=True):
            one.names.discard(name)
        journal.count("renamed")

    async def _delete(self, client: ImapClient, box: Box) -> None:
        journal = self._journal
        below = [one for one in self._projects() if one.name.startswith(box.name + "/")]
        if below:
            box = below[0]
        box.presence = Presence.LEAVING
        await client.command(f'DELETE "{box.name}"', on_sent=journal.on_sent)
        box.presence = Presence.GONE
        journal.count("deleted")

    async def _subscribe(self) -> None:
        """A client that cannot make up its mind what to subscribe to."""
        client = await ImapClient.open(self._at["imap"], address("dora"), SECRET)
        chance, journal = self._chance, self._journal
        while self._goes_on:
            name = chance.choice(("Sent", "Drafts", "Archive", "Junk"))
            wanted = chance.random() < 0.5
            known = journal.subscribed.setdefault(("dora", name), {True, False})
            known.add(wanted)
            await client.command(f'{"" if wanted else "UN"}SUBSCRIBE "{name}"', on_sent=journal.on_sent)
            journal.subscribed["dora", name] = {wanted}
            journal.count("subscribed")
            await self._breathe(0.1)
        client.close()

    # -- POP3

    async def _fetch_and_delete(self) -> None:
        """A client of POP3 that takes some of its mail and deletes it."""
        journal, chance, inbox = self._journal, self._chance, self._journal.inbox("dora")
        while self._goes_on:
            client = await Pop3Client.open(self._at["pop3"], address("dora"), SECRET)
            listed = [line.split() for line in await client.listing("LIST")]
            copies = []
            for number, _size in listed[: chance.randint(1, 8)]:
                lines = b"".join(await client.listing(f"TOP {number.decode()} 0"))
                found = _TOKEN.search(lines)
                if found is None:
                    journal.blame("POP3 shows a message of nobody")
                    continue
                copy = inbox.find(found[1].decode())
                if copy.presence is Presence.GONE:
                    journal.blame(f"POP3 shows {copy.token}, which was deleted")
                if chance.random() < 0.7:
                    await client.command(f"DELE {number.decode()}")
                    copies.append(copy)
            journal.removing(copies)
            await client.command("QUIT", on_sent=journal.on_sent)
            journal.removed(copies)
            client.close()
            await self._breathe(0.2)


async def send(client: SmtpClient, mail: Mail, journal: Journal) -> None:
    """Send a message and write down what is answered."""
    journal.sending(mail)
    recipients = [address(one) for one in mail.recipients]
    try:
        await client.deliver(mail.sender, recipients, mail.octets, by_chunks=mail.by_chunks, on_sent=journal.on_sent)
    except Refused:
        journal.refused(mail)
        raise
    mail.at = time.monotonic()
    journal.accepted(mail)


def _uid(copy: Copy) -> int:
    return copy.uid or 0


def _uid_set(copies: Sequence[Copy]) -> str:
    return ",".join(str(copy.uid) for copy in sorted(copies, key=_uid))


def _numbers(text: str) -> list[int]:
    """Return the numbers of a UID set."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
