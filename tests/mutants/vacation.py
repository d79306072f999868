"""Mutants of answers while people are away: each rule of whom is not answered is switched off once."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "automatic answers"
_RULES = "hongyan.rules.vacation:"
_PURE = "tests/rules/test_vacation.py::"
_WEB = "tests/web/jmap/test_vacation_response.py::"
_STORE = "tests/contract/test_vacations.py::"
_LISTS = f"{_PURE}test_lists_programs_and_mail_to_others_get_none"


def _mutant(name: str, target: str, before: str, after: str, *tests: str) -> Mutant:
    return Mutant(name, _ROW, (Change(target, before, after),), tests)


MUTANTS = (
    _mutant("vacation-answers-lists", f"{_RULES}_find_silence_of_fields", "name in fields", "False", _LISTS),
    _mutant(
        "vacation-answers-bulk", f"{_RULES}_find_silence_of_fields", "not _BULK.isdisjoint", "_BULK.issubset", _LISTS
    ),
    _mutant("vacation-answers-answers", f"{_RULES}_is_automatic", 'value != b"no"', "False", _LISTS),
    _mutant(
        "vacation-answers-programs",
        f"{_RULES}_find_silence_of_fields",
        "_PROGRAMS.fullmatch(sender.local_part)",
        "False",
        f"{_PURE}test_senders_that_are_programs_get_none",
    ),
    _mutant(
        "vacation-answers-forged-senders",
        f"{_RULES}find_silence",
        "message.is_forged",
        "False",
        f"{_PURE}test_nobody_oneself_and_forged_senders_get_none",
    ),
    _mutant(
        "vacation-answers-what-failed-spf",
        "hongyan.delivery.vacation:_is_forged",
        "return has_failed and",
        "return False and",
        "tests/delivery/test_vacation.py::test_a_sender_whom_a_check_denies_and_none_vouches_for_is_forged",
    ),
    _mutant(
        "vacation-answers-oneself",
        f"{_RULES}find_silence",
        "message.sender.canonical in own",
        "False",
        f"{_PURE}test_nobody_oneself_and_forged_senders_get_none",
    ),
    _mutant(
        "vacation-answers-mail-to-others",
        f"{_RULES}_find_silence_of_fields",
        "address in own",
        "True",
        _LISTS,
    ),
    _mutant(
        "vacation-answers-each-time",
        "hongyan.engines.sql.vacations:_claim",
        "to_stamp(now), to_stamp(again_after)),\n    )\n    return",
        "to_stamp(now), to_stamp(now)),\n    )\n    return",
        f"{_STORE}test_a_sender_is_answered_once_and_again_after_some_days",
    ),
    _mutant(
        "vacation-answers-without-end",
        "hongyan.engines.sql.vacations:_claim",
        "rows[0][0] >= most",
        "False",
        f"{_STORE}test_so_many_are_answered_within_a_day_and_no_more",
    ),
)
