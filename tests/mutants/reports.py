"""Mutants of reading reports that strangers send: what is packed, what nests, what is repeated, who vouches for it."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_ROW = "reports that are bombs or lies"

_DOCUMENTS = "tests/mailauth/test_report_documents.py::"
_RECEIVE = "tests/reports/test_receive.py::"
_GOES = "tests/mailauth/test_report_destinations.py::"

_PACKED = "hongyan.mailauth.reports.packed:"
_XML = "hongyan.mailauth.reports.aggregate_reader:"
_JSON = "hongyan.mailauth.reports.tls:"


def _mutant(name: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, _ROW, (change,), tests)


MUTANTS = (
    _mutant(
        "reports-unpack-without-bound",
        Change(f"{_PACKED}_inflate", "octets, limit + 1)", "octets)[:limit]"),
        f"{_DOCUMENTS}test_a_bomb_does_not_go_off",
    ),
    _mutant(
        "reports-unpacked-of-any-size",
        Change(f"{_PACKED}_within", "if len(document) > limit:", "if False:"),
        f"{_DOCUMENTS}test_a_bomb_does_not_go_off",
    ),
    _mutant(
        "reports-cut-off-are-whole",
        Change(f"{_PACKED}_inflate", "if not inflater.eof:", "if False:"),
        f"{_DOCUMENTS}test_what_cannot_be_unpacked_is_a_fault",
    ),
    _mutant(
        "reports-of-any-number-in-a-letter",
        Constant("hongyan.mailauth.reports.mailed:_MOST_FAULTS", 1000),
        f"{_DOCUMENTS}test_a_letter_of_many_bombs_is_given_up_after_a_few",
    ),
    _mutant(
        "report-with-a-document-type",
        Change(f"{_XML}_parse", 'raise ReportFault("it has a document type")', "return"),
        f"{_DOCUMENTS}test_what_is_no_report_is_a_fault_and_nothing_worse",
    ),
    _mutant(
        "report-nests-without-end",
        Change(f"{_XML}_parse", "len(open_elements) >= _MAX_DEPTH or", ""),
        f"{_DOCUMENTS}test_what_is_no_report_is_a_fault_and_nothing_worse",
    ),
    _mutant(
        "report-with-a-record-of-any-size",
        Change(f"{_XML}_parse", " or count > _MAX_ELEMENTS", ""),
        f"{_DOCUMENTS}test_what_is_no_report_is_a_fault_and_nothing_worse",
    ),
    _mutant(
        "report-with-elements-without-number",
        Change(f"{_XML}_parse", "if total > _MOST_ELEMENTS:", "if False:"),
        f"{_DOCUMENTS}test_a_report_of_many_elements_is_refused_before_they_cost_seconds",
    ),
    _mutant(
        "report-with-records-without-number",
        Change(f"{_XML}_Reading.take", "if len(self.rows) >= MAX_ROWS:", "if False:"),
        f"{_DOCUMENTS}test_a_report_with_too_many_records_is_refused",
    ),
    _mutant(
        "report-with-text-of-any-size",
        Change(f"{_XML}_parse", "piece[: _MAX_TEXT - element.length]", "piece"),
        f"{_DOCUMENTS}test_texts_of_strangers_are_short_and_hold_no_controls",
    ),
    _mutant(
        "report-texts-forge-lines",
        Change(f"{_XML}_Element.value", '_CONTROLS.sub(" ", "".join(self.pieces))', '"".join(self.pieces)'),
        f"{_DOCUMENTS}test_texts_of_strangers_are_short_and_hold_no_controls",
    ),
    _mutant(
        "tls-report-texts-of-any-size",
        Change(f"{_JSON}_text", '_CONTROLS.sub(" ", told[:_MAX_TEXT])', "told"),
        f"{_DOCUMENTS}test_texts_of_a_tls_report_are_short_and_hold_no_controls",
    ),
    _mutant(
        "tls-report-with-lists-without-end",
        Change(f"{_JSON}_list", "told[:most]", "told"),
        f"{_DOCUMENTS}test_lists_of_a_tls_report_have_an_end",
    ),
    _mutant(
        "tls-report-of-any-depth",
        Change(f"{_JSON}read_tls_report", "(ValueError, RecursionError)", "ValueError"),
        f"{_DOCUMENTS}test_json_that_is_no_report_is_a_fault_and_nothing_worse",
    ),
    _mutant(
        "reports-that-nobody-vouches-for",
        Change(
            "hongyan.reports.receive:ReportReader.keep",
            "if sender is None:",
            "sender = sender or 'x.test'\n        if False:",
        ),
        f"{_RECEIVE}test_what_nobody_vouches_for_is_a_letter_and_no_more",
    ),
    _mutant(
        "reports-on-domains-of-others",
        Change("hongyan.reports.receive:ReportReader._find_ours", "if self._domains.is_local(domain):", "if True:"),
        f"{_RECEIVE}test_a_report_on_the_domain_of_others_is_not_kept",
    ),
    _mutant(
        "reports-of-any-time",
        Change(
            "hongyan.reports.receive:ReportReader._is_possible",
            "is_past and report.end - report.begin <= _LONGEST",
            "True",
        ),
        f"{_RECEIVE}test_a_report_of_a_time_that_cannot_be_is_not_kept",
    ),
    _mutant(
        "reports-of-one-sender-without-number",
        Change("hongyan.engines.sql.received_reports:_add", "ones >= most_a_day or", ""),
        f"{_RECEIVE}test_one_sender_cannot_fill_the_disk",
    ),
    _mutant(
        "reports-of-everybody-without-number",
        Change("hongyan.engines.sql.received_reports:_add", " or everybodys >= most_a_day * _SENDERS", ""),
        f"{_RECEIVE}test_many_names_of_one_sender_cannot_fill_the_disk",
    ),
    _mutant(
        "letters-of-any-size",
        Change("hongyan.reports.receive:ReportReader.keep", "if len(octets) > MAX_LETTER:", "if False:"),
        f"{_RECEIVE}test_what_pretends_to_be_a_report_is_counted_as_unreadable",
    ),
    _mutant(
        "reports-sent-without-consent",
        Change(
            "hongyan.mailauth.reports.destinations:_ask_consent",
            "if not records:\n        return ()",
            "if not records:\n        return (destination,)",
        ),
        f"{_GOES}test_an_address_elsewhere_without_consent_gets_nothing",
    ),
    _mutant(
        "reports-sent-on-to-others",
        Change(
            "hongyan.mailauth.reports.destinations:_ask_consent",
            "any(one is None or one.host != destination.host for one in instead)",
            "False",
        ),
        f"{_GOES}test_who_agrees_cannot_send_it_on_to_somebody_else",
    ),
    _mutant(
        "reports-sent-to-many",
        Constant("hongyan.mailauth.reports.destinations:MAX_DESTINATIONS", 1000),
        f"{_GOES}test_a_report_goes_to_few",
    ),
)
