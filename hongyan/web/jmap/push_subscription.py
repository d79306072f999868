"""PushSubscription (RFC 8620 §7.2): the URLs to which a login has its changes pushed.

A subscription belongs to the login that made it, and is read and changed by that one alone. Its URL and keys are never
told again. Nothing but a code is pushed to a URL until the code comes back from there.
"""

from __future__ import annotations

__all__ = ["PushSender", "PushServices", "push_subscription_methods"]

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from hongyan.clock import Clock, Random
from hongyan.errors import OverLimit
from hongyan.store.accounts import Service
from hongyan.store.counters import Counters
from hongyan.store.push_subscriptions import PushKeys, PushSubscription, PushSubscriptionStore
from hongyan.types import AccountId
from hongyan.web.jmap.call import Call, Method
from hongyan.web.jmap.options import JmapOptions
from hongyan.web.jmap.push_delivery import find_push_target
from hongyan.web.jmap.pushed import ReadStates
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.web_push import write_states
from hongyan.wire.jmap.faults import MethodError, SetError, invalid_arguments, invalid_properties
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.standard import choose_properties, read_get, read_set
from hongyan.wire.jmap.values import parse_utc_date, write_utc_date
from hongyan.wire.web_push import AUTH_SECRET, is_public_key

_LASTS: Final = timedelta(days=7)
"""The longest that a subscription of a login without an end may last unless it is renewed."""

_HOUR: Final = 3600.0
_CODE: Final = 16  # octets
_LONGEST: Final = 255
"""Characters of a deviceClientId, and of the name of a type."""

_MOST_TYPES: Final = 100
_SECRET: Final = frozenset({"url", "keys"})
_TOLD: Final = ("id", "deviceClientId", "verificationCode", "expires", "types")
_GIVEN: Final = frozenset({"deviceClientId", "url", "keys", "verificationCode", "expires", "types"})
_DEFAULTS: Final[Mapping[str, object]] = dict.fromkeys(("keys", "verificationCode", "expires", "types"))


class PushSender(Protocol):
    """Pushes (`web_push.WebPush`)."""

    def verify(self, account: AccountId, subscription_id: str) -> None:
        """Push the code to a new subscription."""
        ...

    async def follow(self, account: AccountId, subscription_id: str) -> None:
        """Push changes to a subscription from now on."""
        ...

    def forget(self, account: AccountId, subscription_id: str) -> None:
        """Push nothing more to a subscription."""
        ...


@dataclass(frozen=True, slots=True)
class PushServices:
    """What the methods work with. `key_number` is that of the key by which push services know us now."""

    store: PushSubscriptionStore
    sender: PushSender
    read_states: ReadStates
    counters: Counters
    clock: Clock
    random: Random
    options: JmapOptions
    key_number: int


def push_subscription_methods(services: PushServices) -> Mapping[str, Method]:
    """Return the methods, which belong to the core and take no accountId."""
    return {
        "PushSubscription/get": Method(partial(_get, services), takes_account=False),
        "PushSubscription/set": Method(partial(_set, services), takes_account=False),
    }


async def _get(services: PushServices, call: Call) -> Mapping[str, object]:
    """RFC 8620 §7.2.1."""
    asked = read_get(call.arguments, None, services.options.max_objects_in_get)
    if asked.properties is not None:
        if asked.properties & _SECRET:
            raise MethodError("forbidden", "url and keys are not told again.")
        choose_properties(asked.properties, _TOLD)
    now = services.clock.now()
    own = await services.store.list_subscriptions(call.account, call.visitor.principal.credential)
    known = {one.subscription_id: one for one in own if not one.has_expired(now)}
    ids = list(known) if asked.ids is None else [call.created.resolve(one) or one for one in asked.ids]
    wanted = {"id", *(_TOLD if asked.properties is None else asked.properties)}
    told = [
        {name: value for name, value in _describe(known[one]).items() if name in wanted} for one in ids if one in known
    ]
    return {"list": told, "notFound": [one for one in ids if one not in known]}


async def _set(services: PushServices, call: Call) -> Mapping[str, object]:
    """RFC 8620 §7.2.2."""
    if call.arguments.has("ifInState"):
        raise invalid_arguments("Push subscriptions have no state.")
    asked = read_set(call.arguments, services.options.max_objects_in_set)
    result, setting = SetResult(call, None), _Setting(services, call)
    for key, record in asked.create.items():
        await result.create(key, partial(setting.create, record))
    for key, patch in asked.update.items():
        await result.update(key, partial(setting.update, patch))
    for key in asked.destroy:
        await result.destroy(key, setting.destroy)
    return result.tell_records()


