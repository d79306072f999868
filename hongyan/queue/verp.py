"""Variable envelope return paths (VERP): each recipient's copy has a reverse-path that names him. Pure.

With the delimiters `+=`, what list@example.org sends to user@example.net leaves from
<list+user=example.net@example.org>: whatever comes back to that address speaks of that recipient, however little of
it a program can read. Who submits a message asks for it by XVERP, an extension that Postfix documents (VERP_README).

The first delimiter begins a subaddress (RFC 5233 §1), so that bounces find the sender. Nothing is read back out of such
an address: it is compared with those that a message went to.
"""

from __future__ import annotations

__all__ = ["default_delimiters", "is_return_path_for", "return_path", "split_claim", "verp_address"]

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hongyan.addresses import Address, AddressFault
from hongyan.store.queue import Claim, QueuedMessage

_SECOND: Final = "="


def default_delimiters(separators: str) -> str:
    """Return the delimiters for a sender who names none, of whose domain these characters begin subaddresses."""
    return separators[:1] + _SECOND


def verp_address(sender: Address, recipient: Address, delimiters: str) -> Address:
    """Return the reverse-path that names the recipient. Raises `AddressFault` if it were too long for an address."""
    named = f"{recipient.local_part}{delimiters[1]}{recipient.domain}"
    return Address(f"{sender.local_part}{delimiters[0]}{named}", sender.domain)


def return_path(message: QueuedMessage, recipient: Address) -> Address | None:
    """Return the reverse-path with which a message goes to a recipient."""
    if message.verp is None or message.reverse_path is None:
        return message.reverse_path
    try:
        return verp_address(message.reverse_path, recipient, message.verp)
    except AddressFault:
        return message.reverse_path  # Its length was looked at when it was submitted.


def split_claim(claim: Claim) -> Sequence[Claim]:
    """Return a claim for each recipient where each has a reverse-path of his own, and so his own transaction."""
    if claim.message.verp is None:
        return (claim,)
    return [replace(claim, recipients=(recipient,)) for recipient in claim.recipients]


def is_return_path_for(written_to: Address, sender: Address, recipient: Address) -> bool:
    """Whether this is what `verp_address` makes of them, with any delimiters."""
    begin, local_part, domain = sender.local_part.lower(), recipient.local_part.lower(), recipient.domain.text
    written = written_to.local_part.lower()
    if written_to.domain != sender.domain or len(written) != len(begin) + len(local_part) + len(domain) + 2:
        return False
    first, second = written[len(begin)], written[-len(domain) - 1]
    return written == f"{begin}{first}{local_part}{second}{domain}"
