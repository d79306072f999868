"""`serve`: the service in the foreground, by its configuration file or, for development, without one."""

from __future__ import annotations

__all__ = ["serve"]

import socket
from pathlib import Path
from typing import Annotated

from hongyan.app import App
from hongyan.cli.commands import DONE, about
from hongyan.cli.demo_tables import print_welcome
from hongyan.cli.serving import run_service
from hongyan.configuration.file import load_config
from hongyan.configuration.places import find_file
from hongyan.demonstration import DEVELOPMENT_PORTS, Demonstration, configure, furnish
from hongyan.errors import ConfigurationError
from hongyan.servers.systemd import listen_sockets
from hongyan.telemetry import LogOptions

_DEVELOPMENT_DATA = Path("var/development")
_DEVELOPMENT_LOG = LogOptions(level="info", form="console")


def serve(
    *,
    config: Annotated[Path | None, about("The configuration file.")] = None,
    development: Annotated[
        bool, about("Serve hongyan.test on loopback, with two accounts, and print how to log in.", negative="")
    ] = False,
    data: Annotated[Path, about("With --development: where its data are kept.")] = _DEVELOPMENT_DATA,
) -> int:
    """Run the service."""
    return _serve_development(data) if development else _serve_file(config)


def _serve_file(given: Path | None) -> int:
    path = find_file(given)
    if path is None:
        raise ConfigurationError(
            "There is no configuration: name one with --config, or let `hongyan quickstart you@your.domain` write one."
        )
    config = load_config(path)
    if not config.listen:
        raise ConfigurationError(f"{path}: Nothing is listened for. Add [listen.smtp] and [listen.imaps].")
    run_service(config, _say_nothing, sockets=listen_sockets())
    return DONE


async def _say_nothing(app: App) -> None:
    """The log says that the service is ready."""


def _serve_development(data: Path) -> int:
    wanted = Demonstration(data=data.absolute(), ports=DEVELOPMENT_PORTS, hosts=_loopback_hosts(), log=_DEVELOPMENT_LOG)
    config, certificate = configure(wanted)

    async def welcome(app: App) -> None:
        accounts = await furnish(app, wanted)
        print_welcome(app.endpoints, accounts, certificate.authority)

    run_service(config, welcome)
    return DONE


def _loopback_hosts() -> tuple[str, ...]:
    """Return the addresses of `localhost` that this machine has."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return ("127.0.0.1",)
    return ("127.0.0.1", "::1")
