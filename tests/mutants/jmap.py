"""Mutants of JMAP: each defence of requests, of accounts and of blobs is switched off once."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_ROW = "JMAP"
_ACCOUNTS = "another account's mail"
_TESTS = "tests/web/jmap/test_core.py::"
_BLOBS = "tests/web/jmap/test_blob.py::"
_MAILBOXES = "tests/web/jmap/test_mailbox.py::"
_WIRE = "hongyan.wire.jmap."
_WEB = "hongyan.web.jmap."


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


_SENT = "tests/web/jmap/test_submission.py::"

MUTANTS = (
    Mutant(
        "jmap-identities-of-others",
        _ROW,
        (Change("hongyan.web.jmap.identity:_may_use", "isinstance(email, str) and await", "True or await"),),
        (f"{_SENT}test_further_identities_are_made_for_addresses_that_one_may_write_from",),
    ),
    Mutant(
        "jmap-sends-as-anybody",
        "authenticated sender spoofing",
        (
            Change(
                "hongyan.web.jmap.submission_set:_Setting._send",
                "_require_taken(await _answer(transaction.mail(mail)))",
                "await _answer(transaction.mail(mail))",
            ),
        ),
        (f"{_SENT}test_what_may_not_be_sent_is_told_by_its_name",),
    ),
    Mutant(
        "jmap-undone-though-sent",
        _ROW,
        (
            Change(
                "hongyan.web.jmap.submission_set:_Setting.update",
                "if not await self._services.acts.cancel(",
                "if False and not await self._services.acts.cancel(",
            ),
        ),
        (f"{_SENT}test_what_has_left_is_not_taken_back",),
    ),
    Mutant(
        "jmap-parameters-of-any-kind",
        "header injection",
        (Change("hongyan.web.jmap.envelope:_read_address", 'not word.isprintable() or " " in word', "False"),),
        (f"{_SENT}test_parameters_of_an_envelope_are_those_of_smtp",),
    ),
    Mutant(
        "taken-back-and-never-sent-again",
        _ROW,
        (
            Change(
                "hongyan.engines.sql.queue_selection:drop",
                "DELETE FROM queue_receipts WHERE queue_id = $1",
                "DELETE FROM queue_receipts WHERE queue_id = -$1",
            ),
        ),
        ("tests/contract/test_queue.py::test_what_was_cancelled_may_be_sent_anew_within_the_time_of_its_receipt",),
    ),
    _mutant(
        "jmap-json-of-any-depth",
        _ROW,
        Change(f"{_WIRE}ijson:require_shallow", "depth > max_depth", "False"),
        "tests/wire/jmap/test_request.py::test_a_value_has_fifty_levels_and_no_more",
    ),
    _mutant(
        "jmap-names-that-come-twice",
        _ROW,
        Change(f"{_WIRE}ijson:_object", "len(made) != len(pairs)", "False"),
        f"{_TESTS}test_what_is_no_request_is_told_why",
    ),
    _mutant(
        "jmap-calls-without-end",
        _ROW,
        Change(f"{_WIRE}request:read_request", "len(calls) > limits.calls", "False"),
        f"{_TESTS}test_what_is_no_request_is_told_why",
    ),
    _mutant(
        "jmap-references-that-grow",
        _ROW,
        Change(f"{_WIRE}references:Purse.spend", "self.left < 0", "False"),
        f"{_TESTS}test_references_that_double_a_list_again_and_again_meet_an_end",
    ),
    _mutant(
        "jmap-requests-at-once",
        _ROW,
        Change(f"{_WEB}core:Jmap._counted", "self._busy[account] >= self._options.max_concurrent_requests", "False"),
        f"{_TESTS}test_so_many_requests_of_an_account_are_under_way_and_no_more",
    ),
    _mutant(
        "jmap-objects-in-get",
        _ROW,
        Change(f"{_WIRE}standard:read_get", "ids is not None and len(ids) > max_objects", "False"),
        f"{_TESTS}test_limits_of_the_session_hold",
    ),
    _mutant(
        "jmap-any-account",
        _ACCOUNTS,
        Change(
            f"{_WEB}core:_Run._prepare",
            'method.takes_account and arguments.id("accountId") != account_id_of(account)',
            'method.takes_account and not arguments.id("accountId")',
        ),
        f"{_TESTS}test_an_account_that_is_anothers_and_one_that_is_nobodys_are_told_alike",
    ),
    _mutant(
        "jmap-other-sites",
        "web sessions and other sites",
        Change("hongyan.web.identity:Identities.identify", 'not in ("same-origin", "none")', "in ()"),
        f"{_TESTS}test_another_site_may_not_ask_by_somebodys_browser",
    ),
    _mutant(
        "jmap-logins-that-outlive-their-secret",
        "app passwords and revocation",
        Change("hongyan.web.identity:BasicWay._forget", "self._known.pop(key, None)", "self._known.get(key)"),
        f"{_TESTS}test_a_revoked_secret_opens_nothing_any_more",
    ),
    _mutant(
        "jmap-downloads-that-run",
        "attachments",
        Change("hongyan.web.jmap.transfer:transfer_routes", "[:_MAX_NAME])", "[:_MAX_NAME], inline=True)"),
        f"{_BLOBS}test_what_is_uploaded_comes_back_as_an_attachment_that_runs_nothing",
    ),
    _mutant(
        "jmap-types-as-they-are-asked-for",
        "header injection",
        Change("hongyan.web.jmap.transfer:_checked_type", "_TYPE.fullmatch(given)", "given"),
        f"{_BLOBS}test_a_type_that_is_none_is_not_told_to_the_browser",
    ),
    _mutant(
        "jmap-mailboxes-destroyed-with-their-mail",
        "JMAP",
        Change(f"{_WEB}mailbox_set:_Setting.destroy", 'counts["totalEmails"] and not removes_emails', "False"),
        f"{_MAILBOXES}test_mailboxes_are_destroyed_from_below_and_mail_only_when_that_is_meant",
    ),
)
