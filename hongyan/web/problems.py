"""What went wrong, as programs and people read it: problem details (RFC 9457), in the reader's language."""

from __future__ import annotations

__all__ = ["FieldFault", "Problem", "Say", "locale_of", "problem_of", "problem_response"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hongyan.addresses import AddressFault
from hongyan.auth.principal import LoginReason, LoginRefused
from hongyan.errors import (
    AlreadyExists,
    HongyanError,
    NotFound,
    OverLimit,
    StorageFull,
    Unavailable,
    UserFault,
)
from hongyan.store.accounts import Locale

Say = Callable[[Locale, str], str]
"""Translates a finished sentence."""

_MOST_LANGUAGES: Final = 16
_TITLES: Final[Mapping[int, str]] = {
    400: "The request cannot be read",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "That does not go together",
    415: "The request is not JSON",
    422: "Something is not right",
    429: "Too often",
    500: "Our fault",
    503: "Not now",
}
_STATUS: Final[Sequence[tuple[type[HongyanError], int]]] = (
    (NotFound, 404),
    (AlreadyExists, 409),
    (OverLimit, 409),
    (UserFault, 422),
    (AddressFault, 422),
    (StorageFull, 503),
    (Unavailable, 503),
)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field: a JSON pointer into the body, or the name of a parameter."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(Exception):
    """The answer to a request that is not answered as wished. `kind` names it for programs."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        faults: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
        reference: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}
        self.reference = reference


def problem_of(error: HongyanError) -> Problem:
    """Return what an error is told as. Its cause stays here."""
    if isinstance(error, LoginRefused):
        return _refused_login(error)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        sentence = "That is not possible just now. Try again later." if status == 503 else "Something went wrong."
        return Problem(status, error.kind, sentence, headers={"retry-after": "5"} if status == 503 else None)
    return Problem(status, error.kind, error.sentence or "That cannot be done.")


def problem_response(problem: Problem, locale: Locale, say: Say) -> Response:
    """Return the response, in a language."""
    document: dict[str, object] = {
        "type": f"urn:hongyan:problem:{problem.kind}",
        "title": say(locale, _TITLES.get(problem.status, "Not possible")),
        "status": problem.status,
        "detail": say(locale, problem.detail),
    }
    if problem.faults:
        document["errors"] = [_fault(fault, locale, say) for fault in problem.faults]
    if problem.reference:
        document["instance"] = f"urn:hongyan:request:{problem.reference}"
    headers = {**problem.headers, "content-language": locale.value}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(document, problem.status, headers, "application/problem+json")


def locale_of(request: Request) -> Locale:
    """Return the language of whoever asks: the better liked of those that we speak (RFC 9110 §12.5.4)."""
    liked: dict[Locale, float] = {}
    for part in request.headers.get("accept-language", "").split(",")[:_MOST_LANGUAGES]:
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        for locale in Locale:
            if tag.strip().lower().partition("-")[0] == locale.value and quality > liked.get(locale, 0.0):
                liked[locale] = quality
    return max(liked, key=lambda locale: liked[locale], default=Locale.EN)


def _refused_login(refused: LoginRefused) -> Problem:
    after = None if refused.retry_after is None else {"retry-after": str(int(refused.retry_after) + 1)}
    match refused.told:
        case LoginReason.TOO_MANY_FAILURES | LoginReason.BUSY:
            return Problem(429, refused.told.value, refused.sentence, headers=after)
        case LoginReason.UNAVAILABLE:
            return Problem(503, refused.told.value, refused.sentence, headers=after)
        case LoginReason.WRONG_SECRET:
            return Problem(401, refused.told.value, "The name or the password is wrong.")
        case _:
            return Problem(403, refused.told.value, refused.sentence)


def _fault(fault: FieldFault, locale: Locale, say: Say) -> dict[str, str]:
    where = {"pointer": f"#{fault.pointer}"} if fault.pointer is not None else {"parameter": fault.parameter or ""}
    return {**where, "detail": say(locale, fault.detail)}
