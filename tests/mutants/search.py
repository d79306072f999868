"""Mutants of the text index: it answers as reading would."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "the text index"
_INDEXER = "tests/search/test_indexer.py::"
_FILE = "tests/engines/test_text_index.py::"
_FOREST = "tests/mailboxes/test_thread_forest.py::"
_PROPERTY = "tests/search/test_index_and_scan.py::test_index_and_scan_find_the_same"
_UIDS = "hongyan.servers.imap.search_index:IndexSearch._uids"

MUTANTS = (
    Mutant(
        "messages-past-the-index-unread",
        _ROW,
        (Change(_UIDS, "(doubtful | unread)", "doubtful"),),
        (f"{_INDEXER}test_what_came_after_the_index_is_found_at_once", _PROPERTY),
    ),
    Mutant(
        "doubtful-messages-unread",
        _ROW,
        (Change(_UIDS, "among & sure, among & (doubtful | unread)", "among & (sure | doubtful), among & unread"),),
        (_PROPERTY,),
    ),
    Mutant(
        "index-of-another-history-believed",
        _ROW,
        (Change("hongyan.search.indexer:Indexer._is_of_this_history", "return all(", "return True or all("),),
        (f"{_INDEXER}test_an_index_of_a_later_state_of_the_database_is_neither_believed_nor_kept",),
    ),
    Mutant(
        "long-messages-half-indexed",
        _ROW,
        (Change("hongyan.search.indexer:_document", "if room < 0:", "if False:"),),
        (f"{_INDEXER}test_a_text_that_is_too_long_is_read_by_each_search",),
    ),
    Mutant(
        "index-pages-without-checksums",
        _ROW,
        (Change("hongyan.engines.sqlite.page_sums:_load", "return _VFS", "return None"),),
        (f"{_FILE}test_no_octet_that_flips_makes_an_answer_wrong",),
    ),
    Mutant(
        "index-takes-room-from-mail",
        _ROW,
        (Change("hongyan.engines.sqlite.index:SqliteIndex._require_room", "if room.is_short:", "if False:"),),
        (f"{_FILE}test_nothing_is_written_where_the_disk_is_at_its_reserve",),
    ),
    Mutant(
        "index-batch-goes-on-for-nobody",
        _ROW,
        (Change("hongyan.engines.sqlite.index_writer:IndexWriter.put", "if given_up.is_set():", "if False:"),),
        (f"{_FILE}test_who_is_cancelled_has_the_batch_given_up",),
    ),
    Mutant(
        "index-exchanged-between-batches-unseen",
        _ROW,
        (
            Change(
                "hongyan.engines.sqlite.index_writer:IndexWriter.put",
                "if self.file.covered() != after:",
                "if False:",
            ),
        ),
        (f"{_INDEXER}test_an_index_that_is_taken_away_between_two_batches_is_begun_anew",),
    ),
    Mutant(
        "import-holds-up-others",
        _ROW,
        (
            Change(
                "hongyan.search.indexer:Indexer._take_turn",
                "is_done = await self.advance(account)",
                "is_done = await self.catch_up(account) is None",
            ),
        ),
        (f"{_INDEXER}test_new_mail_of_others_does_not_wait_for_an_import",),
    ),
    Mutant(
        "threads-of-one-subject-changed-apart",
        _ROW,
        (Change("hongyan.mailboxes.thread_clusters:Clusters.extend", "if self._by_subject and fresh:", "if False:"),),
        (f"{_FOREST}test_a_forest_that_changes_with_the_mailbox_is_the_one_that_is_made_anew",),
    ),
)
