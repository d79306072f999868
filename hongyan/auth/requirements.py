"""What an account's owner has to do before anything else: set another password, or set up a second factor.

The first is asked after somebody else was in; the second by the account's domain. Until it is done the web opens what
that needs, and nothing more. Mail programs go on by their app passwords, which were made by a browser that was let in.
"""

from __future__ import annotations

__all__ = ["Requirement", "Requirements"]

from enum import StrEnum

from hongyan.accounts.settings import Settings
from hongyan.domains.domains import Domains
from hongyan.store.accounts import Account
from hongyan.store.second_factors import SecondFactorStore


class Requirement(StrEnum):
    """What is to be done first."""

    NEW_PASSWORD = "new-password"  # noqa: S105 - the name of a requirement
    SECOND_FACTOR = "second-factor"


class Requirements:
    """Knows what is asked of whom."""

    def __init__(self, settings: Settings, domains: Domains, second_factors: SecondFactorStore) -> None:
        self._settings = settings
        self._domains = domains
        self._second_factors = second_factors

    async def find(self, account: Account) -> Requirement | None:
        """Return what the owner of an account has to do first."""
        if (await self._settings.find(account.account_id)).needs_new_password:
            return Requirement.NEW_PASSWORD
        domain = self._domains.find(account.address.domain)
        if domain is None or not domain.needs_second_factor:
            return None
        standing = await self._second_factors.second_factor_standing(account.account_id)
        return Requirement.SECOND_FACTOR if standing.since is None else None
