"""Tokens of folded text, and what is read from a needle."""

from __future__ import annotations

from hongyan.search.query import MAX_WORDS, Vocabulary, plan_needle
from hongyan.search.tokenize import END, GAP, LONG, Tokens


def test_words_are_parted_by_single_spaces_and_other_joints_are_tokens() -> None:
    assert Tokens.of(["quarterly report"]).text == "quarterly report"
    assert Tokens.of(["li@geese.test"]).text.split() == ["li", "@", "geese", ".", "test"]
    assert Tokens.of(["wait ... what"]).text.split() == ["wait", GAP, "what"]


def test_each_chinese_character_begins_one_token() -> None:
    assert Tokens.of(["明天开会"]).text.split() == ["明天", "天开", "开会", "会"]


def test_no_phrase_reaches_from_one_text_into_the_next() -> None:
    assert Tokens.of(["one", "two"]).text.split() == ["one", END, "two"]


def test_what_is_no_word_is_gathered_as_threes() -> None:
    tokens = Tokens.of(["id 4xk29fz81"])
    assert tokens.text == f"id 4xk29fz81 {LONG}"
    assert {"4xk", "xk2", "81", "1"} <= tokens.grams
    assert tokens.words() == {"id"}


def test_words_of_a_vocabulary_are_found_by_their_parts() -> None:
    vocabulary = Vocabulary("meeting\nting\ntinge")
    assert list(vocabulary.containing("ting")) == ["meeting", "ting", "tinge"]
    assert list(vocabulary.ending("ting")) == ["meeting", "ting"]


def test_a_phrase_that_says_all_of_the_needle_is_sure() -> None:
    plan = plan_needle("rly report")
    assert plan is not None
    phrases, is_all = plan.phrases(Vocabulary("quarterly\nearly"))
    assert is_all
    assert {phrase.tokens for phrase in phrases if phrase.is_sure} == {("quarterly", "report"), ("early", "report")}
    assert all(phrase.long_runs for phrase in phrases if not phrase.is_sure)


def test_a_joint_at_the_edge_has_to_be_read() -> None:
    plan = plan_needle(" report")
    assert plan is not None
    assert not any(phrase.is_sure for phrase in plan.phrases(Vocabulary("report"))[0])


def test_a_joint_at_the_edge_is_sure_where_it_stands_alone() -> None:
    plan = plan_needle("@geese.")
    assert plan is not None
    phrases, _ = plan.phrases(Vocabulary("geese"))
    assert {(phrase.tokens, phrase.is_sure) for phrase in phrases} == {(("geese",), False), (("@", "geese", "."), True)}


def test_what_is_no_word_is_sure_from_its_beginning_on() -> None:
    for needle, sure in (("4xk29fz81", ("4xk29fz81",)), ("4xk29fz81.q", ("4xk29fz81", LONG, ".", "q"))):
        plan = plan_needle(needle)
        assert plan is not None
        phrases, _ = plan.phrases(Vocabulary(""))
        assert [phrase.tokens for phrase in phrases if phrase.is_sure] == [sure]
        assert all(phrase.long_runs for phrase in phrases if not phrase.is_sure)


def test_of_too_many_words_some_are_sure_and_the_rest_is_read() -> None:
    plan = plan_needle("a")
    assert plan is not None
    phrases, is_all = plan.phrases(Vocabulary("\n".join(f"a{number}" for number in range(MAX_WORDS + 5))))
    assert not is_all
    assert sum(phrase.is_sure and not phrase.is_prefix for phrase in phrases) == MAX_WORDS


def test_without_a_letter_the_index_is_of_no_help() -> None:
    assert plan_needle("") is None
    assert plan_needle(" -- ") is None
