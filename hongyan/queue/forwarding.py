"""Mail that an alias or a forward sends on: under which reverse-path it leaves, and where bounces of it go.

A sender at one of our domains stays as it is: we may send for it. A stranger is rewritten (`queue.srs`), so that the
servers of the new recipient find a server that may send for the reverse-path's domain. A bounce comes to the rewritten
address: only with the null reverse-path, only signed by us and not too old, and it goes back to the stranger.
"""

from __future__ import annotations

__all__ = ["Forwarding", "ForwardingOptions"]

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hongyan.addresses import Address, Domain
from hongyan.clock import Clock
from hongyan.options import option
from hongyan.queue.srs import Srs, SrsFault, is_srs


@dataclass(frozen=True, slots=True)
class ForwardingOptions:
    """The section `[forwarding]`."""

    rewrite: bool = option(True, "Rewrite the senders of mail that is forwarded, so that SPF passes (SRS).")
    domain: str = option("", "The domain of rewritten senders: its mail comes here; empty: the name of this host.")


class Forwarding:
    """Knows the way out and the way back."""

    def __init__(self, srs: Srs | None, is_ours: Callable[[Domain], bool], clock: Clock) -> None:
        """`srs` None: nothing is rewritten. `is_ours` says which domains we may send for."""
        self._srs = srs
        self._is_ours = is_ours
        self._clock = clock

    def rewrite(self, sender: Address | None) -> Address | None:
        """Return the reverse-path for what is sent on; one that cannot be rewritten stays as it is."""
        if self._srs is None or sender is None or self._is_ours(sender.domain):
            return sender
        try:
            return self._srs.forward(sender, self._clock.now())
        except SrsFault:
            return sender

    def envelopes(
        self, sender: Address | None, recipients: Iterable[Address]
    ) -> Iterator[tuple[Address | None, list[Address]]]:
        """Yield reverse-paths with their recipients: our own get mail from the sender as it is."""
        ours: list[Address] = []
        others: list[Address] = []
        for recipient in recipients:
            (ours if self._is_ours(recipient.domain) else others).append(recipient)
        rewritten = self.rewrite(sender)
        if rewritten == sender:
            ours, others = [*ours, *others], []
        if ours:
            yield sender, ours
        if others:
            yield rewritten, others

    def is_rewritten(self, address: Address) -> bool:
        """Whether an address has the form of a rewritten sender at our domain."""
        return self._srs is not None and address.domain == self._srs.domain and is_srs(address.local_part)

    def find_sender(self, address: Address) -> Address | None:
        """Return the stranger behind a rewritten sender; None unless it is genuine and recent."""
        if self._srs is None or not self.is_rewritten(address):
            return None
        try:
            return self._srs.reverse(address, self._clock.now())
        except SrsFault:
            return None
