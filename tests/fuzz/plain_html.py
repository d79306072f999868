"""Plain text as HTML: nothing but quotes, lines and links, all of them closed, and no text unescaped."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import re

from hongyan.message.plain_html import text_to_html
from tests.support.harmless import find_harm

CORPUS: list[bytes] = [
    b"> > quoted \r\n> flowed\r\n\r\nsee https://a.example/x?y=(z). <script>\r\n-- \r\nAnn",
    b"www.a.example mailto:ann@a.example http://\xe4\xbe\x8b\xe5\xad\x90.example/\xe3\x80\x82",
    b">>>> \n>>x\n >y\n\t<img src=x onerror=pwned()>&amp;\n'\"http://x.y/'\"",
]
_TAGS = re.compile(
    r"</?(?:div|blockquote)>|<br>|</a>"
    r"|<a href=\"[^\"<>]+\" target=\"_blank\" title=\"[^\"<>]+\" rel=\"noopener noreferrer\">"
)


def target(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    for flowed, delsp in ((False, False), (True, False), (True, True)):
        html = text_to_html(text, flowed=flowed, delsp=delsp)
        assert "<" not in _TAGS.sub("", html)
        assert html.count("<blockquote>") == html.count("</blockquote>")
        assert find_harm(html) is None
