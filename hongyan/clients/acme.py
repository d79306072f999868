"""A certification authority over ACME (RFC 8555), with renewal information (RFC 9773), through the `acme` library.

The library makes and signs the messages; the order of the steps, their deadlines and what is believed of the answers
are ours. The account's key lies in the data directory, readable by us alone. Its URL lies beside it, so that an account
is made once for each directory; one that the authority does not know any more is made anew.
"""

from __future__ import annotations

__all__ = ["AcmeAuthority"]

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import requests
from acme import challenges, errors, messages
from acme.client import ClientV2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy import errors as jose_errors
from josepy.b64 import b64encode
from josepy.interfaces import JSONDeSerializable
from josepy.json_util import field
from josepy.jwk import JWKEC

from hongyan import telemetry
from hongyan.clients.acme_network import AcmeNetwork, Steps
from hongyan.clients.acme_options import AcmeOptions
from hongyan.clock import Clock
from hongyan.domains.authority import AuthorityFault, Challenge, ChallengeKind, NamesRefused, RenewalWindow, Solver
from hongyan.domains.certificate_store import AccountFile

_POLL_FIRST: Final = 1.0
_POLL_LONGEST: Final = 30.0
_ASK_AGAIN: Final = timedelta(hours=6)  # RFC 9773 §4.3.2
_ASK_AGAIN_MIN: Final = timedelta(minutes=1)
_ASK_AGAIN_MAX: Final = timedelta(days=1)
_LONGEST_REASON: Final = 300

_NONSENSE = (
    errors.Error,
    jose_errors.Error,
    requests.RequestException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
    OverflowError,
)
"""What the library raises of an answer that is none, or of none."""

log = telemetry.logger("domains")

Value = TypeVar("Value")


class _NewOrder(messages.NewOrder):
    """An order that says which certificate it takes over from (RFC 9773 §5)."""

    replaces: str | None = field("replaces", omitempty=True)


@dataclass(frozen=True, slots=True)
class _Pending:
    """An authorization that waits for a proof."""

    url: str
    challenge: Challenge
    body: messages.ChallengeBody
    response: challenges.ChallengeResponse


