"""Whatever is cleaned holds no script, frame, form, foreign element, request or name of ours; its style stays."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.message.css import SCOPE
from hongyan.message.html import MAX_DEPTH, Images, TooComplex, clean_html
from tests.support.harmless import depth_of, find_harm
from tests.support.hostile_html import HOSTILE

CORPUS: list[bytes] = [html.encode() for html in HOSTILE.values()]
_IMAGES = Images(map_cid=lambda cid: f"/part?{len(cid)}", map_remote=lambda url: f"/proxy?{len(url)}")


def target(octets: bytes) -> None:
    html = octets.decode("utf-8", "replace")
    try:
        once = clean_html(html)
        shown = clean_html(html, _IMAGES)
    except TooComplex:
        return
    for clean in (once, shown):
        whole = f'<style>{clean.style}</style><div class="{SCOPE}" style="{clean.body_style}">{clean.body}</div>'
        assert find_harm(whole) is None, find_harm(whole)
    if len(once.body) < 20_000:
        assert depth_of(once.body) <= 3 * MAX_DEPTH
    again = clean_html(f"<style>{once.style}</style>{once.body}")
    assert find_harm(again.body) is None
    assert again.style == once.style
