"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3)."""

from __future__ import annotations

__all__ = ["delete_acl", "get_acl", "list_rights", "my_rights", "set_acl"]

from hongyan.audit.events import Actor
from hongyan.errors import NotFound, Refused
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import ALL_RIGHTS, Right, parse_rights, write_rights
from hongyan.mailboxes.sharing import UnknownIdentifier
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.shares import Access
from hongyan.types import AccountId
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import DeleteAcl, GetAcl, ListRights, MyRights, SetAcl
from hongyan.wire.sasl import SaslFault, saslprep

_TELLING = (Right.LOOKUP, Right.READ, Right.INSERT, Right.CREATE, Right.DELETE_MAILBOX, Right.ADMINISTER)
"""Whoever has one of these may ask for their own rights (RFC 4314 §4, MYRIGHTS)."""


def set_acl(session: ImapSession, command: SetAcl) -> Work | None:
    """Grant or deny rights."""
    try:
        rights = parse_rights(command.rights)
    except ValueError:
        session.bad(command.tag, "There is no such right.")  # RFC 4314 §3.1
        return None
    name = _prepare(session, command)
    return None if name is None else _set_acl(session, command, name, "".join(rights))


async def _set_acl(session: ImapSession, command: SetAcl, name: str, rights: str) -> None:
    place = await require_place(session, command.mailbox, Right.ADMINISTER)
    grantee, is_negative = await _read_identifier(session, place, name)
    if grantee == place.account:
        _require_owners_rights(command.mode, rights, is_negative=is_negative)
    else:
        await _change(session, place, Access(grantee, is_negative, command.mode, rights))
    session.done(command.tag, "Set.")


def _require_owners_rights(mode: str, rights: str, *, is_negative: bool) -> None:
    """The owner has all rights: to say so again is fine, to say otherwise is refused (RFC 4314 §5.1.2)."""
    stays = not rights if (mode == "-" or is_negative) else (mode == "+" or frozenset(rights) == ALL_RIGHTS)
    if not stays:
        raise Refused("The owner of a mailbox has all rights, always.")


def delete_acl(session: ImapSession, command: DeleteAcl) -> Work | None:
    """Take back what somebody was granted, or denied."""
    name = _prepare(session, command)
    return None if name is None else _delete_acl(session, command, name)


async def _delete_acl(session: ImapSession, command: DeleteAcl, name: str) -> None:
    place = await require_place(session, command.mailbox, Right.ADMINISTER)
    grantee, is_negative = await _read_identifier(session, place, name)
    if grantee == place.account:
        raise Refused("The owner of a mailbox has all rights, always.")
    await _change(session, place, Access(grantee, is_negative, "=", ""))
    session.done(command.tag, "Deleted.")


async def _change(session: ImapSession, place: Place, access: Access) -> None:
    actor = Actor(str(session.viewer.address), session.connection.peer.host)
    await session.services.shared.sharing.change(
        place.account, place.mailbox.mailbox_id, place.mailbox.name, access, actor
    )


def get_acl(session: ImapSession, command: GetAcl) -> Work:
    """Tell who may do what."""
    return _get_acl(session, command)


async def _get_acl(session: ImapSession, command: GetAcl) -> None:
    place = await require_place(session, command.mailbox, Right.ADMINISTER)
    sharing = session.services.shared.sharing
    owner = await sharing.name_of(place.account)
    grants = await sharing.list_grants(place.account, place.mailbox.mailbox_id)
    told = [(owner, write_rights(ALL_RIGHTS)), *((name, write_rights(rights)) for name, rights in grants)]
    session.send(responses.acl(place.name, told, utf8=session.utf8))
    session.done(command.tag, "Done.")


def list_rights(session: ImapSession, command: ListRights) -> Work | None:
    """Tell what can be granted to somebody."""
    name = _prepare(session, command)
    return None if name is None else _list_rights(session, command, name)


async def _list_rights(session: ImapSession, command: ListRights, name: str) -> None:
    place = await require_place(session, command.mailbox, Right.ADMINISTER)
    grantee, _is_negative = await _read_identifier(session, place, name)
    everything = write_rights(ALL_RIGHTS)
    is_owner = grantee == place.account
    required, optional = (everything, "") if is_owner else ("", everything)
    session.send(responses.listrights(place.name, command.identifier, required, optional, utf8=session.utf8))
    session.done(command.tag, "Done.")


def my_rights(session: ImapSession, command: MyRights) -> Work:
    """Tell what the client may do."""
    return _my_rights(session, command)


async def _my_rights(session: ImapSession, command: MyRights) -> None:
    place = await session.services.shared.reach.find(session.viewer, command.mailbox)
    if place is None or place.rights.isdisjoint(_TELLING):
        raise NotFound("There is no such mailbox.")
    session.send(responses.myrights(place.name, write_rights(place.rights), utf8=session.utf8))
    session.done(command.tag, "Done.")


def _prepare(session: ImapSession, command: SetAcl | DeleteAcl | ListRights) -> str | None:
    """Return the identifier as it is compared; None, and the client is told, for one that is none (RFC 4314 §3)."""
    try:
        name = saslprep(command.identifier)
    except SaslFault:
        name = ""
    if name.removeprefix("-"):
        return name
    session.bad(command.tag, "An identifier is a name.")
    return None


async def _read_identifier(session: ImapSession, place: Place, text: str) -> tuple[AccountId, bool]:
    try:
        return await session.services.shared.sharing.read_identifier(place.account, text, place.mailbox.mailbox_id)
    except UnknownIdentifier as unknown:
        # Not NONEXISTENT: that would say of the mailbox that it is gone.
        raise Refused(unknown.sentence) from None
