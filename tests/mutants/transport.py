"""Mutants of the way out: which hosts get mail, how TLS has to be, what the DNS and policy hosts may say."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_TLS = "TLS"
_TAKEN_AWAY = "TLS taken away on the way out"
_DANE_ROW = "DANE"
_STS = "MTA-STS"
_MEMORY = "TLS memory and REQUIRETLS"
_DNS = "DNS that lies"
_PRIVATE = "mail to private addresses"
_LOOPS = "loops"

_SMTP = "tests/clients/test_smtp.py::"
_SECURE = "tests/clients/test_smtp_security.py::"
_DECIDES = "tests/queue/test_security.py::"
_DANE = "tests/mailauth/test_dane.py::"
_ROUTE = "tests/queue/test_route.py::"
_RESOLVER = "tests/clients/test_resolver.py::"
_JOURNEY = "tests/journeys/test_transport_security.py::"

_SESSION_CODE = "hongyan.clients.smtp_session:SmtpSession."
_DANE_CODE = "hongyan.mailauth.dane:"
_SECURITY_CODE = "hongyan.queue.security:"
_ROUTE_CODE = "hongyan.queue.route:"


def _mutant(name: str, row: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- STARTTLS taken away, certificates that do not hold
    _mutant(
        "tls-required-in-the-clear",
        _TAKEN_AWAY,
        Change(f"{_SESSION_CODE}open", "if not (policy in _OPTIONAL or self.is_encrypted):", "if False:"),
        f"{_SMTP}test_where_tls_is_required_nothing_goes_in_the_clear",
        f"{_SECURE}test_a_host_that_takes_tls_away_gets_nothing",
    ),
    _mutant(
        "tls-weaker-than-demanded",
        _TAKEN_AWAY,
        Change(
            "hongyan.clients.smtp_opening:SessionOpener._weaker", "or tried.demand.policy not in _PROBED:", "and False:"
        ),
        f"{_SMTP}test_a_certificate_is_checked_where_the_policy_asks_for_it",
        f"{_SECURE}test_a_host_that_shows_the_wrong_certificate_gets_nothing",
    ),
    _mutant(
        "certificates-are-not-verified",
        _TAKEN_AWAY,
        Change(
            "hongyan.clients.smtp_opening:SessionOpener._first",
            "return _Try(demand, verifies=True)",
            "return _Try(demand, verifies=False)",
        ),
        f"{_SMTP}test_a_certificate_is_checked_where_the_policy_asks_for_it",
        f"{_SECURE}test_a_host_that_shows_the_wrong_certificate_gets_nothing",
    ),
    _mutant(
        "tls-old-versions",
        _TLS,
        Change(
            "hongyan.domains.tls_profiles:make_server_context",
            "context.minimum_version = wanted.floor",
            "context.minimum_version = ssl.TLSVersion.TLSv1_2",
        ),
        "tests/domains/test_certificates.py::test_a_listener_may_ask_for_tls_1_3_whatever_name_is_asked_for",
        "tests/servers/test_listener.py::test_a_port_may_ask_for_tls_1_3",
    ),
    _mutant(
        "tls-weak-ciphers",
        _TLS,
        Change(
            "hongyan.domains.tls_profiles:make_server_context",
            "context.set_ciphers(wanted.ciphers)",
            'context.set_ciphers("ALL:@SECLEVEL=0")',
        ),
        "tests/domains/test_certificates.py::test_old_versions_and_weak_ciphers_are_refused",
    ),
    # -- DANE
    _mutant(
        "dane-is-not-verified",
        _DANE_ROW,
        Change(
            f"{_SESSION_CODE}_shake_hands",
            "verify_chain(self._stream.peer_certificates(), demand.tlsa, demand.names, opening.clock.now())",
            "pass",
        ),
        f"{_SECURE}test_a_host_that_shows_the_wrong_certificate_gets_nothing",
    ),
    _mutant(
        "dane-any-record-fits",
        _DANE_ROW,
        Change(
            f"{_DANE_CODE}_fits",
            "return _DIGESTS[record.matching_type][0](octets).digest() == record.data",
            "return True",
        ),
        f"{_DANE}test_records_of_strangers_never_fit_by_accident",
        f"{_DANE}test_one_record_that_fits_is_enough",
    ),
    _mutant(
        "dane-below-any-authority",
        _DANE_ROW,
        Change(f"{_DANE_CODE}verify_chain", "_verify_below(anchor, certificates, names, now)", "pass"),
        f"{_DANE}test_below_an_authority_names_and_dates_count",
        f"{_DANE}test_the_way_up_to_the_authority_has_to_hold",
    ),
    _mutant(
        "dane-without-records-goes-on",
        _DANE_ROW,
        Change(f"{_SECURITY_CODE}decide", "if tlsa.state is TlsaState.FAILED:", "if False:"),
        f"{_DECIDES}test_records_that_cannot_be_had_stop_mail_to_the_host",
    ),
    _mutant(
        "dane-unusable-records-demand-nothing",
        _DANE_ROW,
        Change(f"{_SECURITY_CODE}decide", "return Demand(TlsPolicy.REQUIRED, Demander.DANE)", "return OPPORTUNISTIC"),
        f"{_DECIDES}test_records_without_use_still_demand_tls",
    ),
    # -- MTA-STS, memory, REQUIRETLS
    _mutant(
        "sts-is-not-enforced",
        _STS,
        Change(f"{_SECURITY_CODE}decide", "if sts.mode is StsMode.ENFORCE:", "if False:"),
        f"{_DECIDES}test_a_policy_that_names_other_hosts_stops_mail_to_this_one",
        f"{_DECIDES}test_dane_comes_before_a_policy_and_a_policy_before_memory",
    ),
    _mutant(
        "sts-star-stands-for-all",
        _STS,
        Change(
            "hongyan.mailauth.mta_sts:StsPolicy.find_pattern",
            "if pattern in self.hosts:",
            "if pattern in self.hosts or any(host.endswith(one[1:]) for one in self.hosts if one[0] == '*'):",
        ),
        "tests/mailauth/test_mta_sts.py::test_a_star_stands_for_one_label",
    ),
    _mutant(
        "sts-policy-of-any-size",
        _STS,
        Change("hongyan.mailauth.mta_sts:parse_policy", "if len(octets) > MAX_POLICY:", "if False:"),
        "tests/mailauth/test_mta_sts.py::test_what_is_no_policy_is_refused",
    ),
    _mutant(
        "sts-follows-redirects",
        _STS,
        Change("hongyan.clients.https:_accept", "if not is_good:", "if response.status_code >= 400:"),
        "tests/clients/test_https.py::test_an_answer_that_is_not_what_was_asked_for",
    ),
    Mutant(
        "sts-answers-without-end",
        _STS,
        (
            Change("hongyan.clients.https:AnswerReader._take", "if self._size > self._limit:", "if False:"),
            Change(
                "hongyan.clients.https:AnswerReader.receive",
                "if self._received > self._limit + _MAX_OVERHEAD:",
                "if False:",
            ),
        ),
        ("tests/clients/test_https.py::test_an_answer_that_is_not_what_was_asked_for",),
    ),
    _mutant(
        "sts-compressed-answers",
        _STS,
        Change(
            "hongyan.clients.https:_accept",
            'if headers.get(b"content-encoding", b"identity").lower() != b"identity":',
            "if False:",
        ),
        "tests/clients/test_https.py::test_an_answer_that_is_not_what_was_asked_for",
    ),
    _mutant(
        "sts-from-private-addresses",
        _PRIVATE,
        Change("hongyan.clients.https:HttpsClient._connect", "if self._may_connect(address)", "if True"),
        "tests/clients/test_https.py::test_an_address_that_is_not_one_of_the_worlds_is_not_connected_to",
    ),
    _mutant(
        "memory-steps-down",
        _MEMORY,
        Change(
            "hongyan.queue.tls_memory:observe",
            "if seen.level.rank <= level.rank:",
            "known = replace(known, level=seen.level)\n    if seen.level is level:",
        ),
        f"{_DECIDES}test_no_level_sinks_before_its_time",
    ),
    _mutant(
        "memory-after-one-look",
        _MEMORY,
        Change("hongyan.queue.tls_memory:observe", "if now - since >= confirm:", "if True:"),
        f"{_DECIDES}test_one_look_at_a_stranger_nails_a_domain_to_nothing",
    ),
    _mutant(
        "memory-is-not-asked",
        _MEMORY,
        Change(f"{_SECURITY_CODE}decide", "return _REMEMBERED[remembered]", "return OPPORTUNISTIC"),
        f"{_DECIDES}test_dane_comes_before_a_policy_and_a_policy_before_memory",
    ),
    _mutant(
        "requiretls-is-not-demanded",
        _MEMORY,
        Change(
            "hongyan.queue.security:for_required_tls",
            "if demand.policy in (TlsPolicy.VERIFIED, TlsPolicy.DANE):",
            "if True:",
        ),
        f"{_SECURE}test_what_requires_tls_goes_nowhere_else",
    ),
    # -- where mail may go at all
    _mutant(
        "null-mx-is-tried",
        "bounces",
        Change(f"{_ROUTE_CODE}route_by_mx", "if facts.is_null_mx:", "if False:"),
        f"{_ROUTE}test_where_there_is_no_way_the_cause_is_told",
    ),
    _mutant(
        "mail-to-private-addresses",
        _PRIVATE,
        Change(f"{_ROUTE_CODE}_choose_addresses", "if not (any_network or options.private_addresses):", "if False:"),
        f"{_ROUTE}test_private_addresses_are_left_alone_unless_allowed",
    ),
    _mutant(
        "private-addresses-in-disguise",
        _PRIVATE,
        Change(f"{_ROUTE_CODE}is_public", "if embedded is not None:", "if False:"),
        "tests/clients/test_https.py::test_an_address_that_is_not_one_of_the_worlds_is_not_connected_to",
    ),
    _mutant(
        "mail-to-ourselves",
        _LOOPS,
        Change(
            f"{_ROUTE_CODE}order_exchanges", "if any(record.exchange in own_names for record in equal):", "if False:"
        ),
        f"{_ROUTE}test_only_servers_before_this_one_are_tried",
        f"{_ROUTE}test_ordering_keeps_everything_before_ourselves_and_nothing_else",
    ),
    _mutant(
        "mail-to-our-own-address",
        _LOOPS,
        Change(f"{_ROUTE_CODE}_cut_at_own_address", "if not ours:", "if True:"),
        f"{_ROUTE}test_a_server_at_our_own_address_is_this_one_under_another_name",
    ),
    # -- the DNS
    _mutant(
        "dnssec-of-anybody",
        _DNS,
        Change("hongyan.clients.dns_query:read_reply", "server.trusted and bool(", "bool("),
        f"{_RESOLVER}test_dnssec_counts_only_from_a_server_that_is_trusted",
    ),
    _mutant(
        "dns-cache-without-bound",
        _DNS,
        Change(
            "hongyan.clients.resolver:DnsResolver._remember",
            "while len(self._cache) > self._options.cache_entries:",
            "while False:",
        ),
        f"{_RESOLVER}test_the_cache_has_a_limit_and_forgets_what_was_not_used",
    ),
    _mutant(
        "dns-ttl-without-bound",
        _DNS,
        Change(
            "hongyan.clients.resolver:DnsResolver._ask_servers", "min(max(reply.ttl, _MIN_TTL), longest)", "reply.ttl"
        ),
        f"{_RESOLVER}test_answers_are_remembered_for_their_time_within_bounds",
    ),
    _mutant(
        "dns-stale-though-bogus",
        _DNS,
        Change(
            "hongyan.clients.resolver:DnsResolver._recall_stale",
            "if not isinstance(outcome, DnsTemporary) or outcome.dnssec is Dnssec.BOGUS:",
            "if not isinstance(outcome, DnsTemporary):",
        ),
        f"{_RESOLVER}test_a_bogus_answer_is_never_covered_by_an_old_one",
    ),
    _mutant(
        "localhost-from-the-dns",
        _DNS,
        Change("hongyan.clients.resolver:DnsResolver.addresses", "if is_localhost(name):", "if False:"),
        f"{_RESOLVER}test_localhost_is_no_question_for_the_dns",
    ),
)
