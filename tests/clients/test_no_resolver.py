"""A DNS that nobody asks answers at once."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from hongyan.clients.dns_query import DnsOptions
from hongyan.clients.no_resolver import NoResolver
from hongyan.clients.resolver import DnsResolver, make_resolver
from hongyan.mailauth.resolver import DnsTemporary
from tests.support.clock import FakeClock


async def test_every_question_fails_for_now() -> None:
    resolver = make_resolver(DnsOptions(enabled=False), FakeClock())
    for asking in (
        resolver.txt("example.org"),
        resolver.mx("example.org"),
        resolver.addresses("example.org"),
        resolver.ptr(ip_address("192.0.2.1")),
        resolver.tlsa("_25._tcp.example.org"),
        resolver.records("example.org", "CAA"),
    ):
        with pytest.raises(DnsTemporary):
            await asking


async def test_localhost_is_known_without_the_dns() -> None:
    answer = await NoResolver().addresses("mail.localhost", version=6)
    assert answer.records == (ip_address("::1"),)


def test_the_dns_is_asked_unless_it_is_switched_off() -> None:
    assert isinstance(make_resolver(DnsOptions(), FakeClock()), DnsResolver)
