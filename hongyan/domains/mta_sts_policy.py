"""The MTA-STS policy of our domains: other servers are told to deliver by TLS or not at all (RFC 8461).

The policy is fetched from `mta-sts.DOMAIN` by HTTPS, under a certificate that the world trusts for that name. The id in
the DNS follows from the policy itself: it changes when the policy does, and nobody has to remember it (§3.1).
"""

from __future__ import annotations

__all__ = ["PolicyMode", "make_policy", "policy_id"]

import hashlib
from typing import Literal

PolicyMode = Literal["off", "testing", "enforce"]

_MAX_AGE = 7 * 24 * 3600  # seconds; §3.2 recommends weeks
_ID_LETTERS = 20  # of 32 at most (§3.1)


def make_policy(mode: PolicyMode, hostname: str) -> str | None:
    """Return the policy of a domain whose mail that host takes; None if there is none."""
    if mode == "off":
        return None
    return f"version: STSv1\r\nmode: {mode}\r\nmx: {hostname}\r\nmax_age: {_MAX_AGE}\r\n"


def policy_id(policy: str) -> str:
    """Return the id that stands for a policy in the DNS."""
    return hashlib.sha256(policy.encode()).hexdigest()[:_ID_LETTERS]
