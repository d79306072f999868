"""What this server finds out by itself while it sends: each cause with its status code and a line for logs and DSNs.

What it means for the sender, in plain words, is in `catalogue`.
"""

from __future__ import annotations

__all__ = ["Cause"]

from enum import Enum


class Cause(Enum):
    """What this server found out by itself: the status code, and a line for the log and for DSNs."""

    NO_SUCH_DOMAIN = ("5.1.2", "The domain does not exist")
    NULL_MX = ("5.1.10", "The domain takes no mail (null MX)")
    NO_ADDRESS = ("5.4.4", "No mail server of the domain has an address")
    UNREACHABLE_NETWORK = ("5.4.4", "The mail servers of the domain have no address that can be reached from here")
    LOOPS_TO_US = ("5.4.6", "The domain's mail servers lead back to this server, which does not serve the domain")
    TOO_MANY_HOPS = ("5.4.6", "The message has passed too many servers; it goes round in circles")
    EXPIRED = ("4.4.7", "The message could not be delivered in time")
    DNS_UNAVAILABLE = ("4.4.3", "The domain could not be looked up")
    RELAY_UNAVAILABLE = ("4.4.3", "The relay could not be looked up")
    NO_CONNECTION = ("4.4.1", "No connection to the mail server")
    TIMED_OUT = ("4.4.2", "The mail server did not answer in time")
    CONNECTION_LOST = ("4.4.2", "The connection was lost")
    BAD_REPLY = ("4.5.0", "The mail server gave an answer that is not SMTP")
    TLS_FAILED = ("4.7.5", "An encrypted connection was required and could not be made")
    DANE_FAILED = ("4.7.5", "The domain demands, by DANE, TLS with a certificate that fits its TLSA records")
    DANE_UNAVAILABLE = ("4.7.5", "The TLSA records of the mail server could not be had, or DNSSEC finds them forged")
    STS_FAILED = ("4.7.5", "The domain demands, by MTA-STS, TLS with a valid certificate")
    STS_HOST_NOT_NAMED = (
        "4.7.5",
        "The mail server that the DNS names is none of those that the domain names by MTA-STS",
    )
    TLS_LESS_THAN_BEFORE = (
        "4.7.5",
        "The domain's mail servers have offered better TLS before; they may be impersonated",
    )
    NO_REQUIRETLS = ("5.7.30", "The message demands TLS on its whole way, and the mail server does not promise it")
    LOGIN_REFUSED = ("4.7.8", "The relay did not accept our login")
    NEEDS_SMTPUTF8 = ("5.6.7", "The mail server does not take internationalized addresses")
    TOO_LARGE = ("5.3.4", "The message is larger than the mail server takes")
    CONTENT_UNREADABLE = ("4.3.0", "The message could not be read here")
    FAILED_HERE = ("4.3.0", "Something failed here")
    HELD_HERE = ("4.3.2", "Held: this server is for trying out and sends nothing to other servers")

    def __init__(self, status: str, line: str) -> None:
        self.status = status
        self.line = line

    @property
    def is_permanent(self) -> bool:
        return self.status.startswith("5")
