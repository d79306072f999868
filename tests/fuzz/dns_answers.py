"""DNS: a response as it came from the network.

Invariant: it is an error of dnspython's own kind, or of a server's, or an answer whose records are
of the kinds that mail asks for; names in it are in lower case, and no record makes the reader raise.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import dns.exception
import dns.message
import dns.rdatatype
import dns.rrset

from hongyan.clients import resolver
from hongyan.clients.dns_query import NameServer, ServerFailure, read_reply
from hongyan.mailauth.resolver import DnsTemporary, MxRecord

_READERS = (resolver.read_txt, resolver.read_mx, resolver.read_ptr, resolver.read_tlsa, resolver.read_address)
_SERVER = NameServer("127.0.0.1", 53, trusted=True)


def _response(kind: str, *texts: str) -> bytes:
    query = dns.message.make_query("example.org", kind, id=1)
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text("example.org.", 300, "IN", kind, *texts))
    return response.to_wire()


CORPUS: list[bytes] = [
    _response("MX", "10 MX.example.org.", "0 ."),
    _response("TXT", '"v=spf1" " -all"', '"\\255\\000"'),
    _response("A", "192.0.2.1"),
    _response("AAAA", "2001:db8::1"),
    _response("PTR", "host.example.org."),
    _response("TLSA", "3 1 0 abcd"),
    _response("CNAME", "www.example.org."),
]


def target(octets: bytes) -> None:
    try:
        response = dns.message.from_wire(octets, ignore_trailing=True)
        reply = read_reply(response, "example.org", _SERVER)
    except (dns.exception.DNSException, ServerFailure, DnsTemporary):
        return
    assert reply.name == reply.name.lower()
    assert reply.ttl >= 0
    for record in reply.records:
        for convert in (
            resolver.read_txt,
            resolver.read_mx,
            resolver.read_ptr,
            resolver.read_tlsa,
            resolver.read_address,
        ):
            value = convert(record)
            if isinstance(value, MxRecord):
                assert value.exchange == value.exchange.lower()