class _Setting:
    """Changes to the subscriptions of one login."""

    def __init__(self, services: PushServices, call: Call) -> None:
        self._services = services
        self._account = call.account
        self._principal = call.visitor.principal

    async def create(self, record: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """Make one, and push its code. Raises `SetError`."""
        services, principal, now = self._services, self._principal, self._now()
        given = {**_DEFAULTS, **record}
        url, keys, types = given.get("url"), _read_keys(given["keys"]), _read_types(given["types"])
        expires = self._read_expires(given["expires"], now)
        wrong = {name for name in given if name not in _GIVEN}
        wrong |= {name for name, read in (("keys", keys), ("types", types), ("expires", expires)) if read is _WRONG}
        if not _is_name(given.get("deviceClientId")):
            wrong.add("deviceClientId")
        if not isinstance(url, str) or find_push_target(url) is None:
            wrong.add("url")
        if given["verificationCode"] is not None:
            wrong.add("verificationCode")
        if wrong:
            raise invalid_properties(wrong)
        made = PushSubscription(
            account=self._account,
            subscription_id="P" + services.random.token(_CODE).hex(),
            credential=principal.credential,
            service=Service.WEB if Service.WEB in principal.scopes else Service.IMAP,
            device=str(given["deviceClientId"]),
            url=str(url),
            keys=keys if isinstance(keys, PushKeys) else None,
            code=services.random.token(_CODE).hex(),
            expires_at=expires if isinstance(expires, datetime) else None,
            types=types if isinstance(types, frozenset) else None,
            key_number=services.key_number,
        )
        await self._add(made, now)
        news: dict[str, object] = {name: None for name in _DEFAULTS if name not in record}
        if (told := _describe(made)["expires"]) != record.get("expires"):
            news["expires"] = told
        return made.subscription_id, news

    async def _add(self, made: PushSubscription, now: datetime) -> None:
        services, options = self._services, self._services.options
        # RFC 8620 §8.6: each new subscription is a request to whom its maker names.
        if await services.counters.take(f"push-verifications {self._account}", options.push_verifications, _HOUR):
            raise SetError("rateLimit", "Too many push subscriptions were made; try again later.")
        try:
            await services.store.add_subscription(made, now, most=options.push_subscriptions)
        except OverLimit as fault:
            raise SetError("overQuota", fault.sentence) from None
        services.sender.verify(made.account, made.subscription_id)

    async def update(self, patch: Mapping[str, object], subscription_id: str) -> Mapping[str, object] | None:
        """Change one: its code comes back, or it is renewed. Raises `SetError`."""
        known, now = await self._find(subscription_id), self._now()
        before = _describe(known)
        after = apply_patch(before, patch, _DEFAULTS)
        types = _read_types(after["types"])
        expires: datetime | _Wrong | None = known.expires_at
        if "expires" in patch and after["expires"] != before["expires"]:
            expires = self._read_expires(after["expires"], now)
        wrong = {name for name in after if name not in _TOLD}
        wrong |= {name for name in ("id", "deviceClientId") if after.get(name) != before[name]}
        wrong |= {name for name, read in (("types", types), ("expires", expires)) if read is _WRONG}
        code = after["verificationCode"]
        is_verified = isinstance(code, str) and hmac.compare_digest(code.encode(), known.code.encode())
        if not is_verified and code != before["verificationCode"]:
            wrong.add("verificationCode")
        if wrong:
            raise invalid_properties(wrong)
        changed = replace(
            known,
            is_verified=is_verified,
            expires_at=expires if isinstance(expires, datetime) else None,
            types=types if isinstance(types, frozenset) else None,
        )
        await self._change(known, changed)
        told = _describe(changed)["expires"]
        return {"expires": told} if told != after["expires"] else None

    async def _change(self, known: PushSubscription, changed: PushSubscription) -> None:
        """Store a change; what happens from now on is pushed to whom has just been verified."""
        is_new = changed.is_verified and not known.is_verified
        if is_new:
            changed = replace(changed, told=write_states(await self._services.read_states(self._account)))
        if not await self._services.store.change_subscription(changed):
            raise SetError("notFound")
        if is_new:
            await self._services.sender.follow(changed.account, changed.subscription_id)

    async def destroy(self, subscription_id: str) -> None:
        """Remove one. Raises `SetError`."""
        known = await self._find(subscription_id)
        await self._services.store.remove_subscription(known.account, known.subscription_id)
        self._services.sender.forget(known.account, known.subscription_id)

    async def _find(self, subscription_id: str) -> PushSubscription:
        known = await self._services.store.find_subscription(self._account, subscription_id)
        if known is None or known.credential != self._principal.credential or known.has_expired(self._now()):
            raise SetError("notFound")
        return known

    def _read_expires(self, given: object, now: datetime) -> datetime | _Wrong | None:
        """Return when it ends. A login that ends by itself bounds nothing: what it made ends with it."""
        asked = parse_utc_date(given)
        if given is not None and (asked is None or asked <= now):
            return _WRONG
        asked = None if asked is None else asked.replace(microsecond=0)
        if self._principal.ends_at is not None:
            return asked
        return now + _LASTS if asked is None else min(asked, now + _LASTS)

    def _now(self) -> datetime:
        return self._services.clock.now().replace(microsecond=0)


class _Wrong:
    """What cannot be read; null is something that can."""


_WRONG: Final = _Wrong()


def _describe(known: PushSubscription) -> dict[str, object]:
    """Return what is told. The code is, once it has come back: before, it would prove nothing."""
    return {
        "id": known.subscription_id,
        "deviceClientId": known.device,
        "verificationCode": known.code if known.is_verified else None,
        "expires": None if known.expires_at is None else write_utc_date(known.expires_at),
        "types": None if known.types is None else sorted(known.types),
    }


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _read_types(given: object) -> frozenset[str] | _Wrong | None:
    """Return the types that are asked for. One that is not known here never changes."""
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > _MOST_TYPES or not all(map(_is_name, given)):
        return _WRONG
    return frozenset(given)


def _read_keys(given: object) -> PushKeys | _Wrong | None:
    """Return p256dh and auth (RFC 8291 §3.1, §3.2)."""
    if given is None:
        return None
    if not isinstance(given, dict) or set(given) != {"p256dh", "auth"}:
        return _WRONG
    public_key, secret = _decode(given["p256dh"]), _decode(given["auth"])
    is_sound = is_public_key(public_key) and len(secret) == AUTH_SECRET
    return PushKeys(public_key, secret) if is_sound else _WRONG


def _decode(given: object) -> bytes:
    """Return what base64url stands for, with or without its padding; nothing for anything else."""
    if not isinstance(given, str) or len(given) > _LONGEST or not given.isascii():
        return b""
    try:
        return base64.b64decode(given.rstrip("=") + "=" * (-len(given.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
