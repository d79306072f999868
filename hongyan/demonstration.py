"""A mail service that needs no configuration: for development, for programs that want a throw-away one, for tests.

It serves the domain `hongyan.test` on loopback, under a certificate by an authority of its own, with an admin and
a user. Unless a relay or a name server is named, it sends nothing into the world: mail for other servers is held in
the queue. What it needs to come up the same a second time lies in its data directory, the secrets of its accounts
included, in a file that nobody else may read.
"""

from __future__ import annotations

__all__ = [
    "DEVELOPMENT_PORTS",
    "DOMAIN",
    "DemoAccount",
    "Demonstration",
    "PlannedAccount",
    "bind_free_ports",
    "configure",
    "furnish",
    "ports_from",
]

import asyncio
import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from hongyan.addresses import Address, Domain
from hongyan.app import App
from hongyan.audit.events import DEMONSTRATION
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES, group_letters, make_app_password
from hongyan.auth.login import LoginOptions
from hongyan.auth.passwords import PasswordOptions
from hongyan.clients.dns_query import DnsOptions
from hongyan.clock import SystemClock, SystemRandom
from hongyan.config import SERVICES, Admissions, Config, ListenOptions, ServerOptions, Service
from hongyan.domains.dkim_keys import make_missing_keys
from hongyan.domains.local_authority import LocalCertificate, make_local_certificate
from hongyan.domains.options import DomainOptions
from hongyan.limits.rates import LimitOptions
from hongyan.limits.sending import SendingOptions
from hongyan.limits.smtp_rates import SmtpRateOptions
from hongyan.provisioning.provision import AccountRequest
from hongyan.queue.route import RouteOptions, SmartHost
from hongyan.queue.security import TlsPolicy
from hongyan.screening.gate import GateOptions
from hongyan.secret import Secret
from hongyan.servers.admission import AdmissionOptions
from hongyan.servers.smtp import SmtpOptions
from hongyan.servers.sockets import bind
from hongyan.store.accounts import Account, Role
from hongyan.store.accounts import Service as AccountService
from hongyan.telemetry import LogOptions

DOMAIN: Final = "hongyan.test"
ADMIN: Final = f"admin@{DOMAIN}"
USER: Final = f"user@{DOMAIN}"

DEVELOPMENT_PORTS: Mapping[Service, int] = {
    "smtp": 2525,
    "submission": 2587,
    "submissions": 2465,
    "imap": 2143,
    "imaps": 2993,
    "pop3": 2110,
    "pop3s": 2995,
    "submissions-certificate": 3465,
    "imaps-certificate": 3993,
    "pop3s-certificate": 3995,
    "http": 8080,
    "https": 8443,
}
"""Ports above 1024, that nobody needs root for."""

