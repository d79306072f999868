"""What can be set for mail that is handed to other servers."""

from __future__ import annotations

__all__ = ["SmtpOptions"]

from dataclasses import dataclass
from ipaddress import ip_address

from hongyan.mailauth.resolver import IPAddress
from hongyan.options import option


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """The section `[smtp_client]`."""

    source_ipv4: str = option("", "The IPv4 address that deliveries come from; empty: the system chooses.")
    source_ipv6: str = option("", "The IPv6 address that deliveries come from; empty: the system chooses.")
    connections: int = option(20, "Connections to one relay, or to the servers of one domain.")
    chunking: bool = option(True, "Send content by BDAT to servers that offer CHUNKING.")

    def __post_init__(self) -> None:
        if self.connections < 1:
            raise ValueError("connections is 1 or more")
        for text, version in ((self.source_ipv4, 4), (self.source_ipv6, 6)):
            if text and ip_address(text).version != version:
                raise ValueError(f"{text} is not an IPv{version} address")

    def source_for(self, address: IPAddress) -> IPAddress | None:
        text = self.source_ipv4 if address.version == 4 else self.source_ipv6
        return ip_address(text) if text else None
