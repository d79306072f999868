"""HTML of strangers, cleaned: what stays, what goes, and what is too much."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.message.css import SCOPE
from hongyan.message.html import MAX_HTML, CleanHtml, Images, TooComplex, clean_html
from tests.support.harmless import depth_of, find_harm
from tests.support.hostile_html import HOSTILE


def whole(clean: CleanHtml) -> str:
    return f'<style>{clean.style}</style><div class="{SCOPE}" style="{clean.body_style}">{clean.body}</div>'


@pytest.mark.parametrize("name", HOSTILE)
def test_no_attack_comes_through(name: str) -> None:
    clean = clean_html(HOSTILE[name])
    assert find_harm(whole(clean)) is None
    assert "tap.test" not in clean.style + clean.body_style


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_clean_stays_as_it_is(name: str) -> None:
    once = clean_html(HOSTILE[name])
    again = clean_html(f"<style>{once.style}</style>{once.body}")
    assert (again.body, again.style) == (once.body, once.style)


def test_a_newsletter_looks_as_it_should() -> None:
    clean = clean_html(
        "<html><head><title>t</title><style>.big{font-size:20px}@media (max-width:600px){.big{font-size:16px}}</style>"
        '<body bgcolor="#ffffff" style="margin:0"><center><table width="600" cellpadding=0><tr>'
        "<td class=big align=center style=\"font-family:'微软雅黑',Arial;color:#333\">您好 <b>Ann</b><br>"
        '<img src="data:image/png;base64,AAAA" alt=x>'
        '<p><a href="https://shop.example/?a=1&amp;b=2">Buy</a></table></center>'
    )
    assert clean.style == (
        f".{SCOPE} .m-big{{font-size:20px}}\n@media (max-width:600px){{.{SCOPE} .m-big{{font-size:16px}}}}"
    )
    assert clean.body_style == "background-color:#ffffff;margin:0"
    assert clean.body == (
        '<center><table width="600" cellpadding="0"><tbody><tr><td class="m-big" align="center" style="font-family:'
        '\'微软雅黑\',Arial;color:#333">您好 <b>Ann</b><br><img src="data:image/png;base64,AAAA" alt="x"><p>'
        '<a href="https://shop.example/?a=1&amp;b=2" target="_blank" title="https://shop.example/?a=1&amp;b=2"'
        ' rel="noopener noreferrer">Buy</a></p></td></tr></tbody></table></center>'
    )
    assert clean.links == ()


def test_pictures_come_by_the_readers_policy_alone() -> None:
    html = (
        '<img src="cid:a@b"><img src="http://one.example/x?y=1&amp;z=2">'
        '<p style="background:#fff url(//two.example/b)"><td background="https://ONE.example/b">'
        '<img src="https://[::1]/x"><img src="http://例子.example/">'
    )
    blocked = clean_html(html)
    assert blocked.remote_hosts == {"one.example": 1, "two.example": 1, "[::1]": 1, "xn--fsqu00a.example": 1}
    assert "example" not in blocked.body

    asked: list[str] = []

    def proxy(url: str) -> str:
        asked.append(url)
        return f"/proxy?n={len(asked)}"

    shown = clean_html(html, Images(map_cid={"a@b": "/part/2"}.get, map_remote=proxy))
    assert asked[0] == "http://one.example/x?y=1&z=2"
    assert (
        '<img src="/part/2"><img src="/proxy?n=1"><p style="background:#fff url(&quot;/proxy?n=2&quot;)">' in shown.body
    )
    assert find_harm(shown.body) is None


@pytest.mark.parametrize(
    "answer", ["http://elsewhere.example/", "//elsewhere.example/", "javascript:x", '/a"b', "/\\x"]
)
def test_a_policy_that_errs_does_no_harm(answer: str) -> None:
    shown = clean_html(
        '<img src="http://a.example/"><p style="background:url(http://a.example/)">',
        Images(map_remote=lambda _: answer),
    )
    assert find_harm(shown.body) is None
    assert "elsewhere" not in shown.body


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 5000,
        "<table><tr><td>" * 5000,
        "<p>x" * 50_000,
        "<span>" * 101,
        "x" * (MAX_HTML + 1),
        "<ruby><rt>" * 3000,
        "<b><div>" * 200,
    ],
    ids=lambda bomb: bomb[:16],
)
def test_what_is_too_much_is_not_cleaned(bomb: str) -> None:
    with pytest.raises(TooComplex):
        clean_html(bomb)


@pytest.mark.parametrize(
    "bomb",
    ["<b>", "<a href=http://x.y>", "<font color=red>", "<p><i>", "<nobr>", "<b><p></b>", "<svg>", "<!--", "<style>"],
)
def test_what_a_browser_opens_again_and_again_stays_small(bomb: str) -> None:
    clean = clean_html(bomb * 10_000 + "".join("<p>x</p>" for _ in range(500)))
    assert len(clean.body) < 3_000_000
    assert depth_of(clean.body[:20_000]) < 300


_PIECES = st.sampled_from(
    re.findall(
        "[^|]+",
        "<b>|</b>|<p>|</p>|<table>|<td>|</table>|<svg>|</svg>|<style>|</style>|<!--|-->|<math>|<mtext>|x|&lt;|<"
        "|<a title='|'>|<img src=x onerror=pwned()>|<a href=javascript:x>|</a>|<noscript>|</noscript>|<title>|</title>"
        "|<select>|<form>|<li>|<div>|</div>|p{color:red}|<template>|<iframe>|</iframe>|<plaintext>|<textarea>|<br>"
        "|</br>|<nobr>|<h1>|<![CDATA[|]]>|<font color=red>|<ruby><rt>|<caption>|<colgroup>|<col>|\0|&#0;|<frameset>|>",
    )
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=40))
def test_whatever_is_put_together_is_harmless_and_stays_as_it_is(pieces: list[str]) -> None:
    once = clean_html("".join(pieces))
    assert find_harm(whole(once)) is None
    again = clean_html(f"<style>{once.style}</style>{once.body}")
    third = clean_html(f"<style>{again.style}</style>{again.body}")
    assert (third.body, third.style) == (again.body, again.style)
    assert find_harm(again.body) is None
