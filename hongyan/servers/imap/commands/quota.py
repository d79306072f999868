"""GETQUOTA and GETQUOTAROOT (RFC 9208 §4.1). An account has one quota root, named by the empty string."""

from __future__ import annotations

__all__ = ["get_quota", "get_quota_root"]

from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.mailboxes import Quota
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import GetQuota, GetQuotaRoot

_ROOT = ""
_UNIT = 1024  # RFC 9208 §5.1: STORAGE is told in units of 1024 octets


def get_quota(session: ImapSession, command: GetQuota) -> Work | None:
    """Tell what a root uses and may use."""
    if command.root != _ROOT:
        session.no(command.tag, "There is no such quota root.", code=codes.NONEXISTENT)
        return None
    return _tell(session, command.tag)


def get_quota_root(session: ImapSession, command: GetQuotaRoot) -> Work:
    """Tell the root of a mailbox, and what it uses."""
    return _tell(session, command.tag, of=command.mailbox)


async def _tell(session: ImapSession, tag: bytes, *, of: str | None = None) -> None:
    """Tell the quota; `of` is a mailbox whose root is told before. Where nothing is limited there is no root."""
    resources = _resources(await session.services.mail.mailboxes.quota(session.account))
    if of is not None:
        session.send(responses.quotaroot(of, [_ROOT] if resources else [], utf8=session.utf8))
    elif not resources:
        session.no(tag, "There is no such quota root.", code=codes.NONEXISTENT)
        return
    if resources:
        session.send(responses.quota(_ROOT, resources, utf8=session.utf8))
    session.done(tag, "Done.")


def _resources(quota: Quota) -> list[tuple[bytes, int, int]]:
    """Return the resources that have a limit."""
    resources = []
    if quota.limit_octets:
        resources.append((b"STORAGE", -(-quota.used_octets // _UNIT), quota.limit_octets // _UNIT))
    if quota.limit_messages:
        resources.append((b"MESSAGE", quota.used_messages, quota.limit_messages))
    return resources
