"""Any octets have a text: no fault, no half characters, no more than was asked for, and HTML leaves no scripts."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.message.charsets import decode_text
from hongyan.message.fold import fold_text
from hongyan.message.outline import Outline
from hongyan.message.text import html_to_text, make_preview, message_text
from hongyan.message.transfer import Encoding, decode_transfer
from tests.support.parts import read_parts

CORPUS: list[bytes] = [
    b"\r\n".join(
        (
            b"Content-Type: text/html; charset=utf-8\r\n",
            b"<html><head><title>t</title><style>p{}</style></head><!-- c --><body>",
            b'<p title="a > b">One &amp; two<br>three</p><script>evil()</script></body></html>',
        )
    ),
    b"Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: base64\r\n\r\n1cXI/cTjusM=\r\n",
    b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s\x1b(B ok",
    b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA- +AGE-",
    b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FF=FEa=00=00=D8",
    b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\n",
    b"<<!<!-<!--<!-->--><a <b 'c>\"d<script",
    b"Content-Type: multipart/alternative; boundary=x\n\n--x\n\none\n--x\nContent-Type: text/html\n\n<i>h</i>\n--x--",
]
_CHARSETS = ["", "us-ascii", "utf-8", "utf-7", "utf-16", "gb18030", "big5", "iso-2022-jp", "hz-gb-2312", "euc-kr", "x"]
_LIMIT = 300


def target(octets: bytes) -> None:
    for charset in _CHARSETS:
        text = decode_text(octets, charset)
        text.encode()
        folded = fold_text(text)
        assert "\0" not in folded
        assert fold_text(folded) == folded
    html = decode_text(octets, "utf-8")
    shown = html_to_text(html, _LIMIT)
    assert len(shown) <= _LIMIT
    preview = make_preview(html)
    assert len(preview) <= 256
    assert not set(preview) & set("\0\r\n\t")
    for encoding in Encoding:
        assert (decode_transfer(octets, encoding) is None) is (encoding is Encoding.UNKNOWN)
    texts = list(message_text(Outline.from_parts(read_parts(octets)), octets, _LIMIT))
    assert sum(map(len, texts)) <= _LIMIT
    "".join(texts).encode()
