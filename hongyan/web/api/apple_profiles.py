"""Profiles for iPhone, iPad and Mac: a link, also as a QR code, that gives one profile with an app password of its own.

The link is made after a step-up, works once and for ten minutes, and for whoever has it: the telephone that takes the
picture is not logged in. The app password is made when the profile is fetched; an unused link leaves none behind.
"""

from __future__ import annotations

__all__ = ["AppleProfileResource", "ProfileMaker"]

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Protocol

from starlette.responses import Response

from hongyan.audit.events import Actor
from hongyan.auth.app_passwords import AppPasswords
from hongyan.clock import Clock, Random
from hongyan.domains.apple_profile import AppleAccount
from hongyan.errors import NotFound, OverLimit
from hongyan.store.accounts import Account, Service
from hongyan.web.api.declared import Access, Route, Visit
from hongyan.web.api.drawn import draw_code
from hongyan.web.api.values import Text
from hongyan.web.downloads import content_disposition

_TAG: Final = "app passwords"
_PATH: Final = "/apple-profiles"
_LASTS: Final = timedelta(minutes=10)
_MAX_LINKS: Final = 1000
_MAX_OF_ONE: Final = 5
_MEDIA_TYPE: Final = "application/x-apple-aspen-config"
_SCOPES: Final = frozenset({Service.IMAP, Service.SMTP})


class ProfileMaker(Protocol):
    """Makes profiles of a domain."""

    def is_offered(self, domain: str) -> bool:
        """Whether a device could be set up: IMAP and submission are there."""
        ...

    async def make(self, domain: str, account: AppleAccount) -> bytes | None:
        """Return a profile, signed where there is a certificate; None if none can be made."""
        ...


@dataclass(frozen=True, slots=True)
class AppleProfileBody:
    """By what its owner will know the app password: `iPhone`."""

    label: Annotated[str, Text(1, 64)] = "iPhone"


@dataclass(frozen=True, slots=True)
class AppleProfileLink:
    """Where the profile is had, once; the same as a QR code (SVG)."""

    url: str
    qr_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Promised:
    account: Account
    actor: Actor
    label: str
    expires_at: datetime


class AppleProfileResource:
    """`/apple-profiles`. Links live in the memory of this process."""

    def __init__(
        self,
        maker: ProfileMaker,
        app_passwords: AppPasswords,
        clock: Clock,
        random: Random,
        prefix: str,
        url: str = "",
    ) -> None:
        """`url`: where the web is, as the configuration says; empty: where the request came."""
        self._maker = maker
        self._app_passwords = app_passwords
        self._clock = clock
        self._random = random
        self._prefix = prefix
        self._url = url
        self._promised: dict[str, _Promised] = {}

    def routes(self) -> list[Route]:
        """Return what it answers."""
        one = f"{_PATH}/{{token}}"
        return [
            Route(method="POST", path=_PATH, handler=self.promise, access=Access.RECENT, status=201, tag=_TAG),
            Route(method="GET", path=one, handler=self.fetch, access=Access.ANYBODY, tag=_TAG),
        ]

    async def promise(self, visit: Visit, body: AppleProfileBody) -> AppleProfileLink:
        """Make a link to a profile for iPhone, iPad or Mac. It works once, for ten minutes."""
        account, now = visit.account, self._clock.now()
        if not self._maker.is_offered(account.address.domain.text):
            raise NotFound("IMAP and SMTP are not both offered here.")
        self._promised = {token: one for token, one in self._promised.items() if one.expires_at > now}
        mine = sum(one.account.account_id == account.account_id for one in self._promised.values())
        if mine >= _MAX_OF_ONE or len(self._promised) >= _MAX_LINKS:
            raise OverLimit("There are too many links that nobody has used. Wait some minutes.")
        token = self._random.token(32).hex()
        self._promised[token] = _Promised(account, visit.actor, body.label, now + _LASTS)
        url = f"{self._url or str(visit.request.base_url).rstrip('/')}{self._prefix}{_PATH}/{token}"
        return AppleProfileLink(url, draw_code(url), now + _LASTS)

    async def fetch(
        self,
        visit: Visit,  # noqa: ARG002 - the link is the permission
        *,
        token: Annotated[str, Text(64, 64)],
    ) -> Response:
        """Fetch the profile of a link; the link is used up. A new app password is in it."""
        promised = self._promised.pop(token, None)
        if promised is None or promised.expires_at <= self._clock.now():
            raise NotFound("There is no such link, or it has been used, or its time has passed.")
        account = promised.account
        issued = await self._app_passwords.create(account.account_id, promised.label, _SCOPES, promised.actor)
        address = str(account.address)
        octets = await self._maker.make(
            account.address.domain.text, AppleAccount(address, account.name or address, issued.shown)
        )
        if octets is None:
            await self._app_passwords.revoke(account.account_id, [issued.app_password.credential], promised.actor)
            raise NotFound("IMAP and SMTP are not both offered here.")
        headers = {"content-disposition": content_disposition(f"{address}.mobileconfig"), "cache-control": "no-store"}
        return Response(octets, media_type=_MEDIA_TYPE, headers=headers)
