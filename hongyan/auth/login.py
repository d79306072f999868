"""The one door: every protocol logs in here.

    limits and bans -> account -> app passwords or certificates -> the account's password, where it is allowed
    -> state, class, service switch, scope, devices -> audit -> Principal

Every failed secret is told the same: that it failed, and where app passwords are explained. That a service is
off, or an account suspended, is told only to somebody who had a right app password. A name that nobody has takes
the same time as a wrong secret: both read the database, and where a password counts, both check one.
"""

from __future__ import annotations

__all__ = ["LoginDoor", "LoginOptions"]

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from hongyan import telemetry
from hongyan.accounts.cache import Cache
from hongyan.addresses import Address, AddressFault
from hongyan.audit.logins import LoginLog
from hongyan.auth.app_passwords import SecretHasher, fake_verifiers, match_secret
from hongyan.auth.client_authority import ShownCertificate, read_shown
from hongyan.auth.devices import DeviceOptions, is_over_device_limit
from hongyan.auth.passwords import PasswordFault, Passwords, PasswordsBusy
from hongyan.auth.principal import EXTERNAL, LoginAttempt, LoginReason, LoginRefused, Principal, ScramOffer
from hongyan.auth.proven import NOBODY, Proven
from hongyan.auth.refusals import Refusals
from hongyan.auth.services import ServiceOptions, check_service
from hongyan.clock import Clock
from hongyan.errors import NotFound, ServerFault
from hongyan.limits.networks import is_loopback, network_of
from hongyan.limits.rates import Admitted, LoginLimits, OverRate
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.store.audit import LoginKind
from hongyan.store.client_certificates import ClientCertificate
from hongyan.store.credentials import CredentialStore, Password, StoredLogin
from hongyan.store.directory import DirectoryChange
from hongyan.telemetry import metrics
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import ScramVerifiers

log = telemetry.logger("auth")

_KEPT = 5_000  # accounts; some kilobytes each
_KEPT_USES = 20_000
_MAX_NAME = 254
_MAX_COUNTERS = 1000

_VARIANTS = {
    "PLAIN": "plain",
    "LOGIN": "login",
    "EXTERNAL": "external",
    "SCRAM-SHA-256": "scramsha256",
    "USER": "user",
    "BASIC": "basic",
}
_TLS_VERSIONS = frozenset({"none", "TLSv1.2", "TLSv1.3"})


@dataclass(frozen=True, slots=True)
class LoginOptions:
    """The section `[login]`."""

    help_url: str = option(
        "https://hongyan.example/help/app-passwords", "Where users read about app passwords; told at each failed login."
    )
    accept_password: tuple[str, ...] = option(
        (), "Services, of `imap`, `pop3` and `smtp`, where the account's own password is accepted as well."
    )
    default_domain: str = option("", "Domain of login names without one.")
    plaintext_on_loopback: bool = option(False, "Whether logins without TLS are taken from this machine itself.")

    def __post_init__(self) -> None:
        for name in self.accept_password:
            Service(name)
        if not (self.help_url.isascii() and self.help_url.isprintable()):
            raise ValueError("help_url is printable ASCII")


class _Visit:
    """One attempt on its way through the door."""

    __slots__ = ("admitted", "attempt", "credential", "is_barred", "label", "login", "name")

    def __init__(self, attempt: LoginAttempt, name: str) -> None:
        self.attempt = attempt
        self.name = name
        self.admitted: Admitted | None = None
        self.login: StoredLogin | None = None
        self.credential: CredentialId | None = None
        self.label = ""
        self.is_barred = False


Quick = Callable[[StoredLogin], Proven | None]
"""Looks, at no cost, whether what was shown fits what is stored."""

Slow = Callable[[StoredLogin | None], Awaitable[Proven | None]]
"""Looks at the cost of a password. Nobody's login takes as long."""


