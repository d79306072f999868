"""Mutants of what is pushed: limits, revocation and origins of streams, sockets and URLs, each switched off once."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "JMAP push"
_EVENTS = "tests/web/jmap/test_event_source.py::"
_URLS = "tests/web/jmap/test_push_subscription.py::"
_SOCKETS = "tests/web/jmap/test_web_socket.py::"
_WEB = "hongyan.web.jmap."


def _mutant(name: str, row: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    _mutant(
        "push-streams-of-an-account",
        _ROW,
        Change(f"{_WEB}streams:Streams.enter", "self._counts[account] >= self.options.push_streams", "False"),
        f"{_EVENTS}test_so_many_streams_there_are_and_no_more",
        f"{_SOCKETS}test_sockets_and_streams_are_counted_together",
    ),
    _mutant(
        "push-streams-of-all",
        _ROW,
        Change(f"{_WEB}streams:Streams.enter", "self._total >= self.options.push_streams_total", "False"),
        f"{_EVENTS}test_so_many_streams_there_are_and_no_more",
    ),
    _mutant(
        "push-streams-that-outlive-their-secret",
        _ROW,
        Change(f"{_WEB}event_source:_Stream._revoked", "self._end()", "pass"),
        f"{_EVENTS}test_a_stream_ends_with_the_secret_that_opened_it",
    ),
    _mutant(
        "push-streams-without-end",
        _ROW,
        Change(f"{_WEB}event_source:_Stream.due", "now >= self._ends_at", "False"),
        f"{_EVENTS}test_a_stream_lasts_an_hour",
    ),
    _mutant(
        "push-one-reading-for-each-change",
        _ROW,
        Change("hongyan.notify.feeds:_Feed.is_rested", "self.read_at is None or now - self.read_at >= pause", "True"),
        "tests/notify/test_feeds.py::test_a_burst_is_read_at_its_beginning_and_once_after_the_pause",
    ),
    _mutant(
        "push-types-without-end",
        _ROW,
        Change("hongyan.wire.jmap.push:_read_types", "len(names) > _MAX_TYPES", "False"),
        f"{_EVENTS}test_what_cannot_be_wished_is_refused",
    ),
    _mutant(
        "sockets-of-other-sites",
        _ROW,
        Change(f"{_WEB}web_socket:_require_own_origin", "if origin is not None and", "if False and"),
        f"{_SOCKETS}test_what_opens_no_socket_is_refused",
    ),
    _mutant(
        "sockets-by-a-cookie-from-nowhere",
        _ROW,
        Change(f"{_WEB}web_socket:_require_own_origin", "if origin is None and", "if False and"),
        f"{_SOCKETS}test_a_browser_opens_it_from_our_own_pages_alone",
    ),
    _mutant(
        "sockets-that-outlive-their-secret",
        _ROW,
        Change(f"{_WEB}socket_session:SocketSession._revoked", "self._close(CloseReason.POLICY_VIOLATION)", "pass"),
        f"{_SOCKETS}test_a_socket_ends_with_the_secret_that_opened_it",
    ),
    _mutant(
        "sockets-with-messages-of-any-size",
        _ROW,
        Change(f"{_WEB}socket_session:SocketSession._add", "self._size > self._jmap.limits.size", "False"),
        f"{_SOCKETS}test_limits_of_requests_are_those_of_http",
    ),
    _mutant(
        "sockets-of-peers-that-are-gone",
        _ROW,
        Change(f"{_WEB}socket_session:SocketSession.due", "silent >= _SILENCE", "False"),
        f"{_SOCKETS}test_a_peer_that_is_silent_is_asked_and_then_taken_for_gone",
    ),
    _mutant(
        "urls-verified-by-any-code",
        _ROW,
        Change(
            f"{_WEB}push_subscription:_Setting.update",
            "hmac.compare_digest(code.encode(), known.code.encode())",
            "bool(code)",
        ),
        f"{_URLS}test_nothing_but_the_code_is_pushed_before_it_came_back",
    ),
    _mutant(
        "urls-whose-code-is-told",
        _ROW,
        Change(f"{_WEB}push_subscription:_describe", "known.code if known.is_verified else None", "known.code"),
        f"{_URLS}test_nothing_but_the_code_is_pushed_before_it_came_back",
    ),
    _mutant(
        "urls-at-private-addresses",
        _ROW,
        Change(
            "hongyan.assembly.strangers_https:make_https_client",
            "(is_public(address) and address not in own)",
            "True",
        ),
        f"{_URLS}test_a_private_address_is_never_connected_to",
    ),
    _mutant(
        "urls-pushed-to-when-the-login-is-over",
        _ROW,
        Change(f"{_WEB}web_push:WebPush._serve", "not await self._holds(known.credential, known.service)", "False"),
        f"{_URLS}test_a_subscription_ends_with_the_secret_that_made_it",
    ),
    _mutant(
        "urls-of-another-login",
        _ROW,
        Change(f"{_WEB}push_subscription:_Setting._find", "known.credential != self._principal.credential", "False"),
        f"{_URLS}test_a_subscription_is_of_the_login_that_made_it_alone",
    ),
    _mutant(
        "urls-made-without-end",
        _ROW,
        Change(
            f"{_WEB}push_subscription:_Setting._add",
            'await services.counters.take(f"push-verifications {self._account}", options.push_verifications, _HOUR)',
            "False",
        ),
        f"{_URLS}test_an_account_has_so_many_subscriptions_and_makes_so_many_an_hour",
    ),
    _mutant(
        "urls-that-are-slow-for-all",
        _ROW,
        Change(f"{_WEB}web_push:WebPush._next", "self._busy[line.key[0]] < _OF_AN_ACCOUNT", "True"),
        f"{_URLS}test_who_has_slow_push_services_holds_up_nobody_else",
    ),
    _mutant(
        "basic-handed-on-in-the-clear",
        "JMAP",
        Change("hongyan.web.identity:BasicWay.find", "tls is None and any(", "False and any("),
        "tests/web/jmap/test_core.py::test_a_password_that_a_proxy_took_in_the_clear_opens_nothing",
    ),
)
