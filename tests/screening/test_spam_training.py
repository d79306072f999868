"""What users do teaches the filter: moves, keywords and answers count, deliveries and deletions do not."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.config import Config
from hongyan.screening.spam_filter import SpamFilter, SpamOptions
from hongyan.screening.spam_training import Lesson, find_lessons
from hongyan.screening.tokens import read_tokens
from hongyan.store.changes import Appended, Change, Expunged, FlagsAdded, FlagsReplaced, LoggedChange
from hongyan.types import AccountId, MailboxId, ModSeq
from tests.screening.letters import unwanted, wanted
from tests.support.lines import Lines
from tests.support.server import Server, start_server

INBOX, JUNK, TRASH, WORK, SENT = map(MailboxId, range(1, 6))
USES = {INBOX: "", JUNK: "\\Junk", TRASH: "\\Trash", WORK: "", SENT: "\\Sent"}


def entries(*changes: tuple[MailboxId, Change]) -> list[LoggedChange]:
    return [LoggedChange(ModSeq(10 + number), mailbox, change) for number, (mailbox, change) in enumerate(changes)]


def lessons(*changes: tuple[MailboxId, Change]) -> list[Lesson]:
    return list(find_lessons(entries(*changes), USES))


def came(uid: int, count: int = 1, *flags: bytes) -> Appended:
    return Appended(uid, count, {flag: BitMap(range(uid, uid + count)) for flag in flags})


def left(*uids: int) -> Expunged:
    return Expunged(BitMap(uids))


def test_a_move_into_junk_says_unwanted() -> None:
    assert lessons((JUNK, came(5, 2)), (INBOX, left(1, 2))) == [Lesson(JUNK, BitMap([5, 6]), is_spam=True)]


def test_a_copy_or_an_append_into_junk_says_unwanted() -> None:
    assert lessons((JUNK, came(5))) == [Lesson(JUNK, BitMap([5]), is_spam=True)]


def test_what_delivery_filed_in_junk_says_nothing_but_to_who_said_otherwise() -> None:
    assert lessons((JUNK, came(5, 1, b"$Junk"))) == [Lesson(JUNK, BitMap([5]), is_spam=True, if_known=True)]


def test_a_move_out_of_junk_says_wanted() -> None:
    assert lessons((INBOX, came(9, 1, b"$Junk")), (JUNK, left(5))) == [Lesson(INBOX, BitMap([9]), is_spam=False)]
    assert lessons((INBOX, came(9, 1, b"$Junk"))) == [Lesson(INBOX, BitMap([9]), is_spam=False)]


def test_a_delivery_while_junk_is_emptied_is_no_move_of_a_message_that_nobody_judged() -> None:
    assert lessons((INBOX, came(9)), (JUNK, left(5))) == [Lesson(INBOX, BitMap([9]), is_spam=False, if_known=True)]
    assert lessons((INBOX, came(9)), (JUNK, left(5, 6))) == []


def test_a_move_into_a_mailbox_of_ones_own_says_wanted() -> None:
    assert lessons((WORK, came(3)), (INBOX, left(1))) == [Lesson(WORK, BitMap([3]), is_spam=False)]


def test_deliveries_deletions_and_copies_elsewhere_say_nothing() -> None:
    assert lessons((INBOX, came(1, 3))) == []
    assert lessons((TRASH, came(1)), (JUNK, left(5))) == []
    assert lessons((TRASH, came(1)), (INBOX, left(5))) == []
    assert lessons((JUNK, left(1, 2, 3))) == []
    assert lessons((WORK, came(1))) == []
    assert lessons((SENT, came(1)), (INBOX, left(5))) == []


@pytest.mark.parametrize(
    ("flags", "spam"), [((b"$Junk",), True), ((b"Junk",), True), ((b"$NotJunk",), False), ((b"NonJunk",), False)]
)
def test_keywords_say_what_they_say(flags: tuple[bytes, ...], spam: bool) -> None:
    assert lessons((INBOX, FlagsAdded(BitMap([1]), flags))) == [Lesson(INBOX, BitMap([1]), is_spam=spam)]
    assert lessons((INBOX, FlagsReplaced(BitMap([1]), flags))) == [Lesson(INBOX, BitMap([1]), is_spam=spam)]


def test_an_answer_says_wanted_but_not_in_junk() -> None:
    assert lessons((INBOX, FlagsAdded(BitMap([1]), (b"\\Answered",)))) == [Lesson(INBOX, BitMap([1]), is_spam=False)]
    assert lessons((JUNK, FlagsAdded(BitMap([1]), (b"\\Answered",)))) == []
    assert lessons((INBOX, FlagsAdded(BitMap([1]), (b"\\Seen",)))) == []


def test_a_mailbox_that_is_gone_says_nothing() -> None:
    assert lessons((MailboxId(77), came(1))) == []


# -- on a running service


def soon(config: Config) -> Config:
    return dataclasses.replace(config, spam=SpamOptions(least_ham=3, least_spam=3))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path, change=soon) as server:
        yield server


async def append(imap: Lines, mailbox: str, octets: bytes, flags: str = "") -> None:
    imap.say(f"b APPEND {mailbox} ({flags}) {{{len(octets)}+}}\r\n{octets.decode()}")
    while not (line := await imap.line()).startswith(b"b "):
        pass
    assert line.startswith(b"b OK"), line


async def counts(server: Server, name: str = "ann") -> tuple[int, int]:
    """Return how many wanted and unwanted messages an account has taught its own table."""
    await server.app.services.screening.consumers.catch_up()
    account = (await server.account(name)).account_id
    model = await server.app.services.screening.spam_store.find_model(account)
    return (0, 0) if model is None else (model.ham, model.spam)


async def value(server: Server, octets: bytes, name: str = "ann") -> float | None:
    """Return how a message looks to an account; None while too little is known."""
    spam: SpamFilter = server.app.services.screening.spam
    account: AccountId = (await server.account(name)).account_id
    judgement = await spam.judge(read_tokens(octets), account)
    return judgement.score.value if judgement.enough else None


async def test_moves_into_junk_and_out_of_it_teach_the_filter(server: Server) -> None:
    imap = await server.imap("ann")
    for number in range(4):
        await append(imap, "INBOX", wanted(number))
        await append(imap, "INBOX", unwanted(number))
    assert await counts(server) == (0, 0)
    assert await value(server, unwanted(99)) is None
    await imap.command("c", "SELECT INBOX")
    await imap.command("d", "UID MOVE 2,4,6,8 Junk")
    await imap.command("e", "UID MOVE 1,3,5,7 Archive")
    assert await counts(server) == (4, 4)
    found = await value(server, unwanted(99)), await value(server, wanted(99))
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > 0.8
    assert found[1] < 0.2


async def test_a_message_counts_once_and_the_last_word_counts(server: Server) -> None:
    imap = await server.imap("ann")
    await append(imap, "INBOX", unwanted(1))
    await imap.command("c", "SELECT INBOX")
    await imap.command("d", "UID MOVE 1 Junk")
    assert await counts(server) == (0, 1)
    await imap.command("c", "SELECT Junk")
    await imap.command("d", "UID MOVE 1 INBOX")
    assert await counts(server) == (1, 0)
    await imap.command("d", "SELECT INBOX")
    await imap.command("d", "UID MOVE 2 Junk")
    for _ in range(3):
        await append(imap, "Junk", unwanted(1))
    assert await counts(server) == (0, 1)


async def test_what_delivery_filed_in_junk_teaches_nothing_until_it_is_taken_out(server: Server) -> None:
    services = server.app.services
    account = (await server.account("ann")).account_id
    from hongyan.mailboxes.append import Incoming
    from hongyan.mailboxes.append import append as store
    from hongyan.mailboxes.special_use import find_special

    junk = await find_special(services.mail, account, "\\Junk")
    assert junk is not None
    filed = Incoming(unwanted(1), b"Received: here\r\n", flags=(b"$Junk",))
    await store(services.mail, account, junk.mailbox_id, [filed])
    assert await counts(server) == (0, 0)
    imap = await server.imap("ann")
    await imap.command("c", "SELECT Junk")
    await imap.command("d", "UID MOVE 1 INBOX")
    assert await counts(server) == (1, 0)


async def test_keywords_and_answers_teach_too(server: Server) -> None:
    imap = await server.imap("ann")
    for number in range(3):
        await append(imap, "INBOX", wanted(number))
    await imap.command("c", "SELECT INBOX")
    await imap.command("d", "UID STORE 1 +FLAGS ($Junk)")
    await imap.command("d", "UID STORE 2 +FLAGS ($NotJunk)")
    await imap.command("d", "UID STORE 3 +FLAGS (\\Answered \\Seen)")
    assert await counts(server) == (2, 1)


async def test_what_one_account_takes_for_spam_is_no_spam_to_another(server: Server) -> None:
    for name in ("ann", "bob"):
        imap = await server.imap(name)
        for number in range(6):
            await append(imap, "Junk" if name == "ann" else "INBOX", unwanted(number))
            await append(imap, "Junk" if name == "bob" else "INBOX", wanted(number))
        await imap.command("c", "SELECT INBOX")
        await imap.command("d", "UID MOVE 1:* Archive")
    await counts(server)
    ann, bob = await value(server, unwanted(50), "ann"), await value(server, unwanted(50), "bob")
    assert ann is not None
    assert bob is not None
    assert ann > 0.8
    assert bob < 0.2


async def test_what_was_learnt_outlives_the_process(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=soon) as server:
        imap = await server.imap("ann")
        for number in range(4):
            await append(imap, "Junk", unwanted(number))
            await append(imap, "INBOX", wanted(number), "$NotJunk")
        await imap.command("c", "SELECT INBOX")
        await imap.command("d", "UID MOVE 1:* Archive")
        assert await counts(server) == (4, 4)
        before = await value(server, unwanted(9))
    async with start_server(tmp_path, change=soon) as server:
        assert await counts(server) == (4, 4)
        assert await value(server, unwanted(9)) == before
        assert (await server.app.services.screening.spam.server_counts()).spam == 4
