"""The settings of the web."""

from __future__ import annotations

__all__ = ["WebOptions"]

from dataclasses import dataclass

from hongyan.auth.passkeys import PasskeyOptions
from hongyan.auth.sessions import SessionOptions
from hongyan.domains.mta_sts_policy import PolicyMode
from hongyan.limits.networks import parse_networks
from hongyan.options import option


@dataclass(frozen=True, slots=True)
class WebOptions:
    """The section `[web]`."""

    names: tuple[str, ...] = option((), "Host names under which the web is reached, besides localhost.")
    url: str = option(
        "", "URL of the web as programs see it, such as https://mail.example.org; empty: that of each request."
    )
    max_header: int = option(16 * 1024, "Largest header of a request.", unit="octets")
    max_body: int = option(64 * 1024, "Largest body of a request.", unit="octets")
    header_timeout: float = option(10.0, "How long a request's header may take.", unit="s")
    request_timeout: float = option(30.0, "How long a request may take from its header to its answer.", unit="s")
    idle_timeout: float = option(15.0, "How long a connection is kept for another request.", unit="s")
    sessions: SessionOptions = option(SessionOptions(), "How long people stay logged in.")
    passkeys: PasskeyOptions = option(PasskeyOptions(), "What passkeys open, and how many there may be.")
    near: tuple[str, ...] = option(
        ("127.0.0.0/8", "::1/128"), "Networks that may read the metrics and the details of the server's health."
    )
    mta_sts: PolicyMode = option(
        "off", "What other servers are told of TLS (MTA-STS): off, testing or enforce; see `hongyan domain dns`."
    )
    security_contact: str = option("", "Where holes are reported: a mailto: or https: URI, shown in security.txt.")
    security_policy: str = option("", "URL of the policy for those who report holes.")
    security_languages: str = option("zh, en", "Languages in which reports are read.")

    def __post_init__(self) -> None:
        if min(self.header_timeout, self.request_timeout, self.idle_timeout) <= 0:
            raise ValueError("time-outs of requests are positive")
        if self.max_header < 1024 or self.max_body < 0:
            raise ValueError("max_header is at least 1024 octets, and max_body is not negative")
        if self.url and (not self.url.startswith(("https://", "http://")) or self.url.endswith("/")):
            raise ValueError("url begins with https:// or http:// and has no slash at its end")
        parse_networks(self.near)
        if self.security_contact and not self.security_contact.startswith(("mailto:", "https:", "tel:")):
            raise ValueError("security_contact is a URI that begins with mailto:, https: or tel: (RFC 9116 §2.5.3)")
        if not all(map(str.isprintable, (self.security_contact, self.security_policy, self.security_languages))):
            raise ValueError("each setting of security.txt is one line")
