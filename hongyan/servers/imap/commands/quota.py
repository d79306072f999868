"""GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 §4.1).

An account has one quota root. To its owner it is the empty string; to others, whose mailboxes count against it when
they are shared, it has the name of the account's tree.
"""

from __future__ import annotations

__all__ = ["get_quota", "get_quota_root", "set_quota"]

from hongyan.audit.events import Actor
from hongyan.errors import NotFound, OverLimit, Refused
from hongyan.mailboxes.reach import is_others_name, others_root
from hongyan.mailboxes.rights import NoPermission, Right
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.accounts import Role
from hongyan.store.mailboxes import MAX_MAILBOXES
from hongyan.types import AccountId
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import GetQuota, GetQuotaRoot, SetQuota

_OWN = ""
_UNIT = 1024  # RFC 9208 §5.1: STORAGE is told in units of 1024 octets
_MOST = 1 << 50


def get_quota(session: ImapSession, command: GetQuota) -> Work:
    """Tell what a root uses and may use."""
    return _get_quota(session, command)


async def _get_quota(session: ImapSession, command: GetQuota) -> None:
    account = await _find_account(session, command.root)
    if account is None:
        session.no(command.tag, "There is no such quota root.", code=codes.NONEXISTENT)
        return
    await _tell(session, command.root, account)
    session.done(command.tag, "Done.")


def get_quota_root(session: ImapSession, command: GetQuotaRoot) -> Work:
    """Tell the root of a mailbox, and what it uses."""
    return _get_quota_root(session, command)


async def _get_quota_root(session: ImapSession, command: GetQuotaRoot) -> None:
    account, root = session.account, _OWN
    if is_others_name(command.mailbox):
        place = await require_place(session, command.mailbox, Right.READ)
        account = place.account
        if not place.is_own:
            root = others_root(place)
    session.send(responses.quotaroot(command.mailbox, [root], utf8=session.utf8))
    await _tell(session, root, account)
    session.done(command.tag, "Done.")


def set_quota(session: ImapSession, command: SetQuota) -> Work:
    """Set what an account may store: administrators do."""
    return _set_quota(session, command)


async def _set_quota(session: ImapSession, command: SetQuota) -> None:
    if not _is_admin(session):
        raise NoPermission("Only administrators set limits.")
    account = await _find_account(session, command.root)
    if account is None:
        raise NotFound("There is no such quota root.")
    unknown = command.limits.keys() - {"STORAGE", "MESSAGE"}
    if unknown:
        raise Refused("Only STORAGE and MESSAGE have limits of an account's own.")
    if 0 in command.limits.values():  # RFC 9208 §3.1.2: 0 would allow nothing at all, not everything.
        raise Refused("A limit of nothing cannot be set; what is left out has no limit.")
    octets, messages = command.limits.get("STORAGE", 0) * _UNIT, command.limits.get("MESSAGE", 0)
    if max(octets, messages) > _MOST:
        raise OverLimit("No limit is that large; without it there is none.")
    actor = Actor(str(session.viewer.address), session.connection.peer.host)
    await session.services.quotas.set_limits(account, limit_octets=octets, limit_messages=messages, actor=actor)
    await _tell(session, command.root, account)
    session.done(command.tag, "Set.")


def _is_admin(session: ImapSession) -> bool:
    return session.principal is not None and session.principal.role is Role.ADMIN


async def _find_account(session: ImapSession, root: str) -> AccountId | None:
    """Return whose root it is: one's own, and to administrators everybody's."""
    if root == _OWN:
        return session.account
    if not _is_admin(session):
        return None
    return await session.services.shared.reach.find_account_of_root(root)


async def _tell(session: ImapSession, root: str, account: AccountId) -> None:
    mailboxes = session.services.mail.mailboxes
    quota = await mailboxes.quota(account)
    resources = []
    if quota.limit_octets:
        resources.append((b"STORAGE", _kibi(quota.used_octets), quota.limit_octets // _UNIT))
    if quota.limit_messages:
        resources.append((b"MESSAGE", quota.used_messages, quota.limit_messages))
    resources.append((b"MAILBOX", await mailboxes.count_mailboxes(account), MAX_MAILBOXES))
    session.send(responses.quota(root, resources, utf8=session.utf8))


def _kibi(octets: int) -> int:
    return -(-octets // _UNIT)
