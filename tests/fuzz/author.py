"""From: whom a message says that it is by.

Invariant: domains are named or refused; and where one address is told, its domain is the only one that is named.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.mailauth.author import MAX_AUTHOR_DOMAINS, UnfitAuthor, read_author

CORPUS: list[bytes] = [
    b"From: Ann Goose <ann@geese.test>\r\nSubject: x\r\n\r\n",
    b'from : "a@b.test" (c (d@e.test)) <f@g.test>, group: h@[192.0.2.1] ;\r\n\r\n',
    b"From: \xe9\x9b\x81@\xe9\xb8\xbf\xe9\x9b\x81.test.\r\n\tx@y\r\nFrom:<@a.test:b@c.test>\r\n",
    b"From: jo @ work <jo@example.org> (x) \\\r\n",
]


def target(octets: bytes) -> None:
    domains, author = read_author(octets)
    if not isinstance(domains, UnfitAuthor):
        assert 1 <= len(domains) <= MAX_AUTHOR_DOMAINS
    if author is not None:
        assert domains == (author.domain,)
