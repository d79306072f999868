"""From a request to its handler and back: who may, what was said, what is answered. Every answer is JSON."""

from __future__ import annotations

__all__ = ["Api"]

import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from hongyan import telemetry
from hongyan.auth.requirements import Requirement
from hongyan.auth.sessions import WebSessions
from hongyan.errors import HongyanError, ServerFault
from hongyan.store.accounts import Locale, Role
from hongyan.store.web_sessions import SessionKind
from hongyan.telemetry import metrics
from hongyan.web.api.declared import Access, Done, Route, Visit, parameters_of
from hongyan.web.api.values import decode_json, decode_parameter, decode_value, encode
from hongyan.web.problems import FieldFault, Problem, Say, locale_of, problem_of, problem_response
from hongyan.web.sessions import arrive

_MAX_QUERY: Final = 50
_REQUIRED: Final[Mapping[Requirement, str]] = {
    Requirement.NEW_PASSWORD: "Set a new password first.",
    Requirement.SECOND_FACTOR: "Set up two-step verification first: your organisation asks for it.",
}

log = telemetry.logger("web")


class Api:
    """The application below its prefix."""

    def __init__(self, prefix: str, routes: Sequence[Route], sessions: WebSessions, say: Say) -> None:
        self._prefix = prefix
        self._sessions = sessions
        self._say = say
        self._paths: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._paths.setdefault(prefix + route.path, {})[route.method] = route
        self._patterns = [
            (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))), methods)
            for path, methods in sorted(self._paths.items(), key=lambda item: "{" in item[0])
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        locale = locale_of(request)
        try:
            response = await self._answer(request, locale)
        except Problem as problem:
            response = problem_response(problem, locale, self._say)
        except HongyanError as error:
            response = problem_response(self._explain(error, scope), locale, self._say)
        await response(scope, receive, send)

    def _explain(self, error: HongyanError, scope: Scope) -> Problem:
        problem = problem_of(error)
        if isinstance(error, ServerFault):
            problem.reference = str(scope.get("state", {}).get("cid", ""))
            log.warning("request-failed", cause=error.cause, kind=error.kind, cid=problem.reference)
        return problem

    async def _answer(self, request: Request, locale: Locale) -> Response:
        route, places = self._find(request)
        request.scope["endpoint"] = route.handler
        arrived = await arrive(request, self._sessions)
        visit = Visit(request, arrived, locale)
        if arrived.found is not None and not _speaks(request):
            visit.locale = arrived.found.account.locale
        self._require(route, visit)
        given = self._read_parameters(route, request, places)
        if route.body is not None:
            given["body"] = await _read_body(route, request)
        answer = await route.handler(visit, **given)
        return self._respond(route, visit, answer)

    def _find(self, request: Request) -> tuple[Route, Mapping[str, str]]:
        for pattern, methods in self._patterns:
            match = pattern.fullmatch(request.url.path)
            if match is None:
                continue
            method = "GET" if request.method == "HEAD" and "GET" in methods else request.method
            if method not in methods:
                allowed = sorted({*methods, *(("HEAD",) if "GET" in methods else ())})
                raise Problem(
                    405, "method", "This cannot be done with that method.", headers={"allow": ", ".join(allowed)}
                )
            return methods[method], match.groupdict()
        raise Problem(404, "not-found", "There is nothing here.")

    def _require(self, route: Route, visit: Visit) -> None:
        """Refuse who may not. Raises `Problem`."""
        if route.access is Access.ANYBODY:
            return
        session = visit.found.session
        if visit.arrived.is_program:
            if not route.scope or route.scope not in session.scopes:
                raise Problem(403, "scope", "This key is not for that.")
        else:
            wanted = SessionKind.PENDING if route.access is Access.PENDING else SessionKind.SESSION
            if session.kind is not wanted:
                raise Problem(401, "second-factor-needed", "The second factor is still to be shown.")
            if route.access is Access.RECENT and not self._sessions.is_stepped_up(session):
                raise Problem(403, "step-up-needed", "Show the password or a code again first.")
        requirement = visit.found.requirement
        if requirement is not None and requirement not in route.serves:
            raise Problem(403, f"{requirement.value}-required", _REQUIRED[requirement])
        if route.is_for_admins and visit.account.role is not Role.ADMIN:
            raise Problem(403, "admins-only", "This is for admins.")

    def _read_parameters(self, route: Route, request: Request, places: Mapping[str, str]) -> dict[str, object]:
        faults: list[FieldFault] = []
        given: dict[str, object] = {}
        if len(request.query_params) > _MAX_QUERY:
            raise Problem(400, "query", "There are too many parameters.")
        for name, (kind, parameter) in parameters_of(route).items():
            text = places.get(name, request.query_params.get(name))
            if text is not None:
                given[name] = decode_parameter(kind, text, name, faults)
            elif parameter.default is parameter.empty:
                faults.append(FieldFault("This parameter is needed.", parameter=name))
        _require_right(faults)
        return given

    def _respond(self, route: Route, visit: Visit, answer: object) -> Response:
        if isinstance(answer, Response):
            response = answer
        elif isinstance(answer, Done):
            response = Response(status_code=204)
        else:
            response = JSONResponse(encode(answer), route.status)
        for cookie in visit.cookies:
            response.headers.append("set-cookie", cookie)
        return response


async def _read_body(route: Route, request: Request) -> object:
    octets = await request.body()
    # What a form of another site can send is no JSON (Fetch §4.10).
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "not-json", "Send JSON, as application/json.")
    faults: list[FieldFault] = []
    body = decode_value(route.body, decode_json(octets), "", faults)
    _require_right(faults)
    return body


def _require_right(faults: list[FieldFault]) -> None:
    if faults:
        metrics.httpserver_invalid_requests_total.inc()
        raise Problem(422, "invalid", "Some fields are not right.", faults=faults)


def _speaks(request: Request) -> bool:
    return "accept-language" in request.headers
