"""Canonical forms: the rules of RFC 6376 §3.4, and that chunking changes nothing."""

from __future__ import annotations

import hashlib
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.canonical import (
    BodyDigests,
    BodyHasher,
    Canonicalization,
    FieldStacks,
    canonical_field,
    select_fields,
    split_fields,
)

SIMPLE, RELAXED = Canonicalization.SIMPLE, Canonicalization.RELAXED


def reference_body(body: bytes, form: Canonicalization) -> bytes:
    """The rules as the RFC words them, line by line."""
    lines = body.split(b"\r\n")
    if form is RELAXED:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"\r\n" if form is SIMPLE else b""
    return b"\r\n".join(lines) + b"\r\n"


def digest(form: Canonicalization, *chunks: bytes) -> bytes:
    hasher = BodyHasher(form)
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.digest()


@pytest.mark.parametrize(
    ("body", "relaxed", "simple"),
    [
        (b"", b"", b"\r\n"),
        (b"\r\n\r\n", b"", b"\r\n"),
        (b" \t\r\n\r\n", b"", b" \t\r\n"),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n", b" C \r\nD \t E\r\n"),
        (b"no end", b"no end\r\n", b"no end\r\n"),
        (b"no end \t", b"no end\r\n", b"no end \t\r\n"),
        (b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
        (b"bare\rand\nbare\r\n", b"bare\rand\nbare\r\n", b"bare\rand\nbare\r\n"),
        (b"a\v\fb \x0c\r\n", b"a\v\fb \x0c\r\n", b"a\v\fb \x0c\r\n"),
    ],
)
def test_a_body_has_the_form_that_the_standard_shows(body: bytes, relaxed: bytes, simple: bytes) -> None:
    assert digest(RELAXED, body) == hashlib.sha256(relaxed).digest()
    assert digest(SIMPLE, body) == hashlib.sha256(simple).digest()


pieces = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"\n", b"a", b"bc", b"\xff", b"    "]), max_size=40)


@given(pieces, st.sampled_from([SIMPLE, RELAXED]), st.lists(st.integers(0, 80), max_size=6))
def test_any_chunking_gives_the_same_digest(parts: list[bytes], form: Canonicalization, cuts: list[int]) -> None:
    body = b"".join(parts)
    edges = sorted({0, len(body), *(min(cut, len(body)) for cut in cuts)})
    chunks = [body[start:end] for start, end in itertools.pairwise(edges)]
    assert digest(form, *chunks) == hashlib.sha256(reference_body(body, form)).digest()


def test_ten_megabytes_of_white_space_are_hashed_without_being_kept() -> None:
    for filler in (b" " * 65536, b"\r\n" * 32768, b" \r\n" * 20000, b"\r" * 65536, b"\r\r\n" * 20000):
        hasher = BodyHasher()
        for _ in range(160):
            hasher.update(filler)
            assert len(hasher._rest) <= 2
        hasher.digest()


def test_fields_are_split_as_received_and_garbage_is_left_out() -> None:
    header = b"From : a@example.org\r\nSubject: one\r\n\ttwo\r\nno field at all\r\nTO:b\r\n\r\n"
    assert [(field.name, field.raw) for field in split_fields(header)] == [
        (b"from", b"From : a@example.org"),
        (b"subject", b"Subject: one\r\n\ttwo"),
        (b"to", b"TO:b"),
    ]


def test_a_field_is_relaxed_as_the_standard_shows() -> None:
    assert canonical_field(b"A: X", RELAXED) == b"a:X"
    assert canonical_field(b"B : Y\t\r\n\tZ  ", RELAXED) == b"b:Y Z"
    assert canonical_field(b"B : Y\t\r\n\tZ  ", SIMPLE) == b"B : Y\t\r\n\tZ  "
    assert canonical_field(b"C:\v x\f", RELAXED) == b"c:\v x\f"
    assert canonical_field(b"Empty:", RELAXED) == b"empty:"


def test_fields_that_come_again_are_chosen_from_the_bottom() -> None:
    fields = split_fields(b"A: 1\r\nB: 2\r\nA: 3\r\n")
    chosen = [field.raw for field in select_fields(fields, [b"a", b"a", b"a", b"c", b"b"])]
    assert chosen == [b"A: 3", b"A: 1", b"B: 2"]


def test_a_signature_is_passed_over_where_it_names_its_own_field() -> None:
    fields = split_fields(b"A: 1\r\nA: 2\r\nA: 3\r\n")
    stacks = FieldStacks(fields)
    assert [each.raw for each in stacks.select([b"a"] * 5, besides=fields[2])] == [b"A: 2", b"A: 1"]
    assert [each.raw for each in stacks.select([b"a"] * 5, besides=fields[1])] == [b"A: 3", b"A: 1"]
    assert [each.raw for each in stacks.select([b"a"] * 5, besides=fields[0])] == [b"A: 3", b"A: 2"]


def test_digests_are_made_for_the_forms_that_are_asked_for() -> None:
    digests = BodyDigests()
    assert not digests.needed
    for form in (SIMPLE, RELAXED, SIMPLE):
        digests.require(form)
    assert digests.needed
    digests.update(b"a  b \r\n")
    digests.update(b"\r\n")
    for form in (SIMPLE, RELAXED):
        assert digests.digest(form) == digests.digest(form) == digest(form, b"a  b \r\n\r\n")
