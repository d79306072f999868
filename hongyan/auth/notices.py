"""Tells owners by mail what changed in the security of their accounts, and each month who logged in.

What happened is read from the audit trail, whoever did it: the owner, an admin, a stranger. A cursor for each account
says how far its owner was told, so that a restart loses nothing; an act is told of once, also of many processes.
"""

from __future__ import annotations

__all__ = ["SecurityNotices"]

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol
from zoneinfo import ZoneInfo

from hongyan import telemetry
from hongyan.accounts.accounts import Accounts
from hongyan.accounts.settings import Settings
from hongyan.addresses import Address
from hongyan.audit.events import DEMONSTRATION, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.notice_words import NOTICED, Letter, digest_text, notice_text
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.store.accounts import Account, AccountState
from hongyan.store.audit import AuditEntry, AuditStore
from hongyan.store.counters import Counters
from hongyan.store.cursors import CursorStore
from hongyan.types import AccountId, ModSeq

_PAUSE: Final = 5.0  # seconds between two looks at the trail
_PAGE: Final = 200  # entries of the trail, accounts of a list
_MOST_PAGES: Final = 25
_BACK: Final = timedelta(hours=1)
"""How far back the first look goes: what happened while the server was down is told of."""
_EARLIER: Final = 50  # logins of a browser among which it is known again
_DIGEST_LINES: Final = 30
_NOTICES, _DIGESTS = "security-notices", "login-digest"

log = telemetry.logger("auth")


class OwnerMail(Protocol):
    """Sends letters of the server."""

    async def send_to(self, recipient: Address, subject: str, text: str) -> None:
        """Queue a letter to an address of ours."""
        ...


class SecurityNotices:
    """Reads the trail, and writes letters."""

    def __init__(
        self,
        audit: AuditLog,
        store: AuditStore,
        accounts: Accounts,
        settings: Settings,
        cursors: CursorStore,
        counters: Counters,
        mail: OwnerMail,
        locate: Callable[[str], str | None],
        clock: Clock,
        url: str,
    ) -> None:
        self._audit = audit
        self._store = store
        self._accounts = accounts
        self._settings = settings
        self._cursors = cursors
        self._counters = counters
        self.mail = mail
        self._locate = locate
        self._clock = clock
        self._url = url
        self._last = 0

    async def run(self) -> NoReturn:
        """Tell what there is to tell, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                await self.run_once()
            except ServerFault as fault:
                log.warning("notices-failed", cause=fault.cause or fault.sentence)

    async def run_once(self) -> int:
        """Tell of what happened since the last time; return how many letters there were."""
        told = 0
        for entry in await self._fresh():
            if entry.account is not None and entry.event in NOTICED:
                told += await self._tell(entry.account, entry)
            self._last = entry.entry_id
        return told

    async def send_digests(self) -> int:
        """Tell each owner, once a month, who logged in; return how many letters there were."""
        now = self._clock.now()
        month = now.year * 12 + now.month
        sent, after = 0, None
        while page := await self._accounts.list_accounts(after=after, limit=_PAGE):
            after = page[-1].account_id
            for account in page:
                if account.state is AccountState.ACTIVE and account.created_at.month != now.month:
                    sent += await self._digest(account, ModSeq(month))
        return sent

    async def _fresh(self) -> Sequence[AuditEntry]:
        """Return entries that were not looked at, the oldest first."""
        fresh: list[AuditEntry] = []
        since = self._clock.now() - _BACK
        before: int | None = None
        for _ in range(_MOST_PAGES):
            page = await self._audit.query(before=before, limit=_PAGE)
            new = [entry for entry in page if entry.entry_id > self._last and entry.at >= since]
            fresh += new
            if len(new) < _PAGE:
                break
            before = page[-1].entry_id
        return fresh[::-1]

    async def _tell(self, account: AccountId, entry: AuditEntry) -> int:
        if entry.entry_id <= await self._cursors.find_cursor(account, _NOTICES):
            return 0
        owner = await self._accounts.find_by_id(account)
        if owner is None or not await self._is_news(account, entry):
            return 0
        if await self._counters.take(f"notice {entry.entry_id}", 1, 2 * _BACK.total_seconds()):
            return 0
        letter = notice_text(
            entry.event,
            owner.locale,
            account=str(owner.address),
            when=await self._local(account, entry.at),
            place=self._place(entry.peer),
            label=entry.detail.get("label", ""),
            url=self._url,
        )
        await self._send(owner, letter)
        await self._cursors.advance_cursor(account, _NOTICES, ModSeq(entry.entry_id))
        return 1

    async def _is_news(self, account: AccountId, entry: AuditEntry) -> bool:
        """Whether a login is of a browser and a place that were not seen before; the very first is no news.

        What a demonstration does to its own accounts is none either.
        """
        if entry.actor == DEMONSTRATION.name:
            return False
        if entry.event != AuditEvent.WEB_SESSION_OPENED:
            return True
        earlier = await self._audit.query(
            account=account, event_prefix=entry.event, before=entry.entry_id, limit=_EARLIER
        )
        seen = {(known.detail.get("label"), known.detail.get("place")) for known in earlier}
        return bool(seen) and (entry.detail.get("label"), entry.detail.get("place")) not in seen

    async def _digest(self, account: Account, month: ModSeq) -> int:
        whose = account.account_id
        if await self._cursors.find_cursor(whose, _DIGESTS) >= month:
            return 0
        if await self._counters.take(f"digest {whose} {month}", 1, 2 * _BACK.total_seconds()):
            return 0
        logins = await self._store.list_logins(whose, limit=_DIGEST_LINES)
        if logins:
            shown = [
                (each, self._locate(each.kind.address) or "", await self._local(whose, each.last_at)) for each in logins
            ]
            await self._send(account, digest_text(shown, account.locale, account=str(account.address), url=self._url))
        await self._cursors.advance_cursor(whose, _DIGESTS, month)
        return int(bool(logins))

    async def _send(self, owner: Account, letter: Letter) -> None:
        await self.mail.send_to(owner.address, letter.subject, letter.text)

    async def _local(self, account: AccountId, when: datetime) -> datetime:
        """Return a time in the zone that the account has set."""
        zone = (await self._settings.find(account)).time_zone
        try:
            return when.astimezone(ZoneInfo(zone)) if zone else when
        except (ValueError, OSError, KeyError):  # set on another machine, whose system knows more of them
            return when

    def _place(self, peer: str) -> str:
        place = self._locate(peer)
        return f"{peer} ({place})" if place else peer
