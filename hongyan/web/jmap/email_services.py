"""What the methods of emails, threads and submissions work with, beside what all methods have."""

from __future__ import annotations

__all__ = ["EmailServices", "Located", "email_state", "keywords_of", "locate", "open_all", "open_one", "read_octets"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hongyan.errors import NotFound
from hongyan.mailboxes.emails import AccountEmails
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.search.indexer import Indexer
from hongyan.store.changes import Flag
from hongyan.store.index import TextIndex
from hongyan.store.placements import EmailRecord, PlacementStore
from hongyan.types import AccountId, EmailId, MailboxId
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.states import write_state

_SYSTEM = {b"\\seen": "$seen", b"\\flagged": "$flagged", b"\\answered": "$answered", b"\\draft": "$draft"}
_HIDDEN = frozenset({b"\\deleted", b"\\recent"})
_DELETED = b"\\Deleted"


@dataclass(frozen=True, slots=True)
class EmailServices:
    """The services. `index` is None where texts are found by reading alone."""

    jmap: JmapServices
    placements: PlacementStore
    emails: AccountEmails
    index: TextIndex | None
    indexer: Indexer | None

    @property
    def mail(self) -> Mail:
        return self.jmap.mail


@dataclass(slots=True)
class Located:
    """An email and the messages that it is, in mailboxes that show it (RFC 8621 §4.1.1: not those marked \\Deleted)."""

    email: EmailId
    thread: int
    messages: list[tuple[MailboxState, int]] = field(default_factory=list)
    hidden: list[tuple[MailboxState, int]] = field(default_factory=list)

    @property
    def flags(self) -> frozenset[Flag]:
        """The flags that it has in some mailbox, names folded."""
        return frozenset().union(*self._flag_sets())

    @property
    def common_flags(self) -> frozenset[Flag]:
        """The flags that it has in all mailboxes, names folded."""
        sets = self._flag_sets()
        return sets[0].intersection(*sets[1:]) if sets else frozenset()

    def _flag_sets(self) -> list[frozenset[Flag]]:
        found: list[frozenset[Flag]] = []
        for state, uid in self.messages:
            position = state.position_of(uid)
            if position is not None:
                found.append(frozenset(map(bytes.lower, state.column.set_of(position))))
        return found


def keywords_of(flags: Iterable[Flag]) -> dict[str, bool]:
    """Return flags, names folded, as keywords of JMAP."""
    return {_SYSTEM.get(flag) or flag.decode("ascii", "replace"): True for flag in sorted(flags) if flag not in _HIDDEN}


async def email_state(services: EmailServices, account: AccountId) -> str:
    """Return the state of emails and threads."""
    return write_state(await services.mail.mailboxes.highestmodseq(account))


async def locate(
    services: EmailServices, account: AccountId, emails: Sequence[EmailId], *, hidden_too: bool = False
) -> Mapping[EmailId, Located]:
    """Return those of the emails that are in a mailbox that shows them, or with `hidden_too` in any."""
    found: dict[EmailId, Located] = {}
    if not emails:
        return found
    for placement in await services.placements.list_placements(account, emails):
        try:
            state = await services.mail.live.open(account, placement.mailbox)
        except NotFound:
            continue
        position = state.position_of(placement.uid)
        if position is None:
            continue
        located = found.setdefault(placement.email, Located(placement.email, placement.thread))
        is_hidden = _DELETED in state.column.set_of(position)
        (located.hidden if is_hidden else located.messages).append((state, placement.uid))
    return {email: located for email, located in found.items() if located.messages or hidden_too}


async def open_all(services: EmailServices, account: AccountId) -> Sequence[MailboxState]:
    """Return all mailboxes of an account."""
    states: list[MailboxState] = []
    for mailbox in await services.mail.mailboxes.list_mailboxes(account):
        state = await open_one(services, account, mailbox.mailbox_id)
        if state is not None:
            states.append(state)
    return states


async def open_one(services: EmailServices, account: AccountId, mailbox: MailboxId) -> MailboxState | None:
    """Return a mailbox of an account, if it is there."""
    try:
        return await services.mail.live.open(account, mailbox)
    except NotFound:
        return None


async def read_octets(services: EmailServices, record: EmailRecord) -> bytes:
    """Return a message as it is served. Raises `Corrupt`."""
    return record.prefix + await services.mail.blobs.read(record.blob, record.skipped)
