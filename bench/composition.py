"""`hongyan demo` with parts left out, so that a run can show what each of them costs; for benchmarks alone.

    python -m bench.composition --without timelines,consumers -- --json --data DIR

What has a switch in the configuration is switched off there. What has none, for it belongs to every server, is replaced
where the services are put together by something that does nothing.
"""

from __future__ import annotations

__all__ = ["PARTS", "leave_out", "main"]

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import hongyan.app
import hongyan.assembly.screening
import hongyan.assembly.services
from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services, make_services
from hongyan.cli.program import run
from hongyan.config import Config
from hongyan.delivery.deliver import Deliverer
from hongyan.inbound.timeline import InboundTimeline
from hongyan.notify.consumers import Consumers


class _NoTimeline(InboundTimeline):
    """Nobody reads what became of his mail."""

    def refused(self, *_said: object, **_more: object) -> None:
        pass

    def filed(self, *_said: object, **_more: object) -> None:
        pass


class _NoConsumers(Consumers):
    """Nobody follows the change logs; the text index, which follows them by itself, does."""

    def add(self, *_consumers: object) -> None:
        pass


class _NoCorrespondents(Deliverer):
    """No account remembers who wrote to it."""

    async def deliver(self, *accounts_and_message: Any, **how: Any) -> Any:
        return await super().deliver(*accounts_and_message, **(how | {"sender": None}))


_REPLACED: Mapping[str, tuple[object, str, type]] = {
    "timelines": (hongyan.assembly.services, "InboundTimeline", _NoTimeline),
    "consumers": (hongyan.assembly.screening, "Consumers", _NoConsumers),
    "correspondents": (hongyan.assembly.services, "Deliverer", _NoCorrespondents),
}
_SWITCHED: Mapping[str, Callable[[Config], Config]] = {
    "spam": lambda config: replace(config, spam=replace(config.spam, enabled=False)),
    "reputation": lambda config: replace(config, reputation=replace(config.reputation, enabled=False)),
    "index": lambda config: replace(config, search=replace(config.search, index=False)),
    "reports": lambda config: replace(config, reports=replace(config.reports, dmarc=False, tls=False, read=False)),
}
PARTS = frozenset(_REPLACED) | frozenset(_SWITCHED)


def leave_out(parts: Collection[str]) -> None:
    """Let every `App` that this process starts be without these parts."""
    for part in parts:
        if part in _REPLACED:
            module, name, nothing = _REPLACED[part]
            setattr(module, name, nothing)

    async def make(ground: Ground) -> Services:
        config = ground.config
        for part in parts:
            config = _SWITCHED[part](config) if part in _SWITCHED else config
        return await make_services(replace(ground, config=config))

    setattr(hongyan.app, "make_services", make)  # noqa: B010 - the name is one that the module imports


def main(arguments: Sequence[str]) -> int:
    """Run `hongyan demo` with what stands behind `--`."""
    parser = argparse.ArgumentParser(prog="python -m bench.composition", description="Hongyan without some parts.")
    parser.add_argument("--without", default="", help=f"any of {', '.join(sorted(PARTS))}")
    parser.add_argument("demo", nargs="*", help="options of `hongyan demo`")
    options = parser.parse_args(arguments)
    parts = {part for part in options.without.split(",") if part}
    if not parts <= PARTS:
        parser.error(f"--without takes any of {', '.join(sorted(PARTS))}")
    leave_out(parts)
    return run(["demo", *options.demo])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
