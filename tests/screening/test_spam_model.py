"""Counts and what they say: both sides, agreement of several, fading, and coming back as they were."""

from __future__ import annotations

import pytest

from hongyan.errors import Corrupt
from hongyan.screening.spam_model import (
    ALL_VOTERS,
    OWN_PLACES,
    SERVER_PLACES,
    Counts,
    fold_places,
    places_of,
    score,
    voter_bit,
)
from hongyan.types import AccountId

PILLS, BRIDGE = ("cheap", "pills", "offer", "click"), ("bridge", "meeting", "minutes", "office")


def server(fades_at: int = 100_000) -> Counts:
    return Counts(SERVER_PLACES, shared=True, fades_at=fades_at)


def own() -> Counts:
    return Counts(OWN_PLACES, shared=False, fades_at=100_000)


def taught(times: int = 10, voter: int = ALL_VOTERS) -> Counts:
    counts = server()
    for _ in range(times):
        counts.learn(places_of(PILLS), is_spam=True, voter=voter)
        counts.learn(places_of(BRIDGE), is_spam=False, voter=voter)
    return counts


def test_words_of_one_side_speak_for_it() -> None:
    counts = taught()
    assert score(PILLS, counts).value > 0.95
    assert score(BRIDGE, counts).value < 0.05


def test_unknown_words_and_words_of_both_sides_say_nothing() -> None:
    counts = taught()
    assert score(("never", "seen"), counts).value == 0.5
    assert score((), counts).value == 0.5
    assert 0.2 < score((*PILLS, *BRIDGE), counts).value < 0.8


def test_reasons_are_the_words_that_spoke_for_the_outcome() -> None:
    reasons = score((*PILLS, "bridge", "unknown"), taught()).reasons
    assert {word for word, _ in reasons} == set(PILLS)
    assert all(belief > 0.9 for _, belief in reasons)


def test_with_one_side_alone_nothing_is_judged() -> None:
    counts = server()
    counts.learn(places_of(PILLS), is_spam=True, voter=ALL_VOTERS)
    assert score(PILLS, counts).value == 0.5


def test_what_one_account_alone_has_taught_the_server_does_not_count() -> None:
    ann, bob = voter_bit(AccountId(1)), voter_bit(AccountId(2))
    assert ann != bob
    counts = taught(voter=ann)
    assert score(PILLS, counts, agreement=2).value == 0.5
    counts.learn(places_of(PILLS[:2]), is_spam=True, voter=bob)
    counts.learn(places_of(BRIDGE), is_spam=False, voter=bob)
    assert {word for word, _ in score(PILLS, counts, agreement=2).reasons} == set(PILLS[:2])


def test_ones_own_word_weighs_more_than_that_of_others() -> None:
    mine = own()
    for _ in range(3):
        mine.learn(fold_places(places_of(BRIDGE)), is_spam=True)
        mine.learn(fold_places(places_of(PILLS)), is_spam=False)
    assert score(BRIDGE, taught(3), mine).value > 0.8
    assert score(PILLS, taught(3), mine).value < 0.2


def test_a_vote_that_is_taken_back_leaves_no_trace() -> None:
    counts = taught()
    before = score(PILLS, counts)
    counts.learn(places_of(("late", *BRIDGE)), is_spam=True, voter=1)
    counts.unlearn(places_of(("late", *BRIDGE)), is_spam=True)
    assert score(PILLS, counts) == before
    assert (counts.ham, counts.spam) == (10, 10)


def test_old_counts_fade() -> None:
    counts = server(fades_at=20)
    for _ in range(10):
        counts.learn(places_of(PILLS), is_spam=True, voter=ALL_VOTERS)
        counts.learn(places_of(BRIDGE), is_spam=False, voter=ALL_VOTERS)
    assert (counts.ham, counts.spam) == (5, 5)
    assert counts.seen(places_of(PILLS)[0], 1) == (0, 5)


def test_counts_never_overflow() -> None:
    counts = server(fades_at=1_000_000)
    for _ in range(70_000):
        counts.learn((7,), is_spam=True, voter=1)
    assert counts.seen(7, 1) == (0, 65535)


@pytest.mark.parametrize("shared", [True, False])
def test_a_table_comes_back_as_it_was(shared: bool) -> None:
    counts = Counts(OWN_PLACES, shared=shared, fades_at=1000)
    counts.learn(fold_places(places_of(PILLS)), is_spam=True, voter=3)
    again = Counts(OWN_PLACES, shared=shared, fades_at=1000)
    again.restore(counts.ham, counts.spam, counts.to_octets())
    place = places_of(PILLS)[0] & (OWN_PLACES - 1)
    assert again.seen(place, 2 if shared else 0) == (0, 1)
    assert (again.spam, again.spam_tokens, again.used) == (1, len(PILLS), counts.used)


@pytest.mark.parametrize("octets", [b"", b"nonsense", own().to_octets()[:-9], server().to_octets()])
def test_octets_that_are_no_table_are_corrupt(octets: bytes) -> None:
    with pytest.raises(Corrupt):
        own().restore(1, 1, octets)
