"""The spam filter is taught before it is measured: one that has learnt nothing judges nothing, and costs next to it.

Users file unwanted mail in Junk and mark wanted mail as such, over IMAP. That they were heard is shown by a message of
the unwanted kind: it has to end in Junk.
"""

from __future__ import annotations

__all__ = ["teach"]

import asyncio
import random
from itertools import chain
from time import perf_counter

from bench.clients import Unexpected
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import count_messages, empty
from bench.work.piece import DELIVERY_USERS, run_name, together

_OF_EACH = 8  # messages of a kind that each user sorts: 400 of either by fifty users
_LEARNS_WITHIN = 300.0  # seconds
_TRY_EVERY = 2.0
_SEED = 1
_WORDS = (
    ("winner", "prize", "lottery", "jackpot", "casino", "bonus", "congratulations", "selected", "million", "dollars"),
    ("inheritance", "beneficiary", "barrister", "deposit", "transfer", "confidential", "urgent", "western", "union"),
    ("pills", "pharmacy", "viagra", "enlargement", "miracle", "weight", "loss", "discount", "cheap", "replica"),
    ("loan", "approved", "refinance", "unsecured", "guaranteed", "earn", "weekly", "income", "investment", "crypto"),
)
_PHRASES = (
    "代开各类发票，税点优惠",
    "高薪兼职在家赚钱，日结工资",
    "低价贷款，无需抵押当天放款",
    "恭喜您中奖，请点击领取",
)


async def teach(server: Server, terms: Terms, sender: str) -> None:
    """Let users sort some hundred messages, and wait until the filter has learnt. `sender` may send to the server."""
    chance = random.Random(_SEED)
    for user in DELIVERY_USERS:
        client = await server.imap(user)
        first = user * _OF_EACH
        await client.append_all(b"Junk", [(b"", _unwanted(number, chance)) for number in range(_OF_EACH)])
        wanted = [terms.corpus.message(number) for number in range(first, first + _OF_EACH)]
        await client.append_all(b"INBOX", [(b"", message) for message in wanted])
        await client.ok(b"SELECT INBOX")
        await client.ok(b"STORE 1:* +FLAGS.SILENT ($NotJunk)")
        await client.logout()
    await _wait_until_taught(server, sender, chance)
    await together(empty(server, user) for user in DELIVERY_USERS)


async def _wait_until_taught(server: Server, sender: str, chance: random.Random) -> None:
    """Bring unwanted mail to the user who was the last to teach, until it is filed in Junk."""
    user = DELIVERY_USERS[-1]
    deadline = perf_counter() + _LEARNS_WITHIN
    imap, smtp = await server.imap(user), await server.smtp()
    before = await count_messages(imap, b"Junk")
    while await count_messages(imap, b"Junk") == before:
        if perf_counter() > deadline:
            raise Unexpected(f"the spam filter has not learnt within {_LEARNS_WITHIN:.0f} s")
        await asyncio.sleep(_TRY_EVERY)
        message = _unwanted(chance.randrange(1000), chance, sender)
        await smtp.send(sender.encode(), server.user(user).encode(), message)
    await imap.logout()
    await smtp.quit()


def _unwanted(number: int, chance: random.Random, sender: str = "") -> bytes:
    """Return a message that no other equals, of the kind that nobody wants."""
    name = run_name().decode()
    words = chance.choices(list(chain.from_iterable(_WORDS)), k=60)
    sender = sender or f"promo{number}@bulk{number % 5}.example"
    header = (
        f"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nFrom: Prize Office <{sender}>\r\nTo: you@example.test\r\n"
        f"Subject: {' '.join(words[:4]).upper()} {number}\r\nMessage-ID: <{number}.{name}@bulk.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    )
    return f"{header}\r\n{' '.join(words)}\r\n{chance.choice(_PHRASES)} {name}\r\n".encode()