_QUIET = LogOptions(level="warning", form="console")
_ACCOUNTS = "accounts.json"
_LABEL = "demonstration"
_EVERYTHING = frozenset(AccountService)
_NO_LIMIT = 999_999


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """An account that is to be there. Without a secret it is given some; a given one is password and app password."""

    address: Address
    secret: Secret | None = None

    @property
    def role(self) -> Role:
        return Role.ADMIN if self.address.local_part == "admin" else Role.USER


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account with its secrets, which are shown."""

    address: Address
    role: Role
    password: Secret
    app_password: Secret

    def as_json(self) -> dict[str, str]:
        """Return it as programs read it."""
        return {
            "address": str(self.address),
            "password": self.password.reveal_text(),
            "app_password": self.app_password.reveal_text(),
            "role": self.role.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """What is wanted: where the data lie, which ports, which accounts besides admin@ and user@."""

    data: Path
    ports: Mapping[Service, int]
    hosts: tuple[str, ...] = ("127.0.0.1",)
    accounts: Sequence[PlannedAccount] = ()
    plaintext_auth: bool = False
    limits: bool = True
    resolver: str = ""
    relay: str = ""
    log: LogOptions = _QUIET

    def planned(self) -> Iterable[PlannedAccount]:
        """Return all accounts that are to be there, each once."""
        standard = (PlannedAccount(Address.parse(ADMIN)), PlannedAccount(Address.parse(USER)))
        return {planned.address.canonical: planned for planned in (*standard, *self.accounts)}.values()


def ports_from(base: int) -> Mapping[Service, int]:
    """Return the ports that the world expects, so much higher."""
    return {service: base + port for service, port in SERVICES.items()}


def bind_free_ports(host: str = "127.0.0.1") -> dict[Service, list[socket.socket]]:
    """Return a listening socket for each service, on ports that were free."""
    return {service: bind((host,), 0) for service in SERVICES}


def configure(wanted: Demonstration) -> tuple[Config, LocalCertificate]:
    """Return the configuration, and the certificate that was made for it."""
    certificate = make_local_certificate(wanted.data / "tls", DOMAIN, SystemClock())
    config = Config(
        server=ServerOptions(hostname=f"mail.{DOMAIN}", data=str(wanted.data), drain=5.0),
        listen={service: ListenOptions(hosts=wanted.hosts, port=wanted.ports.get(service, 0)) for service in SERVICES},
        certificates=(certificate.files,),
        log=wanted.log,
        login=LoginOptions(plaintext_on_loopback=wanted.plaintext_auth, default_domain=DOMAIN),
        passwords=PasswordOptions(min_length=1),
        domains=DomainOptions(check_every=0),
        dns=_dns(wanted),
        route=_route(wanted),
    )
    return config if wanted.limits else _without_limits(config), certificate


def _dns(wanted: Demonstration) -> DnsOptions:
    """Return the name server that was named; without one nobody is asked, but for where a relay is."""
    if wanted.resolver:
        return DnsOptions(servers=(wanted.resolver,))
    return DnsOptions(enabled=bool(wanted.relay) and not _is_address(wanted.relay))


def _is_address(relay: str) -> bool:
    """Whether a relay is named by its address, which needs no DNS."""
    try:
        ip_address(SmartHost.parse(relay, TlsPolicy.OPPORTUNISTIC).host)
    except ValueError:
        return False
    return True


def _route(wanted: Demonstration) -> RouteOptions:
    """Return the way out: to the relay or the name server that was named, and else nowhere at all."""
    has_way_out = bool(wanted.resolver or wanted.relay)
    return RouteOptions(smart_host=wanted.relay, private_addresses=has_way_out, hold=not has_way_out)


def _without_limits(config: Config) -> Config:
    """Return a configuration for load tests, in which nobody is told to come back later."""
    wide = AdmissionOptions(connections=_NO_LIMIT, connections_per_network=_NO_LIMIT, new_per_minute=0, reserve=0)
    return replace(
        config,
        limits=LimitOptions(enabled=False),
        smtp_rates=SmtpRateOptions(enabled=False),
        gate=GateOptions(enabled=False),
        sending=SendingOptions(enabled=False),
        admission=Admissions(wide, wide, wide, wide, wide),
        smtp=SmtpOptions(max_messages=_NO_LIMIT, max_refused=_NO_LIMIT, refusal_delay=0.0),
        passwords=replace(config.passwords, waiting=_NO_LIMIT),
    )


async def furnish(app: App, wanted: Demonstration) -> Sequence[DemoAccount]:
    """See to it that the accounts are there; return them with their secrets."""
    keeper = _Furnisher(app, wanted.data / _ACCOUNTS)
    return await keeper.furnish(list(wanted.planned()))


class _Furnisher:
    """Makes what is missing, and remembers the secrets that it gave."""

    def __init__(self, app: App, path: Path) -> None:
        self._directory = app.services.directory
        self._path = path
        self._random = SystemRandom()
        self._kept = _read_accounts(path)

    async def furnish(self, planned: Sequence[PlannedAccount]) -> Sequence[DemoAccount]:
        for domain in dict.fromkeys(plan.address.domain for plan in planned):
            if not self._directory.domains.is_local(domain):
                folder = self._directory.dkim.folder
                await asyncio.to_thread(make_missing_keys, folder, domain, SystemClock().now())
                await self._directory.domains.add(domain, DEMONSTRATION)
        present = await self._list_accounts({plan.address.domain for plan in planned})
        wanted = [self._decide(plan) for plan in planned]
        await self._create([demo for demo in wanted if demo.address.canonical not in present])
        for demo in wanted:
            account = present.get(demo.address.canonical)
            if account is not None and demo != self._kept.get(demo.address.canonical):
                await self._renew(account, demo)
        if wanted != list(self._kept.values()):
            _write_accounts(self._path, wanted)
        return wanted

    async def _list_accounts(self, domains: Iterable[Domain]) -> Mapping[str, Account]:
        found: dict[str, Account] = {}
        for domain in domains:
            last = None
            while page := await self._directory.accounts.list_accounts(domain=domain, after=last, limit=1000):
                found.update({account.address.canonical: account for account in page})
                last = page[-1].account_id
        return found

    def _decide(self, plan: PlannedAccount) -> DemoAccount:
        """Return the account with its secrets: those given, those of last time, or new ones."""
        if plan.secret is not None:
            return DemoAccount(plan.address, plan.role, plan.secret, plan.secret)
        kept = self._kept.get(plan.address.canonical)
        if kept is not None:
            return kept
        password = Secret(make_app_password(self._random))
        return DemoAccount(plan.address, plan.role, password, Secret(group_letters(make_app_password(self._random))))

    async def _create(self, wanted: Sequence[DemoAccount]) -> None:
        """Make accounts; those that share their secrets share the work of hashing them."""
        alike: dict[tuple[Role, bytes, bytes], list[DemoAccount]] = {}
        for demo in wanted:
            key = (demo.role, demo.password.reveal(), demo.app_password.reveal())
            alike.setdefault(key, []).append(demo)
        for group in alike.values():
            first = group[0]
            request = AccountRequest(
                address=first.address,
                role=first.role,
                services=_EVERYTHING,
                password=first.password,
                app_password=first.app_password,
                label=_LABEL,
            )
            await self._directory.provisioner.create_alike(request, [demo.address for demo in group], DEMONSTRATION)

    async def _renew(self, account: Account, demo: DemoAccount) -> None:
        """Give an account that is there other secrets."""
        await self._directory.passwords.change(account.account_id, demo.password, DEMONSTRATION)
        await self._directory.app_passwords.create(
            account.account_id, _LABEL, APP_PASSWORD_SCOPES, DEMONSTRATION, secret=demo.app_password
        )


def _read_accounts(path: Path) -> Mapping[str, DemoAccount]:
    try:
        entries = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    kept = [
        DemoAccount(
            Address.parse(entry["address"]),
            Role(entry["role"]),
            Secret(entry["password"]),
            Secret(entry["app_password"]),
        )
        for entry in entries
    ]
    return {demo.address.canonical: demo for demo in kept}


def _write_accounts(path: Path, accounts: Sequence[DemoAccount]) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump([demo.as_json() for demo in accounts], file, indent=1)
        file.flush()
        os.fsync(file.fileno())  # A power loss leaves the old file or the new one, and not an empty one.
    fresh.replace(path)
