"""Who a request comes from: the cookie of a browser, or the bearer token of a program; and what is not believed.

The cookie is `__Host-` prefixed: sent over TLS alone, to this host alone, read by no script (RFC 6265bis §4.1.3.2). On
loopback without TLS, which a browser trusts as much, it has a name of its own.

A browser sends cookies also where another site made it ask. Therefore a cookie counts only for a request that the
browser says is of our own pages (Sec-Fetch-Site), or, from an old browser, whose Origin is ours. A request that changes
something must say one of the two, if it comes with a cookie. There is no CORS: no other site may read an answer.
Bearer tokens are put into a request by programs, never by a browser itself, and need none of this.
"""

from __future__ import annotations

__all__ = ["COOKIE_SECONDS", "MAIL_SCOPE", "Arrived", "SessionCookies", "SessionWay", "arrive", "require_own_page"]

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request

from hongyan.auth.principal import Principal
from hongyan.auth.sessions import FoundSession, OpenedSession, Visitor, WebSessions
from hongyan.limits.networks import is_loopback
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.store.web_sessions import SessionKind
from hongyan.web.identity import PROXIED, Unidentified
from hongyan.web.problems import Problem

COOKIE_SECONDS: Final = 400 * 24 * 3600
"""The longest that a browser keeps a cookie (RFC 6265bis §5.5). What is in it ends before."""

MAIL_SCOPE: Final = "mail"
"""The scope of keys that may use JMAP."""

_SESSION: Final = "hongyan"
_BROWSER: Final = "hongyan-browser"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_AGENT: Final = 512


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request with what is known of its sender. `tls` is the version, or None on loopback."""

    visitor: Visitor
    tls: str | None
    found: FoundSession | None
    is_program: bool = False
    """Whether it came with a bearer token."""


class SessionCookies:
    """Writes cookies for the way that a request came."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._is_secure = request.url.scheme == "https"

    @property
    def session(self) -> Secret | None:
        """The token of the session, if one came."""
        return self._find(_SESSION)

    @property
    def browser(self) -> Secret | None:
        """The token of a bound browser, if one came."""
        return self._find(_BROWSER)

    def set_session(self, token: Secret, *, remembered: bool, seconds: int) -> str:
        """Return the field that stores a session; it goes with the browser's window unless it is remembered."""
        return self._set(_SESSION, token.reveal_text(), seconds if remembered else None)

    def set_browser(self, opened: OpenedSession, now: datetime) -> str:
        """Return the field that binds the browser."""
        seconds = max(1, int((opened.session.ends_at - now).total_seconds()))
        return self._set(_BROWSER, opened.token.reveal_text(), seconds)

    def forget_session(self) -> str:
        """Return the field that removes the session's cookie."""
        return self._set(_SESSION, "", 0)

    def forget_browser(self) -> str:
        """Return the field that removes the binding."""
        return self._set(_BROWSER, "", 0)

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self._is_secure else name

    def _find(self, name: str) -> Secret | None:
        value = self._request.cookies.get(self._name(name))
        return Secret(value) if value else None

    def _set(self, name: str, value: str, seconds: int | None) -> str:
        age = "" if seconds is None else f"; Max-Age={min(seconds, COOKIE_SECONDS)}"
        secure = "; Secure" if self._is_secure else ""
        return f"{self._name(name)}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}"


class SessionWay:
    """A way into JMAP (`web.identity.Way`): the cookie of a browser that is logged in, or a key for mail."""

    def __init__(self, sessions: WebSessions) -> None:
        self._sessions = sessions

    async def find(self, request: Request) -> Principal | None:
        """Return who comes with a session or a key. Raises `Unidentified`."""
        is_basic = "authorization" in request.headers and _bearer(request) is None
        if is_basic or (_bearer(request) is None and SessionCookies(request).session is None):
            return None
        try:
            arrived = await arrive(request, self._sessions)
        except Problem as problem:
            raise _unidentified(problem) from None
        found = arrived.found
        if found is None or found.session.kind is SessionKind.PENDING:
            return None
        if found.requirement is not None:
            raise Unidentified("Set a new password or two-step verification on the web first.", status=403)
        account, scopes = found.account, frozenset({Service.WEB})
        if arrived.is_program:
            if MAIL_SCOPE not in found.session.scopes:
                raise Unidentified("This key is not for mail.", status=403)
            scopes = frozenset({Service.IMAP, Service.SMTP})
        return Principal(
            account.account_id,
            account.address,
            scopes,
            found.session.credential,
            account.role,
            found.session.ends_at,
        )


async def arrive(request: Request, sessions: WebSessions) -> Arrived:
    """Find out who sends a request. Raises `Problem` for one that is not to be believed, or comes in the open."""
    peer = request.client.host if request.client else ""
    visitor = Visitor(peer, request.headers.get("user-agent", "")[:_MAX_AGENT])
    tls = getattr(request.state, "tls", None)
    if request.url.scheme != "https" and (not is_loopback(peer) or any(name in request.headers for name in PROXIED)):
        raise Problem(403, "tls-required", "This needs HTTPS.")
    bearer = _bearer(request)
    if bearer is not None:
        found = await sessions.find(bearer, frozenset({SessionKind.KEY}), visitor)
        found = _if_open(found)
        if found is None:
            raise Problem(401, "wrong-key", "This key is wrong, has ended or was revoked.")
        return Arrived(visitor, tls, found, is_program=True)
    token = SessionCookies(request).session
    require_own_page(request, comes_with_cookie=token is not None)
    if token is None:
        return Arrived(visitor, tls, None)
    kinds = frozenset({SessionKind.SESSION, SessionKind.PENDING})
    return Arrived(visitor, tls, _if_open(await sessions.find(token, kinds, visitor)))


def require_own_page(request: Request, *, comes_with_cookie: bool) -> None:
    """Refuse what another site made a browser ask. Raises `Problem`."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    is_safe = request.method in _SAFE
    if site is not None and site != "same-origin" and not (is_safe and site == "none"):
        # "none": typed in by the person. Another site's link or form says cross-site or same-site.
        _refuse_if(is_safe=is_safe, comes_with_cookie=comes_with_cookie)
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host', '')}":
        _refuse_if(is_safe=is_safe, comes_with_cookie=comes_with_cookie)
    if site is None and origin is None and comes_with_cookie and not is_safe:
        raise Problem(403, "cross-site", "The request does not say that it comes from our own pages.")


def _refuse_if(*, is_safe: bool, comes_with_cookie: bool) -> None:
    if comes_with_cookie or not is_safe:
        raise Problem(403, "cross-site", "Another site made this request.")


def _if_open(found: FoundSession | None) -> FoundSession | None:
    """Return what was found if its account may use the web now."""
    if found is None or Service.WEB not in found.account.services or found.account.state.value != "active":
        return None
    return found


def _unidentified(problem: Problem) -> Unidentified:
    challenge = "Bearer" if problem.status == 401 else None
    return Unidentified(problem.detail, status=problem.status, challenge=challenge)


def _bearer(request: Request) -> Secret | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return Secret(token.strip()) if scheme.lower() == "bearer" else None
