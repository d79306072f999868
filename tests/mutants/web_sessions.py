"""Mutants of logging in to the web: sessions, other sites, the second factor, the open API."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_ROW = "web sessions and other sites"
_FACTOR_ROW = "the second factor"

_WEB = "tests/web/test_sessions.py::"
_FACTOR = "tests/web/test_second_factor.py::"
_API = "tests/web/test_api.py::"
_TOTP = "tests/auth/test_totp.py::"
_CONTRACT = "tests/contract/test_web_sessions.py::"

_SESSIONS = "hongyan.auth.sessions:"
_COOKIES = "hongyan.web.sessions:"
_LOGIN = "hongyan.web.api.session:SessionResource."
_DISPATCH = "hongyan.web.api.dispatch:"
_SECOND = "hongyan.auth.second_factor:SecondFactors."


def _mutant(name: str, change: Change | Constant, *tests: str, row: str = _ROW) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    # -- sessions
    _mutant(
        "web-session-of-any-secret",
        Change(f"{_SESSIONS}WebSessions.find", "if not hmac.compare_digest(session.digest, digest):", "if False:"),
        f"{_WEB}test_a_remembered_session_exchanges_its_token_each_day_and_a_stolen_old_one_ends_it",
    ),
    _mutant(
        "web-session-never-idle",
        Change(f"{_SESSIONS}WebSessions._has_ended", "return now - session.seen_at > idle", "return False"),
        f"{_WEB}test_a_session_ends_when_it_is_idle_and_when_it_is_old",
    ),
    _mutant(
        "web-session-for-ever",
        Change(f"{_SESSIONS}WebSessions._has_ended", "if now > session.ends_at:", "if False:"),
        f"{_WEB}test_a_session_ends_when_it_is_idle_and_when_it_is_old",
    ),
    _mutant(
        "web-session-stolen-token-is-shrugged-off",
        Change(
            f"{_SESSIONS}WebSessions._judge_previous",
            "if _is_previous(session, digest) and not self._is_in_grace(session, digest, now):",
            "if False:",
        ),
        f"{_WEB}test_a_remembered_session_exchanges_its_token_each_day_and_a_stolen_old_one_ends_it",
    ),
    _mutant(
        "web-session-lives-on-after-log-out",
        Change(f"{_LOGIN}_end_present", "if found is not None and not visit.arrived.is_program:", "if False:"),
        f"{_WEB}test_a_browser_logs_in_is_known_and_logs_out",
        f"{_WEB}test_a_login_always_makes_a_new_session_and_ends_the_old",
    ),
    _mutant(
        "web-session-survives-a-new-password",
        Change(
            "hongyan.engines.sql.credentials:revoke_all",
            '*(yield from drop_credentials("web_sessions", account))',
            "",
        ),
        f"{_WEB}test_a_new_password_ends_all_sessions",
        f"{_CONTRACT}test_a_new_password_and_the_end_of_an_account_end_sessions",
    ),
    _mutant(
        "web-session-of-a-suspended-account",
        Change(
            f"{_COOKIES}_if_open",
            'if found is None or Service.WEB not in found.account.services or found.account.state.value != "active":',
            "if found is None:",
        ),
        f"{_WEB}test_an_account_that_is_suspended_or_not_for_the_web_is_shut_out_at_once",
    ),
    _mutant(
        "web-session-key-as-cookie",
        Change(
            f"{_COOKIES}arrive",
            "kinds = frozenset({SessionKind.SESSION, SessionKind.PENDING})",
            "kinds = frozenset(SessionKind)",
        ),
        f"{_API}test_a_key_is_no_cookie_and_a_cookie_no_key",
    ),
    _mutant(
        "web-cookie-that-scripts-read",
        Change(f"{_COOKIES}SessionCookies._set", "; HttpOnly; SameSite=Strict", ""),
        f"{_WEB}test_a_browser_logs_in_is_known_and_logs_out",
    ),
    _mutant(
        "web-cookie-without-its-prefix",
        Change(f"{_COOKIES}SessionCookies._name", 'f"__Host-{name}" if self._is_secure else name', "name"),
        f"{_WEB}test_a_browser_logs_in_is_known_and_logs_out",
    ),
    _mutant(
        "web-plain-http-through-a-proxy",
        Change(f"{_COOKIES}arrive", "or any(name in request.headers for name in PROXIED)", ""),
        f"{_WEB}test_plain_http_serves_loopback_with_a_cookie_of_its_own",
    ),
    # -- other sites
    _mutant(
        "csrf-fetch-site-not-asked",
        Change(
            f"{_COOKIES}require_own_page",
            'if site is not None and site != "same-origin" and not (is_safe and site == "none"):',
            "if False:",
        ),
        f"{_WEB}test_no_other_site_changes_anything_with_our_cookie",
        f"{_WEB}test_no_other_site_reads_with_our_cookie",
    ),
    _mutant(
        "csrf-origin-not-asked",
        Change(
            f"{_COOKIES}require_own_page",
            "if origin is not None and origin !=",
            "if False and origin !=",
        ),
        f"{_WEB}test_no_other_site_changes_anything_with_our_cookie",
        f"{_WEB}test_no_other_site_logs_a_browser_in",
    ),
    _mutant(
        "csrf-who-says-nothing-is-believed",
        Change(
            f"{_COOKIES}require_own_page",
            "if site is None and origin is None and comes_with_cookie and not is_safe:",
            "if False:",
        ),
        f"{_WEB}test_no_other_site_changes_anything_with_our_cookie",
        f"{_WEB}test_a_session_opens_jmap_for_our_own_pages_alone",
    ),
    _mutant(
        "csrf-forms-are-taken",
        Change(
            f"{_DISPATCH}_read_body",
            'if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":',
            "if False:",
        ),
        f"{_WEB}test_a_form_cannot_send_what_is_taken",
    ),
    # -- step-up, scopes, roles
    _mutant(
        "step-up-lasts-for-ever",
        Change(
            f"{_SESSIONS}WebSessions.is_stepped_up",
            "session.proven_at is not None and self._clock.now() - session.proven_at <= window",
            "True",
        ),
        f"{_WEB}test_an_app_password_is_not_made_long_after_the_login",
        f"{_FACTOR}test_a_step_up_asks_for_a_code_and_not_for_the_password",
    ),
    _mutant(
        "step-up-by-the-password-in-spite-of-a-second-factor",
        Change(
            f"{_LOGIN}step_up",
            "if (await self._second_factors.state(account.account_id)).since is not None:",
            "if False:",
        ),
        f"{_FACTOR}test_a_step_up_asks_for_a_code_and_not_for_the_password",
    ),
    _mutant(
        "api-key-of-any-scope",
        Change(f"{_DISPATCH}Api._require", "if not route.scope or route.scope not in session.scopes:", "if False:"),
        f"{_API}test_a_key_opens_its_scopes_and_no_more",
    ),
    _mutant(
        "api-key-for-jmap-of-any-scope",
        Change(f"{_COOKIES}SessionWay.find", "if MAIL_SCOPE not in found.session.scopes:", "if False:"),
        f"{_WEB}test_a_key_for_mail_opens_jmap_and_another_does_not",
    ),
    _mutant(
        "api-admins-are-anybody",
        Change(
            f"{_DISPATCH}Api._require",
            "if route.is_for_admins and visit.account.role is not Role.ADMIN:",
            "if False:",
        ),
        f"{_API}test_what_is_for_admins_is_for_nobody_else",
    ),
    # -- the second factor
    _mutant(
        "second-factor-pending-opens-all",
        Change(f"{_DISPATCH}Api._require", "if session.kind is not wanted:", "if False:"),
        f"{_FACTOR}test_the_password_alone_opens_nothing_but_the_question_for_a_code",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-pending-opens-jmap",
        Change(f"{_COOKIES}SessionWay.find", " or found.session.kind is SessionKind.PENDING", ""),
        f"{_FACTOR}test_a_second_factor_ends_what_the_password_opened_and_jmap_takes_no_password_alone",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-not-asked-by-imap",
        Change(
            "hongyan.auth.login:LoginDoor._prove",
            "if proven is not None and proven.device is None and proven.login.has_second_factor:",
            "if False:",
        ),
        f"{_FACTOR}test_mail_programs_need_app_passwords_once_a_second_factor_is_on",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-leaves-old-sessions",
        Change("hongyan.auth.revocations:Revocations._check_account", " and not login.has_second_factor", ""),
        f"{_FACTOR}test_a_second_factor_ends_what_the_password_opened_and_jmap_takes_no_password_alone",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-code-taken-again",
        Change(f"{_SECOND}check", "is_right = await self._store.use_step(account, step)", "is_right = True"),
        f"{_FACTOR}test_a_code_is_taken_once_also_by_two_at_the_same_time",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-drifts-far",
        Constant("hongyan.auth.totp:_DRIFT", 2),
        f"{_TOTP}test_a_code_of_now_or_one_step_off_is_taken_once",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-may-be-guessed",
        Constant("hongyan.auth.second_factor:_TRIES", ()),
        f"{_FACTOR}test_codes_cannot_be_guessed",
        row=_FACTOR_ROW,
    ),
    Mutant(
        "second-factor-in-the-clear",
        _FACTOR_ROW,
        (
            Change(
                f"{_SECOND}_seal",
                'return nonce + self._cipher.encrypt(nonce, secret, b"%d" % account)',
                "return nonce + secret",
            ),
            Change(
                f"{_SECOND}_unseal",
                'return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"%d" % account)',
                "return sealed[_NONCE:]",
            ),
        ),
        (f"{_FACTOR}test_the_secret_is_not_readable_in_the_database",),
    ),
    _mutant(
        "second-factor-binding-of-any-browser",
        Change(f"{_SESSIONS}_is_agent", "if session.kind is not SessionKind.BINDING:", "if True:"),
        f"{_FACTOR}test_a_binding_is_of_one_browser_one_account_and_revocable",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-binding-used-twice",
        Change(
            f"{_SESSIONS}WebSessions.use_binding",
            "return await self._bind(account, visitor, life, found.session.credential)",
            "return await self._bind(account, visitor, life, None)",
        ),
        f"{_FACTOR}test_a_bound_browser_needs_no_code_for_a_day_to_the_second",
        row=_FACTOR_ROW,
    ),
    _mutant(
        "second-factor-recovery-code-taken-again",
        Change(
            "hongyan.engines.sql.second_factors:_use_code",
            "DELETE FROM recovery_codes WHERE account_id = $1 AND digest = $2 RETURNING account_id",
            "SELECT account_id FROM recovery_codes WHERE account_id = $1 AND digest = $2",
        ),
        f"{_FACTOR}test_a_recovery_code_opens_once",
        row=_FACTOR_ROW,
    ),
)
