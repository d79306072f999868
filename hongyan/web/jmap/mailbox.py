"""Mailbox/get and /changes (RFC 8621 §2.1, §2.2); the other methods of mailboxes are told of here."""

from __future__ import annotations

__all__ = ["mailbox_methods"]

from collections.abc import Collection, Mapping
from functools import partial

from hongyan.errors import NotFound
from hongyan.store.changes import AccessChanged, Annotated, LoggedChange, MailboxChanged, SeenBy
from hongyan.types import AccountId, MailboxId, ModSeq
from hongyan.web.jmap.call import Call, Method, method
from hongyan.web.jmap.mailbox_counts import MailboxCounts
from hongyan.web.jmap.mailbox_query import query_mailbox_changes, query_mailboxes
from hongyan.web.jmap.mailbox_set import set_mailboxes
from hongyan.web.jmap.mailbox_view import COUNTS, PROPERTIES, MailboxTree, mailbox_id_of
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.states import read_changes_since, read_state, write_state
from hongyan.wire.jmap.standard import read_changes, read_get


def mailbox_methods(services: JmapServices) -> Mapping[str, Method]:
    """Return the methods of mailboxes."""
    counts = MailboxCounts(services.mail, services.orderings)
    return {
        "Mailbox/get": method(partial(_get, services, counts)),
        "Mailbox/changes": method(partial(_changes, services)),
        "Mailbox/query": method(partial(query_mailboxes, services)),
        "Mailbox/queryChanges": method(partial(query_mailbox_changes, services)),
        "Mailbox/set": method(partial(set_mailboxes, services, counts)),
    }


async def _get(services: JmapServices, counts: MailboxCounts, call: Call) -> Mapping[str, object]:
    asked = read_get(call.arguments, PROPERTIES, services.options.max_objects_in_get)
    state = write_state(await services.mail.mailboxes.highestmodseq(call.account))
    tree = MailboxTree(await services.mail.mailboxes.list_mailboxes(call.account))
    wanted = asked.properties or frozenset(PROPERTIES)
    found, missing = [], []
    ids = list(tree.by_id) if asked.ids is None else _resolved(call, asked.ids)
    for one in ids:
        record = await _describe(counts, call.account, tree, one, wanted)
        if record is None:
            missing.append(one)
        else:
            found.append(record)
    return {"accountId": call.account_id, "state": state, "list": found, "notFound": missing}


def _resolved(call: Call, ids: Collection[str]) -> list[str]:
    """Return ids, with creation ids replaced by what they stand for; an unknown one is not found as it stands."""
    return list(dict.fromkeys(call.created.resolve(one) or one for one in ids))


async def _describe(
    counts: MailboxCounts, account: AccountId, tree: MailboxTree, mailbox_id: str, wanted: Collection[str]
) -> dict[str, object] | None:
    mailbox = tree.find(mailbox_id)
    if mailbox is None:
        return None
    record = tree.describe(mailbox)
    if not frozenset(COUNTS).isdisjoint(wanted):
        threads = "totalThreads" in wanted or "unreadThreads" in wanted
        try:
            record |= await counts.count(account, mailbox.mailbox_id, threads=threads)
        except NotFound:
            return None
    return {name: value for name, value in record.items() if name in wanted or name == "id"}


# -- /changes


async def _changes(services: JmapServices, call: Call) -> Mapping[str, object]:
    asked = read_changes(call.arguments)
    since, head = read_state(asked.since_state), await services.mail.mailboxes.highestmodseq(call.account)
    most = min(asked.max_changes or services.options.max_changes, services.options.max_changes)
    window = await read_changes_since(services.changes, call.account, since, head, most)
    news = _News(most)
    for change in window.changes:
        if not news.take(change):
            return news.tell(call, asked.since_state, news.modseq, more=True)
    return news.tell(call, asked.since_state, window.modseq, more=window.more)


class _News:
    """What became of mailboxes, entry by entry."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._created: dict[MailboxId, None] = {}
        self._updated: dict[MailboxId, None] = {}
        self._destroyed: dict[MailboxId, None] = {}
        self._only_counts = True
        self.modseq = ModSeq(0)

    def take(self, logged: LoggedChange) -> bool:
        """Take an entry in, unless that would be one change too many."""
        mailbox = logged.mailbox
        match logged.change:
            case Annotated() | SeenBy() | AccessChanged():
                known = True
            case _:
                known = mailbox in self._created or mailbox in self._updated or mailbox in self._destroyed
        if not known and len(self._created) + len(self._updated) + len(self._destroyed) >= self._most:
            return False
        self.modseq = logged.modseq
        self._note(mailbox, logged)
        return True

    def _note(self, mailbox: MailboxId, logged: LoggedChange) -> None:
        match logged.change:
            case Annotated() | SeenBy() | AccessChanged():
                return
            case MailboxChanged("created"):
                self._created[mailbox] = None
            case MailboxChanged("deleted"):
                self._updated.pop(mailbox, None)
                if mailbox in self._created:
                    del self._created[mailbox]
                else:
                    self._destroyed[mailbox] = None
            case MailboxChanged():
                self._only_counts = False
                self._update(mailbox)
            case _:
                self._update(mailbox)

    def _update(self, mailbox: MailboxId) -> None:
        if mailbox not in self._created and mailbox not in self._destroyed:
            self._updated[mailbox] = None

    def tell(self, call: Call, old: str, modseq: ModSeq, *, more: bool) -> Mapping[str, object]:
        """Return the response."""
        return {
            "accountId": call.account_id,
            "oldState": old,
            "newState": write_state(modseq),
            "hasMoreChanges": more,
            "created": [mailbox_id_of(one) for one in self._created],
            "updated": [mailbox_id_of(one) for one in self._updated],
            "destroyed": [mailbox_id_of(one) for one in self._destroyed],
            "updatedProperties": list(COUNTS) if self._updated and self._only_counts and not self._created else None,
        }
