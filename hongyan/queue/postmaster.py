"""Letters of the server to the postmaster of one of its domains (RFC 5321 §4.5.1): something needs a person."""

from __future__ import annotations

__all__ = ["PostmasterMail"]

from hongyan.addresses import Address, Domain
from hongyan.clock import Clock, Random
from hongyan.message.compose import compose, format_addresses, format_field, format_mailbox, make_message_id, make_text
from hongyan.message.trace import format_date
from hongyan.queue.items import Queue, new_message
from hongyan.store.queue import NewRecipient
from hongyan.wire.smtp.parameters import Notify

_LOCAL = "postmaster"


class PostmasterMail:
    """Writes to postmasters, and to owners of accounts. The null reverse-path: nobody is told if that fails."""

    def __init__(self, host: str, queue: Queue, clock: Clock, random: Random) -> None:
        self._host = host
        self._queue = queue
        self._clock = clock
        self._random = random

    async def send(self, domain: Domain, subject: str, text: str) -> None:
        """Queue a letter to the postmaster of a domain of ours."""
        await self.send_to(Address(_LOCAL, domain), subject, text)

    async def send_to(self, recipient: Address, subject: str, text: str) -> None:
        """Queue a letter to an address of ours."""
        octets = compose(
            [
                format_addresses("From", [format_mailbox("Hongyan", f"{_LOCAL}@{self._host}")]),
                format_addresses("To", [format_mailbox("", str(recipient))]),
                format_field("Subject", subject),
                format_field("Date", format_date(self._clock.now())),
                format_field("Message-ID", make_message_id(self._host, self._clock, self._random)),
                format_field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
            ],
            make_text(text),
        )
        now = self._queue.clock.now()
        await self._queue.enqueue(
            new_message(
                None,
                [NewRecipient(recipient, Notify.NEVER)],
                now=now,
                expires=self._queue.schedule.expires(now),
                size=len(octets),
                octets=octets,
                trace_id=self._random.token(9).hex(),
            )
        )
