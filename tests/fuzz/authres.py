"""Authentication-Results: a header with fields that strangers wrote.

Invariant: a value is read or not, and what was read can be written, in one field of ASCII, and is read again as the
same methods; written in UTF-8 it is read as the same values. The ranges of the fields that claim to be ours are in
order and end where lines end, none is left when they are taken out, and each field that reads as ours is among them.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from dataclasses import replace

from hongyan.message.authres import (
    AuthenticationResults,
    parse_authentication_results,
    write_authentication_results,
)
from hongyan.message.authres_claims import find_claims
from hongyan.message.headers import find_body, iterate_fields

_US = "mx.hongyan.test"
_LONGEST = 8192

CORPUS: list[bytes] = [
    (
        b"Authentication-Results: mx.hongyan.test 1;\r\n spf=pass (a \\) (b)) smtp.mailfrom=ann@example.org;\r\n"
        b'\tdkim/1=fail reason="no \\"key\\"" header.d=example.org header.b="a/b+c="\r\nFrom: ann@example.org\r\n\r\n'
    ),
    b'authentication-results : (;) "MX.hongyan\\.test" ; none\nX: y\nAuthentication-Results\n :mx.(x)hongyan.test\n\n',
    b"Authentication-Results: =?utf-8?q?mx=2Ehongyan?=\r\n .test;none\r\nARC-Authentication-Results: i=1; a; none\r\n",
    b"Authentication\0-Results: \xef\xbd\x8dx.hongyan.test; auth=pass smtp.auth=\xe9\xb8\xbf@b\xc3\xbccher.example\r\n",
    b"Authentication-Results: mx.example.org; iprev=pass policy.iprev=\"2001:db8::1\"; x-y=z a.b=@c.d e.f=''\r\n",
]


def target(octets: bytes) -> None:
    octets = octets[:_LONGEST]
    header = octets[: find_body(octets, 0, len(octets))]
    claims = find_claims(header, [_US])
    kept, at = [], 0
    for start, end in claims:
        assert at <= start < end <= len(header)
        assert end == len(header) or header[end - 1] == 0x0A
        kept.append(header[at:start])
        at = end
    kept.append(header[at:])
    assert not any(results.authserv_id.lower() == _US for results in _results(b"".join(kept)))
    for results in _results(header):
        _write_again(results)


def _results(header: bytes) -> list[AuthenticationResults]:
    values = [value for name, value in iterate_fields(header) if name.lower() == b"authentication-results"]
    return [results for results in map(parse_authentication_results, values) if results is not None]


def _write_again(results: AuthenticationResults) -> None:
    # A comment is written with fewer characters than it may have been read with.
    plain = replace(results, results=tuple(replace(result, comment="") for result in results.results))
    written = write_authentication_results(plain, internationalized=True)
    assert parse_authentication_results(written.partition(b":")[2]) == plain
    field = write_authentication_results(results)
    assert field.isascii()
    assert len(list(iterate_fields(field))) == 1
    again = parse_authentication_results(field.partition(b":")[2])
    assert again is not None
    assert [result.method for result in again.results] == [result.method for result in results.results]
