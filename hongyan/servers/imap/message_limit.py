"""How many messages one command may be about, where the operator sets a limit: MESSAGELIMIT, SAVELIMIT (RFC 9738).

Of more than that the newest are dealt with, and the answer tells how far down it went, so that the client goes on from
there. COPY and APPEND do all or nothing, so they do nothing (§3.1). EXPUNGE, CLOSE and STATUS have no limit.
"""

from __future__ import annotations

__all__ = ["announce_limits", "answer", "find_message_limit", "find_save_limit", "take_newest"]

from typing import Protocol

from pyroaring import BitMap

from hongyan.servers.imap.services import ImapServices
from hongyan.wire.imap import codes, responses


class _Session(Protocol):
    @property
    def services(self) -> ImapServices: ...
    @property
    def switched_off(self) -> frozenset[str]: ...


class _Speaker(Protocol):
    def send(self, octets: bytes) -> None: ...
    def ok(self, tag: bytes, text: str, *, code: bytes = b"") -> None: ...


def find_message_limit(session: _Session) -> int:
    """Return how many messages a command may be about; 0: as many as there are."""
    return 0 if "MESSAGELIMIT" in session.switched_off else session.services.options.message_limit


def find_save_limit(session: _Session) -> int:
    """Return how many messages COPY and APPEND may store; 0: as many as there are."""
    limit = find_message_limit(session)
    return limit or (0 if "SAVELIMIT" in session.switched_off else session.services.options.save_limit)


def announce_limits(session: _Session) -> list[bytes]:
    """Return the capability that tells the limit, where there is one: MESSAGELIMIT holds for saving too (§3)."""
    limit = find_message_limit(session)
    if limit:
        return [b"MESSAGELIMIT=%d" % limit]
    limit = find_save_limit(session)
    return [b"SAVELIMIT=%d" % limit] if limit else []


def take_newest(uids: BitMap, limit: int) -> tuple[BitMap, bytes]:
    """Return those of the UIDs that the limit lets through, and the code that tells of it if these are not all."""
    if not limit or len(uids) <= limit:
        return uids, b""
    newest = BitMap(uids[-limit:])
    return newest, codes.messagelimit(limit, newest.min())


def answer(session: _Speaker, tag: bytes, text: str, limited: bytes, *, code: bytes = b"") -> None:
    """Answer OK, with the code of `take_newest`; where another code belongs into the answer, ahead of it (§3.1)."""
    if limited and code:
        session.send(responses.no("Only the newest messages were dealt with.", code=limited))
        limited = b""
    session.ok(tag, "Only the newest messages were dealt with." if limited else text, code=limited or code)
