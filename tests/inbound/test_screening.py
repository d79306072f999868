"""Mail from elsewhere is scanned and judged before the reply: refused, held, filed in Junk, or delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.config import Config
from hongyan.screening.spam_filter import SpamOptions, Vote
from hongyan.screening.tokens import read_tokens
from hongyan.screening.virus import VirusOptions
from hongyan.store.queue import RecipientState, Selection
from tests.screening.letters import unwanted, wanted
from tests.support.clamd import INFECTED, ClamdPlaces, start_clamd
from tests.support.server import Server, start_server

LETTER = b"From: friend@elsewhere.test\r\nSubject: x\r\n\r\n"


@pytest.fixture(scope="module")
def daemon() -> Iterator[ClamdPlaces]:
    with start_clamd() as places:
        yield places


async def bring(server: Server, octets: bytes, *names: str) -> bytes:
    """Let another server bring a message; return the last reply."""
    smtp = await server.connect("smtp")
    await smtp.reply()
    recipients = [f"RCPT TO:<{name}@hongyan.test>" for name in names or ("ann",)]
    for line in ("EHLO relay.elsewhere.test", "MAIL FROM:<friend@elsewhere.test>", *recipients, "DATA"):
        smtp.say(line)
        assert (await smtp.reply())[:1] in b"23"
    smtp.write(octets + b"\r\n.\r\n")
    reply = await smtp.reply()
    await smtp.close()
    return reply


async def count(server: Server, name: str, mailbox: str) -> int:
    """Return how many messages a mailbox has."""
    account = await server.account(name)
    found = await server.app.services.mail.mailboxes.find_mailbox(account.account_id, mailbox)
    assert found is not None
    return found.messages


def scanned(place: str, **settings: str) -> Callable[[Config], Config]:
    return lambda config: replace(config, virus=VirusOptions(clamd=place, **settings))  # type: ignore[arg-type]


@pytest.mark.interop
async def test_an_infected_message_is_refused_and_a_clean_one_delivered(tmp_path: Path, daemon: ClamdPlaces) -> None:
    async with start_server(tmp_path, change=scanned(daemon.socket)) as server:
        assert await bring(server, LETTER + INFECTED) == b"550 5.7.1 The message is infected: Test.Goose.UNOFFICIAL"
        assert await count(server, "ann", "INBOX") == 0
        assert (await bring(server, LETTER + b"Honk.")).startswith(b"250 ")
        assert await count(server, "ann", "INBOX") == 1


@pytest.mark.interop
async def test_quarantine_holds_an_infected_message_until_it_is_released(tmp_path: Path, daemon: ClamdPlaces) -> None:
    change = scanned(daemon.socket, on_infected="quarantine")
    async with start_server(tmp_path, change=change) as server:
        assert (await bring(server, LETTER + INFECTED, "ann", "bob")).startswith(b"250 ")
        assert await count(server, "ann", "INBOX") == await count(server, "ann", "Junk") == 0
        queue = server.app.services.outgoing.store
        (message,) = await queue.list_messages(Selection(), limit=10)
        assert {recipient.state for recipient in message.recipients} == {RecipientState.HELD}
        assert {str(recipient.address) for recipient in message.recipients} == {"ann@hongyan.test", "bob@hongyan.test"}
        assert message.recipients[0].held_for == "Quarantine: infected: Test.Goose.UNOFFICIAL"


async def test_while_the_scanner_is_down_senders_are_asked_to_come_again(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=scanned("/nowhere/clamd.sock")) as server:
        assert (await bring(server, LETTER + b"Honk.")).startswith(b"451 4.7.1 ")
        assert await count(server, "ann", "INBOX") == 0


async def test_what_looks_like_spam_is_filed_in_junk_and_learnt_from_when_it_is_taken_out(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, spam=SpamOptions(least_ham=5, least_spam=5))

    async with start_server(tmp_path, change=change) as server:
        screening = server.app.services.screening
        await screening.spam.train([Vote(read_tokens(unwanted(number)), is_spam=True) for number in range(9)])
        await screening.spam.train([Vote(read_tokens(wanted(number)), is_spam=False) for number in range(9)])
        assert (await bring(server, unwanted(50))).startswith(b"250 ")
        assert (await bring(server, wanted(50))).startswith(b"250 ")
        assert await count(server, "ann", "Junk") == 1
        assert await count(server, "ann", "INBOX") == 1
        account = (await server.account("ann")).account_id
        await screening.consumers.catch_up()
        assert await screening.spam_store.find_model(account) is None  # The filter does not learn from itself.
        imap = await server.imap("ann")
        await imap.command("b", "SELECT Junk")
        await imap.command("c", "UID MOVE 1 INBOX")
        await screening.consumers.catch_up()
        model = await screening.spam_store.find_model(account)
        assert model is not None
        assert (model.ham, model.spam) == (1, 0)
        assert (await bring(server, unwanted(50), "ann", "bob")).startswith(b"250 ")
        assert await count(server, "bob", "Junk") == 1
        assert await count(server, "ann", "INBOX") == 3  # What she has taken for wanted is wanted, to her.
