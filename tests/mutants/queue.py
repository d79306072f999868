"""Mutants of bounces, forwarding and loops: what leaves by itself, and to whom."""

from __future__ import annotations

__all__ = ["MUTANTS"]

import re

from tests.mutants import Change, Constant, Mutant

_BACKSCATTER = "backscatter"
_BOUNCES = "bounces"
_LOOPS = "loops"
_DSN = "DSN amplification"
_INJECTION = "header injection"

_NOTICES = "tests/queue/test_notices.py::"
_LATE = "tests/journeys/test_late_failures.py::"
_VERP = "tests/journeys/test_verp.py::"
_SRS = "tests/queue/test_srs.py::"
_DIALOGUE = "tests/dialogues/test_dialogues.py::test_dialogue"

_NOTICE_CODE = "hongyan.queue.notices:"
_SRS_CODE = "hongyan.queue.srs:"


def _mutant(name: str, row: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    _mutant(
        "unknown-recipients-are-taken",
        _BACKSCATTER,
        Change(
            "hongyan.inbound.transaction:InboundTransaction._take", "if resolution.refusal is not None:", "if False:"
        ),
        "tests/journeys/test_mail.py::test_mail_for_nobody_for_elsewhere_and_for_a_full_account_is_refused_in_session",
        f"{_DIALOGUE}[smtp/recipients: Nobody, somebody elsewhere]",
    ),
    _mutant(
        "null-path-is-told",
        _BOUNCES,
        Change(
            f"{_NOTICE_CODE}NoticeWriter.make",
            "if sender is None or not",
            "sender = sender or notices[0].recipient.address\n        if not",
        ),
        f"{_NOTICES}test_the_null_path_is_told_nothing",
    ),
    _mutant(
        "notices-have-a-sender",
        _BOUNCES,
        Change(
            f"{_NOTICE_CODE}NoticeWriter.make",
            "return new_message(\n            None,",
            "return new_message(\n            sender,",
        ),
        "tests/queue/test_worker.py::test_a_notice_that_fails_causes_no_other",
        f"{_NOTICES}test_a_failure_is_explained_in_both_languages_and_in_the_servers_words",
        f"{_DIALOGUE}[submission/notices: A recipient that another server refuses: told in the sender's INBOX]",
    ),
    _mutant(
        "notices-without-number",
        _DSN,
        Change(f"{_NOTICE_CODE}NoticeLimit.allows", "return count < self._per_hour\n", "return True\n"),
        f"{_NOTICES}test_a_sender_is_told_a_hundred_times_an_hour_and_no_more",
        f"{_NOTICES}test_above_the_limit_no_notification_is_made",
    ),
    _mutant(
        "notices-by-recipient-without-number",
        _DSN,
        Change(
            f"{_NOTICE_CODE}NoticeLimit.allows",
            "return count < self._per_hour_by_recipient",
            "return True",
        ),
        f"{_NOTICES}test_who_has_a_return_path_for_each_recipient_is_told_a_thousand_times_an_hour",
    ),
    _mutant(
        "notices-remember-everybody",
        _DSN,
        Change(f"{_NOTICE_CODE}NoticeLimit.allows", "if len(self._hours) > _MOST_SENDERS:", "if False:"),
        f"{_NOTICES}test_the_limit_remembers_a_bounded_number_of_senders",
    ),
    Mutant(
        "notices-return-all",
        _DSN,
        (
            Change(f"{_NOTICE_CODE}_original", "if not is_failure or", "if False and"),
            Change("hongyan.message.dsn:_returned_part", "if failed and report.returns_message and", "if True or"),
        ),
        (f"{_NOTICES}test_only_the_header_is_returned_where_the_sender_or_size_asks_for_it",),
    ),
    Mutant(
        "reports-forge-fields",
        _INJECTION,
        (
            Change("hongyan.message.dsn:_one_line", '_CONTROLS.sub(" ", text).split()', "[text]"),
            Constant("hongyan.message.dsn:_CONTROLS", re.compile("(?!)")),
            Constant("hongyan.message.compose:_CONTROLS", re.compile("(?!)")),
        ),
        ("tests/message/test_dsn.py::test_nothing_in_a_report_can_forge_a_field",),
    ),
    Mutant(
        "composed-fields-break",
        _INJECTION,
        (Constant("hongyan.message.compose:_CONTROLS", re.compile("(?!)")),),
        ("tests/message/test_compose.py::test_a_line_end_in_a_value_begins_no_field",),
    ),
    _mutant(
        "bounces-of-anybody-are-read",
        _BOUNCES,
        Change(
            "hongyan.queue.late_failures:LateFailures._notifications", "not bytes(prefix).startswith(_NOBODY)", "False"
        ),
        f"{_LATE}test_a_forged_notification_changes_nothing",
        f"{_LATE}test_what_qmail_and_older_exims_write_is_believed_on_the_same_proof",
    ),
    _mutant(
        "bounces-without-report-name-anybody",
        _BOUNCES,
        Change("hongyan.message.bounce_reader:_read_qsbmf", "or len(recipients) == MAX_RECIPIENTS", ""),
        "tests/message/test_bounce_reader.py::test_an_address_cannot_be_told_as_another_and_recipients_are_bounded",
    ),
    # -- loops
    _mutant(
        "hops-without-number-inbound",
        _LOOPS,
        Change(
            "hongyan.inbound.reception:Reception.take",
            "> MAX_HOPS:",
            "> 1_000_000:",
        ),
        f"{_DIALOGUE}[smtp/data: A hundred Received fields are a loop]",
    ),
    _mutant(
        "hops-without-number-submitted",
        _LOOPS,
        Change("hongyan.submission.submit:_read", "if count_hops(octets) > MAX_HOPS:", "if False:"),
        f"{_DIALOGUE}[submission/sending: A hundred Received fields are a loop]",
    ),
    _mutant(
        "hops-without-number-queued",
        _LOOPS,
        Change("hongyan.queue.worker:QueueWorker._deliver", "if count_hops(content.header) > MAX_HOPS:", "if False:"),
        "tests/queue/test_worker.py::test_a_message_that_goes_in_circles_fails",
    ),
    _mutant(
        "aliases-without-depth",
        _LOOPS,
        Change(
            "hongyan.accounts.aliases:Aliases._expand",
            "for depth in range(MAX_DEPTH + 1):",
            "for depth in range(1000):",
        ),
        "tests/accounts/test_aliases.py::test_aliases_behind_aliases_are_bounded",
    ),
    Mutant(
        "aliases-without-number",
        _LOOPS,
        (
            Change(
                "hongyan.accounts.aliases:_Expansion.enter",
                "self.is_too_large = len(self.entered) > MAX_EXPANSION",
                "self.is_too_large = False",
            ),
            Change("hongyan.accounts.aliases:Aliases._expand", "if len(level) > MAX_EXPANSION:", "if False:"),
        ),
        ("tests/accounts/test_aliases.py::test_an_expansion_is_bounded",),
    ),
    _mutant(
        "first-line-continues-our-trace",
        _INJECTION,
        Change("hongyan.message.trace:folds_into_trace", 'return octets[:1] in (b" ", b"\\t")', "return False"),
        f"{_DIALOGUE}[smtp/data: A message whose first line would continue our own trace is refused]",
        f"{_DIALOGUE}[smtp/bdat: A leading space is refused too]",
    ),
    _mutant(
        "clients-leave-their-place-in-the-trace",
        _INJECTION,
        Change("hongyan.message.trace:_safe", '_UNSAFE.sub("?", text)', "text"),
        "tests/message/test_trace.py::test_what_a_client_says_of_itself_cannot_leave_its_place",
    ),
    # -- forwarding
    _mutant(
        "srs-of-anybody",
        _BACKSCATTER,
        Change(f"{_SRS_CODE}Srs._check", "if not length >= _LEAST_HASH or not any(fits):", "if False:"),
        f"{_SRS}test_a_changed_address_takes_nothing",
    ),
    _mutant(
        "srs-of-any-age",
        _BACKSCATTER,
        Change(f"{_SRS_CODE}Srs.reverse", "if not _is_recent(stamp, now):", "if False:"),
        f"{_SRS}test_an_old_address_takes_nothing",
    ),
    _mutant(
        "srs-takes-mail",
        _BACKSCATTER,
        Change(
            "hongyan.inbound.transaction:InboundTransaction._take_bounce",
            "or self._mail.reverse_path is not None:",
            "or False:",
        ),
        "tests/journeys/test_forwarding.py::test_what_is_sent_on_leaves_under_our_name_and_its_bounce_goes_back",
    ),
    _mutant(
        "suppressed-addresses-are-written-to",
        _BOUNCES,
        Change("hongyan.submission.transaction:SubmissionTransaction._suppressed", "if known is None:", "if True:"),
        "tests/journeys/test_suppression.py::test_three_hard_bounces_suppress_an_address_until_somebody_lets_it_go",
    ),
    # -- outcomes that cannot be stored
    _mutant(
        "settlements-are-tried-without-pause",
        _BOUNCES,
        Change(
            "hongyan.queue.settling:Settler._pause", "await asyncio.sleep(pause * ", "await asyncio.sleep(0 * pause * "
        ),
        "tests/queue/test_settling.py::test_pauses_grow_to_a_minute_and_are_never_none",
    ),
    _mutant(
        "settlements-that-crash-are-forgotten",
        _BOUNCES,
        Change("hongyan.queue.settling:Settler._try", 'pending.failed("crash", error)', "return True"),
        "tests/queue/test_settling.py::test_what_fails_by_itself_is_stored_without_what_it_tells_and_waits_for_an_operator",
    ),
    _mutant(
        "settlements-hold-up-others",
        _BOUNCES,
        Change("hongyan.queue.settling:Settler.begin", "if pending.tries >= _FIRST:", "if False:"),
        "tests/queue/test_worker.py::test_what_cannot_be_settled_holds_up_no_other_message_and_keeps_its_lease",
    ),
    # -- return paths by recipient
    _mutant(
        "return-paths-that-lead-nowhere",
        _BOUNCES,
        Change(
            "hongyan.submission.transaction:SubmissionTransaction._take_delimiters",
            "if path is None or delimiters[0] not in separators or",
            "if path is None or",
        ),
        f"{_VERP}test_what_could_not_come_back_is_refused",
    ),
    _mutant(
        "return-paths-without-length",
        _BOUNCES,
        Change("hongyan.submission.transaction:SubmissionTransaction._is_too_long", "return True", "return False"),
        f"{_VERP}test_a_recipient_whom_no_return_path_can_name_is_refused",
    ),
    _mutant(
        "return-paths-for-strangers",
        _DSN,
        Change("hongyan.wire.smtp.offer:offered_parameters", "if offer.verp:", "if True:"),
        f"{_VERP}test_nobody_asks_for_it_on_port_25_or_where_it_is_not_offered",
    ),
    _mutant(
        "recipients-share-a-transaction-of-their-own",
        _BOUNCES,
        Change("hongyan.queue.verp:split_claim", "if claim.message.verp is None:", "if True:"),
        "tests/queue/test_verp.py::test_without_the_wish_there_is_one_return_path_and_one_claim",
        f"{_VERP}test_what_is_refused_is_told_to_the_return_path_of_each_recipient",
    ),
    _mutant(
        "return-paths-of-others",
        _BOUNCES,
        Change(
            "hongyan.queue.verp:is_return_path_for",
            'return written == f"{begin}{first}{local_part}{second}{domain}"',
            "return True",
        ),
        "tests/queue/test_verp.py::test_the_return_path_of_another_is_not_taken_for_it",
    ),
    _mutant(
        "accepted-though-not-stored",
        _BOUNCES,
        Change(
            "hongyan.delivery.deliver:Deliverer._deliver",
            "return Delivered(account, fault)",
            "return Delivered(account, None)",
        ),
        f"{_DIALOGUE}[smtp/data: The quota is also looked at when the message is there]",
        "tests/delivery/test_local.py::test_an_account_out_of_use_fails_and_a_full_one_is_tried_again",
    ),
    _mutant(
        "accepted-though-the-spool-is-full",
        _BOUNCES,
        Change("hongyan.servers.smtp:SmtpSession._decide", "self._core.refuse_message(refusal)", "pass"),
        "tests/servers/test_smtp_session.py::test_a_message_that_finds_no_room_is_read_to_its_end_and_then_refused",
    ),
)
