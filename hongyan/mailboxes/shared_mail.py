"""What everything that goes beyond an account's own mailboxes works with."""

from __future__ import annotations

__all__ = ["SharedMail"]

from dataclasses import dataclass

from hongyan.mailboxes.reach import Reach
from hongyan.mailboxes.sharing import Sharing
from hongyan.mailboxes.viewed import ViewedMailboxes
from hongyan.store.crossings import CrossingStore
from hongyan.store.shares import ShareStore


@dataclass(frozen=True, slots=True)
class SharedMail:
    """Who reaches what, who changes that, what viewers see, and the way from one account to another."""

    reach: Reach
    sharing: Sharing
    views: ViewedMailboxes
    shares: ShareStore
    crossings: CrossingStore
