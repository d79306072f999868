"""What a text means that is looked for loosely."""

from __future__ import annotations

import pytest

from hongyan.message.fold import fold_text
from hongyan.search.loose import ALL_POINTS, MAX_CLAUSES, judge, loose_needle, tokens_of


def finds(needle: str, *texts: str) -> bool:
    """Whether the needle is met by these texts together."""
    loose = loose_needle(fold_text(needle))
    assert loose is not None
    return loose.is_met(tokens_of(map(fold_text, texts)))


@pytest.mark.parametrize(
    ("needle", "text"),
    [
        ("break IMAP", "IMAP: how to break it"),
        ("IMAP bre", "IMAP is broken, breaks"),
        ("Straße", "STRASSE 5"),
        ("ＡＢＣ", "abc"),
        ("invoice20261123", "the invoice20261123x"),
        ("x" * 50, "x" * 60),
        ("北京大学", "北京的大学"),
        ("北京大学", "北京大学"),
        ("北京大学生", "大学生, 北京"),
        ("會議 budget", "budget 会议"),
        ("会", "开会"),
    ],
)
def test_words_are_found_wherever_they_stand(needle: str, text: str) -> None:
    assert finds(needle, text)


@pytest.mark.parametrize(
    ("needle", "text"),
    [
        ("break IMAP", "broken IMAP"),
        ("bre IMAP", "IMAP breaks"),
        ("a b", "b"),
        ("IMAP b", "IMAP breaks"),
        ("ting", "meeting"),
        ("北京大学", "东京大学"),
        ("北京大学", "北京"),
        ("北京大学", "北 京大 学"),
        ("大学生", "大学, 学习"),
        ("会议", "会, 议"),
    ],
)
def test_what_has_not_all_of_them_is_not_found(needle: str, text: str) -> None:
    assert not finds(needle, text)


def test_words_may_stand_in_different_places_of_a_message() -> None:
    assert finds("anna budget", "From: Anna", "about the budget")


@pytest.mark.parametrize("text", ["", " ", "...", "-_-", "\u0301"])
def test_a_text_without_words_is_not_looked_for_loosely(text: str) -> None:
    assert loose_needle(fold_text(text)) is None


def test_of_a_long_text_the_first_words_count() -> None:
    needle = loose_needle(" ".join(f"word{number}" for number in range(1000)) + "会议" * 1000)
    assert needle is not None
    assert len(needle.clauses) == MAX_CLAUSES


def test_scores_reach_from_1_to_100() -> None:
    needle = loose_needle("annual budget meet")
    assert needle is not None
    assert ALL_POINTS == 100
    assert judge(needle, ["a meeting on the budget", "annual"], []) == 1
    assert judge(needle, ["annual budget meet"], ["annual budget meet"]) == 100
    assert judge(needle, ["annual", "budget"], ["meet"]) == 0
