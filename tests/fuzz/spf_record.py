"""SPF: a record, an explanation and a HELO name, written by strangers.

Invariant: nothing but `SpfRecordFault` comes out of a record; a check gives one of its words with a
reason that is safe in a comment, asks no more than its limits allow and only for names that the DNS
can have; and an explanation is printable ASCII that fits into a reply.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from ipaddress import ip_address

from hongyan.mailauth.spf import MAX_EXPLANATION, Inquiry, SpfLimits, SpfResult, check_host
from hongyan.mailauth.spf_macros import is_askable
from hongyan.mailauth.spf_record import SpfRecordFault, parse_record
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver

_CLIENTS = tuple(map(ip_address, ("192.0.2.3", "2001:db8::cb01", "::ffff:203.0.113.1")))
_DOMAIN = "example.com"

CORPUS: list[bytes] = [
    b"v=spf1 a mx/24//64 ptr:example.com ip4:192.0.2.0/24 ip6:2001:db8::/32 include:b.example -all",
    b"v=spf1 exists:%{ir}.%{v}.%{l1r-}.lp._spf.%{d2} redirect=%{p}.example.com exp=why.example.com",
    b"%{i} is not one of %{D}'s%_%%%- see http://%{d}/?s=%{S}&h=%{h1r+.,/_=}&p=%{p}&c=%{c}&r=%{R}&t=%{t}",
    b"v=spf1 include:%{o} ?a:%{s}.%{h}.b.example/0//0 mx:b.example moo=%{d} ~all exp=%{o}",
    b"v=spf1 -all exp=why.example.com\nNot from %{c}, %{l}!\nHELO.example.org",
]


def target(octets: bytes) -> None:
    record, _, rest = octets.partition(b"\n")
    explanation, _, helo = rest.partition(b"\n")
    for text in (record, b"v=spf1 " + record):
        try:
            parse_record(text)
        except SpfRecordFault:
            pass
        for client in _CLIENTS:
            resolver = _zone(text, explanation or record)
            inquiry = Inquiry(resolver=resolver, clock=FakeClock(), deadline=float("inf"))
            said = helo.decode("utf-8", "surrogateescape")[:1000]
            waiting = check_host(client, _DOMAIN, f"a-b+c.{said}@{_DOMAIN}", inquiry, helo=said)
            try:
                waiting.send(None)
            except StopIteration as end:
                _require_safe(end.value, resolver)
            else:
                raise AssertionError("a resolver that answers at once is not waited for")


def _zone(record: bytes, explanation: bytes) -> FakeResolver:
    resolver = FakeResolver().add_txt(_DOMAIN, record).add_txt("why.example.com", explanation)
    resolver.add_txt("b.example", b"v=spf1 mx include:example.com a:%{d2} ~all").add_ptr("192.0.2.3", "b.example")
    return resolver.add_mx("b.example", (0, "b.example"), (1, "")).add_address("b.example", "192.0.2.3", "2001:db8::1")


def _require_safe(result: SpfResult, resolver: FakeResolver) -> None:
    assert result.reason
    for text in (result.reason, result.mechanism):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set('()"\\')
    assert result.explanation.isascii()
    assert result.explanation.isprintable()
    assert len(result.explanation) <= MAX_EXPLANATION
    limits = SpfLimits()
    assert result.lookups <= limits.terms
    assert result.void_lookups <= limits.voids + 1
    assert len(resolver.asked) <= limits.questions
    assert all(is_askable(name) for _, name in resolver.asked)
