"""Explanations for people."""

from __future__ import annotations

import re

import pytest

from hongyan.queue.causes import Cause, explain


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_a_status_a_line_and_an_explanation_of_its_own(cause: Cause) -> None:
    assert re.fullmatch(r"[45]\.\d\.\d{1,2}", cause.status)
    assert cause.line.isascii()
    assert not cause.line.endswith(".")
    assert explain(cause.status).chinese.endswith("。")


def test_causes_are_distinct() -> None:
    assert len({cause.line for cause in Cause}) == len(list(Cause)) == len(Cause.__members__)


def test_a_status_that_nobody_knows_is_explained_by_its_subject() -> None:
    assert explain("5.1.999") == explain("4.1.0")
    assert explain("5.9.1") == explain("5.0.0") == explain("9.77.3")
    assert explain("4.2.2") == explain("5.2.2") != explain("5.2.0")


def test_explanations_are_in_both_languages() -> None:
    for status in ("5.1.1", "5.1.2", "5.2.2", "5.3.4", "4.4.7", "5.7.26", "5.6.7"):
        explanation = explain(status)
        assert explanation.english.isascii()
        assert re.search("[\u4e00-\u9fff]", explanation.chinese)
