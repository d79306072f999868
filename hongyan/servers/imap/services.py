"""What IMAP sessions work with, and the settings that are theirs."""

from __future__ import annotations

__all__ = ["ImapOptions", "ImapServices"]

import asyncio
from dataclasses import dataclass, field

from hongyan.accounts.quotas import Quotas
from hongyan.accounts.settings import Deleted, Settings
from hongyan.auth.revocations import Revocations
from hongyan.clock import Clock, Random
from hongyan.delivery.spool import SpoolRoom
from hongyan.mailboxes.annotations import Annotations
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.orderings import Orderings
from hongyan.mailboxes.shared_mail import SharedMail
from hongyan.mailboxes.watches import Watches
from hongyan.notify.hub import Hub
from hongyan.options import option
from hongyan.servers.imap.heart import Heart
from hongyan.servers.imap.search_index import EmailMaps, IndexKeeper
from hongyan.servers.imap.switches import require_optional
from hongyan.servers.sasl import Door
from hongyan.store.changes import ChangeStore
from hongyan.store.index import TextIndex

SEARCH_THREADS = 2
"""Searches that look through messages at the same time: more would keep others from their turn."""

LEAST_LIMIT, MOST_LIMIT = 1000, 100_000
"""Between these is what an operator may limit a command to."""


@dataclass(frozen=True, slots=True)
class ImapOptions:
    """The section `[imap]`."""

    append_limit: int = option(75 << 20, "Largest message that APPEND takes (RFC 7889).", unit="octets")
    login_timeout: float = option(60.0, "How long a client may take to log in.", unit="s")
    idle_timeout: float = option(1860.0, "How long a client may be silent; not under 1800 (RFC 9051 §5.4).", unit="s")
    heartbeat: float = option(300.0, "How often an idling client hears that we are still here.", unit="s")
    durable_flags: bool = option(False, "Sync a change of flags before it is confirmed; else within a second after.")
    search_timeout: float = option(60.0, "How long one SEARCH may take.", unit="s")
    search_mailboxes: int = option(
        2000, "Mailboxes that one ESEARCH may look into (RFC 7377); a search of more is refused."
    )
    inflation: int = option(
        100, "How many times as large as it came what a client sends compressed may be, beyond one append_limit."
    )
    switched_off: tuple[str, ...] = option(
        (),
        "Capabilities that are not offered, and whose commands are refused: `NAME` to everybody, `PROGRAM: NAME` to"
        " mail programs whose ID begins so. For single accounts: `hongyan account capabilities`.",
    )
    deleted: str = option(
        "expunge",
        "What EXPUNGE does to a message that is in no other mailbox: `expunge`, or `trash`, `keep`: it goes to Trash,"
        " to Archive. An account may have its own.",
    )
    pipeline: int = option(64, "Commands answered in one go before other connections have their turn.")

    notify_mailboxes: int = option(
        2000, "Mailboxes of which one session may be told by NOTIFY (RFC 5465); a NOTIFY for more is refused."
    )
    notify_burst: int = option(
        1000, "Events that one session is told of by NOTIFY in one go; where there are more, NOTIFY ends for it."
    )

    progress: float = option(
        12.0, "How often the client of a command that takes long hears how far it is (INPROGRESS, RFC 9585).", unit="s"
    )
    message_limit: int = option(
        0,
        "Messages that one SEARCH, FETCH, STORE, COPY, MOVE, UID EXPUNGE or APPEND may be about, 1000 at least"
        " (MESSAGELIMIT, RFC 9738); 0: as many as there are. Of more, programs that do not know this limit see only"
        " the newest.",
    )
    save_limit: int = option(
        0, "The same for COPY and APPEND alone (SAVELIMIT, RFC 9738); more is refused. 0: as many as there are."
    )

    def __post_init__(self) -> None:
        if self.message_limit and self.save_limit:
            raise ValueError("message_limit holds for COPY and APPEND too: set it or save_limit")
        for limit in (self.message_limit, self.save_limit):
            if limit and not LEAST_LIMIT <= limit <= MOST_LIMIT:  # RFC 9738 §3
                raise ValueError(f"message_limit and save_limit are 0, or from {LEAST_LIMIT} to {MOST_LIMIT}")
        if self.notify_mailboxes < 1 or self.notify_burst < 1:
            raise ValueError("NOTIFY tells of one mailbox and of one event at least")
        if self.idle_timeout < 1800:
            raise ValueError("idle_timeout is at least 1800 seconds (RFC 9051 §5.4)")
        if self.search_mailboxes < 1:
            raise ValueError("a search looks into one mailbox at least")
        if self.progress < 1:
            raise ValueError("progress is at least one second")
        if self.search_timeout < 1:
            raise ValueError("search_timeout is at least one second")
        if self.inflation < 10:
            raise ValueError("inflation is at least 10: mail that repeats itself is compressed as much")
        Deleted(self.deleted)
        for entry in self.switched_off:
            require_optional(entry.rpartition(": ")[2])
        if not 0 < self.append_limit < 1 << 32:
            raise ValueError("append_limit is between 1 octet and 4 GiB")


@dataclass(frozen=True, slots=True)
class ImapServices:
    """Everything a session needs, made once for a server."""

    mail: Mail
    orderings: Orderings
    shared: SharedMail
    quotas: Quotas
    annotations: Annotations
    watches: Watches
    changes: ChangeStore
    door: Door
    revocations: Revocations
    hub: Hub
    heart: Heart
    progress_heart: Heart
    """Beats for sessions whose command takes long."""
    clock: Clock
    random: Random
    spool: SpoolRoom
    options: ImapOptions
    settings: Settings
    email_maps: EmailMaps
    jmap_url: str = ""
    """The session resource of JMAP, where the same mail is served so; empty: it is not."""
    index: TextIndex | None = None
    """The index of words, where there is one."""
    index_keeper: IndexKeeper | None = None
    search_threads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SEARCH_THREADS))
