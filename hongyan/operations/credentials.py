"""What operations on credentials have in common: one is named by its number within the account, and shown so."""

from __future__ import annotations

__all__ = ["pick_credentials", "show_credential"]

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from hongyan.errors import NotFound
from hongyan.operations.calling import Document
from hongyan.store.accounts import Service
from hongyan.store.credentials import first_credential
from hongyan.types import AccountId, CredentialId


class _Credential(Protocol):
    @property
    def credential(self) -> CredentialId: ...
    @property
    def label(self) -> str: ...
    @property
    def scopes(self) -> frozenset[Service]: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def last_used_at(self) -> datetime | None: ...
    @property
    def last_used_from(self) -> str: ...


_C = TypeVar("_C", bound=_Credential)


def pick_credentials(
    present: Sequence[_C], account: AccountId, numbers: Sequence[int] | None, *, missing: str
) -> Sequence[_C]:
    """Return those of these numbers, or all (None). Raises `NotFound`, which says `missing`."""
    if numbers is None:
        return present
    wanted = {CredentialId(first_credential(account) + number) for number in numbers}
    meant = [known for known in present if known.credential in wanted]
    if len(meant) != len(wanted):
        raise NotFound(missing)
    return meant


def show_credential(known: _Credential) -> Document:
    """Return what there is to see of a credential of any kind."""
    return {
        "number": known.credential & 0xFFFFFFFF,
        "label": known.label,
        "services": sorted(scope.value for scope in known.scopes),
        "created_at": known.created_at.isoformat(),
        "last_used_at": None if known.last_used_at is None else known.last_used_at.isoformat(),
        "last_used_from": known.last_used_from,
    }
