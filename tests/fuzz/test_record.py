"""The record of what fuzz targets stood adds up, counts nothing twice, and starts anew when the sources change."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import find_targets
from tests.fuzz.record import KEPT, Entry, at_present, digest_sources, fold, note, read_record, sum_records


def test_time_with_other_sources_is_told_apart() -> None:
    record = sum_records({"dkim": Entry("old", 60, 1000, 1)}, {"dkim": Entry("new", 30, 500)})
    assert record == {"dkim": Entry("new", 30, 500, 0, 60, 1000, 1)}
    assert at_present(record, {"dkim": "new"}) == record
    assert at_present(record, {"dkim": "newest", "spf": "x"}) == {
        "dkim": Entry("newest", 0, 0, 0, 90, 1500, 1),
        "spf": Entry("x"),
    }


def test_what_is_folded_is_moved(tmp_path: Path) -> None:
    local, kept = tmp_path / "local.json", tmp_path / "kept.json"
    for _ in range(2):
        note(local, "dkim", Entry("now", 10, 100))
    note(local, "gone", Entry("now", 10, 100))
    for _ in range(2):
        fold(local, {"dkim": "now"}, kept)
    assert not local.exists()
    assert read_record(kept) == {"dkim": Entry("now", 20, 200)}


def test_a_digest_is_that_of_what_a_target_reaches() -> None:
    assert digest_sources("dkim") == digest_sources("dkim")
    assert len({digest_sources(name) for name in find_targets()}) == len(find_targets())


def test_the_kept_record_is_of_targets_that_are_there() -> None:
    record = read_record(KEPT)
    assert record.keys() <= find_targets().keys()
    assert all(entry.inputs >= entry.seconds >= 0 for entry in record.values())
