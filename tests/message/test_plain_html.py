"""Plain text, shown."""

from __future__ import annotations

from hongyan.message.plain_html import text_to_html


def test_quotes_nest_by_their_depth() -> None:
    assert text_to_html("> > a\n> b\nc") == (
        "<blockquote><blockquote><div>a</div></blockquote><div>b</div></blockquote><div>c</div>"
    )


def test_flowed_lines_join_within_a_quote_and_a_signature_stays_alone() -> None:
    text = ">a \n>b\none \ntwo\n-- \nAnn\n >stuffed\n> \n>> c"
    assert text_to_html(text, flowed=True) == (
        "<blockquote><div>a b</div></blockquote><div>one two</div><div>-- </div><div>Ann</div><div>&gt;stuffed</div>"
        "<blockquote><div><br></div><blockquote><div>c</div></blockquote></blockquote>"
    )
    assert text_to_html("这 \n是", flowed=True, delsp=True) == "<div>这是</div>"


def test_links_end_where_the_sentence_goes_on() -> None:
    shown = text_to_html("(see https://a.example/b_(c)), www.d.example。http://e.example/")
    assert 'href="https://a.example/b_(c)"' in shown
    assert 'href="https://www.d.example"' in shown
    assert 'href="http://e.example/"' in shown


def test_nothing_of_the_text_is_markup() -> None:
    shown = text_to_html("<img src=x onerror=pwned()> & \x00 http://x.example/\"onclick='x'<b>")
    assert "<img" not in shown
    assert "<b>" not in shown
    assert "\0" not in shown


def test_a_quote_of_any_depth_has_a_bound() -> None:
    assert text_to_html(">" * 1000 + "x").count("<blockquote>") == 20


def test_spaces_stay_as_wide_as_they_are() -> None:
    assert text_to_html("a   b") == "<div>a \u00a0 b</div>"
