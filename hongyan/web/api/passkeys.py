"""Passkeys of the account: registered, listed, removed. Each change asks for a step-up."""

from __future__ import annotations

__all__ = ["PasskeyResource"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from hongyan.auth.passkeys import Passkeys
from hongyan.auth.requirements import Requirement
from hongyan.errors import Refused
from hongyan.store.passkeys import Passkey
from hongyan.web.api.declared import Access, Done, Route, Visit
from hongyan.web.api.proofs import page_of, wrong
from hongyan.web.api.values import Number, Text

_TAG: Final = "passkeys"
_PATH: Final = "/passkeys"


@dataclass(frozen=True, slots=True)
class NewPasskeyBody:
    """By what its owner knows it, and what the browser answered, as its `toJSON()` has it."""

    label: Annotated[str, Text(1, 64)]
    credential: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PasskeyShown:
    """A passkey. `host` is the name of this server for which the browser offers it."""

    number: int
    label: str
    host: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PasskeyList:
    """The passkeys of an account, the oldest first; `alone`: whether they open the web without the password."""

    passkeys: list[PasskeyShown]
    alone: bool


@dataclass(frozen=True, slots=True)
class RegisteredPasskey:
    """A new passkey; with the account's first second factor come recovery codes, which are shown this once."""

    passkey: PasskeyShown
    recovery_codes: list[str]


class PasskeyResource:
    """`/passkeys`."""

    def __init__(self, passkeys: Passkeys) -> None:
        self._passkeys = passkeys

    def routes(self) -> list[Route]:
        """Return what it answers."""
        recent, first = Access.RECENT, frozenset({Requirement.SECOND_FACTOR})
        options, one = f"{_PATH}/options", f"{_PATH}/{{number}}"
        return [
            Route(method="GET", path=_PATH, handler=self.list_all, scope="account:read", serves=first, tag=_TAG),
            Route(method="POST", path=options, handler=self.begin, access=recent, serves=first, tag=_TAG),
            Route(method="POST", path=_PATH, handler=self.register, access=recent, serves=first, status=201, tag=_TAG),
            Route(method="DELETE", path=one, handler=self.remove, access=recent, status=204, tag=_TAG),
        ]

    async def list_all(self, visit: Visit) -> PasskeyList:
        """List the account's passkeys."""
        known = await self._passkeys.list_passkeys(visit.account.account_id)
        return PasskeyList([_shown(each) for each in known], self._passkeys.options.alone)

    async def begin(self, visit: Visit) -> Mapping[str, object]:
        """Return what the browser's `navigator.credentials.create` is asked.

        Give the whole to `PublicKeyCredential.parseCreationOptionsFromJSON`.
        """
        document: Mapping[str, object] = json.loads(await self._passkeys.begin(visit.account, page_of(visit)))
        return document

    async def register(self, visit: Visit, body: NewPasskeyBody) -> RegisteredPasskey:
        """Store what the browser made. From then on the password alone opens nothing but the question for it."""
        try:
            passkey, codes = await self._passkeys.register(
                visit.account, body.label, body.credential, page_of(visit), visit.actor
            )
        except Refused as refused:
            raise wrong(refused.sentence, "/credential") from None
        return RegisteredPasskey(_shown(passkey), list(codes))

    async def remove(self, visit: Visit, *, number: Annotated[int, Number(1)]) -> Done:
        """Remove a passkey. With the last second factor its recovery codes go."""
        await self._passkeys.remove(visit.account.account_id, number, visit.actor)
        return Done()


def _shown(passkey: Passkey) -> PasskeyShown:
    return PasskeyShown(passkey.number, passkey.label, passkey.host, passkey.created_at, passkey.used_at)
