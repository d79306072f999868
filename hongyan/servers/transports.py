"""What the transports of asyncio and uvloop want to be told, and how they end.

A plain stream ends in two steps: we say FIN and wait for the peer's, so that octets still on their way do not turn our
last reply into a reset. Under TLS the end is the end of both ways.
"""

from __future__ import annotations

__all__ = ["close_once", "end_writing", "limit_buffers"]

import asyncio
from typing import Protocol, cast


class _TlsTransport(Protocol):
    """What TLS transports offer beyond `asyncio.Transport`."""

    def set_read_buffer_limits(self, high: int) -> None: ...


def limit_buffers(transport: asyncio.Transport, *, write_ahead: int, read_ahead: int | None) -> None:
    """Bound what waits for the peer and, under TLS (`read_ahead`), what was not decrypted yet; in octets."""
    transport.set_write_buffer_limits(write_ahead)
    if read_ahead is not None:
        cast(_TlsTransport, transport).set_read_buffer_limits(read_ahead)


def close_once(transport: asyncio.Transport) -> None:
    """Flush and close. Closed twice, a transport of asyncio's TLS can no more be used."""
    if not transport.is_closing():
        transport.close()


def end_writing(transport: asyncio.Transport) -> None:
    """Say FIN on a plain stream when what is queued has left, and go on reading."""
    try:
        transport.write_eof()
        transport.resume_reading()
    except (OSError, RuntimeError):  # the peer has gone, and we have not been told yet
        transport.abort()