class AcmeAuthority:
    """One ACME directory; an `Authority`."""

    def __init__(self, options: AcmeOptions, account: AccountFile, clock: Clock) -> None:
        self._options = options
        self._account = account
        self._clock = clock
        self._steps = Steps(options.timeout * 2)
        self._network: AcmeNetwork | None = None
        self._directory: messages.Directory | None = None

    async def obtain(self, names: Sequence[str], key: bytes, solver: Solver, replaces: bytes | None) -> bytes:
        """Order a certificate. Raises `NamesRefused` or `AuthorityFault`."""
        try:
            async with asyncio.timeout(self._options.patience):
                await self._run(self._connect)
                url, order = await self._run(lambda: self._order(names, replaces))
                await self._prove(order, solver)
                return await self._finish(url, order, _make_request(names, key))
        except TimeoutError:
            raise AuthorityFault("The order takes too long.") from None

    async def find_window(self, chain: bytes) -> RenewalWindow | None:
        """Ask when to renew (RFC 9773 §4). A certificate without the identifier of its issuer cannot be asked for."""
        identifier = _renewal_identifier(chain)
        if identifier is None:
            return None
        return await self._run(lambda: self._ask_for_window(identifier))

    # -- the account

    def _connect(self) -> None:
        """Learn the directory, and have an account. Blocks, as all steps do."""
        key = self._account.load_key()
        network = AcmeNetwork(
            JWKEC(key=key),
            None,
            self._options.directory,
            authority_file=self._options.authority_file,
            timeout=self._options.timeout,
            clock=self._clock,
        )
        self._network = network
        self._directory = ClientV2.get_directory(self._options.directory, network)
        url = self._account.load_url(self._options.directory)
        if url is None:
            url = self._register(network, self._directory)
            self._account.store_url(self._options.directory, url)
        network.account = messages.RegistrationResource(body=messages.Registration(), uri=url)

    def _register(self, network: AcmeNetwork, directory: messages.Directory) -> str:
        options = self._options
        binding = None
        if options.eab_key_id:
            secret = Path(options.eab_key_file).read_text().strip()
            binding = messages.ExternalAccountBinding.from_data(
                JWKEC(key=self._account.load_key().public_key()), options.eab_key_id, secret, directory
            )
        wanted = messages.NewRegistration.from_data(
            email=options.contact or None,
            terms_of_service_agreed=True,  # `accept_terms` is set, or we were not here
            external_account_binding=binding,
        )
        response = network.post(directory["newAccount"], wanted, new_nonce_url=directory["newNonce"])
        log.info("acme-account", directory=options.directory)
        return _text(response.headers["Location"])

    # -- an order

    def _order(self, names: Sequence[str], replaces: bytes | None) -> tuple[str, messages.Order]:
        identifiers = [messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in names]
        former = _renewal_identifier(replaces) if replaces and self._renewal_url() else None
        try:
            response = self._post("newOrder", _NewOrder(identifiers=identifiers, replaces=former, profile=""))
        except (messages.Error, errors.ConflictError) as error:
            if former is None or (isinstance(error, messages.Error) and error.code == "rateLimited"):
                raise
            # RFC 9773 §5: another order has replaced it already, or it is another authority's.
            response = self._post("newOrder", messages.NewOrder(identifiers=identifiers, profile=""))
        return _text(response.headers["Location"]), messages.Order.from_json(response.json())

    async def _prove(self, order: messages.Order, solver: Solver) -> None:
        """Prove each name; what was shown is removed whatever happens. Raises `NamesRefused`."""
        pending = await self._run(lambda: self._find_pending(order, solver.kind, len(order.identifiers)))
        shown = [each.challenge for each in pending]
        try:
            reasons = dict(await solver.show(shown))
            asked = [each for each in pending if each.challenge.name not in reasons]
            for each in asked:
                await self._run(lambda each=each: self._answer(each))  # type: ignore[misc]
            for each in asked:
                reason = await self._wait_for_proof(each)
                if reason:
                    reasons[each.challenge.name] = reason
        finally:
            await asyncio.shield(solver.remove(shown))
        if reasons:
            raise NamesRefused(reasons, after=self._wait())

    def _find_pending(self, order: messages.Order, kind: ChallengeKind, most: int) -> list[_Pending]:
        pending = []
        for url in list(order.authorizations)[:most]:
            body = messages.Authorization.from_json(self._get(_text(url)).json())
            if body.status == messages.STATUS_VALID:
                continue
            name = _text(body.identifier.value).lower()
            offered = [offer for offer in body.challenges if offer.chall.typ == kind]
            if not offered:
                raise NamesRefused({name: f"the authority does not offer {kind}"})
            challenge = offered[0].chall
            answer = Challenge(name, _token_of(challenge), challenge.validation(self._client.key))
            pending.append(_Pending(_text(url), answer, offered[0], challenge.response(self._client.key)))
        return pending

    def _answer(self, pending: _Pending) -> None:
        self._post_to(_text(pending.body.uri), pending.response)

    async def _wait_for_proof(self, pending: _Pending) -> str:
        """Return why a name is not believed to be ours, or nothing."""
        pause = _POLL_FIRST
        while True:
            body = await self._run(lambda: messages.Authorization.from_json(self._get(pending.url).json()))
            if body.status == messages.STATUS_VALID:
                return ""
            if body.status not in (messages.STATUS_PENDING, messages.STATUS_PROCESSING):
                told = [str(offer.error.detail) for offer in body.challenges if offer.error is not None]
                return _printable(told[0] if told else "the authority says no more")
            pause = await self._pause(pause)

    async def _finish(self, url: str, order: messages.Order, request: x509.CertificateSigningRequest) -> bytes:
        """Hand in the request, and wait for the certificate."""
        await self._run(lambda: self._post_to(_text(order.finalize), messages.CertificateRequest(csr=request)))
        pause = _POLL_FIRST
        while True:
            order = await self._run(lambda: messages.Order.from_json(self._get(url).json()))
            if order.status == messages.STATUS_VALID and order.certificate:
                return await self._download(_text(order.certificate))
            if order.status == messages.STATUS_INVALID:
                detail = order.error.detail if order.error is not None else None
                raise AuthorityFault(f"The order failed: {_printable(detail or 'the authority says no more')}.")
            if order.status != messages.STATUS_PROCESSING:  # RFC 8555 §7.4: nothing else comes after a request
                raise AuthorityFault("The authority has not taken the request for a certificate.")
            pause = await self._pause(pause)

    async def _download(self, url: str) -> bytes:
        return await self._run(lambda: self._get(url).content)

    async def _pause(self, seconds: float) -> float:
        """Wait before asking again, as long as the authority wants; return how long to wait the next time."""
        asked = self._wait()
        wait = seconds if asked is None else asked.total_seconds()
        await asyncio.sleep(min(max(wait, _POLL_FIRST / 2), _POLL_LONGEST))
        return min(seconds * 2, _POLL_LONGEST)

    # -- renewal information

    def _renewal_url(self) -> str | None:
        if self._directory is None or "renewalInfo" not in self._directory.to_partial_json():
            return None
        return _text(self._directory["renewalInfo"])

    def _ask_for_window(self, identifier: str) -> RenewalWindow | None:
        if self._directory is None:
            self._connect()
        base = self._renewal_url()
        if base is None:
            return None
        self._client.forget_wait()
        document = self._client.get(f"{base.rstrip('/')}/{identifier}").json()
        window = document["suggestedWindow"]
        start, end = _moment(window["start"]), _moment(window["end"])
        if end <= start:  # RFC 9773 §4.2: as if there were none
            return None
        again = min(max(self._client.wait or _ASK_AGAIN, _ASK_AGAIN_MIN), _ASK_AGAIN_MAX)
        return RenewalWindow(start, end, self._clock.now() + again)

    # -- requests

    @property
    def _client(self) -> AcmeNetwork:
        if self._network is None:
            raise AuthorityFault("Nobody has connected yet.")
        return self._network

    def _wait(self) -> timedelta | None:
        return None if self._network is None else self._network.wait

    def _post(self, resource: str, body: JSONDeSerializable) -> requests.Response:
        if self._directory is None:
            raise AuthorityFault("Nobody has connected yet.")
        return self._post_to(_text(self._directory[resource]), body)

    def _post_to(self, url: str, body: JSONDeSerializable | None) -> requests.Response:
        if self._directory is None:
            raise AuthorityFault("Nobody has connected yet.")
        self._client.forget_wait()
        return self._client.post(url, body, new_nonce_url=_text(self._directory["newNonce"]))

    def _get(self, url: str) -> requests.Response:
        """Fetch a resource by an empty POST (RFC 8555 §6.3)."""
        return self._post_to(url, None)

    async def _run(self, step: Callable[[], Value]) -> Value:
        try:
            return await self._steps.run(step)
        except AuthorityFault:
            raise
        except messages.Error as error:
            if error.code == "accountDoesNotExist":
                self._account.forget_url(self._options.directory)
            raise self._fault(error) from error
        except _NONSENSE as error:
            told = _printable(str(error) or type(error).__name__)
            raise AuthorityFault(f"The authority cannot be asked: {told}.", after=self._wait()) from error

    def _fault(self, error: messages.Error) -> AuthorityFault:
        """Return what the authority complains of; of single names, if it names them (RFC 8555 §6.7.1)."""
        reasons: Mapping[str, str] = {
            _text(part.identifier.value).lower(): _printable(part.detail or part.code or "refused")
            for part in error.subproblems or ()
            if part.identifier is not None
        }
        if reasons:
            return NamesRefused(reasons, after=self._wait())
        return AuthorityFault(f"The authority refuses: {_printable(error.detail or error.typ)}.", after=self._wait())


