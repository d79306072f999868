"""Mutants of the other doors: HTTP, proofs for ACME, the control socket, and what a proxy says of its clients."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_HTTP = "HTTP"
_ACME = "certificate authorities"
_CONTROL = "control socket"
_PROXY = "PROXY spoofing"

_WEB = "tests/web/test_web.py::"
_ISSUES = "tests/domains/test_issuance.py::"
_SOCKET = "tests/servers/test_control.py::"
_HEADER = "tests/wire/test_proxy.py::"

_GUARD = "hongyan.web.guard:"
_CONNECTION = "hongyan.web.connection:HttpConnection."
_HEALTH = "hongyan.web.health:"
_KNOWN = "hongyan.web.wellknown:wellknown_routes"
_SESSION = "hongyan.clients.acme_network:_Session."
_SERVER = "hongyan.servers.control:"
_WIRE = "hongyan.wire.proxy:"

_REFUSED = f"{_WEB}test_a_hostile_request_is_refused_and_the_connection_closes"
_ANSWERS = f"{_ISSUES}test_whatever_the_authority_answers_the_server_lives_and_waits"
_NO_HEADER = f"{_HEADER}test_what_is_no_header_is_a_fault_however_it_is_cut"


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- HTTP
    _mutant(
        "http-for-any-host",
        _HTTP,
        Change(f"{_GUARD}Guard._exchange", "host is None or not self._serves(host, exchange.scope)", "host is None"),
        f"{_WEB}test_only_our_own_hosts_are_answered_for",
    ),
    _mutant(
        "http-with-hosts-that-are-none",
        _HTTP,
        Change(f"{_GUARD}_host_of", "if not host or (colon and not port.isdigit()):", "if not host:"),
        f"{_WEB}test_only_our_own_hosts_are_answered_for",
    ),
    _mutant(
        "http-framed-in-two-ways",
        _HTTP,
        Change(
            f"{_GUARD}Guard._find_refusal",
            '"transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0")',
            "False",
        ),
        f"{_WEB}test_a_request_that_is_framed_in_two_ways_reaches_no_application",
    ),
    _mutant(
        "http-header-of-any-size",
        _HTTP,
        Change(f"{_GUARD}Guard._find_refusal", "if size > self._options.max_header:", "if False:"),
        _REFUSED,
    ),
    _mutant(
        "http-body-of-any-size-said",
        _HTTP,
        Change(
            f"{_GUARD}Guard._find_refusal",
            'if int(headers.get("content-length", "0")) > max_body:',
            "if False:",
        ),
        f"{_WEB}test_a_body_that_says_it_is_too_large_is_not_waited_for",
    ),
    _mutant(
        "http-body-of-any-size-sent",
        _HTTP,
        Change(f"{_GUARD}_Exchange.receive", "if self._left < 0:", "if False:"),
        f"{_WEB}test_a_body_has_a_limit_also_when_it_does_not_say_its_length",
    ),
    _mutant(
        "http-requests-of-any-duration",
        _HTTP,
        Change(f"{_GUARD}Guard._exchange", "asyncio.timeout(allowance.timeout)", "asyncio.timeout(None)"),
        f"{_WEB}test_a_request_has_a_time_limit",
    ),
    _mutant(
        "http-errors-say-their-cause",
        _HTTP,
        Change(f"{_GUARD}Guard._exchange", '"Something went wrong on our side."', "str(error)"),
        f"{_WEB}test_an_error_of_the_whole_application_says_nothing_of_its_cause",
    ),
    _mutant(
        "http-answers-allow-all",
        _HTTP,
        Change(f"{_GUARD}_Exchange._headers", ", *_HEADERS]", "]"),
        f"{_WEB}test_each_answer_forbids_what_a_browser_need_not_do",
    ),
    _mutant(
        "http-header-octet-by-octet",
        _HTTP,
        Change(f"{_CONNECTION}connection_made", "self._expect(self._options.header_timeout)", "pass"),
        f"{_WEB}test_a_header_that_comes_octet_by_octet_has_a_deadline",
    ),
    _mutant(
        "http-answers-that-nobody-reads",
        _HTTP,
        Change(
            f"{_CONNECTION}_expect",
            "self.loop.call_later(seconds, self.abort)",
            "self.loop.call_later(seconds, self.transport.close)",
        ),
        f"{_WEB}test_an_answer_that_nobody_reads_is_not_kept",
    ),
    _mutant(
        "metrics-for-anybody",
        _HTTP,
        Change(f"{_HEALTH}health_routes", "if not is_near(request, near):", "if False:"),
        f"{_WEB}test_strangers_learn_only_whether_all_is_well",
        f"{_WEB}test_metrics_are_read_on_this_machine_and_not_through_a_proxy_on_it",
    ),
    _mutant(
        "health-details-for-anybody",
        _HTTP,
        Change(f"{_HEALTH}health_routes", "if is_near(request, near):", "if True:"),
        f"{_WEB}test_strangers_learn_only_whether_all_is_well",
    ),
    _mutant(
        "near-through-a-proxy",
        _HTTP,
        Change(f"{_GUARD}is_near", "any(name in request.headers for name in _FORWARDED)", "False"),
        f"{_WEB}test_metrics_are_read_on_this_machine_and_not_through_a_proxy_on_it",
    ),
    _mutant(
        "health-asked-without-rest",
        _HTTP,
        Constant("hongyan.web.health:_FRESH", 0.0),
        f"{_WEB}test_a_crowd_that_asks_for_health_does_not_wear_out_the_database",
    ),
    _mutant(
        "sts-policy-in-the-clear",
        _HTTP,
        Change(_KNOWN, ' and request.url.scheme == "https"', ""),
        f"{_WEB}test_the_mta_sts_policy_is_served_by_its_host_under_tls_alone",
    ),
    # -- ACME
    _mutant(
        "proof-under-any-name",
        _ACME,
        Change(
            "hongyan.domains.challenges:HttpChallenges.find",
            "self._answers.get((host, token))",
            "next((said for (_, one), said in self._answers.items() if one == token), None)",
        ),
        f"{_WEB}test_a_token_is_answered_under_the_name_that_it_proves_and_nothing_else_is",
    ),
    _mutant(
        "proof-stays",
        _ACME,
        Change(
            "hongyan.domains.challenges:HttpChallenges.remove",
            "self._answers.pop((challenge.name, challenge.token), None)",
            "pass",
        ),
        f"{_WEB}test_a_token_is_answered_under_the_name_that_it_proves_and_nothing_else_is",
    ),
    _mutant(
        "authority-sends-us-elsewhere",
        _ACME,
        Change(f"{_SESSION}request", "if _origin(text) != self._origin:", "if False:"),
        f"{_ISSUES}test_an_authority_cannot_send_us_to_another_host",
    ),
    _mutant(
        "authority-redirects",
        _ACME,
        Change(f"{_SESSION}request", "allow_redirects=False", "allow_redirects=True"),
        f"{_ISSUES}test_an_authority_cannot_redirect_us",
    ),
    _mutant(
        "authority-answers-without-end",
        _ACME,
        Change(f"{_SESSION}_read", "if len(body) > _LARGEST:", "if False:"),
        f"{_ISSUES}test_an_answer_without_end_is_cut_off",
    ),
    _mutant(
        "authority-takes-any-time",
        _ACME,
        Change("hongyan.clients.acme_network:Steps.run", "asyncio.timeout(self._seconds)", "asyncio.timeout(None)"),
        "tests/clients/test_acme_network.py::"
        "test_a_step_that_outlives_its_deadline_keeps_the_next_from_beginning_until_it_ends",
    ),
    _mutant(
        "authority-holds-threads-without-number",
        _ACME,
        Change(
            "hongyan.clients.acme_network:Steps.run", "self._thread is not None and self._thread.is_alive()", "False"
        ),
        "tests/clients/test_acme_network.py::"
        "test_a_step_that_outlives_its_deadline_keeps_the_next_from_beginning_until_it_ends",
    ),
    _mutant(
        "certificate-for-another-key",
        _ACME,
        Change("hongyan.domains.certificate_store:_check_issued", "if not fits:", "if False:"),
        f"{_ISSUES}test_a_certificate_for_another_key_is_not_taken_into_service",
    ),
    # -- the control socket
    _mutant(
        "control-for-anybody",
        _CONTROL,
        Change(f"{_SERVER}ControlServer._meet", "user in (0, os.geteuid()) and", ""),
        f"{_SOCKET}test_a_stranger_is_not_served",
    ),
    _mutant(
        "control-socket-open-to-all",
        _CONTROL,
        Change(f"{_SERVER}_bind", "os.umask(0o177)", "os.umask(0)"),
        f"{_SOCKET}test_nobody_else_can_open_the_socket_and_one_left_from_a_crash_is_no_hindrance",
    ),
    _mutant(
        "control-callers-without-number",
        _CONTROL,
        Change(f"{_SERVER}ControlServer._meet", "and len(self._conversations) <= _MOST_CONNECTIONS", ""),
        f"{_SOCKET}test_callers_beyond_a_number_are_sent_away",
    ),
    _mutant(
        "control-says-causes",
        _CONTROL,
        Change(
            f"{_SERVER}ControlServer._work",
            "return _BROKEN",
            'return {"error": {"kind": "panic", "sentence": str(error)}}',
        ),
        f"{_SOCKET}test_what_nobody_expected_is_answered_without_a_word_of_ours",
    ),
    _mutant(
        "control-parameters-of-any-kind",
        _CONTROL,
        Change("hongyan.operations.calling:check_parameters", "if not _fits(value, kinds[key]):", "if False:"),
        "tests/operations/test_calling.py::test_parameters_are_those_of_the_operation_or_refused",
    ),
    # -- PROXY
    _mutant(
        "proxy-guesses",
        _PROXY,
        Change(
            f"{_WIRE}ProxyReceiver.feed",
            'raise ProxyFault("The connection does not begin with a PROXY header")',
            "self.rest = self._octets\n        return _OWN",
        ),
        _NO_HEADER,
    ),
    _mutant(
        "proxy-line-of-any-length",
        _PROXY,
        Change(f"{_WIRE}ProxyReceiver._read_v1", " or (not end and len(self._octets) >= _V1_LIMIT)", ""),
        _NO_HEADER,
    ),
    _mutant(
        "proxy-line-ends-with-lf",
        _PROXY,
        Change(f"{_WIRE}ProxyReceiver._read_v1", 'b"\\n" in line or', ""),
        _NO_HEADER,
    ),
    _mutant(
        "proxy-header-of-any-length",
        _PROXY,
        Change(f"{_WIRE}ProxyReceiver._read_v2", "if length > _V2_LIMIT:", "if False:"),
        _NO_HEADER,
    ),
    _mutant(
        "proxy-ports-of-any-size",
        _PROXY,
        Change(f"{_WIRE}_port", "port > 65535 or", ""),
        _NO_HEADER,
    ),
    _mutant(
        "proxy-addresses-in-disguise",
        _PROXY,
        Change(f"{_WIRE}_endpoint", "str(mapped or address)", "str(address)"),
        f"{_HEADER}test_a_header_is_read_however_it_is_cut",
    ),
    _mutant(
        "proxy-takes-any-time",
        _PROXY,
        Change("hongyan.servers.proxy:ProxyPolicy.identify", "asyncio.timeout(self._timeout)", "asyncio.timeout(None)"),
        "tests/servers/test_listener.py::test_a_proxy_that_says_nothing_is_dropped",
    ),
)
