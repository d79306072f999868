"""The web application: routes within the guard."""

from __future__ import annotations

__all__ = ["make_app"]

from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from hongyan.clock import Clock
from hongyan.limits.networks import parse_networks
from hongyan.web.allowance import Allowances
from hongyan.web.guard import Guard
from hongyan.web.health import Check, Health, health_routes
from hongyan.web.options import WebOptions
from hongyan.web.static import ClientFiles, client_routes
from hongyan.web.wellknown import ChallengeAnswers, mta_sts_domain, wellknown_routes


def make_app(
    options: WebOptions,
    clock: Clock,
    checks: Mapping[str, Check],
    find_mta_sts_policy: Callable[[str], str | None],
    challenges: ChallengeAnswers,
    more: Sequence[BaseRoute] = (),
    allowances: Allowances | None = None,
    asks_here: Callable[[str], bool] = lambda _: False,
) -> ASGIApp:
    """Return the application. `checks` are the parts whose health is asked, by name; `more` are routes of others.

    `asks_here` says of a host whether mail programs ask for their settings there.
    """

    def is_ours(host: str) -> bool:
        if challenges.asks_for(host) or asks_here(host):
            return True
        domain = mta_sts_domain(host)
        return domain is not None and find_mta_sts_policy(domain) is not None

    routes = [
        *health_routes(Health(checks, clock), parse_networks(options.near)),
        *wellknown_routes(options, clock, find_mta_sts_policy, challenges),
        *more,
        *client_routes(ClientFiles()),
    ]
    return Guard(Starlette(routes=routes), options, clock, is_ours, allowances)
