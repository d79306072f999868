"""Listening sockets: bound before privileges are dropped, or handed over by systemd."""

from __future__ import annotations

__all__ = ["bind", "endpoint_of", "normal_host"]

import socket
from collections.abc import Sequence

from hongyan.errors import ConfigurationError
from hongyan.servers.arrival import Endpoint

_KEEPALIVE = (  # what accepted sockets inherit (tcp(7)): a peer that vanished is noticed within ten minutes
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 300),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 5),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


def bind(hosts: Sequence[str], port: int, *, backlog: int = 1024, keepalive: bool = True) -> list[socket.socket]:
    """Return a listening socket for each address. With port 0 all get one and the same free port.

    Raises `ConfigurationError` with the reason: the address is not ours, or the port is taken.
    """
    bound: list[socket.socket] = []
    try:
        for host in hosts:
            bound.append(_bind(host, port, backlog, keepalive=keepalive))
            port = port or bound[0].getsockname()[1]
    except OSError as error:
        for listening in bound:
            listening.close()
        raise ConfigurationError(f"cannot listen on {Endpoint(host, port)}: {error.strerror}") from error
    return bound


def _bind(host: str, port: int, backlog: int, *, keepalive: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # "::" does not take IPv4's port too
        for option in _KEEPALIVE if keepalive else ():
            listening.setsockopt(*option)
        listening.setblocking(False)
        listening.bind((host, port))
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    return listening


def endpoint_of(name: Sequence[object]) -> Endpoint:
    """Return the endpoint that `getpeername` or `getsockname` speak of."""
    return Endpoint(normal_host(str(name[0])), int(str(name[1])))


def normal_host(host: str) -> str:
    """Return an IPv4-mapped IPv6 address as the IPv4 address that it is (RFC 4291 §2.5.5.2)."""
    return host[7:] if host.startswith("::ffff:") and "." in host else host
