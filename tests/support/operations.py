"""Operations on a server of a test, called as the API and the command line call them."""

from __future__ import annotations

__all__ = ["call", "read_own"]

from collections.abc import Mapping, Sequence
from typing import Any

from hongyan.assembly.ground import Ground
from hongyan.audit.events import Actor
from hongyan.operations.calling import Caller, Document
from hongyan.operations.operations import Operations
from tests.support.server import Server


async def call(server: Server, name: str, caller: Caller, **asked: object) -> Document:
    """Call an operation by its name."""
    app = server.app
    ground = Ground(app.config, app.engines, app._clock, app._random, app.wheel)
    return await Operations(ground, app.services).call(name, asked, caller)


async def read_own(server: Server, whose: str, **asked: object) -> Sequence[Mapping[str, Any]]:
    """Return what an account is told of its own messages, the newest first."""
    answer = await call(server, "timeline.own", Caller(Actor(whose)), **asked)
    return answer["messages"]  # type: ignore[return-value]