class LoginDoor:
    """Lets in or refuses."""

    def __init__(
        self,
        options: LoginOptions,
        services: ServiceOptions,
        devices: DeviceOptions,
        *,
        store: CredentialStore,
        limits: LoginLimits,
        passwords: Passwords,
        hasher: SecretHasher,
        server_key: Secret,
        logins: LoginLog,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options
        self._services = services
        self._devices = devices
        self._store = store
        self._limits = limits
        self._passwords = passwords
        self._hasher = hasher
        self._server_key = server_key
        self._logins = logins
        self._clock = clock
        self._sleep = sleep
        self._password_services = {Service.WEB, *map(Service, options.accept_password)}
        self._known: Cache[str, StoredLogin] = Cache(_KEPT)
        self._networks: Cache[tuple[AccountId, str], bool] = Cache(_KEPT_USES)
        self._last_uses: Cache[CredentialId, datetime] = Cache(_KEPT_USES)
        self._counters: dict[tuple[str, str, str, str], Callable[[], None]] = {}
        self._refusals = Refusals(options.help_url)

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None:
            self._known.clear()
            return
        touched = {change.account for change in changes}
        if touched - {None}:
            self._known.drop_where(lambda login: login.account.account_id in touched)

    async def authenticate(self, attempt: LoginAttempt) -> Principal:
        """Let in who shows a right secret. Raises `LoginRefused`."""
        secret = attempt.secret or Secret(b"")
        is_password_accepted = attempt.service in self._password_services
        return await self._enter(
            attempt,
            partial(self._match, attempt, secret, is_password_accepted),
            partial(self._check_password, secret) if is_password_accepted else None,
        )

    async def offer_scram(self, attempt: LoginAttempt) -> ScramOffer:
        """Return what a SCRAM exchange with this name is tried against. Raises `LoginRefused`."""
        self._require_tls(attempt)
        name = self._canonical(attempt.name)
        login = await self._current(name, self._known.find(name))
        if login is None:
            return ScramOffer(fake_verifiers(self._server_key, name), ())
        candidates = [(keys, secret.credential) for secret in login.app_passwords for keys in secret.scram]
        verifiers = ScramVerifiers(login.scram_salt, login.scram_iterations, tuple(keys for keys, _ in candidates))
        return ScramOffer(verifiers, tuple(credential for _, credential in candidates))

    async def complete_scram(self, attempt: LoginAttempt, offer: ScramOffer, matched: int | None) -> Principal:
        """Let in who has proven to know the secret of the candidate numbered `matched`. Raises `LoginRefused`.

        Tell it also when none matched: that is a failed login.
        """
        proven = matched is not None and matched < len(offer.credentials)
        credential = offer.credentials[matched] if proven and matched is not None else None
        return await self._enter(attempt, partial(_find_app_password, credential), None)

    async def authenticate_certificate(self, attempt: LoginAttempt, certificate: bytes) -> Principal:
        """Let in whom a certificate names that TLS has verified, in DER. Raises `LoginRefused`.

        `attempt.name` is whom the peer wants to act for, which can only be the certificate's own account; empty: that.
        """
        shown = read_shown(certificate)
        owner = await self._find_owner(shown)
        is_own = owner is not None and (not attempt.name or self._canonical(attempt.name) == owner)
        match = partial(self._match_certificate, shown if is_own else None)
        return await self._enter(replace(attempt, name=owner or ""), match, None)

    # -- the way through

    async def _enter(self, attempt: LoginAttempt, quick: Quick, slow: Slow | None) -> Principal:
        visit = _Visit(attempt, self._canonical(attempt.name))
        try:
            principal = await self._pass(visit, quick, slow)
        except LoginRefused as refusal:
            self._note(visit, refusal.reason.value)
            raise
        visit.credential = principal.credential
        self._note(visit, "ok")
        return principal

    async def _pass(self, visit: _Visit, quick: Quick, slow: Slow | None) -> Principal:
        attempt = visit.attempt
        self._require_tls(attempt)
        admitted = await self._limits.admit(attempt.peer, visit.name)
        if isinstance(admitted, OverRate):
            visit.login = self._known.find(visit.name)
            metrics.authentication_ratelimited_total.labels(attempt.service.value).inc()
            raise self._refusals.over_rate(admitted)
        visit.admitted = admitted
        try:
            proven = await self._prove(visit, quick, slow)
        except LoginRefused:
            await self._limits.succeeded(visit.admitted)  # It was not looked at: it has not failed.
            raise
        if proven is None:
            reason = LoginReason.WRONG_SECRET if visit.login else LoginReason.UNKNOWN_NAME
            if visit.is_barred:
                reason = LoginReason.SECOND_FACTOR
            if attempt.mechanism == EXTERNAL:
                raise self._refusals.wrong_certificate(reason)
            raise self._refusals.wrong_secret(reason)
        await self._limits.succeeded(visit.admitted)
        return self._decide(visit, proven)

    async def _prove(self, visit: _Visit, quick: Quick, slow: Slow | None) -> Proven | None:
        """Find out whether the secret is right. Raises `LoginRefused` when that cannot be found out now."""
        known = self._known.find(visit.name)
        visit.login = known or await self._current(visit.name, None)
        await self._slow_down_stranger(visit)
        proven = quick(visit.login or NOBODY)
        if proven is None and known is not None:
            # There may be a new app password. The question costs a wrong secret what it costs a wrong name.
            visit.login = await self._current(visit.name, known)
            if visit.login is not None and visit.login is not known:
                proven = quick(visit.login)
        if slow is not None and (proven is None or not proven.opens(visit.attempt)):
            proven = await slow(visit.login) or proven
        if proven is not None and proven.device is None and proven.login.has_second_factor:
            # Half of what opens the account: only who asks for the other half may take it.
            visit.is_barred = not (visit.attempt.asks_second_factor and visit.attempt.service is Service.WEB)
        return None if visit.is_barred else proven

    async def _slow_down_stranger(self, visit: _Visit) -> None:
        attempt, login = visit.attempt, visit.login
        if visit.admitted is None:
            return
        network = network_of(attempt.peer)
        if login and (network in login.networks or self._networks.find((login.account.account_id, network))):
            return
        visit.admitted = await self._limits.slow_down(visit.admitted, visit.name)
        if visit.admitted.delay:
            await self._sleep(visit.admitted.delay)

    def _decide(self, visit: _Visit, proven: Proven) -> Principal:
        """The secret is right: may the account come in by it?"""
        account, used, service = proven.login.account, proven.device, visit.attempt.service
        visit.label = used.label if used else "password"
        refusal = check_service(account, service, self._services)
        if refusal is not None:
            raise self._refusals.of_service(refusal, service, is_told=used is not None)
        if used is not None:
            if not proven.opens(visit.attempt):
                raise self._refusals.named(LoginReason.SCOPE, service)
            if is_over_device_limit(used, proven.login.devices, self._last_uses.find, self._devices, self._clock.now()):
                raise self._refusals.named(LoginReason.DEVICE_LIMIT, service)
        scopes = used.scopes & account.services if used else frozenset({service})
        ends_at = used.expires_at if isinstance(used, ClientCertificate) else None
        return Principal(account.account_id, account.address, scopes, proven.credential, account.role, ends_at)

    # -- secrets

    def _match(
        self, attempt: LoginAttempt, secret: Secret, is_password_accepted: bool, login: StoredLogin
    ) -> Proven | None:
        octets = secret.reveal()
        used = match_secret(self._hasher.keyed_hash(octets, login.scram_salt), login)
        proven = Proven(login, used.credential, used) if used else None
        if proven is not None and proven.opens(attempt):
            return proven
        if is_password_accepted and login.password and self._passwords.is_remembered(secret, login.password.hash):
            return Proven(login, login.password.credential, None)
        return proven

    def _match_certificate(self, shown: ShownCertificate | None, login: StoredLogin) -> Proven | None:
        if shown is None:
            return None
        for known in login.certificates:
            if known.fingerprint == shown.fingerprint and known.expires_at > self._clock.now():
                return Proven(login, known.credential, known)
        return None

    async def _find_owner(self, shown: ShownCertificate) -> str | None:
        """Return the address of the account that a certificate was made for."""
        try:
            return (await self._store.get_login(shown.account)).account.address.canonical
        except NotFound:
            return None
        except ServerFault as fault:
            raise self._unavailable(fault) from fault

    async def _check_password(self, secret: Secret, login: StoredLogin | None) -> Proven | None:
        password = login.password if login else None
        try:
            is_right = await self._passwords.check(secret, password.hash if password else None)
        except PasswordsBusy:
            raise self._refusals.busy() from None
        except ServerFault as fault:
            raise self._unavailable(fault) from fault
        if not is_right or login is None or password is None:
            return None
        if self._passwords.is_outdated(password.hash):
            await self._rehash(secret, password)
        return Proven(login, password.credential, None)

    async def _rehash(self, secret: Secret, password: Password) -> None:
        """Store the password anew, with today's parameters; if that cannot be done now, another time."""
        try:
            await self._store.rehash_password(password, await self._passwords.hash(secret))
        except (ServerFault, PasswordFault) as fault:
            log.info("password-not-rehashed", cause=fault.cause or fault.sentence)

    async def _current(self, name: str, known: StoredLogin | None) -> StoredLogin | None:
        """Return what is stored for a name: what is known already, unless credentials were added since."""
        generation = self._known.generation
        try:
            following = await self._store.find_next_credential(name)
            if following is None:
                return None
            if known is not None and known.next_credential == following:
                return known
            login = await self._store.find_login(name)
        except ServerFault as fault:
            raise self._unavailable(fault) from fault
        if login is not None:
            self._known.keep(name, login, generation)
        return login

    # -- words and records

    def _canonical(self, name: str) -> str:
        """Return the key of a name; for what is no address, text that no account has."""
        if self._options.default_domain and "@" not in name:
            name = f"{name}@{self._options.default_domain}"
        try:
            return Address.parse(name).canonical
        except AddressFault:
            return name[:_MAX_NAME].lower().encode("ascii", "backslashreplace").decode()

    def _require_tls(self, attempt: LoginAttempt) -> None:
        # A browser holds loopback to be as good as TLS (W3C Secure Contexts §3.1), and so do we for the web.
        may_be_plain = self._options.plaintext_on_loopback or attempt.service is Service.WEB
        if attempt.tls is None and not (may_be_plain and is_loopback(attempt.peer)):
            raise self._refusals.tls_required()

    def _unavailable(self, fault: ServerFault) -> LoginRefused:
        log.warning("login-unavailable", cause=fault.cause)
        return self._refusals.unavailable()

    def _note(self, visit: _Visit, result: str) -> None:
        """Count the attempt; of a successful one remember the network."""
        attempt, account = visit.attempt, visit.login.account.account_id if visit.login else None
        tls = attempt.tls or "none"
        now = self._clock.now()
        network = ""
        if visit.credential is not None and account is not None:
            network = network_of(attempt.peer)
            self._networks.keep((account, network), True, self._networks.generation)
            if self._devices.limit:
                self._last_uses.keep(visit.credential, now, self._last_uses.generation)
        kind = LoginKind(
            account, attempt.peer, attempt.service.value, attempt.mechanism, tls, result, visit.label, attempt.client
        )
        self._logins.record(kind, now, credential=visit.credential, network=network)
        self._count(attempt.service.value, attempt.mechanism, tls, result)
        log.debug("login", account=account, service=attempt.service.value, result=result, peer=attempt.peer)

    def _count(self, kind: str, mechanism: str, tls: str, result: str) -> None:
        key = (kind, mechanism, tls, result)
        count = self._counters.get(key)
        if count is None:
            version = tls if tls in _TLS_VERSIONS else "other"
            variant = _VARIANTS.get(mechanism, "other")
            count = metrics.authentication_total.labels(kind, variant, version, result).inc
            if len(self._counters) < _MAX_COUNTERS:
                self._counters[key] = count
        count()


def _find_app_password(credential: CredentialId | None, login: StoredLogin) -> Proven | None:
    for known in login.app_passwords:
        if known.credential == credential:
            return Proven(login, known.credential, known)
    return None
