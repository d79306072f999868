"""Which types of data are pushed, and how each stands (RFC 8620 §7.1, RFC 8621 §1.5).

What is told is the state that a client gets from the type's /get. EmailDelivery is no type that can be read: its state
is the number that the next new email will get, so it changes when mail comes, and not when mail is read, moved or gone.
"""

from __future__ import annotations

__all__ = ["PushedStates", "ReadStates"]

from collections.abc import Awaitable, Callable, Mapping, Sequence

from hongyan.store.placements import PlacementStore
from hongyan.types import AccountId
from hongyan.web.jmap.states import write_state

ReadStates = Callable[[AccountId], Awaitable[Mapping[str, str]]]
"""Tells how some types of an account stand."""

_BY_LOG = ("Mailbox", "Thread", "Email", "Quota")


class PushedStates:
    """Reads how an account stands."""

    def __init__(self, placements: PlacementStore, more: Sequence[ReadStates] = ()) -> None:
        """`more` tell of types that are not mail."""
        self._placements = placements
        self._more = more

    async def read(self, account: AccountId) -> Mapping[str, str]:
        """Return the state of each type. Raises `NotFound`."""
        modseq, next_email = await self._placements.find_heads(account)
        state = write_state(modseq)
        states = dict.fromkeys(_BY_LOG, state) | {"EmailDelivery": f"d{next_email}"}
        for read in self._more:
            states |= await read(account)
        return states
