"""The ports of a configuration, bound: each that cannot be is named, with its remedy."""

from __future__ import annotations

__all__ = ["Sockets", "bind_all", "close_all"]

import errno
import os
import socket
from collections.abc import Mapping
from typing import cast

from hongyan import telemetry
from hongyan.config import SERVICES, Config, ListenOptions, Service
from hongyan.errors import ConfigurationError
from hongyan.servers.arrival import Endpoint
from hongyan.servers.sockets import bind

Sockets = dict[Service, list[socket.socket]]

_ANY_IPV6 = "::"
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

log = telemetry.logger("app")


def bind_all(config: Config, given: Mapping[str, list[socket.socket]]) -> Sockets:
    """Return listening sockets for each service; those that are given, by systemd say, are used as they are.

    Raises `ConfigurationError` that names every port that cannot be had; then none is held.
    """
    bound: Sockets = {}
    faults: list[str] = []
    for service, options in config.listen.items():
        if service in given:
            bound[service] = given[service]
        else:
            bound[service] = _bind(service, options, faults)
    if faults:
        close_all(bound)
        raise ConfigurationError("\n".join(faults))
    return bound


def close_all(sockets: Sockets) -> None:
    """Give the ports back."""
    for bound in sockets.values():
        for listening in bound:
            listening.close()


def _bind(service: Service, options: ListenOptions, faults: list[str]) -> list[socket.socket]:
    port = options.port or SERVICES[service]
    bound = []
    for host in options.hosts:
        try:
            bound += bind((host,), port)
        except ConfigurationError as error:
            cause = cast(OSError, error.__cause__)
            if host == _ANY_IPV6 and cause.errno in _NO_SUCH_ADDRESS and len(options.hosts) > 1:
                log.warning("no-ipv6", service=service)
            else:
                faults.append(_explain(service, Endpoint(host, port), cause.errno or 0))
                break
    return bound


def _explain(service: Service, endpoint: Endpoint, number: int) -> str:
    said = f"{service} cannot listen on {endpoint}"
    match number:
        case errno.EADDRINUSE:
            return (
                f"{said}: another program does. `ss -ltnp 'sport = :{endpoint.port}'` names it: stop it, or set"
                f" listen.{service}.port."
            )
        case errno.EACCES:
            return (
                f"{said}: low ports are for root. Start as root and set server.user, or have systemd hand over"
                " the sockets."
            )
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return f"{said}: this machine does not have that address. Set listen.{service}.hosts."
        case _:
            return f"{said}: {os.strerror(number)}."
