"""What a POP3 listener offers, and how CAPA tells it (RFC 2449)."""

from __future__ import annotations

__all__ = ["Offer"]

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """What a listener offers."""

    starttls: bool = False
    mechanisms: tuple[str, ...] = ()
    login_without_tls: bool = False
    max_faults: int = 20
    login_delay: int = 0
    """Seconds from one login of an account to the next (RFC 2449 §6.5)."""
    expire: str = "NEVER"
    """The argument of EXPIRE before login (RFC 2449 §6.7)."""

    def takes_logins(self, *, tls: bool) -> bool:
        """Whether a secret may be said: it could not be read on the way, or the operator allows it."""
        return tls or self.login_without_tls

    def capabilities(self, expire: str, *, tls: bool) -> Sequence[str]:
        """Return the lines of CAPA (§5); `expire` is that of who has logged in."""
        capabilities = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", f"EXPIRE {expire}"]
        capabilities += ["UTF8 USER", "LANG", "IMPLEMENTATION Hongyan"]
        if self.login_delay:
            capabilities.append(f"LOGIN-DELAY {self.login_delay}")
        if self.starttls and not tls:
            capabilities.append("STLS")
        if self.takes_logins(tls=tls):
            capabilities.append("USER")
            if self.mechanisms:
                capabilities.append("SASL " + " ".join(self.mechanisms))
        return capabilities
