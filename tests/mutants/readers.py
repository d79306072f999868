"""Mutants of reading mail: what IMAP and POP3 take from a client, and whose mail it is."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_BEFORE = "IMAP before login"
_SIZES = "IMAP literals and APPEND"
_SETS = "IMAP sets and searches"
_NAMES = "mailbox names"
_OTHERS = "another account's mail"
_TOLD = "what IMAP tells, and when"
_POP3 = "POP3"
_SLOW = "patterns made to be slow"

_RECEIVER = "tests/wire/imap/test_receiver.py::"
_SEQUENCE = "tests/wire/imap/test_sequence.py::"
_NAME = "tests/wire/imap/test_mailbox_name.py::"
_VIEW = "tests/wire/imap/test_view.py::"
_PROGRESS = "tests/servers/test_imap_progress.py::"
_LARGE = "tests/servers/test_imap_large.py::"
_STORED = "tests/contract/test_messages.py::"
_MAILDROP = "tests/servers/test_pop3.py::"
_POP3_WIRE = "tests/wire/pop3/test_server.py::"

_TAKES = "hongyan.wire.imap.receiver:Receiver."
_SET_CODE = "hongyan.wire.imap.sequence:"
_PROGRAM = "hongyan.wire.imap.search_program:"
_NAME_CODE = "hongyan.wire.imap.mailbox_name:"
_SESSION = "hongyan.servers.imap.session:ImapSession."
_SQL = "hongyan.engines.sql.messages:"
_POP3_CODE = "hongyan.wire.pop3.server:ServerConnection."
_INBOX = "hongyan.servers.pop3_inbox:"

_SEARCH_LIMITS = "tests/wire/imap/test_search.py::test_nesting_and_number_of_keys_have_limits"
_NO_ROWS_OF_OTHERS = f"{_STORED}test_no_account_sees_the_rows_of_another"


def _dialogue(name: str) -> str:
    return f"tests/dialogues/test_dialogues.py::test_dialogue[{name}]"


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- before login
    _mutant(
        "imap-lines-of-any-length",
        _BEFORE,
        Change(f"{_TAKES}_take_line", "> limit + 1:", "> limit + (1 << 30):"),
        f"{_RECEIVER}test_a_line_has_a_limit",
        f"{_RECEIVER}test_a_stranger_may_say_less",
    ),
    _mutant(
        "imap-commands-of-any-size",
        _BEFORE,
        Change(f"{_TAKES}_begin_literal", " or len(self._command) + size > self._limits.command", ""),
        f"{_RECEIVER}test_all_parts_of_a_command_together_have_a_limit",
    ),
    _mutant(
        "imap-literals-of-strangers",
        _BEFORE,
        Change("hongyan.servers.imap.intake:Intake.__init__", "Receiver()", "Receiver(after_login(1000))"),
        _dialogue("imap/enable: Literals have their limits: before login small ones"),
    ),
    _mutant(
        "imap-line-ends-with-lf",
        _BEFORE,
        Change(f"{_TAKES}_take_line", "if end == start or buffer[end - 1] != 0x0D:", "if False:"),
        f"{_RECEIVER}test_an_lf_alone_ends_the_connection_and_no_command",
    ),
    Mutant(
        "imap-commands-survive-starttls",
        _BEFORE,
        (
            Change(f"{_SESSION}start_tls", "self._intake.discard()", "pass"),
            Change("hongyan.servers.imap.intake:Intake.begin_anew", "self._receiver = Receiver()", "pass"),
        ),
        (_dialogue("imap/greeting: After STARTTLS the client asks anew, and what came too early is dropped"),),
    ),
    _mutant(
        "imap-login-in-the-clear",
        _BEFORE,
        Change(
            "hongyan.servers.imap.commands.login:login",
            "if not session.services.door.is_open(session.connection):",
            "if False:",
        ),
        _dialogue("imap/greeting: Without TLS no secret is taken, and the server says so"),
    ),
    _mutant(
        "imap-commands-without-login",
        _BEFORE,
        Change("hongyan.servers.imap.intake:Intake._take_command", "if problem is not None:", "if False:"),
        _dialogue("imap/greeting: Commands that need a login, and commands that need none"),
    ),
    _mutant(
        "imap-login-takes-any-time",
        _BEFORE,
        Change(f"{_SESSION}__init__", "connection.expire_in(services.options.login_timeout)", "pass"),
        _dialogue("imap/login: Who is busy and does not log in is sent away too"),
    ),
    _mutant(
        "imap-nonsense-without-end",
        _BEFORE,
        Change(f"{_SESSION}count_fault", "if self._faults >= MAX_FAULTS:", "if False:"),
        _dialogue("imap/login: Who talks nonsense is sent away"),
    ),
    # -- literals and APPEND
    _mutant(
        "imap-literal-asked-for-at-any-size",
        _SIZES,
        Change(f"{_TAKES}_begin_literal", "size > self._limits.literal or", ""),
        f"{_RECEIVER}test_a_stranger_may_say_less",
    ),
    _mutant(
        "imap-refused-literal-is-commands",
        _SIZES,
        Change(f"{_TAKES}_refuse_literal", "if not waits:", "if False:"),
        f"{_RECEIVER}test_a_literal_that_is_too_large_and_on_its_way_ends_the_connection",
    ),
    _mutant(
        "append-of-any-size",
        _SIZES,
        Change(f"{_TAKES}_offer_message", "if size > self._limits.message:", "if False:"),
        f"{_RECEIVER}test_a_message_that_is_too_large_is_refused_before_it_is_asked_for",
    ),
    _mutant(
        "append-of-any-size-together",
        _SIZES,
        Change("hongyan.servers.imap.append_receiver:AppendReceiver._offered", "self._octets > self._limit or", ""),
        _dialogue("imap/append: Several messages are together as large as one may be"),
    ),
    _mutant(
        "append-refused-is-commands",
        _SIZES,
        Change(f"{_TAKES}refuse_message", "_Mode.COMMAND if self._waits else _Mode.SKIP", "_Mode.COMMAND"),
        f"{_RECEIVER}test_a_refused_message_on_its_way_is_skipped_with_all_that_follow_it",
    ),
    # -- sets and searches
    _mutant(
        "imap-sets-are-expanded",
        _SETS,
        Change(
            f"{_SET_CODE}seqs_to_positions",
            "positions.append((low - 1, min(high, exists)))",
            "positions += [(at - 1, at) for at in range(low, high + 1) if at <= exists]",
        ),
        f"{_SEQUENCE}test_a_huge_range_costs_what_a_small_one_does",
    ),
    _mutant(
        "imap-numbers-beyond-the-last",
        _SETS,
        Change(
            f"{_SET_CODE}is_within",
            "exists > 0 and all(low <= exists and high <= exists for low, high in ranges)",
            "True",
        ),
        f"{_SEQUENCE}test_a_number_beyond_what_exists_is_told_apart",
    ),
    _mutant(
        "imap-numbers-of-any-length",
        _SETS,
        Change(f"{_SET_CODE}parse_matched", "if low > _LARGEST or high > _LARGEST:", "if False:"),
        f"{_SEQUENCE}test_what_is_no_set_is_refused",
    ),
    _mutant(
        "search-nests-without-end",
        _SETS,
        Change(f"{_PROGRAM}_KeyReader.read_key", "if depth > MAX_DEPTH:", "if False:"),
        _SEARCH_LIMITS,
    ),
    _mutant(
        "search-keys-without-number",
        _SETS,
        Change(f"{_PROGRAM}_KeyReader.read_key", "if self._keys > MAX_KEYS:", "if False:"),
        _SEARCH_LIMITS,
    ),
    _mutant(
        "search-reads-without-number",
        _SETS,
        Constant("hongyan.servers.imap.searching:MAX_READING_KEYS", 5000),
        f"{_LARGE}test_a_search_has_its_limits",
    ),
    _mutant(
        "search-takes-any-time",
        _SETS,
        Change(
            "hongyan.servers.imap.searching:Searcher._give_way",
            "if self._services.clock.monotonic() > self._deadline:",
            "if False:",
        ),
        f"{_LARGE}test_a_search_has_its_limits",
    ),
    _mutant(
        "search-in-any-number-of-mailboxes",
        _SETS,
        Change(
            "hongyan.servers.imap.commands.esearch:_esearch",
            "len(places) > session.services.options.search_mailboxes",
            "False",
        ),
        "tests/dialogues/test_dialogues.py::test_dialogue[imap/multisearch: "
        "A search of more mailboxes than may be looked into is refused]",
    ),
    _mutant(
        "loose-words-without-number",
        _SETS,
        Constant("hongyan.search.loose:MAX_CLAUSES", 1 << 30),
        "tests/search/test_loose.py::test_of_a_long_text_the_first_words_count",
    ),
    _mutant(
        "fetch-items-without-number",
        _SETS,
        Constant("hongyan.wire.imap.fetch:MAX_ITEMS", 1 << 30),
        "tests/wire/imap/test_fetch.py::test_items_and_levels_of_parts_have_limits",
    ),
    # -- what is told
    _mutant(
        "fetch-does-not-wait-for-its-reader",
        _TOLD,
        Change("hongyan.servers.imap.fetch_rows:_give_way", "if session.queued_octets > _DRAIN_ABOVE:", "if False:"),
        f"{_LARGE}test_a_client_that_does_not_read_is_not_sent_more_than_a_little",
    ),
    _mutant(
        "expunge-told-at-any-time",
        _TOLD,
        Change("hongyan.wire.imap.view:View.apply", "if expunges or not self._held:", "if True:"),
        f"{_VIEW}test_expunged_messages_keep_their_numbers_until_they_may_be_told",
        _dialogue("imap/expunge: Another session is told by NOOP, and keeps its numbers until then"),
    ),
    _mutant(
        "search-tells-expunges",
        _TOLD,
        Change(
            "hongyan.servers.imap.commands.search:_answer",
            "expunge=command.uid and not names_seqs(command.key)",
            "expunge=True",
        ),
        _dialogue("imap/expunge: Another session is told by NOOP, and keeps its numbers until then"),
    ),
    _mutant(
        "expunge-of-what-was-not-seen",
        _TOLD,
        Change(
            "hongyan.servers.imap.commands.expunge:_doomed",
            "doomed & BitMap(selected.view.uids[: selected.view.exists])",
            "doomed",
        ),
        _dialogue("imap/expunge: EXPUNGE leaves what the client was not told of"),
    ),
    _mutant(
        "expunge-of-a-mailbox-to-look-at",
        _TOLD,
        Change("hongyan.servers.imap.commands.expunge:expunge", "if selected.read_only:", "if False:"),
        _dialogue("imap/select: EXAMINE opens for reading: nothing can be changed, and no flag is kept"),
    ),
    _mutant(
        "progress-among-rows",
        _TOLD,
        Change("hongyan.servers.imap.progress:Working.begin", "isinstance(command, Fetch)", "False"),
        f"{_PROGRESS}test_nothing_comes_into_the_rows_of_a_fetch",
    ),
    _mutant(
        "progress-behind-the-answer",
        _TOLD,
        Change("hongyan.servers.imap.session:ImapSession._guard", "self.working.end()", "pass"),
        f"{_PROGRESS}test_a_search_tells_how_many_messages_it_has_read_and_of_how_many",
    ),
    _mutant(
        "progress-to-who-does-not-read",
        _TOLD,
        Change("hongyan.servers.imap.progress:Working.heartbeat", "if not session.connection.stalled:", "if True:"),
        f"{_PROGRESS}test_a_client_that_does_not_read_is_told_nothing",
    ),
    # -- names
    _mutant(
        "mailbox-names-with-controls",
        _NAMES,
        Change(f"{_NAME_CODE}decode_name", "if _FORBIDDEN.search(name):", "if False:"),
        f"{_NAME}test_control_characters_are_refused",
    ),
    _mutant(
        "mailbox-names-of-any-length",
        _NAMES,
        Change(f"{_NAME_CODE}decode_name", "if _is_too_long(name):", "if False:"),
        f"{_NAME}test_a_name_has_a_longest_form",
    ),
    _mutant(
        "mailbox-names-in-two-spellings",
        _NAMES,
        Change(f"{_NAME_CODE}from_modified_utf7", "if to_modified_utf7(name) != octets:", "if not name:"),
        f"{_NAME}test_other_spellings_are_refused",
    ),
    _mutant(
        "mailbox-names-like-paths",
        _NAMES,
        Change(f"{_NAME_CODE}find_fault_of_new_name", 'level in {".", ".."}', "False"),
        f"{_NAME}test_some_names_are_not_for_new_mailboxes",
    ),
    _mutant(
        "mailbox-names-nest-without-end",
        _NAMES,
        Change(f"{_NAME_CODE}find_fault_of_new_name", "if len(levels) > MAX_LEVELS:", "if False:"),
        f"{_NAME}test_some_names_are_not_for_new_mailboxes",
    ),
    _mutant(
        "mailboxes-without-number",
        _NAMES,
        Change(
            "hongyan.engines.sql.mailboxes:insert_mailbox",
            "if (yield from _count(account)) >= MAX_MAILBOXES:",
            "if False:",
        ),
        "tests/contract/test_mailboxes.py::test_there_is_a_limit_to_the_mailboxes_of_an_account",
    ),
    # -- whose mail
    _mutant(
        "rows-of-all-accounts",
        _OTHERS,
        Change(f"{_SQL}_row_query", "WHERE m.account_id = $1 AND", "WHERE $1 = $1 AND"),
        _NO_ROWS_OF_OTHERS,
    ),
    _mutant(
        "expunge-in-all-accounts",
        _OTHERS,
        Change(
            f"{_SQL}_remove", "DELETE FROM messages WHERE account_id = $1 AND", "DELETE FROM messages WHERE $1 = $1 AND"
        ),
        _NO_ROWS_OF_OTHERS,
    ),
    _mutant(
        "credentials-of-others-are-revoked",
        _OTHERS,
        Change("hongyan.engines.sql.credential_numbers:revoke_credentials", "WHERE account_id = $1", "WHERE $1 = $1"),
        "tests/contract/test_accounts.py::test_another_accounts_app_password_is_not_revoked",
        "tests/contract/test_client_certificates.py::test_another_accounts_certificate_is_not_revoked",
    ),
    # -- POP3
    _mutant(
        "pop3-deletes-at-once",
        _POP3,
        Change(
            f"{_POP3_CODE}next_event",
            "self.closing = True\n        return event",
            "return self._ask(Leave(self._maildrop.deleted)) if self._maildrop else None\n        return event",
        ),
        f"{_MAILDROP}test_a_session_without_quit_deletes_nothing",
    ),
    _mutant(
        "pop3-deletes-other-messages",
        _POP3,
        Change(f"{_INBOX}Inbox._open", "if state.uidvalidity != self._uidvalidity:", "if False:"),
        f"{_MAILDROP}test_nothing_is_deleted_when_the_uids_mean_other_messages_now",
    ),
    _mutant(
        "pop3-numbers-shift",
        _POP3,
        Change(f"{_INBOX}open_inbox", "uids.extend([row[0] for row in rows])", "uids.extend(known[start:stop])"),
        f"{_MAILDROP}test_messages_that_left_during_the_login_have_no_number",
    ),
    _mutant(
        "pop3-dots-leave-undoubled",
        _POP3,
        Change(f"{_POP3_CODE}_send_text", "self._out.append(self._stuffer.feed(octets))", "self._out.append(octets)"),
        f"{_MAILDROP}test_a_message_is_served_byte_for_byte",
    ),
    _mutant(
        "pop3-bare-line-ends-leave",
        _POP3,
        Change(f"{_POP3_CODE}message", "self._normalizer.feed(octets)", "octets"),
        f"{_POP3_WIRE}test_bare_line_ends_become_crlf_before_dots_are_stuffed",
    ),
    _mutant(
        "pop3-commands-survive-stls",
        _POP3,
        Change(f"{_POP3_CODE}_stls", "self._lines.clear()", "pass"),
        f"{_MAILDROP}test_secrets_are_taken_under_tls_only",
    ),
    _mutant(
        "pop3-octets-before-the-handshake",
        _POP3,
        Change(f"{_POP3_CODE}receive_data", "if not self.closing and not self.starttls:", "if not self.closing:"),
        f"{_POP3_WIRE}TestTls::test_octets_between_the_answer_and_the_handshake_are_thrown_away",
    ),
    _mutant(
        "pop3-login-in-the-clear",
        _POP3,
        Change(f"{_POP3_CODE}_require_login_offered", "if not self._login_is_offered:", "if False:"),
        f"{_MAILDROP}test_secrets_are_taken_under_tls_only",
    ),
    _mutant(
        "pop3-faults-without-number",
        _POP3,
        Change(f"{_POP3_CODE}_fault", "if self._faults > self._offer.max_faults:", "if False:"),
        f"{_POP3_WIRE}TestLogin::test_failures_have_a_limit",
    ),
    _mutant(
        "pop3-login-takes-any-time",
        _POP3,
        Change(
            "hongyan.servers.pop3:Pop3Session.__init__", "connection.expire_in(services.options.login_timeout)", "pass"
        ),
        f"{_MAILDROP}test_whoever_does_not_log_in_has_a_minute",
    ),
    # -- patterns
    _mutant(
        "list-patterns-are-tried-one-by-one",
        _SLOW,
        Change(
            "hongyan.wire.imap.list_pattern:ListPattern.matches",
            'if self.text == "*":',
            "if re.fullmatch(self.text.replace('%', '[^/]*').replace('*', '.*'), name):",
        ),
        "tests/wire/imap/test_list_pattern.py::test_a_pattern_made_to_be_slow_is_not",
    ),
)
