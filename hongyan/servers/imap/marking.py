"""Changes of flags in the selected mailbox, whoever it belongs to."""

from __future__ import annotations

__all__ = ["mark_selected"]

from pyroaring import BitMap

from hongyan.mailboxes.flags import FlagAction, Marked, mark
from hongyan.mailboxes.viewed import mark_as_viewer
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession
from hongyan.store.changes import Flag
from hongyan.types import ModSeq


async def mark_selected(
    session: ImapSession,
    selected: Selected,
    uids: BitMap,
    action: FlagAction,
    flags: tuple[Flag, ...],
    *,
    unchanged_since: ModSeq | None = None,
) -> Marked:
    """Change flags of messages: in a mailbox of one's own as `mark` does, in another's as far as the rights go."""
    services = session.services
    durable = services.options.durable_flags
    if selected.viewed is None:
        return await mark(
            services.mail,
            selected.account,
            selected.state,
            uids,
            action,
            flags,
            unchanged_since=unchanged_since,
            durable=durable,
        )
    return await mark_as_viewer(
        services.mail,
        services.shared.shares,
        selected.viewed,
        uids,
        action,
        flags,
        unchanged_since=unchanged_since,
        durable=durable,
    )
