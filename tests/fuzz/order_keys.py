"""What messages are sorted and threaded by, from header fields as strangers write them.

Invariant: keys and links are bounded, whatever the fields hold; the base of a base subject is itself; links are read
from their octets as they were written.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from struct import unpack

from hongyan.message.base_subject import find_base_subject
from hongyan.message.order_keys import MAX_KEY, MAX_LINKS, MAX_THREAD_LINKS, read_order_keys

CORPUS: list[bytes] = [
    (
        b'Subject: Re: [a] =?utf-8?q?Fwd:_x?= (fwd)\r\nFrom: "A" <a@b.test>\r\nTo: t: x@y;\r\n'
        b"Cc: =?gbk?b?xOM=?= <c@d>\r\n"
        b'Message-ID: <"a\\b"@c>\r\nReferences: <1@a> <2@a>\r\n <3@a>\r\nIn-Reply-To: <4@a>\r\n'
    ),
    b"Subject: [fwd: [fwd: re [x]: \xe5\x9b\x9e\xe5\xa4\x8d: y] (fwd)]\r\nFrom: \r\nReferences: <<>> <a> <b@>\r\n",
    b"References: " + b"<a@b>" * 200 + b"\r\nSubject: " + b"[]re:" * 200 + b"\r\n",
]


def target(octets: bytes) -> None:
    keys = read_order_keys(octets)
    for text in (keys.subject, keys.from_, keys.to, keys.cc, keys.from_name, keys.to_name):
        assert len(text) <= MAX_KEY
    assert 1 <= len(keys.links) <= MAX_LINKS + 1
    assert 1 <= len(keys.thread_links) <= MAX_THREAD_LINKS + 1
    packed = keys.packed_links()
    assert unpack(f"<{len(packed) // 8}q", packed) == keys.links
    assert 0 not in keys.links[1:]
    base = find_base_subject(octets.decode("latin-1"))
    assert find_base_subject(base.text).text == base.text
