"""The account's own password: argon2id, in two threads, a bounded number at once.

A password costs 20 ms and 19 MiB each time, on purpose. What was right once is remembered under a key that
lives in this process only, so that a program which logs in every minute costs that once. The stored hash
is part of what is remembered: when it changes, nothing old fits.

Nobody at the door is told apart by time: an unknown name is checked against a hash that nothing fits.
"""

from __future__ import annotations

__all__ = ["PasswordFault", "PasswordOptions", "Passwords", "PasswordsBusy"]

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hongyan.clock import Random
from hongyan.errors import Corrupt, Refused, Unavailable
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.wire.sasl import SaslFault, saslprep

T = TypeVar("T")

_THREADS = 2
_MAX_OCTETS = 1024
_REMEMBERED = 10_000


class PasswordFault(Refused):
    """This cannot be a password. The sentence says why."""


class PasswordsBusy(Unavailable):
    """More passwords wait for their check than may."""


@dataclass(frozen=True, slots=True)
class PasswordOptions:
    """How dear a password is. OWASP's recommendation for argon2id: 19 MiB, two passes, one lane."""

    passes: int = option(2, "Passes of argon2id over its memory.")
    memory: int = option(19_456, "Memory of one argon2id hash.", unit="KiB")
    waiting: int = option(64, "Passwords that wait for their check; a login beyond is asked to try later.")
    min_length: int = option(8, "Characters that a new password has at least.")

    def __post_init__(self) -> None:
        if self.passes < 1 or self.memory < 8 or self.waiting < 1 or self.min_length < 1:
            raise ValueError("a password needs a pass, 8 KiB, a place to wait and a character, at least")


class Passwords:
    """Hashes and checks passwords. `close` ends its threads."""

    def __init__(self, options: PasswordOptions, random: Random) -> None:
        self._hasher = PasswordHasher(time_cost=options.passes, memory_cost=options.memory, parallelism=1)
        self._options = options
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        self._key = random.token(32)
        self._right: dict[bytes, None] = {}
        # Made with the parameters of today: its check takes as long as a real one's.
        self._nobody = self._pool.submit(self._hasher.hash, random.token(16))

    def close(self) -> None:
        """Finish what is under way and end the threads."""
        self._pool.shutdown()

    async def hash(self, password: Secret) -> str:
        """Return the hash to store. Raises `PasswordFault`."""
        octets = self._prepare_new(password)
        return await self._in_thread(lambda: self._hasher.hash(octets))

    def is_remembered(self, password: Secret, stored: str) -> bool:
        """Whether this password was found right for this hash before."""
        return self._digest(password.reveal(), stored) in self._right

    async def check(self, password: Secret, stored: str | None) -> bool:
        """Whether the password fits the stored hash; None: there is none, and it takes as long.

        Raises `PasswordsBusy`, or `Corrupt` for what is no hash.
        """
        octets = password.reveal()
        digest = self._digest(octets, stored or self._nobodys_hash)
        if digest in self._right:
            return True
        prepared = _prepare(octets)
        right = await self._in_thread(lambda: self._verify(stored or self._nobodys_hash, prepared))
        if not right or stored is None:
            return False
        if len(self._right) >= _REMEMBERED:
            del self._right[next(iter(self._right))]
        self._right[digest] = None
        return True

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @property
    def _nobodys_hash(self) -> str:
        return self._nobody.result()  # There since the start: nobody logs in before a port serves.

    def _digest(self, octets: bytes, stored: str) -> bytes:
        return hmac.digest(self._key, b"%d:%b:%b" % (len(octets), octets, stored.encode()), "sha256")

    def _verify(self, stored: str, octets: bytes) -> bool:
        try:
            return self._hasher.verify(stored, octets)
        except VerificationError:
            return False
        except InvalidHashError as error:
            raise Corrupt(cause="a stored password hash cannot be read") from error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._options.waiting + _THREADS:
            raise PasswordsBusy("Too many logins at once, try again in a moment.")
        self._waiting += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            self._waiting -= 1
            raise
        # Counted down when the work is done, not when the waiter is gone: a peer that hangs up frees no place.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # Nobody may be left to be told.

    def _prepare_new(self, password: Secret) -> bytes:
        try:
            text = saslprep(password.reveal_text())
        except (UnicodeDecodeError, SaslFault):
            raise PasswordFault("The password holds a character that no program can send.") from None
        if len(text) < self._options.min_length:
            raise PasswordFault(f"A password has at least {self._options.min_length} characters.")
        if len(text.encode()) > _MAX_OCTETS:
            raise PasswordFault(f"A password has at most {_MAX_OCTETS} octets.")
        return text.encode()


def _prepare(octets: bytes) -> bytes:
    """Return what is hashed of a password as it came: what looks the same is the same (RFC 4013)."""
    try:
        return saslprep(octets[: _MAX_OCTETS + 1].decode()).encode()
    except (UnicodeDecodeError, SaslFault):
        return octets[: _MAX_OCTETS + 1]
