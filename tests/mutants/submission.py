"""Mutants of what our own users may send, and of how logins are guarded."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_SPOOFING = "authenticated sender spoofing"
_RELAY = "open relay"
_STOLEN = "stolen accounts"
_INJECTION = "header injection"
_SLOW = "floods and slow clients"
_LOGINS = "brute force"
_ENUMERATION = "enumeration and timing"
_REVOKED = "app passwords and revocation"

_DIALOGUE = "tests/dialogues/test_dialogues.py::test_dialogue"
_SENDS = f"{_DIALOGUE}[submission/sending: "
_LIMITS = "tests/limits/test_sending.py::"
_JOURNEY = "tests/journeys/test_stolen_account.py::"

_HEADER_CODE = "hongyan.submission.header:"
_SUBMIT_CODE = "hongyan.submission.submit:"
_TRANSACTION_CODE = "hongyan.submission.transaction:SubmissionTransaction."
_LIMITS_CODE = "hongyan.limits.sending:"


def _mutant(name: str, row: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- whose name a user may write under
    _mutant(
        "mail-from-of-others",
        _SPOOFING,
        Change(f"{_TRANSACTION_CODE}_take_sender", "if not allowed:", "if False:"),
        f"{_SENDS}Somebody else's MAIL FROM, somebody else's From]",
    ),
    _mutant(
        "from-of-others",
        _SPOOFING,
        Change(f"{_SUBMIT_CODE}Submitter._require_own", "if not known:", "if False:"),
        f"{_SENDS}Somebody else's MAIL FROM, somebody else's From]",
    ),
    _mutant(
        "several-from",
        _SPOOFING,
        Change(f"{_HEADER_CODE}read_header", 'if len(values.get(b"from", ())) != 1 or', "if"),
        f"{_SENDS}One From and no more, and a Sender that is ours]",
        "tests/submission/test_header.py::test_there_is_one_from_and_at_most_one_sender",
    ),
    _mutant(
        "sender-of-others",
        _SPOOFING,
        Change(f"{_HEADER_CODE}read_header", 'for name in (b"from", b"sender")', 'for name in (b"from",)'),
        f"{_SENDS}One From and no more, and a Sender that is ours]",
        "tests/submission/test_header.py::test_sender_counts_as_one_who_writes",
    ),
    _mutant(
        "identities-by-membership",
        _SPOOFING,
        Change(
            "hongyan.accounts.identities:Identities._is_lent",
            "if len(entry.targets) != 1 and not entry.members_may_send:",
            "if False:",
        ),
        "tests/accounts/test_identities.py::test_an_alias_of_one_account_is_its_own_and_a_group_only_if_it_says_so",
    ),
    _mutant(
        "header-that-is-none",
        _INJECTION,
        Change(f"{_HEADER_CODE}_fields", "if _NO_FIELD.search(text) or", "if"),
        "tests/submission/test_header.py::test_a_header_that_others_may_end_elsewhere_is_refused",
        f"{_SENDS}A header that is none, and smuggling on the way out]",
    ),
    _mutant(
        "bcc-leaves",
        _INJECTION,
        Change(f"{_HEADER_CODE}read_header", 'if name == b"bcc":', "if False:"),
        f"{_SENDS}Date and Message-ID are added, Bcc does not leave]",
        "tests/submission/test_header.py::test_bcc_is_found_wherever_it_stands_and_taken_out",
    ),
    # -- relaying
    _mutant(
        "relay-for-strangers",
        _RELAY,
        Change("hongyan.accounts.aliases:Aliases.find", "return _NOT_LOCAL", "return Resolution(external=(address,))"),
        f"{_DIALOGUE}[smtp/recipients: No relay, however the address is dressed up]",
        f"{_DIALOGUE}[smtp/recipients: Nobody, somebody elsewhere]",
    ),
    _mutant(
        "submission-without-login",
        _RELAY,
        Change(
            "hongyan.wire.smtp.order:CommandOrder.check_mail",
            "if self.offer.requires_auth and not self.authenticated:",
            "if False:",
        ),
        "tests/wire/smtp/test_server.py::TestLogin::test_only_under_tls",
        f"{_DIALOGUE}[submission/session: Nothing may be sent without a login]",
    ),
    _mutant(
        "login-on-port-25",
        _RELAY,
        Change("hongyan.wire.smtp.order:CommandOrder.check_auth", "if not self.offer.auth:", "if False:"),
        "tests/wire/smtp/test_server.py::TestLogin::test_not_on_port_25",
    ),
    # -- accounts that behave as if stolen
    _mutant(
        "quotas-without-number",
        _STOLEN,
        Change(f"{_LIMITS_CODE}_fit", "if used + wanted <= most:", "if True:"),
        f"{_LIMITS}test_the_last_message_of_the_day_is_let_pass_and_the_next_is_not",
        f"{_LIMITS}test_a_message_to_a_new_recipient_counts",
    ),
    _mutant(
        "recipients-of-a-message-without-number",
        _STOLEN,
        Change(f"{_LIMITS_CODE}_find_over", "if len(booking.recipients) > quotas.recipients_per_message:", "if False:"),
        f"{_LIMITS}test_one_message_alone_is_refused_and_nobody_is_held",
        f"{_JOURNEY}test_a_thousand_recipients_in_one_message_are_refused_for_good",
    ),
    _mutant(
        "strangers-are-no-trigger",
        _STOLEN,
        Change(f"{_LIMITS_CODE}_suspect_strangers", "or asked <= most:", "or True:"),
        f"{_LIMITS}test_who_is_refused_and_goes_on_with_others_is_held",
    ),
    _mutant(
        "same-body-is-no-trigger",
        _STOLEN,
        Change(f"{_LIMITS_CODE}_suspect_body", "if not booking.first_time or", "if True or"),
        f"{_LIMITS}test_the_same_body_to_many_strangers_holds",
    ),
    _mutant(
        "volume-is-no-trigger",
        _STOLEN,
        Change(f"{_LIMITS_CODE}_suspect_volume", "if state.days < options.hold_volume_days:", "if True:"),
        f"{_LIMITS}test_ten_times_the_usual_day_holds",
    ),
    _mutant(
        "bounces-are-no-trigger",
        _STOLEN,
        Change(f"{_LIMITS_CODE}judge_outcomes", "if hard * 100 < total * options.hold_bounces:", "if True:"),
        f"{_LIMITS}test_a_fifth_of_at_least_twenty_deliveries_to_nobody_holds",
        f"{_JOURNEY}test_an_account_that_writes_to_nobody_is_held",
    ),
    _mutant(
        "places-are-no-trigger",
        _STOLEN,
        Change(
            f"{_LIMITS_CODE}judge_places",
            "if len(new) <= (options.hold_countries if countries else options.hold_networks):",
            "if True:",
        ),
        f"{_LIMITS}test_more_than_three_new_countries_a_day_hold",
    ),
    Mutant(
        "held-accounts-send-on",
        _STOLEN,
        (
            Change("hongyan.submission.allowance:Allowance._judge", "if facts.state.hold is not None:", "if False:"),
            Change("hongyan.submission.allowance:Allowance._require_free", "if hold is not None:", "if False:"),
        ),
        (
            f"{_JOURNEY}test_an_operator_holds_and_releases_by_the_command_line",
            f"{_JOURNEY}test_a_stolen_account_is_held_its_owner_told_and_after_release_mail_flows",
        ),
    ),
    _mutant(
        "held-accounts-slip-a-message-past",
        _STOLEN,
        Change("hongyan.engines.sql.queue:enqueue", "if hold is not None:", "if False:"),
        "tests/submission/test_allowance.py::test_a_message_that_was_accepted_while_its_account_was_held_is_kept_back",
    ),
    _mutant(
        "held-accounts-are-not-told",
        _STOLEN,
        Change("hongyan.engines.sql.sending:_hold", "for notice in notices:", "for notice in ():"),
        f"{_JOURNEY}test_who_is_held_as_the_process_is_killed_is_told_after_the_next_start_and_once",
    ),
    _mutant(
        "messages-at-once-find-the-same-room",
        _STOLEN,
        Change("hongyan.submission.allowance:_Turn.begin", "self.under_way[number] = booking", "pass"),
        "tests/submission/test_allowance.py::test_of_messages_at_the_same_time_as_many_pass_as_may",
    ),
    _mutant(
        "submissions-wait-without-end",
        _SLOW,
        Change("hongyan.submission.deadline:Deadline.ask", "begin_until(question, self.left)", "question"),
        "tests/submission/test_deadline.py::test_all_questions_share_the_time",
    ),
    _mutant(
        "each-question-has-the-whole-time",
        _SLOW,
        Change("hongyan.submission.deadline:Deadline.left", "self._ends - self._clock.monotonic()", "30.0"),
        "tests/submission/test_deadline.py::test_all_questions_share_the_time",
    ),
    _mutant(
        "infected-mail-is-sent",
        "viruses and spam",
        Change(f"{_SUBMIT_CODE}Submitter._require_harmless", "if finding is None or", "if True or"),
        "tests/submission/test_infected.py::test_an_infected_message_is_refused_and_a_clean_one_taken",
    ),
    _mutant(
        "future-release-without-bound",
        _STOLEN,
        Change(
            f"{_TRANSACTION_CODE}_take_sender", "if self._delay(command) > self._services.future_release:", "if False:"
        ),
        "tests/journeys/test_future_release.py::test_nothing_is_kept_back_for_longer_than_is_offered",
    ),
    # -- logins
    _mutant(
        "failed-logins-of-a-network-without-number",
        _LOGINS,
        Change("hongyan.limits.rates:LoginLimits._admit", 'return OverRate("network", seconds)', "pass"),
        "tests/limits/test_rates.py::test_500_failures_of_a_network_pass_to_the_check_and_nothing_after_until_the_hour_frees",
    ),
    _mutant(
        "failed-logins-with-a-name-without-number",
        _LOGINS,
        Change("hongyan.limits.rates:LoginLimits._admit", 'return OverRate("name", seconds)', "pass"),
        "tests/limits/test_rates.py::test_the_owner_is_not_locked_out_from_elsewhere",
        "tests/limits/test_rates.py::test_no_window_ever_lets_more_failures_pass_than_it_says",
    ),
    _mutant(
        "passwords-wait-without-number",
        _LOGINS,
        Change(
            "hongyan.auth.passwords:Passwords._in_thread",
            "if self._waiting >= self._options.waiting + _THREADS:",
            "if False:",
        ),
        "tests/auth/test_passwords.py::test_no_more_wait_than_may",
    ),
    _mutant(
        "unknown-names-answer-fast",
        _ENUMERATION,
        Change(
            "hongyan.auth.passwords:Passwords.check",
            "octets = password.reveal()",
            "if stored is None:\n            return False\n        octets = password.reveal()",
        ),
        "tests/auth/test_passwords.py::test_who_is_unknown_costs_a_hash_too",
    ),
    _mutant(
        "vrfy-answers",
        _ENUMERATION,
        Change(
            "hongyan.wire.smtp.server:ServerConnection._obey",
            "self._answer(replies.CANNOT_VERIFY)",
            "self._answer(replies.OK)",
        ),
        "tests/wire/smtp/test_server.py::test_what_needs_no_policy_is_answered",
    ),
    _mutant(
        "revoked-sessions-go-on",
        _REVOKED,
        Change(
            "hongyan.servers.smtp:SmtpSession.credential_revoked",
            "self._core.turn_out(replies.LOGIN_REVOKED)\n        self._connection.close()",
            "pass",
        ),
        f"{_DIALOGUE}[submission/session: Revoked app passwords end the sessions that they opened]",
    ),
)
