"""How the protocols serve a single account: what POP3 shows it and does to its mail, what IMAP does not offer it."""

from __future__ import annotations

__all__ = ["AccountSettings", "Deleted", "Fetched", "Pop3Policy", "Settings"]

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hongyan.accounts.cache import Cache
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.errors import Refused
from hongyan.store.directory import DirectoryChange
from hongyan.store.settings import SettingsStore
from hongyan.types import AccountId

_KEPT = 20_000

_DAYS, _FETCHED, _KEEP_DAYS, _DELETED = "pop3.days", "pop3.fetched", "pop3.keep_days", "pop3.deleted"
_SWITCHED_OFF, _IMAP_DELETED = "imap.switched_off", "imap.deleted"
_TIME_ZONE, _NEW_PASSWORD = "web.time_zone", "login.new_password"


class Fetched(StrEnum):
    """What becomes of a message that a POP3 program has fetched, once it says QUIT."""

    KEEP = "keep"
    """Nothing."""
    SEEN = "seen"
    """It counts as read."""
    DELETE = "delete"
    """It is removed some days after it came."""


class Deleted(StrEnum):
    """What becomes of a message that a mail program deletes: by DELE of POP3, by EXPUNGE of IMAP."""

    EXPUNGE = "expunge"
    """It is gone."""
    TRASH = "trash"
    """It goes to the mailbox for what is thrown away."""
    KEEP = "keep"
    """It stays here: where it is for POP3, in the archive for IMAP, whose programs want it out of the mailbox."""


@dataclass(frozen=True, slots=True)
class Pop3Policy:
    """How POP3 serves an account.

    `days`: messages that came within so many days are shown, all for 0. `keep_days`: how long what was fetched stays
    with `Fetched.DELETE`, counted from its arrival; with 0 it leaves at QUIT.
    """

    days: int = 0
    fetched: Fetched = Fetched.KEEP
    keep_days: int = 0
    deleted: Deleted = Deleted.EXPUNGE

    def __post_init__(self) -> None:
        if min(self.days, self.keep_days) < 0:
            raise ValueError("days are not negative")


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """All that is set for an account, or for all."""

    pop3: Pop3Policy
    switched_off: frozenset[str] = frozenset()
    """Capabilities of IMAP that are not offered to it, in capitals."""
    deleted: Deleted = Deleted.EXPUNGE
    """What EXPUNGE does."""
    time_zone: str = ""
    """A name of the IANA time zone database, such as Asia/Shanghai; empty: that of whoever looks."""
    needs_new_password: bool = False
    """Whether the owner has to set another password before anything else."""


class Settings:
    """Settings of accounts; `default` and `deleted` hold for accounts without their own."""

    def __init__(
        self,
        store: SettingsStore,
        default: Pop3Policy,
        audit: AuditLog,
        changed: Callable[[], Awaitable[None]],
        *,
        deleted: Deleted = Deleted.EXPUNGE,
    ) -> None:
        self._store = store
        self._default = default
        self._deleted = deleted
        self._audit = audit
        self._changed = changed
        self._known: Cache[AccountId, AccountSettings] = Cache(_KEPT)

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None:
            self._known.clear()
            return
        for change in changes:
            if change.account is not None:
                self._known.drop(change.account)

    async def find(self, account: AccountId) -> AccountSettings:
        """Return what holds for an account."""
        known = self._known.find(account)
        if known is None:
            generation = self._known.generation
            known = self._read(await self._store.read_settings(account))
            self._known.keep(account, known, generation)
        return known

    async def set_pop3(
        self,
        account: AccountId,
        *,
        days: int | None = None,
        fetched: Fetched | None = None,
        keep_days: int | None = None,
        deleted: Deleted | None = None,
        reset: bool = False,
        actor: Actor,
    ) -> AccountSettings:
        """Change how POP3 serves an account; None stays, with `reset` as it is for all. Raises `NotFound`."""
        wanted = {_DAYS: days, _FETCHED: fetched, _KEEP_DAYS: keep_days, _DELETED: deleted}
        named = {name: str(value) for name, value in wanted.items() if value is not None}
        changes: dict[str, str | None] = {**(dict.fromkeys(wanted) if reset else {}), **named}
        return await self._change(account, changes, actor)

    async def switch_off(self, account: AccountId, names: frozenset[str], actor: Actor) -> AccountSettings:
        """Offer an account all capabilities of IMAP but these. Raises `NotFound`."""
        return await self._change(account, {_SWITCHED_OFF: " ".join(sorted(names)) or None}, actor)

    async def set_imap(self, account: AccountId, deleted: Deleted | None, actor: Actor) -> AccountSettings:
        """Say what EXPUNGE does, None: as for all. Raises `NotFound`."""
        return await self._change(account, {_IMAP_DELETED: deleted and deleted.value}, actor)

    async def set_time_zone(self, account: AccountId, name: str, actor: Actor) -> AccountSettings:
        """Set the time zone; empty: that of whoever looks. Raises `Refused` for one that nobody knows, `NotFound`."""
        if name and not _is_time_zone(name):
            raise Refused("There is no such time zone.")
        return await self._change(account, {_TIME_ZONE: name or None}, actor)

    async def require_new_password(self, account: AccountId, actor: Actor) -> AccountSettings:
        """Let the owner do nothing on the web before there is another password. Raises `NotFound`."""
        return await self._change(account, {_NEW_PASSWORD: "yes"}, actor)

    async def note_new_password(self, account: AccountId, actor: Actor) -> None:
        """Take that back, once there is one. Raises `NotFound`."""
        if (await self.find(account)).needs_new_password:
            await self._change(account, {_NEW_PASSWORD: None}, actor)

    async def _change(self, account: AccountId, changes: Mapping[str, str | None], actor: Actor) -> AccountSettings:
        detail = {name.replace(".", "_"): value or "" for name, value in changes.items()}
        entry = self._audit.entry(AuditEvent.SETTINGS_CHANGED, actor, account=account, **detail)
        stored = await self._store.change_settings(account, changes, audit=entry)
        await self._changed()
        return self._read(stored)

    def _read(self, stored: Mapping[str, str]) -> AccountSettings:
        default = self._default
        policy = Pop3Policy(
            int(stored.get(_DAYS, default.days)),
            Fetched(stored.get(_FETCHED, default.fetched)),
            int(stored.get(_KEEP_DAYS, default.keep_days)),
            Deleted(stored.get(_DELETED, default.deleted)),
        )
        off = frozenset(stored.get(_SWITCHED_OFF, "").split())
        return AccountSettings(
            policy,
            off,
            Deleted(stored.get(_IMAP_DELETED, self._deleted)),
            stored.get(_TIME_ZONE, ""),
            _NEW_PASSWORD in stored,
        )


def _is_time_zone(name: str) -> bool:
    """Whether the system knows a time zone of that name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):  # a name with dots, of a folder, of nothing
        return False
    return True