def _make_request(names: Sequence[str], key: bytes) -> x509.CertificateSigningRequest:
    loaded = serialization.load_pem_private_key(key, None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise AuthorityFault("The private key is of another kind.")
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.add_extension(alternatives, critical=False).sign(loaded, hashes.SHA256())


def _renewal_identifier(chain: bytes) -> str | None:
    """Return the identifier of a certificate: of its issuer's key, and its number (RFC 9773 §4.1)."""
    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
        issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except (ValueError, x509.ExtensionNotFound):
        return None
    if issuer is None:
        return None
    number = certificate.serial_number
    octets = number.to_bytes(number.bit_length() // 8 + 1, "big")  # as DER has it, a zero before a set first bit
    return f"{b64encode(issuer).decode()}.{b64encode(octets).decode()}"


def _token_of(challenge: challenges.Challenge) -> str:
    """Return the token as it stands in a path. Raises `AuthorityFault` for one that could mean another path."""
    if not isinstance(challenge, challenges.KeyAuthorizationChallenge) or len(challenge.token) < 16:
        raise AuthorityFault("The authority's token is none.")
    return _text(challenge.encode("token"))


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(_text(text))
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("the authority's answer lacks what it must have")
    return value


def _printable(text: str) -> str:
    return json.dumps(text[:_LONGEST_REASON], ensure_ascii=True)[1:-1].rstrip(".")
