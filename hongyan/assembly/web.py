"""The web from the configuration: the application, and the parts whose health it tells."""

from __future__ import annotations

__all__ = ["make_web"]

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.routing import BaseRoute

from hongyan.addresses import AddressFault, Domain
from hongyan.assembly.client_settings import SettingsOfDomains
from hongyan.assembly.directory import Entrance
from hongyan.assembly.ground import Ground
from hongyan.assembly.jmap import jmap_allowances, make_jmap_routes
from hongyan.assembly.services import Services
from hongyan.config import Config, Service
from hongyan.domains.domains import Domains
from hongyan.domains.mta_sts_policy import make_policy
from hongyan.engines.sql.units import Statement, Unit
from hongyan.web.allowance import usual_allowances
from hongyan.web.app import make_app
from hongyan.web.autoconfig import autoconfig_routes
from hongyan.web.connection import HttpService
from hongyan.web.health import Check
from hongyan.web.identity import BasicWay, Identities
from hongyan.web.sessions import SessionWay


def make_web(
    ground: Ground,
    services: Services,
    is_serving: Callable[[Service], bool],
    settings: SettingsOfDomains,
    more: Sequence[BaseRoute] = (),
) -> HttpService:
    """Return what serves HTTP. `is_serving` tells of each listener whether it accepts connections."""
    config = ground.config
    domains, challenges = services.directory.domains, services.issuing.challenges
    checks: dict[str, Check] = {service: _listener_check(service, is_serving) for service in config.listen}
    checks["database"] = _database_check(ground)
    options = replace(config.web, names=(config.server.hostname, *config.web.names))
    identities = _make_identities(ground, services.entrance)
    routes = [
        *more,
        *autoconfig_routes(settings, ground.engines.counters),
        *(make_jmap_routes(ground, services, identities) if config.jmap.enabled else ()),
    ]
    allowances = usual_allowances(options, jmap_allowances(config))
    app = make_app(
        options, ground.clock, checks, _policies(config, domains), challenges, routes, allowances, settings.asks_here
    )
    return HttpService(app, options, allowances)


def _make_identities(ground: Ground, entrance: Entrance) -> Identities:
    """Return who finds out who asks."""
    remembered = ground.config.jmap.identity_seconds
    basic = BasicWay(entrance.login, entrance.revocations, ground.clock, ground.random, remembered)
    return Identities([SessionWay(entrance.web_sessions), basic])


def _listener_check(service: Service, is_serving: Callable[[Service], bool]) -> Check:
    async def check() -> bool:
        return is_serving(service)

    return check


def _database_check(ground: Ground) -> Check:
    def read() -> Unit[bool]:
        rows = yield Statement("SELECT 1")
        return bool(rows)

    async def check() -> bool:
        return await ground.database.read(read())

    return check


def _policies(config: Config, domains: Domains) -> Callable[[str], str | None]:
    """Return what finds the MTA-STS policy of a domain: the same for all of ours."""
    policy = make_policy(config.web.mta_sts, config.server.hostname)

    def find(domain: str) -> str | None:
        try:
            return policy if domains.is_local(Domain.parse(domain)) else None
        except AddressFault:
            return None

    return find
