"""The settings of `[domains]`: how the DNS of our domains is watched, and when their keys change."""

from __future__ import annotations

__all__ = ["DomainOptions"]

import re
from dataclasses import dataclass
from ipaddress import ip_address

from hongyan.options import option

_ISSUER = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class DomainOptions:
    """The section `[domains]`."""

    require_ready: bool = option(
        False,
        "Take mail for other servers from a domain's users only once its SPF, DKIM, DMARC, MX and PTR are right or"
        " waived; until then they are told to try later.",
    )
    check_every: int = option(6, "How often the DNS of each domain is looked at; 0: only when asked.", unit="hours")
    publish: bool = option(
        False, "Write the records that a domain wants into the zones that [[dns_update]] and [[dns_provider]] name."
    )
    resolvers: tuple[str, ...] = option(
        (), "Public resolvers that `hongyan domain check` compares with our own, as in 9.9.9.9 or [2620:fe::fe]:53."
    )
    authorities: tuple[str, ...] = option(
        ("letsencrypt.org",), "Authorities that may issue certificates for the host, as CAA names them."
    )
    sending_addresses: tuple[str, ...] = option(
        (), "Addresses that mail leaves from, where they are not those of the host's name."
    )
    dkim_rotate: int = option(180, "After how long a DKIM key is followed by a new one; 0: never.", unit="days")
    dkim_retire: int = option(
        7, "How long the record of a former DKIM key stays, for mail that is on its way.", unit="days"
    )

    def __post_init__(self) -> None:
        if self.check_every < 0 or self.dkim_rotate < 0:
            raise ValueError("check_every and dkim_rotate are not negative")
        if self.require_ready and not self.check_every:
            raise ValueError("require_ready needs check_every: a domain becomes ready by being looked at")
        if self.dkim_retire < 5:
            raise ValueError("dkim_retire is 5 days at least: mail may wait so long on its way (RFC 5321 §4.5.4.1)")
        if not all(_ISSUER.fullmatch(authority) for authority in self.authorities):
            raise ValueError("an authority is a name in lower case, as in letsencrypt.org (RFC 8659 §4.2)")
        for address in self.sending_addresses:
            ip_address(address)
