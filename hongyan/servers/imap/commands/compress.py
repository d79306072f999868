"""COMPRESS (RFC 4978)."""

from __future__ import annotations

__all__ = ["compress"]

from hongyan.servers.compression import Compressed, Inflation
from hongyan.servers.imap.session import ImapSession
from hongyan.wire.imap import codes
from hongyan.wire.imap.commands import Compress


def compress(session: ImapSession, command: Compress) -> None:
    """Begin to compress, both ways, behind the answer.

    A client waits for it (RFC 4978 §3); whether what it has sent already was compressed, nobody can tell.
    """
    if command.algorithm != "DEFLATE":
        session.bad(command.tag, "The algorithm that is known is DEFLATE.")
    elif session.is_compressed:
        session.no(command.tag, "Compression is active already.", code=codes.COMPRESSIONACTIVE)
    elif session.buffered:
        session.bad(command.tag, "Nothing is sent behind COMPRESS before it is answered.")
        session.say_bye("The connection closes: where the compressed octets begin is not known.", code=codes.CLIENTBUG)
    else:
        session.ok(command.tag, "Compression begins.")
        _compress(session)


def _compress(session: ImapSession) -> None:
    """Write what is queued; everything after that travels compressed."""
    connection, options = session.connection, session.services.options
    session.is_compressed = True
    connection.interpose(
        lambda inner: Compressed(
            inner,
            Inflation(options.inflation, options.append_limit),
            wake=connection.wake,
            refuse=lambda sentence: session.say_bye(sentence, code=codes.LIMIT),
        )
    )
