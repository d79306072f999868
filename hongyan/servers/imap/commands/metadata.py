"""GETMETADATA and SETMETADATA (RFC 5464 §4.2, §4.3)."""

from __future__ import annotations

__all__ = ["get_metadata", "set_metadata"]

from hongyan.errors import NotFound
from hongyan.mailboxes.annotations import SHARED, TooLarge, TooMany
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import NoPermission, Right
from hongyan.servers.imap.noted import CONTACT, may_read_entries, read_entries, topics_of, wanted_values
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.accounts import Role
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import GetMetadata, SetMetadata


def get_metadata(session: ImapSession, command: GetMetadata) -> Work:
    """Tell entries."""
    return _get(session, command)


async def _get(session: ImapSession, command: GetMetadata) -> None:
    place = await _find_place(session, command.mailbox)
    entries = await read_entries(session, place)
    values, longest = wanted_values(entries, command.wish)
    if values:
        name = "" if place is None else place.name
        session.send(responses.metadata(name, values.items(), utf8=session.utf8))
    code = codes.metadata(b"LONGENTRIES %d" % longest) if longest else b""
    session.done(command.tag, "Done.", code=code)


def set_metadata(session: ImapSession, command: SetMetadata) -> Work:
    """Set entries, or remove them."""
    return _set(session, command)


async def _set(session: ImapSession, command: SetMetadata) -> None:
    place = await _find_place(session, command.mailbox)
    if any(name.startswith(SHARED) for name in command.values):
        _require_sharing(session, place, command)
    annotations = session.services.annotations
    try:
        for account, change in await annotations.write(topics_of(session, place), command.values):
            await session.services.mail.live.follow(account, (change,))
        _hint(session, place, command)
    except TooLarge as fault:
        session.no(command.tag, fault.sentence, code=codes.metadata(b"MAXSIZE %d" % annotations.limit_value))
        return
    except TooMany as fault:
        session.no(command.tag, fault.sentence, code=codes.metadata(b"TOOMANY"))
        return
    session.done(command.tag, "Set.")


def _hint(session: ImapSession, place: Place | None, command: SetMetadata) -> None:
    """Tell those who wait for it (RFC 5465 §5.6, §5.7)."""
    services = session.services
    services.mail.live.touched(session.account)
    if place is not None and place.account != session.account:
        services.mail.live.touched(place.account)
    if place is None and any(name.startswith(SHARED) for name in command.values):
        services.watches.look_all()


async def _find_place(session: ImapSession, name: str) -> Place | None:
    """Return the mailbox, None for the server. Who may only look a mailbox up is refused (RFC 5464 §3.3)."""
    if not name:
        return None
    place = await require_place(session, name, Right.LOOKUP)
    if not place.rights:
        raise NotFound("There is no such mailbox.")
    if not may_read_entries(place):
        raise NoPermission("You may not do that with this mailbox.")
    return place


def _require_sharing(session: ImapSession, place: Place | None, command: SetMetadata) -> None:
    """What all see is set by who may write to the mailbox, and of the server by its administrators (§3.3)."""
    if place is None:
        if CONTACT in command.values:
            raise NoPermission("That entry is told by the server, and cannot be set.")
        if session.principal is None or session.principal.role is not Role.ADMIN:
            raise NoPermission("Only administrators note something for all.")
    else:
        place.require(Right.WRITE)
