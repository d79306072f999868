"""Mutants of how strangers are met: floods, slow clients, guessers, lists, scanners, proxies."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_FLOODS = "floods and slow clients"
_HARVEST = "RCPT floods, harvesting"
_LISTS = "block lists that lie"
_SCREENING = "viruses and spam"
_PROXY = "PROXY spoofing"

_GATE = "tests/screening/test_gate.py::"
_RATES = "tests/limits/test_smtp_rates.py::"
_PACE = "tests/servers/test_pace.py::"
_ADMISSION = "tests/servers/test_admission.py::"
_LISTENER = "tests/servers/test_listener.py::"
_CONNECTION = "tests/servers/test_connection.py::"
_DNSBL = "tests/screening/test_dnsbl.py::"
_VIRUS = "tests/screening/test_virus.py::"
_SPAM = "tests/screening/test_spam_filter.py::"
_STRANGERS = "tests/journeys/test_strangers.py::"

_GATE_CODE = "hongyan.screening.gate:"
_RATES_CODE = "hongyan.limits.smtp_rates:SmtpRates."
_PACE_CODE = "hongyan.servers.pace:Pace."
_ADMISSION_CODE = "hongyan.servers.admission:Admission."


def _mutant(name: str, row: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- guessers and early talkers
    _mutant(
        "unknown-recipients-without-number",
        _HARVEST,
        Change(f"{_GATE_CODE}Visit.unknown_recipient", 'await self._gate.rates.take("dictionary", self.host)', "None"),
        f"{_GATE}test_names_that_do_not_exist_are_an_offence_across_connections",
        f"{_GATE}test_a_harvest_from_many_addresses_of_a_network_is_seen",
    ),
    _mutant(
        "refusals-without-number",
        _HARVEST,
        Change("hongyan.servers.smtp:SmtpSession._reply", "if self._refused > self._options.max_refused:", "if False:"),
        "tests/servers/test_smtp_session.py::test_who_guesses_names_is_slowed_down_and_sent_away",
        "tests/dialogues/test_dialogues.py::test_dialogue[smtp/recipients: Who guesses addresses is sent away]",
    ),
    _mutant(
        "refusals-at-once",
        _HARVEST,
        Change("hongyan.servers.smtp:SmtpSession._answer", "if delay and not reply.ends_the_session:", "if False:"),
        "tests/servers/test_smtp_session.py::test_who_guesses_names_is_slowed_down_and_sent_away",
        f"{_STRANGERS}test_who_guesses_names_waits_for_each_refusal",
    ),
    _mutant(
        "early-talk-is-no-offence",
        _HARVEST,
        Change(f"{_GATE_CODE}Visit.spoke_early", 'await self._gate.rates.take("early-talk", self.host)', "pass"),
        f"{_GATE}test_who_talks_early_again_and_again_is_banned",
        f"{_STRANGERS}test_who_speaks_before_the_greeting_is_refused_and_after_six_times_banned",
    ),
    _mutant(
        "greeting-at-once",
        _HARVEST,
        Change(f"{_GATE_CODE}Visit.connect", "return Welcome(delay=gate.options.greeting_delay)", "return Welcome()"),
        f"{_GATE}test_a_stranger_waits_for_the_greeting_and_who_brought_mail_does_not",
    ),
    _mutant(
        "strangers-with-our-name",
        _HARVEST,
        Change(f"{_GATE_CODE}Visit.hello", "if oddity.is_own and gate.options.refuse_own_name:", "if False:"),
        f"{_GATE}test_our_own_name_is_refused_and_odd_names_are_only_suspicious",
        f"{_STRANGERS}test_a_stranger_with_our_name_is_refused_and_may_say_another",
    ),
    _mutant(
        "bans-are-not-met",
        _FLOODS,
        Change(f"{_GATE_CODE}Visit.connect", "if ban is not None:", "if False:"),
        f"{_GATE}test_nonsense_is_an_offence_across_connections",
    ),
    _mutant(
        "offences-ban-nobody",
        _FLOODS,
        Change(f"{_RATES_CODE}_break", "if rule.bans:", "if False:"),
        f"{_RATES}test_an_offence_is_a_ban_with_its_reason_and_its_end",
    ),
    _mutant(
        "bans-of-addresses-alone",
        _FLOODS,
        Change(
            f"{_RATES_CODE}take",
            "((network_of(host), rule.limit), (wide_network_of(host), rule.wide))",
            "((network_of(host), rule.limit),)",
        ),
        f"{_RATES}test_a_network_of_many_addresses_has_its_own_limit",
    ),
    _mutant(
        "guessers-pass-without-counters",
        _FLOODS,
        Change(f"{_RATES_CODE}_without_counters", "Broken(rule, _AWAY) if rule.closes else None", "None"),
        f"{_RATES}test_without_counters_each_rule_does_what_is_published",
    ),
    _mutant(
        "accounts-get-mail-without-number",
        _FLOODS,
        Change(f"{_RATES_CODE}take_account", "return Broken(rule, seconds) if seconds else None", "return None"),
        f"{_RATES}test_an_account_gets_so_much_mail_an_hour_whoever_brings_it",
    ),
    _mutant(
        "tarpit-without-bound",
        _FLOODS,
        Change(f"{_GATE_CODE}Visit.penalty", "if self._gate.tarpitted >= options.tarpitted:", "if False:"),
        f"{_GATE}test_faults_cost_time_and_the_tarpit_has_room_for_so_many",
    ),
    _mutant(
        "faults-cost-no-time",
        _FLOODS,
        Change(f"{_GATE_CODE}Visit.penalty", "return options.tarpit_delay", "return 0.0"),
        f"{_GATE}test_faults_cost_time_and_the_tarpit_has_room_for_so_many",
        f"{_STRANGERS}test_nonsense_is_answered_and_then_the_next_command_waits",
    ),
    # -- slow clients, and many
    _mutant(
        "messages-of-any-slowness",
        _FLOODS,
        Change(f"{_PACE_CODE}heard", "if self._octets >= self._least:", "if True:"),
        f"{_PACE}test_a_message_has_to_come_with_a_least_rate",
        f"{_STRANGERS}test_a_message_that_trickles_in_is_cut_off",
    ),
    _mutant(
        "messages-of-any-duration",
        _FLOODS,
        Change(f"{_PACE_CODE}heard", "min(_WINDOW, self._ends - self._connection.now)", "_WINDOW"),
        f"{_PACE}test_a_message_has_to_come_within_a_total_time",
    ),
    _mutant(
        "sessions-of-any-duration",
        _FLOODS,
        Change(f"{_PACE_CODE}answered", "min(self._timeout, self._ends - connection.now)", "self._timeout"),
        f"{_PACE}test_commands_without_a_message_come_to_an_end",
    ),
    _mutant(
        "connections-without-number",
        _FLOODS,
        Change(f"{_ADMISSION_CODE}_check", "if visitor.open >= self._options.connections_per_network:", "if False:"),
        f"{_ADMISSION}test_one_address_has_so_many_connections_and_others_have_theirs",
    ),
    _mutant(
        "new-connections-without-number",
        _FLOODS,
        Change(f"{_ADMISSION_CODE}_check", "if len(arrivals) < limit:", "if True:"),
        f"{_ADMISSION}test_the_51st_connection_of_a_minute_is_refused_until_the_minute_slides_on",
    ),
    _mutant(
        "no-places-for-the-known",
        _FLOODS,
        Change(f"{_ADMISSION_CODE}enter", "network not in self._known or self._open", "self._open"),
        f"{_ADMISSION}test_the_last_places_are_for_those_who_have_logged_in_before",
    ),
    _mutant(
        "visitors-remembered-without-bound",
        _FLOODS,
        Change(f"{_ADMISSION_CODE}_meet", "if len(self._visitors) >= _MAX_REMEMBERED + self._open:", "if False:"),
        f"{_ADMISSION}test_memory_is_bounded",
    ),
    _mutant(
        "the-banned-are-let-in",
        _FLOODS,
        Change(f"{_ADMISSION_CODE}enter", "if self._is_banned(host):", "if False:"),
        f"{_ADMISSION}test_the_banned_are_not_even_spoken_to",
    ),
    # -- proxies
    _mutant(
        "proxies-of-anybody",
        _PROXY,
        Change(
            "hongyan.servers.proxy:ProxyPolicy.identify", "if not is_within(peer.host, self._networks):", "if False:"
        ),
        f"{_LISTENER}test_who_is_no_proxy_is_dropped_whatever_it_says",
        f"{_LISTENER}test_a_port_may_be_open_to_others_and_then_does_not_believe_them",
    ),
    _mutant(
        "limits-count-the-proxy",
        _PROXY,
        Change(
            "hongyan.servers.proxy:ProxyPolicy.identify",
            "Endpoint(source.host, source.port) if source else peer",
            "peer",
        ),
        f"{_LISTENER}test_limits_count_the_client_and_not_the_proxy",
        f"{_LISTENER}test_a_trusted_proxy_says_who_the_client_is",
    ),
    # -- lists and scanners
    _mutant(
        "lists-are-not-tried",
        _LISTS,
        Change(
            "hongyan.screening.dnsbl_service:Listings._is_trusted", "return trust.health is Health.GOOD", "return True"
        ),
        f"{_DNSBL}test_a_list_that_answers_everything_is_switched_off_and_tried_again_later",
    ),
    _mutant(
        "lists-that-refuse-are-believed",
        _LISTS,
        Change("hongyan.screening.dnsbl_service:Listings._is_listed", "if reading is Reading.UNUSABLE:", "if False:"),
        f"{_DNSBL}test_a_list_that_begins_to_refuse_is_switched_off_at_once",
    ),
    _mutant(
        "lists-with-any-code",
        _LISTS,
        Change(
            "hongyan.screening.dnsbl:read_answer",
            "if any(code not in _CODES or code in _ERRORS for code in codes):",
            "if False:",
        ),
        f"{_DNSBL}test_an_answer_is_read_by_its_codes",
    ),
    _mutant(
        "infected-mail-is-taken",
        _SCREENING,
        Change(
            "hongyan.screening.virus:VirusCheck._infected",
            "Disposition.QUARANTINE if quarantined else Disposition.REJECT",
            "Disposition.ACCEPT",
        ),
        f"{_VIRUS}test_an_infected_message_is_refused_with_the_name_of_what_was_found",
        "tests/inbound/test_screening.py::test_an_infected_message_is_refused_and_a_clean_one_delivered",
    ),
    _mutant(
        "scanner-down-opens",
        _SCREENING,
        Change(
            "hongyan.screening.virus:VirusCheck._weigh",
            "_FAILED_FINDINGS[self._options.on_failure]",
            '_FAILED_FINDINGS["accept"]',
        ),
        f"{_VIRUS}test_a_scanner_that_does_not_answer_defers_or_what_is_set",
        "tests/inbound/test_screening.py::test_while_the_scanner_is_down_senders_are_asked_to_come_again",
    ),
    _mutant(
        "scanner-says-anything",
        _SCREENING,
        Change("hongyan.clients.clamd:read_scan", 'if answer == "stream: OK":', 'if "FOUND" not in answer:'),
        "tests/clients/test_clamd.py::test_an_answer_that_is_none_is_a_failure",
    ),
    _mutant(
        "names-of-viruses-forge-replies",
        _SCREENING,
        Change("hongyan.screening.virus:clean_name", '_ODD.sub("_", name)', "name"),
        f"{_VIRUS}test_a_name_is_made_harmless",
    ),
    _mutant(
        "late-checks-open",
        _SCREENING,
        Change("hongyan.screening.asking:ask_all", "findings.extend(check.overdue())", "pass"),
        "tests/inbound/test_checks.py::test_a_check_that_does_not_end_counts_as_late",
    ),
    _mutant(
        "quarantine-is-delivered",
        _SCREENING,
        Change("hongyan.inbound.reception:Reception._deliver", "if disposition is not Disposition.QUARANTINE]", "]"),
        "tests/inbound/test_checks.py::test_what_is_in_quarantine_waits_for_an_operator_who_may_release_it",
    ),
    _mutant(
        "one-account-teaches-all",
        _SCREENING,
        Change("hongyan.screening.spam_filter:SpamFilter.judge", "agreement=self.options.agreement", "agreement=1"),
        f"{_SPAM}test_one_account_alone_teaches_nobody_else",
    ),
    _mutant(
        "accounts-teach-without-number",
        _SCREENING,
        Change(
            "hongyan.screening.spam_filter:SpamFilter._teach_server",
            "news[: max(self.options.shared_votes_per_day - used, 0)]",
            "news",
        ),
        f"{_SPAM}test_an_account_teaches_the_server_no_more_than_so_many_messages_a_day",
    ),
    _mutant(
        "votes-count-again",
        _SCREENING,
        Change("hongyan.screening.spam_filter:SpamFilter.vote", "if known.get(print_) is not vote.is_spam]", "]"),
        f"{_SPAM}test_a_vote_that_is_repeated_is_no_news",
    ),
    # -- TLS on the way in
    _mutant(
        "handshakes-wait-without-number",
        _FLOODS,
        Change(
            "hongyan.servers.tls:Handshakes._turn",
            "if self._waiting > self._options.handshakes + self._options.handshakes_waiting:",
            "if False:",
        ),
        f"{_LISTENER}test_handshakes_wait_their_turn_and_a_flood_of_them_is_refused",
    ),
    _mutant(
        "handshakes-without-deadline",
        _FLOODS,
        Change(
            "hongyan.servers.tls:Handshakes._turn",
            "asyncio.timeout(self._options.handshake_timeout)",
            "asyncio.timeout(None)",
        ),
        f"{_LISTENER}test_a_handshake_has_a_deadline",
        f"{_CONNECTION}test_a_handshake_behind_starttls_has_a_deadline",
    ),
    _mutant(
        "sessions-keep-plain-text",
        "STARTTLS command injection",
        Change(
            "hongyan.servers.connection:Connection._take_over",
            "if self.session.buffered or self.session.starttls:",
            "if False:",
        ),
        f"{_CONNECTION}test_a_session_that_keeps_plain_text_over_starttls_is_stopped",
    ),
)
