"""Any octets have tokens: no fault, no more than allowed, none long or empty, all of them text that can be stored."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.screening.spam import show_token
from hongyan.screening.spam_model import SERVER_PLACES, places_of
from hongyan.screening.tokens import MAX_TOKENS, origin_tokens, read_tokens, words_of

CORPUS: list[bytes] = [
    b'From: "Win" <a@b.test>\r\nReply-To: c@d.test\r\nSubject: =?gb2312?B?tPq/qreixrE=?=\r\n\r\nv i a g r a http://x.y',
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<a href='//u@10.0.0.1:80/'>\xe4\xbb\xa3\xe5\xbc\x80</a>www.x.y",
    b'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png; name="x.exe"\r\n\r\nx\r\n--b--',
    b"Authentication-Results: h; spf=pass; dkim=fail\r\nX-Mailer: \r\n\r\np\xd0\xb0ypal \xe2\x80\x8b\xef\xbc\xa1!!!",
    b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n/v8AYQBi",
]
_LONGEST = 300


def target(octets: bytes) -> None:
    found = read_tokens(octets, origin_tokens(octets))
    assert len(found.all) <= MAX_TOKENS
    assert len(found.all) == len(set(found.all))
    assert len(found.fingerprint) == 16
    assert found == read_tokens(octets, origin_tokens(octets))
    for token in found.all:
        assert 0 < len(token) <= _LONGEST
        shown = show_token(token)
        assert shown.isascii()
        assert shown.isprintable()
    assert all(0 <= place < SERVER_PLACES for place in places_of(found.all))
    for word in words_of(octets.decode("utf-8", "replace")):
        assert word
