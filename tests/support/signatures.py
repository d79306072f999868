"""DKIM signatures as a stranger looks at them: keys from the DNS, the message as it came."""

from __future__ import annotations

__all__ = ["verify_signatures"]

from pathlib import Path

from hongyan.addresses import Domain
from hongyan.clock import SystemClock
from hongyan.domains.dkim_keys import list_selectors, load_key, public_record
from hongyan.mailauth.dkim import DkimResult, Verifier
from hongyan.message.headers import find_body
from tests.support.resolver import FakeResolver


async def verify_signatures(octets: bytes, folder: Path, domain: Domain) -> list[DkimResult]:
    """Return what a message's signatures are worth; the domain's keys lie in `folder`."""
    resolver = FakeResolver()
    for record in (public_record(load_key(folder, domain, name)) for name in list_selectors(folder, domain)):
        resolver.add_txt(record.name, record.text)
    body = find_body(octets, 0, len(octets))
    verifier = Verifier(octets[:body], SystemClock().now())
    verifier.update(octets[body:])
    return list(await verifier.results(resolver))
