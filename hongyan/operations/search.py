"""The text index: how far it has come, and making it anew."""

from __future__ import annotations

__all__ = ["search_operations"]

from collections.abc import Mapping

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.errors import Corrupt, Refused
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.search.indexer import Indexer
from hongyan.store.index import IndexSize, TextIndex, email_of
from hongyan.types import AccountId


def search_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on the text index, by name."""
    group = _Search(services)
    return {"search.status": group.status, "search.rebuild": group.rebuild}


class _Search:
    def __init__(self, services: Services) -> None:
        self._searching = services.searching
        self._accounts = services.directory.accounts
        self._messages = services.mail.messages

    async def status(self, caller: Caller, *, address: str | None = None) -> Document:  # noqa: ARG002
        """Tell how much of each account's mail, or of one's, is indexed, and whether there is room for more."""
        index, _ = self._require()
        asked = await index.list_accounts() if address is None else [await self._account(address)]
        accounts = []
        for number in asked:
            account = await self._accounts.find_by_id(number)
            if account is not None:
                size = await _measure(index, number)
                # Numbers of emails that are gone are not to come: after a restore they may be most of them.
                lag = await self._messages.count_emails(number, email_of(number, size.covered))
                accounts.append(
                    {
                        "address": str(account.address),
                        "emails": size.emails,
                        "partial": size.partial,
                        "lag": lag,
                        "octets": size.octets,
                    }
                )
        room = await index.room()
        return {"accounts": accounts, "free": room.free, "needed": room.needed, "stopped": room.is_short}

    async def rebuild(self, caller: Caller, *, address: str | None = None, dry_run: bool = False) -> Document:
        """Forget the index of an account, or every index, and make it from the mail. Searches go on meanwhile."""
        index, indexer = self._require()
        accounts = await index.list_accounts() if address is None else [await self._account(address)]
        if dry_run:
            return {"dry_run": True, "accounts": len(accounts)}
        for done, account in enumerate(accounts):
            caller.tell(done, len(accounts))
            await indexer.begin_anew(account)
        return {"accounts": len(accounts)}

    def _require(self) -> tuple[TextIndex, Indexer]:
        searching = self._searching
        if searching.index is None or searching.indexer is None:
            raise Refused("There is no text index: it is switched off in [search].")
        return searching.index, searching.indexer

    async def _account(self, address: str) -> AccountId:
        return (await self._accounts.get(Address.parse(address))).account_id


async def _measure(index: TextIndex, account: AccountId) -> IndexSize:
    """Return how much is indexed: nothing of an index that is damaged or of another version, and will be dropped."""
    try:
        return await index.measure(account)
    except Corrupt:
        return IndexSize(0, 0, 0, 0)
