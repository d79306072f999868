"""Mutants of passkeys, and of what an owner has to do first."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "passkeys"
_FIRST_ROW = "what comes first"

_TESTS = "tests/web/test_passkeys.py::"
_FIRST = "tests/web/test_requirements.py::"
_KEYS = "hongyan.auth.passkeys:Passkeys."
_ANSWERS = "hongyan.auth.passkey_answers:"


def _mutant(name: str, change: Change, *tests: str, row: str = _ROW) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    _mutant(
        "passkey-answer-counts-twice",
        Change(
            f"{_KEYS}_take",
            'if await self._counters.take(f"passkey-challenge {head.hex()}", 1, 2 * _LIFE.total_seconds()):',
            "if False:",
        ),
        f"{_TESTS}test_what_a_passkey_answered_counts_once_and_in_time",
    ),
    _mutant(
        "passkey-challenge-for-ever",
        Change(
            f"{_KEYS}_take",
            'if self._clock.now().timestamp() > int.from_bytes(head[:_WHEN], "big"):',
            "if False:",
        ),
        f"{_TESTS}test_what_a_passkey_answered_counts_once_and_in_time",
    ),
    _mutant(
        "passkey-challenge-of-anybody",
        Change(
            f"{_KEYS}_take",
            "if len(proof) != _PROOF or not hmac.compare_digest(proof, self._proof(use, account, head)):",
            "if False:",
        ),
        f"{_TESTS}test_a_challenge_is_for_what_it_was_made",
    ),
    _mutant(
        "passkey-of-another-account",
        Change(
            f"{_KEYS}check",
            "if passkey is None or passkey.host != page.host or (account is not None and passkey.account != account):",
            "if passkey is None:",
        ),
        f"{_TESTS}test_a_passkey_of_another_account_is_no_second_factor",
    ),
    _mutant(
        "passkey-alone-without-its-owner",
        Change(f"{_ANSWERS}check_claim", "require_user_verification=recognised,", "require_user_verification=False,"),
        f"{_TESTS}test_a_passkey_that_knows_its_owner_opens_the_web_alone",
    ),
    Mutant(
        "passkey-copies-are-shrugged-off",
        _ROW,
        (
            Change(
                f"{_ANSWERS}check_claim",
                "credential_current_sign_count=sign_count,",
                "credential_current_sign_count=0,",
            ),
            Change(
                "hongyan.engines.sql.passkeys:_use",
                " AND (sign_count < $1 OR (sign_count = 0 AND $1 = 0)) RETURNING number",
                " RETURNING number",
            ),
        ),
        (f"{_TESTS}test_a_copy_of_a_passkey_that_counts_is_found_out",),
    ),
    _mutant(
        "second-factor-not-asked-first",
        Change(
            "hongyan.web.api.dispatch:Api._require",
            "if requirement is not None and requirement not in route.serves:",
            "if False:",
        ),
        f"{_FIRST}test_who_has_no_second_factor_sets_one_up_and_does_nothing_else_before",
        row=_FIRST_ROW,
    ),
    _mutant(
        "second-factor-not-asked-first-by-jmap",
        Change("hongyan.web.sessions:SessionWay.find", "if found.requirement is not None:", "if False:"),
        f"{_FIRST}test_who_has_no_second_factor_sets_one_up_and_does_nothing_else_before",
        row=_FIRST_ROW,
    ),
    _mutant(
        "stranger-keeps-his-session",
        Change(
            "hongyan.auth.strangers:Strangers.shut_out",
            "gone = await self._sessions.end(account, others, actor) if others else []",
            "gone = others",
        ),
        "tests/web/test_not_me.py::test_a_stranger_is_out_and_nothing_goes_on_before_a_new_password",
        row=_FIRST_ROW,
    ),
)
