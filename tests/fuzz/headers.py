"""Any octets are a header: fields keep their octets, and addresses, words, parameters and dates can be read."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.message.address_list import parse_address_list
from hongyan.message.dates import parse_date
from hongyan.message.encoded_words import decode_words, encode_words
from hongyan.message.headers import find_body, iterate_fields, select_fields, split_fields, unfold
from hongyan.message.parameters import parse_content_type, parse_disposition
from hongyan.message.structure import format_envelope
from tests.support.imap_structure import check_envelope

CORPUS: list[bytes] = [
    b'From: "Jo\\"e" (a (nested) comment) <@a,@b:joe@example.org>, x@[192.0.2.1]\r\nTo: g: a@b, c@d;, "e f"@g\r\n\r\n',
    b"Subject: =?utf-8?Q?=E5=BC=A0?= =?utf-8?b?5LiJ?= x =?gb2312*zh?B?1cXI/Q==?=\r\nDate: Mon, 6 Jan 25 9:59 EST\r\n",
    b"Content-Type: a/b; n*0*=utf-8''%E5; n*1*=%BC%A0; n*2=\"x\"; m*=''y; name=a b.txt; charset=x y\r\n\r\n",
    b'Content-Disposition: attachment; filename*0=a; filename*1=b; filename="c\\\\d"\r\n\r\n',
    b"Date: Wed Nov 20 10:05:00 2002\nFrom : obsolete\nfolded\n :\n\tvalue\nno field\n\nbody",
    b"Subject: caf\xe9 \xb9\xfa\r\nTo: \xe5\xbc\xa0 <\xe5\xbc\xa0@\xe4\xbe\x8b>\r\nCc: <<a@b>>, (c, d@e;f:g\r\n\r\n",
    b'=?=?=?utf-7?q?+2AA-?= =?a?b?c?d?= ,,;;::<>@@(("\\',
]
_LONGEST = 8192


def target(octets: bytes) -> None:
    octets = octets[:_LONGEST]
    body = find_body(octets, 0, len(octets))
    assert 0 <= body <= len(octets)
    block = octets[:body]
    fields = split_fields(block)
    assert b"\n".join(fields) == block.replace(b"\0", b"")
    everything = select_fields(block, frozenset(), inverted=True)
    assert select_fields(everything, frozenset(), inverted=True) == everything
    for _, value in iterate_fields(block):
        _read_value(value)
    _read_value(unfold(octets))
    folded = {b"from": [unfold(octets)], b"subject": [unfold(octets)], b"date": [unfold(octets)]}
    check_envelope(format_envelope(folded))
    check_envelope(format_envelope(folded, utf8=True), utf8=True)


def _read_value(value: bytes) -> None:
    assert b"\n" not in value
    assert b"\r" not in value
    text = decode_words(value)
    text.encode()
    again = encode_words(text)
    assert again.isascii()
    if not text.isascii():
        assert all(len(word) <= 75 for word in again.split(b" "))
        assert decode_words(again) == text
    opened = False
    for address in parse_address_list(value):
        if address.domain is None:
            assert opened is (address.local_part is None)
            opened = not opened
    assert not opened
    seconds = parse_date(value)
    assert seconds is None or -(10**11) < seconds < 3 * 10**11
    for parsed in (parse_content_type(value), parse_disposition(value)):
        for parameter in parsed.parameters if parsed else ():
            parameter.text.encode()
            assert parameter.extended.isascii()
            assert b" " not in parameter.extended
