"""DNS block lists: addresses that a list, or whoever bought its name, answers with.

Invariant: an answer with any address that is no return code is unusable, and so is the list that gives it to a test
point; nobody is listed by no records, nor by a code that does not count; the order of records changes nothing.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from ipaddress import IPv4Address, IPv4Network, IPv6Address

from hongyan.mailauth.resolver import IPAddress
from hongyan.screening.dnsbl import BlockList, Health, Reading, judge_health, name_of, read_answer

CORPUS: list[bytes] = [
    bytes([127, 0, 0, 2]),
    bytes([127, 0, 0, 2, 127, 0, 0, 10]),
    bytes([127, 255, 255, 254]),
    bytes([203, 0, 113, 9, 127, 0, 0, 4]),
    bytes([0, 0, 0, 0]),
]
_SOME = BlockList(zone="dnsbl.example", codes=("127.0.0.4", "127.0.1.0/24"))
_ALL = BlockList(zone="dnsbl.example")
_LOOPBACK, _REFUSALS = IPv4Network("127.0.0.0/8"), IPv4Network("127.255.255.0/24")


def target(octets: bytes) -> None:
    records: list[IPAddress] = [IPv4Address(octets[at : at + 4]) for at in range(0, len(octets) & ~3, 4)][:50]
    is_strange = any(record not in _LOOPBACK or record in _REFUSALS for record in records)
    for entry in (_ALL, _SOME):
        reading = read_answer(entry, records)
        assert (reading is Reading.UNUSABLE) == is_strange
        assert reading is read_answer(entry, records[::-1])
        assert records or reading is Reading.CLEAN
    assert is_strange == (judge_health(records, []) is Health.REFUSES)
    if not is_strange:
        assert (read_answer(_ALL, records) is Reading.LISTED) == bool(records)
        assert judge_health([IPv4Address("127.0.0.2")], records) is (Health.LISTS_ALL if records else Health.GOOD)
    if len(octets) >= 16:
        assert len(name_of(IPv6Address(octets[:16]), "dnsbl.example")) <= 78
