"""A look at all text indexes: whether they are whole, of this mail, and how much they have still to take in.

An index holds nothing that the mail does not: one that is damaged costs searches time, and nobody a message.
"""

from __future__ import annotations

__all__ = ["IndexReport", "look_at_indexes"]

from dataclasses import dataclass, field

from hongyan.errors import Corrupt, NotFound
from hongyan.search.indexer import Indexer
from hongyan.store.index import TextIndex, number_of
from hongyan.store.messages import MessageStore
from hongyan.types import AccountId


@dataclass(slots=True)
class IndexReport:
    """How many accounts have an index, whose is damaged or of other mail, and how many emails have still to come."""

    accounts: int = 0
    behind: int = 0
    damaged: list[AccountId] = field(default_factory=list)
    repaired: bool = False


async def look_at_indexes(
    index: TextIndex, indexer: Indexer, messages: MessageStore, *, repair: bool = False, shallow: bool = False
) -> IndexReport:
    """Look at each index, reading all of it unless `shallow`; with `repair`, make those anew that are damaged.

    Raises `ServerFault`.
    """
    report = IndexReport(repaired=repair)
    for account in await index.list_accounts():
        try:
            newest = number_of(await messages.newest_email(account))
        except NotFound:  # The account is gone, and its index goes with the next tidying.
            continue
        report.accounts += 1
        if not await _is_whole(index, indexer, account, shallow=shallow):
            report.damaged.append(account)
            if not repair:
                continue
            await indexer.begin_anew(account)
        report.behind += max(newest - await index.find_covered(account), 0)
    return report


async def _is_whole(index: TextIndex, indexer: Indexer, account: AccountId, *, shallow: bool) -> bool:
    try:
        if not shallow:
            await index.check(account)
        return await indexer.is_trusted(account)
    except Corrupt:
        return False
