"""Requests of JMAP as octets and values (RFC 8620 §1, §3, §5; RFC 7493)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hongyan.wire.jmap.faults import MethodError, SetError
from hongyan.wire.jmap.filters import Condition, Operator, parse_filter
from hongyan.wire.jmap.ijson import MAX_DEPTH, JsonFault, parse_ijson
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.results import choose_window, query_delta
from hongyan.wire.jmap.standard import QueryArguments
from hongyan.wire.jmap.values import MAX_INT, is_id, is_int, is_unsigned, parse_utc_date, write_utc_date


def test_a_value_has_fifty_levels_and_no_more() -> None:
    assert parse_ijson(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 900, 200_000):
        with pytest.raises(JsonFault):
            parse_ijson(b"[" * depth + b"]" * depth)


def test_json_that_two_programs_might_read_differently_is_refused() -> None:
    for octets in (
        b'{"a":1,"a":1}',
        b'"\\ud800"',
        b'["\\udc00\\ud800"]',
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"\xff",
        b"",
        b"1 2",
    ):
        with pytest.raises(JsonFault):
            parse_ijson(octets)
    assert parse_ijson(b'"\\ud83e\\udebf"') == "\U0001fabf"
    assert isinstance(parse_ijson(b"9" * 60), float)


def test_ids_and_numbers_are_those_of_the_standard() -> None:
    assert all(map(is_id, ("a", "A-_9", "x" * 255)))
    assert not any(map(is_id, ("", "x" * 256, "a b", "ä", "a=", "#a", "a\n", 7, None)))
    assert is_int(-MAX_INT)
    assert not any(map(is_int, (True, 1.0, MAX_INT + 1, "1")))
    assert not is_unsigned(-1)


def test_dates_are_read_and_written_in_one_form() -> None:
    noon = datetime(2014, 10, 30, 6, 12, tzinfo=UTC)
    assert parse_utc_date("2014-10-30T06:12:00Z") == noon
    assert parse_utc_date("2014-10-30T14:12:00+08:00", any_zone=True) == noon
    assert write_utc_date(noon) == write_utc_date(1414649520) == "2014-10-30T06:12:00Z"
    assert write_utc_date(datetime(4, 1, 1, tzinfo=UTC)) == "0004-01-01T00:00:00Z"
    for wrong in ("2014-10-30T14:12:00+08:00", "2014-10-30t06:12:00z", "2014-13-30T06:12:00Z", "2014-10-30", 7, None):
        assert parse_utc_date(wrong) is None, wrong
    assert parse_utc_date("0001-01-01T00:00:00+14:00", any_zone=True) is None


def test_a_patch_changes_a_copy_and_is_refused_where_paths_meet() -> None:
    record = {"a": {"b": 1, "x/y": 2}, "list": [1], "order": 7}
    assert apply_patch(record, {"a/b": None, "a/x~1y": 3, "new": 4, "order": None}, {"order": 0}) == {
        "a": {"x/y": 3},
        "list": [1],
        "order": 0,
        "new": 4,
    }
    assert record == {"a": {"b": 1, "x/y": 2}, "list": [1], "order": 7}
    for patch in ({"a": {}, "a/b": 1}, {"list/0": 1}, {"none/b": 1}, {"": 1}, {"a/b": 1, "a-b": 1, "a": 2}):
        with pytest.raises(SetError) as told:
            apply_patch(record, patch)
        assert told.value.type == "invalidPatch"


def test_filters_are_read_within_bounds() -> None:
    read = parse_filter({"operator": "NOT", "conditions": [{"a": 1}, {}]})
    assert read == Operator("NOT", [Condition({"a": 1}), Condition({})])
    assert parse_filter(None) is None
    deep: object = {}
    for _ in range(30):
        deep = {"operator": "AND", "conditions": [deep]}
    wide = {"operator": "OR", "conditions": [{}] * 600}
    for wrong in (deep, wide, 7, {"operator": "XOR", "conditions": []}, {"operator": "AND", "conditions": {}}):
        with pytest.raises(MethodError):
            parse_filter(wrong)


def test_the_window_of_results_is_where_the_client_wants_it() -> None:
    def window(total: int, at: int | None = None, **asked: object) -> tuple[int, int, int | None]:
        usual: dict[str, object] = {"position": 0, "anchor": None, "anchor_offset": 0, "limit": None}
        query = QueryArguments(filter=None, sort=(), calculate_total=False, **(usual | asked))  # type: ignore[arg-type]
        found = choose_window(query, total, at, 5)
        return found.start, found.stop, found.limit

    assert window(3) == (0, 3, None)
    assert window(9) == (0, 5, 5)
    assert window(9, limit=100, position=7) == (7, 9, None)
    assert window(9, position=-2) == (7, 9, None)
    assert window(9, position=-20, limit=1) == (0, 1, None)
    assert window(9, position=20) == (9, 9, None)
    assert window(9, 4, anchor="x", anchor_offset=-10, limit=2, position=3) == (0, 2, None)
    with pytest.raises(MethodError):
        window(9, None, anchor="x")


def test_what_became_of_results_is_told_so_that_they_can_be_made_anew() -> None:
    old, new = ["a", "b", "c", "d"], ["d", "a", "x", "c"]
    removed, added = query_delta(old, new, frozenset({"d"}))
    result = [one for one in old if one not in removed]
    for at, one in added:
        result.insert(at, one)
    assert result == new
