"""Values that must not be seen: passwords, tokens, keys.

A `Secret` prints as `***` wherever it is formatted, compares in constant time, and can neither be
a dictionary key nor be pickled. Who needs its octets says so with `reveal`.
"""

from __future__ import annotations

__all__ = ["Secret"]

import hmac
from typing import NoReturn

_MASK = "***"


class Secret:
    """Octets that nobody but their user may read."""

    __slots__ = ("_octets",)

    def __init__(self, value: str | bytes) -> None:
        self._octets = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """Return the octets."""
        return self._octets

    def reveal_text(self) -> str:
        """Return the octets decoded as UTF-8. Raises `UnicodeDecodeError` for what is no text."""
        return self._octets.decode("utf-8")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._octets, other._octets)

    __hash__ = None  # type: ignore[assignment]  # a look-up by hash does not take constant time

    def __bool__(self) -> bool:
        return bool(self._octets)

    def __repr__(self) -> str:
        return _MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
