"""Does it live, and can it serve? For load balancers, service managers and people.

`/healthz/live` answers as long as the loop turns. `/healthz` asks each part: every listener, the database; 503 when
one of them does not serve. Strangers learn only whether all is well. `/metrics` is for networks that the operator
names, loopback by default; elsewhere it is not found.
"""

from __future__ import annotations

__all__ = ["Check", "Health", "health_routes"]

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv4Network, IPv6Network

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.telemetry import metrics
from hongyan.web.guard import is_near

Check = Callable[[], Awaitable[bool]]
"""Whether a part serves. What it raises means no."""

_CHECK_TIMEOUT = 2.0  # seconds for each part
_FRESH = 1.0  # seconds in which an answer is given again: nobody wears out the database by asking

log = telemetry.logger("web")


class Health:
    """Asks the parts."""

    def __init__(self, checks: Mapping[str, Check], clock: Clock) -> None:
        self._checks = checks
        self._clock = clock
        self._known: dict[str, bool] = {}
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    async def ask(self) -> Mapping[str, bool]:
        """Return which parts serve."""
        async with self._asking:
            if self._clock.monotonic() - self._asked >= _FRESH:
                answers = await asyncio.gather(*(self._check(name, check) for name, check in self._checks.items()))
                self._known = dict(zip(self._checks, answers, strict=True))
                self._asked = self._clock.monotonic()
        return self._known

    async def _check(self, name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT):
                serves = await check()
        except Exception as error:  # noqa: BLE001 - the top of a job: whatever it is, the part does not serve
            log.warning("check-failed", part=name, error=error)
            return False
        if not serves:
            log.warning("check-failed", part=name)
        return serves


def health_routes(health: Health, near: tuple[IPv4Network | IPv6Network, ...]) -> list[Route]:
    """Return the routes; `near` are the networks that see details and metrics."""

    async def ready(request: Request) -> Response:
        parts = await health.ask()
        well = all(parts.values())
        body: dict[str, object] = {"status": "ok" if well else "degraded"}
        if is_near(request, near):
            body["parts"] = {name: "ok" if serves else "failed" for name, serves in parts.items()}
        return JSONResponse(body, 200 if well else 503)

    async def live(request: Request) -> Response:  # noqa: ARG001 - it has nothing to ask
        return JSONResponse({"status": "ok"})

    async def show_metrics(request: Request) -> Response:
        if not is_near(request, near):
            raise HTTPException(404)
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", ready), Route("/healthz/live", live), Route("/metrics", show_metrics)]
