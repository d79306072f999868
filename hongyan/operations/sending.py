"""What accounts may send: shown, set; held and released."""

from __future__ import annotations

__all__ = ["sending_operations"]

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.audit.events import AuditEvent
from hongyan.errors import Conflict, NotFound, Refused
from hongyan.limits.sending import Limit, find_usage
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.accounts import Account
from hongyan.store.sending import Hold, SenderState, SendingLimits, Trigger

_MAX_LIMIT = 10_000_000


def sending_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on what accounts send, by name."""
    group = _Sending(services)
    return {
        "account.sending": group.show,
        "account.limits": group.set_limits,
        "account.held": group.list_held,
        "account.hold": group.hold,
        "account.release": group.release,
    }


class _Sending:
    def __init__(self, services: Services) -> None:
        self._directory = services.directory
        self._sending = services.sending
        self._clock = services.sending.clock

    async def show(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002
        """Return what an account may send, what it has sent, and whether it is on hold."""
        account = await self._directory.accounts.get(Address.parse(address))
        return await self._shown(account, await self._sending.store.find_sender(account.account_id))

    async def set_limits(
        self,
        caller: Caller,
        *,
        address: str,
        messages_per_day: int | None = None,
        first_per_day: int | None = None,
        first_per_hour: int | None = None,
        recipients_per_message: int | None = None,
        exempt: bool | None = None,
        reset: bool = False,
        dry_run: bool = False,
    ) -> Document:
        """Give an account limits of its own; what is not named stays, with `reset` it is its class's again."""
        account = await self._directory.accounts.get(Address.parse(address))
        named = {
            "messages_per_day": messages_per_day,
            "first_per_day": first_per_day,
            "first_per_hour": first_per_hour,
            "recipients_per_message": recipients_per_message,
        }
        given = {name: limit for name, limit in named.items() if limit is not None}
        if any(not 0 <= limit <= _MAX_LIMIT for limit in given.values()):
            raise Refused("A limit is from 0 to 10,000,000.")
        state = await self._sending.store.find_sender(account.account_id)
        before = SendingLimits() if reset else state.limits
        limits = SendingLimits(
            messages_per_day=_or(messages_per_day, before.messages_per_day),
            first_per_day=_or(first_per_day, before.first_per_day),
            first_per_hour=_or(first_per_hour, before.first_per_hour),
            recipients_per_message=_or(recipients_per_message, before.recipients_per_message),
            exempt=before.exempt if exempt is None else exempt,
        )
        if not dry_run:
            detail = {name: str(limit) for name, limit in given.items()}
            detail |= {"exempt": str(limits.exempt).lower(), "reset": str(reset).lower()}
            audit = self._directory.audit.entry(
                AuditEvent.SENDING_LIMITS_CHANGED, caller.actor, account=account.account_id, **detail
            )
            await self._sending.store.set_limits(account.account_id, limits, audit=audit)
        document = await self._shown(account, replace(state, limits=limits))
        return {**document, "dry_run": True} if dry_run else document

    async def list_held(self, caller: Caller) -> Document:  # noqa: ARG002
        """Return the accounts on hold, the longest held first."""
        listed = []
        for number, hold in await self._sending.store.list_held():
            account = await self._directory.accounts.find_by_id(number)
            if account is not None:
                listed.append({"address": str(account.address), **_hold(hold)})
        return {"accounts": listed}

    async def hold(self, caller: Caller, *, address: str, reason: str, dry_run: bool = False) -> Document:
        """Let an account send no more; what of its mail waits in the queue is held."""
        account = await self._directory.accounts.get(Address.parse(address))
        document: Document = {"address": str(account.address), "reason": _require_reason(reason)}
        if (await self._sending.store.find_sender(account.account_id)).hold is not None:
            raise Refused("That account is on hold.")
        if dry_run:
            return {**document, "dry_run": True}
        kept = await self._sending.holds.hold(account.account_id, Trigger.OPERATOR, reason, caller.actor)
        if kept is None:
            raise Conflict(cause="the account was put on hold at the same time")
        return {**document, "recipients": kept}

    async def release(self, caller: Caller, *, address: str, reason: str, dry_run: bool = False) -> Document:
        """Let an account send again; what was held of its mail leaves."""
        account = await self._directory.accounts.get(Address.parse(address))
        document: Document = {"address": str(account.address), "reason": _require_reason(reason)}
        if dry_run:
            if (await self._sending.store.find_sender(account.account_id)).hold is None:
                raise NotFound("That account is not on hold.")
            return {**document, "dry_run": True}
        released = await self._sending.holds.release(account.account_id, reason, caller.actor)
        return {**document, "recipients": released, "grace_hours": self._sending.options.grace}

    async def _shown(self, account: Account, state: SenderState) -> Document:
        now = self._clock.now()
        quotas = self._sending.options.quotas(account.account_class, state.limits)
        used = find_usage(await self._sending.store.slots(account.account_id, now - timedelta(days=1)), now)
        return {
            "address": str(account.address),
            "class": account.account_class.value,
            "limits": {
                "messages_per_day": quotas.messages_per_day,
                "first_per_day": quotas.first_per_day,
                "first_per_hour": quotas.first_per_hour,
                "recipients_per_message": quotas.recipients_per_message,
            },
            "used": {
                "messages_per_day": used[Limit.MESSAGES],
                "first_per_day": used[Limit.FIRST_PER_DAY],
                "first_per_hour": used[Limit.FIRST_PER_HOUR],
            },
            "own": sorted(name for name in _LIMITS if getattr(state.limits, name) is not None),
            "exempt": state.limits.exempt,
            "hold": None if state.hold is None else _hold(state.hold),
            "grace_until": None
            if state.grace_until is None or state.grace_until <= now
            else state.grace_until.isoformat(),
            "usual_recipients_per_day": round(state.average, 1),
            "deliveries": len(state.outcomes),
            "unknown_addresses": state.outcomes.count("h"),
        }


def _or(limit: int | None, before: int | None) -> int | None:
    return before if limit is None else limit


_LIMITS = ("messages_per_day", "first_per_day", "first_per_hour", "recipients_per_message")


def _hold(hold: Hold) -> dict[str, str]:
    return {
        "trigger": hold.trigger.value,
        "reason": hold.reason,
        "by": hold.by,
        "since": hold.since.isoformat(),
    }


def _require_reason(reason: str) -> str:
    if not reason.strip() or len(reason) > 500:
        raise Refused("A reason is needed, of at most 500 characters.")
    return reason
