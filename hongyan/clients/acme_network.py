"""Requests to a certification authority: bounded in size and time, to its own host, over TLS, and never on the loop.

The library below us blocks. Each step runs in a thread with a deadline; a thread that an authority keeps alive beyond
it (an octet now and then) is left to itself, and no other step begins before it has ended: there is never more than
one.
"""

from __future__ import annotations

__all__ = ["AcmeNetwork", "Steps"]

import asyncio
import contextlib
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests
from acme import messages
from acme.client import ClientNetwork
from josepy.jwa import ES256
from josepy.jwk import JWK

from hongyan.clock import Clock
from hongyan.domains.authority import AuthorityFault

_LARGEST: Final = 1 << 20
"""Octets of an answer; a chain of certificates has a few thousand."""

_CHUNK: Final = 16 * 1024
_NONCES: Final = 4
"""How often a stale nonce is replaced; the library does it once each time."""
_USER_AGENT: Final = "Hongyan"

Value = TypeVar("Value")


class AcmeNetwork(ClientNetwork):
    """What the library sends by. Remembers how long the authority asked to be left alone."""

    def __init__(
        self,
        key: JWK,
        account: messages.RegistrationResource | None,
        directory: str,
        *,
        authority_file: str,
        timeout: float,
        clock: Clock,
    ) -> None:
        super().__init__(key, account, ES256, user_agent=_USER_AGENT, timeout=max(1, round(timeout)))
        self.session.close()
        self.session = _Session(_origin(directory), authority_file, timeout, clock)
        self._clock = clock

    def forget_wait(self) -> None:
        """Forget what was asked before."""
        self._bounded.retry_after = ""

    def post(self, *args: object, **kwargs: object) -> requests.Response:
        """Send a signed message; a nonce that is not taken is replaced by a fresh one, a few times (RFC 8555 §6.5)."""
        for _ in range(_NONCES):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)

    @property
    def wait(self) -> timedelta | None:
        """The last Retry-After (RFC 9110 §10.2.3), as a duration that is not negative."""
        text = self._bounded.retry_after.strip()
        if not text:
            return None
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text[:9]), 10**8))
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            return max(parsedate_to_datetime(text) - self._clock.now(), timedelta())
        return None

    @property
    def _bounded(self) -> _Session:
        assert isinstance(self.session, _Session)  # noqa: S101 - set above, for the type checker
        return self.session


class _Session(requests.Session):
    """Asks one origin, follows nothing, reads so much and no more."""

    def __init__(self, origin: tuple[str, int], authority_file: str, timeout: float, clock: Clock) -> None:
        super().__init__()
        self.trust_env = False  # no proxies and no other roots by chance
        self.retry_after = ""
        self._origin = origin
        self._roots: str | bool = authority_file or True
        self._timeout = timeout
        self._clock = clock

    def request(
        self, method: str | bytes, url: str | bytes, *_: object, **kwargs: object
    ) -> requests.Response:  # the library names all by keyword
        text = url if isinstance(url, str) else url.decode()
        if _origin(text) != self._origin:
            raise AuthorityFault("The authority sends us to another host.")
        headers = kwargs.get("headers")
        headers = {**headers, "Accept-Encoding": "identity"} if isinstance(headers, dict) else {}
        data = kwargs.get("data")
        until = self._clock.monotonic() + self._timeout
        response = super().request(
            str(method),
            text,
            data=data if isinstance(data, str | bytes) else None,
            headers=headers,
            timeout=self._timeout,
            verify=self._roots,
            allow_redirects=False,
            stream=True,
        )
        self.retry_after = response.headers.get("Retry-After", self.retry_after)
        body = self._read(response, until)
        if 300 <= response.status_code < 400:
            raise AuthorityFault("The authority sends us elsewhere.")
        response.raw = io.BytesIO(body)
        return response

    def _read(self, response: requests.Response, until: float) -> bytes:
        body = b""
        try:
            while chunk := response.raw.read(_CHUNK, decode_content=False):
                body += chunk
                if len(body) > _LARGEST:
                    raise AuthorityFault("The authority's answer is too large.")
                if self._clock.monotonic() > until:
                    raise AuthorityFault("The authority's answer takes too long.")
        finally:
            response.raw.close()
        return body


class Steps:
    """Runs blocking steps in a thread, one at a time, each within a deadline."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._thread: threading.Thread | None = None

    async def run(self, step: Callable[[], Value]) -> Value:
        """Return what a step returns. Raises `AuthorityFault` when it takes too long, or a former one still does."""
        if self._thread is not None and self._thread.is_alive():
            raise AuthorityFault("The authority still has not ended a former answer.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Value] = loop.create_future()

        def work() -> None:
            try:
                value = step()
            except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
                _call(loop, lambda error=error: None if future.done() else future.set_exception(error))  # type: ignore[misc]
            else:
                _call(loop, lambda: None if future.done() else future.set_result(value))

        thread = threading.Thread(target=work, name="acme", daemon=True)
        self._thread = thread
        thread.start()
        try:
            async with asyncio.timeout(self._seconds):
                return await future
        except TimeoutError:
            raise AuthorityFault("The authority does not answer in time.") from None
        finally:
            if future.done() and not future.cancelled():
                thread.join()  # it has told its end, good or bad: nothing is left to do in it


def _call(loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended before
        loop.call_soon_threadsafe(tell)


def _origin(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        origin = (parts.hostname or "").lower(), parts.port or 443
    except ValueError:
        raise AuthorityFault("The authority's address is none.") from None
    if parts.scheme != "https" or not origin[0]:
        raise AuthorityFault("An authority is reached by an https: URL.")
    return origin
