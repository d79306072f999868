"""What judges messages as a whole, and what learns from what becomes of them."""

from __future__ import annotations

__all__ = ["Screening", "make_screening"]

from collections.abc import Sequence
from dataclasses import dataclass

from hongyan.assembly.ground import Ground
from hongyan.clients.clamd import Clamd
from hongyan.engines.sql.cursors import SqlCursors
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.spam import SqlSpam
from hongyan.mailboxes.mail import Mail
from hongyan.notify.consumers import Consumers
from hongyan.screening.examined import MessageCheck
from hongyan.screening.reputation import Reputation
from hongyan.screening.spam import SpamCheck
from hongyan.screening.spam_filter import SpamFilter
from hongyan.screening.spam_training import SpamTrainer
from hongyan.screening.virus import VirusCheck
from hongyan.store.cursors import CursorStore
from hongyan.store.spam import SpamStore


@dataclass(frozen=True, slots=True)
class Screening:
    """The checks, and what they ask."""

    clamd: Clamd | None
    spam: SpamFilter
    spam_store: SpamStore
    cursors: CursorStore
    consumers: Consumers
    """Those who follow the change logs; the filter's training is the first of them."""
    incoming: Sequence[MessageCheck]
    """The checks that a message from elsewhere has to pass."""
    outgoing: Sequence[MessageCheck]
    """Those that a message of our own users has to pass."""

    async def close(self) -> None:
        """Write down what was learnt last."""
        await self.spam.keep()


def make_screening(ground: Ground, mail: Mail, reputation: Reputation) -> Screening:
    """Make the checks."""
    config, database = ground.config, ground.database
    clamd = Clamd(config.virus) if config.virus.clamd else None
    virus: list[MessageCheck] = [] if clamd is None else [VirusCheck(clamd, config.virus)]
    store, cursors = SqlSpam(database), SqlCursors(database)
    spam = SpamFilter(store, ground.clock, config.spam)
    consumers = Consumers(ground.engines.bus, SqlMailboxes(database), cursors, config.consumers)
    incoming = list(virus)
    if config.spam.enabled:
        incoming.append(SpamCheck(spam))
        consumers.add(SpamTrainer(mail, spam, reputation))
    return Screening(clamd, spam, store, cursors, consumers, incoming, outgoing=virus)
