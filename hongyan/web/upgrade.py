"""The opening handshake of a WebSocket (RFC 6455 §4.2), read from a request of HTTP/1.1 and answered in its octets."""

from __future__ import annotations

__all__ = ["UpgradeFault", "accept_upgrade"]

import base64
import binascii
import hashlib
from typing import Final

from starlette.requests import Request

from hongyan.errors import PeerFault

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_OCTETS: Final = 16


class UpgradeFault(PeerFault):
    """The request opens no WebSocket."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def accept_upgrade(request: Request, subprotocol: str) -> bytes:
    """Return the octets that open the WebSocket. Raises `UpgradeFault`."""
    wants = "upgrade" in _tokens(request, "connection") and "websocket" in _tokens(request, "upgrade")
    if not wants or request.headers.getlist("sec-websocket-version") != ["13"]:
        raise UpgradeFault("Open a WebSocket of version 13 here.", 426)
    keys = request.headers.getlist("sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        raise UpgradeFault("Sec-WebSocket-Key is sixteen octets in base64.")
    if subprotocol not in _tokens(request, "sec-websocket-protocol"):
        raise UpgradeFault(f"The subprotocol is {subprotocol}.")
    accept = base64.b64encode(hashlib.sha1(keys[0].encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\nSec-WebSocket-Protocol: %b\r\n\r\n" % (accept, subprotocol.encode())
    )


def _tokens(request: Request, name: str) -> list[str]:
    """Return the members of a field that is a list, in lower case."""
    return [token.strip().lower() for value in request.headers.getlist(name) for token in value.split(",")]


def _is_key(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == _KEY_OCTETS
    except (binascii.Error, ValueError):
        return False
