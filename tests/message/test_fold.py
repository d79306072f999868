"""The one folded text of search."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.fold import fold_case, fold_text
from hongyan.message.han import SIMPLIFIED


def test_width_case_and_compatible_forms_are_folded() -> None:
    assert fold_text("ＡＢＣ Straße ﬁ Σς 张") == "abc strasse fi σσ 张"
    assert fold_text("a\tb\0c") == "a bc"


def test_traditional_writing_meets_simplified_writing() -> None:
    assert fold_text("會議報價單，臺灣") == fold_text("会议报价单,台湾")
    assert fold_case("會議") == "會議"


def test_no_simplified_character_is_traditional_itself() -> None:
    assert not set(SIMPLIFIED) & set(SIMPLIFIED.values())


def test_a_run_of_white_space_is_one_space() -> None:
    assert fold_text("quarterly\r\n   report") == "quarterly report"
    assert fold_text("\n a \n") == " a "
    assert fold_text(" \r\n") == " "
    assert fold_text("") == ""


def test_a_line_break_within_chinese_is_nothing() -> None:
    assert fold_text("请参加会\r\n  议") == "请参加会议"
    assert fold_text("会 议") == "会 议"
    assert fold_text("한국\n어") == fold_text("한국 어")
    assert fold_text("会议\nagenda") == "会议 agenda"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text)
