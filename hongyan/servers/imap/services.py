"""What IMAP sessions work with, and the settings that are theirs."""

from __future__ import annotations

__all__ = ["ImapOptions", "ImapServices"]

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from hongyan.auth.revocations import Revocations
from hongyan.clock import Clock, Random
from hongyan.mailboxes.mail import Mail
from hongyan.notify.hub import Hub
from hongyan.options import option
from hongyan.servers.imap.heart import Heart
from hongyan.servers.sasl import Door
from hongyan.store.changes import ChangeStore

SEARCH_THREADS = 2
"""Searches that look through messages at the same time: more would keep others from their turn."""


@dataclass(frozen=True, slots=True)
class ImapOptions:
    """The section `[imap]`."""

    append_limit: int = option(75 << 20, "Largest message that APPEND takes (RFC 7889).", unit="octets")
    login_timeout: float = option(60.0, "How long a client may take to log in.", unit="s")
    idle_timeout: float = option(1860.0, "How long a client may be silent; not under 1800 (RFC 9051 §5.4).", unit="s")
    heartbeat: float = option(300.0, "How often an idling client hears that we are still here.", unit="s")
    durable_flags: bool = option(False, "Sync a change of flags before it is confirmed; else within a second after.")
    search_timeout: float = option(60.0, "How long one SEARCH may take.", unit="s")
    pipeline: int = option(64, "Commands answered in one go before other connections have their turn.")

    def __post_init__(self) -> None:
        if self.idle_timeout < 1800:
            raise ValueError("idle_timeout is at least 1800 seconds (RFC 9051 §5.4)")
        if self.search_timeout < 1:
            raise ValueError("search_timeout is at least one second")
        if not 0 < self.append_limit < 1 << 32:
            raise ValueError("append_limit is between 1 octet and 4 GiB")


@dataclass(frozen=True, slots=True)
class ImapServices:
    """Everything a session needs, made once for a server."""

    mail: Mail
    changes: ChangeStore
    door: Door
    revocations: Revocations
    hub: Hub
    heart: Heart
    clock: Clock
    random: Random
    spool: Path
    options: ImapOptions
    search_threads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SEARCH_THREADS))
