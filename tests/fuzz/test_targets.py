"""Each fuzz target stands a few hundred inputs: a fast sample of `make fuzz`."""

from __future__ import annotations

from functools import partial

import pytest

from tests.fuzz import Target, find_targets, run
from tests.fuzz.mutate import MAX_OCTETS, Corpus, shrink

INPUTS = 400
TARGETS = find_targets()


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_keeps_its_invariant_for_a_few_hundred_inputs(name: str) -> None:
    target = TARGETS[name]
    assert target.invariant, "the module's docstring states the invariant"
    corpus = Corpus(target.corpus, seed=1)
    for _ in range(INPUTS):
        octets = corpus.next_input()
        violation = corpus.try_input(octets, partial(run, target))
        if violation is not None:
            pytest.fail(f"{target.invariant}\n{shrink(octets, partial(run, target))[:500]!r}\n{violation!r}")


def test_the_same_seed_gives_the_same_inputs() -> None:
    one, other = (Corpus((b"MAIL FROM:<a@b.test>\r\n",), seed=7) for _ in range(2))
    first = [one.next_input() for _ in range(300)]
    assert first == [other.next_input() for _ in range(300)]
    assert len(set(first)) > 200
    assert max(map(len, first)) <= MAX_OCTETS


def test_a_violation_is_found_and_made_short() -> None:
    target = Target("brackets", "two brackets never meet", (b"a [ b ] c",), _refuse_brackets)
    corpus = Corpus(target.corpus, seed=3)
    inputs = (corpus.next_input() for _ in range(20_000))
    octets = next(octets for octets in inputs if run(target, octets) is not None)
    assert shrink(octets, partial(run, target)) == b"[]"


def _refuse_brackets(octets: bytes) -> None:
    assert b"[]" not in octets
