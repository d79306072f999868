"""What the benchmark reads in IMAP answers."""

from __future__ import annotations

import pytest

from bench.answers import fetched, number_before, responses, search_hits, status_count, tokens

LITERAL = b"* 3 FETCH (UID 9 BODY[HEADER.FIELDS (From To)] {14}\r\nFrom: a\r\n) (\r\n FLAGS (\\Seen) A NIL)\r\n"


def test_a_literal_may_hold_anything() -> None:
    rows = list(responses(LITERAL + b"zb1q OK done\r\n"))
    assert len(rows) == 2
    assert rows[0][1] == b"From: a\r\n) (\r\n"


def test_items_of_a_fetch_are_read_with_brackets_literals_and_nil() -> None:
    ((number, items),) = fetched(LITERAL)
    assert number == 3
    assert items == {
        b"UID": b"9",
        b"BODY[HEADER.FIELDS (FROM TO)]": b"From: a\r\n) (\r\n",
        b"FLAGS": [b"\\Seen"],
        b"A": None,
    }


def test_quoted_strings_lose_their_quoting_and_lists_nest() -> None:
    assert tokens([b'* (a ("b \\"c\\\\" d) NIL)\r\n']) == [b"*", [b"a", [b'b "c\\', b"d"], None]]


@pytest.mark.parametrize("text", [b"* 1 FETCH (FLAGS (\r\n", b"* 1 FETCH ())\r\n", b'* 1 FETCH ("a\r\n', b'* 1 "\\'])
def test_a_response_that_breaks_off_or_does_not_match_is_a_fault(text: bytes) -> None:
    with pytest.raises(ValueError, match="the response"):
        tokens([text])


def test_only_fetch_responses_are_fetched() -> None:
    assert list(fetched(b"* 5 EXISTS\r\n* OK FETCH (\r\nzb1q OK\r\n")) == []


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        (b"* SEARCH 1 2 30\r\nzb1q OK\r\n", 3),
        (b"* SEARCH\r\nzb1q OK\r\n", 0),
        (b'* ESEARCH (TAG "zb1q") ALL 1:10,20,30:31\r\nzb1q OK\r\n', 13),
        (b'* ESEARCH (TAG "zb1q")\r\nzb1q OK\r\n', 0),
    ],
)
def test_hits_are_counted_in_both_forms_of_the_answer(answer: bytes, hits: int) -> None:
    assert search_hits(answer) == hits


def test_numbers_are_found_at_the_begin_of_lines() -> None:
    raw = b"* FLAGS (\\Seen)\r\n* 172 EXISTS\r\n* 1 RECENT\r\n* 173 EXISTS\r\nzb1q OK\r\n"
    assert number_before(raw, b"EXISTS") == 173
    assert number_before(raw, b"EXPUNGE") is None
    assert status_count(b'* STATUS "a 5" (MESSAGES 17)\r\n', b"MESSAGES") == 17
