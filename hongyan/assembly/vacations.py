"""Answers while people are away: who gives them, and which addresses are whose."""

from __future__ import annotations

__all__ = ["make_vacation_responder"]

from collections.abc import Sequence

from hongyan import telemetry
from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.addresses import Address
from hongyan.assembly.directory import Directory
from hongyan.assembly.ground import Ground
from hongyan.assembly.outgoing import Outgoing
from hongyan.assembly.signing import SigningKeys
from hongyan.clock import Clock
from hongyan.delivery.vacation import VacationResponder
from hongyan.domains.domains import Domains
from hongyan.engines.sql.aliases import SqlAliases
from hongyan.engines.sql.vacations import SqlVacations
from hongyan.errors import ConfigurationError
from hongyan.mailauth.dkim import sign_message
from hongyan.mailboxes.mail import Mail
from hongyan.store.aliases import AliasStore
from hongyan.types import AccountId

log = telemetry.logger("vacation")


def make_vacation_responder(ground: Ground, directory: Directory, outgoing: Outgoing, mail: Mail) -> VacationResponder:
    """Make it as the configuration says."""
    return VacationResponder(
        mail,
        SqlVacations(ground.database),
        _OwnAddresses(directory.accounts, SqlAliases(ground.database), directory.aliases),
        outgoing.queue,
        _Signer(directory.signing_keys, directory.domains, ground.clock).sign,
        ground.clock,
        ground.random,
        ground.config.vacation,
    )


class _OwnAddresses:
    """`delivery.vacation.OwnAddresses`: an account's name, and the aliases that stand for it alone."""

    def __init__(self, accounts: Accounts, store: AliasStore, aliases: Aliases) -> None:
        self._accounts = accounts
        self._store = store
        self._aliases = aliases

    async def list_own(self, account: AccountId) -> Sequence[Address]:
        owner = await self._accounts.find_by_id(account)
        if owner is None:
            return ()
        aliases = await self._store.aliases_of(owner.address.canonical)
        return [owner.address, *(alias.address for alias in aliases if len(alias.targets) == 1)]

    def without_detail(self, address: Address) -> Address:
        return address.subaddress_split(self._aliases.separators(address.domain))[0]


class _Signer:
    """Signs for the author's domain what goes elsewhere; without its keys it leaves unsigned."""

    def __init__(self, keys: SigningKeys, domains: Domains, clock: Clock) -> None:
        self._keys = keys
        self._domains = domains
        self._clock = clock

    def sign(self, octets: bytes, author: Address, recipient: Address) -> bytes:
        if self._domains.is_local(recipient.domain):
            return b""
        try:
            keys = self._keys.find(author.domain)
        except ConfigurationError as fault:
            log.error("answer-unsigned", error=fault)
            return b""
        return sign_message(octets, keys, self._clock.now())
