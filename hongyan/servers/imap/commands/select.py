"""SELECT, EXAMINE and UNSELECT (RFC 9051 §6.3.2, §6.3.3, §6.4.2)."""

from __future__ import annotations

__all__ = ["select", "unselect"]

from pyroaring import BitMap

from hongyan.errors import Conflict
from hongyan.mailboxes.object_ids import place_object_id
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right
from hongyan.mailboxes.state import MailboxState
from hongyan.mailboxes.viewed import Viewed
from hongyan.servers.imap import resync
from hongyan.servers.imap.fetch_plan import compile_plan
from hongyan.servers.imap.fetch_rows import tell_memory_rows
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.types import AccountId, MailboxId
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Qresync, Select, Unselect
from hongyan.wire.imap.fetch import Item


def select(session: ImapSession, command: Select) -> Work | None:
    """Leave the selected mailbox and open another."""
    if command.qresync is not None and not session.qresync:
        session.bad(command.tag, "Say ENABLE QRESYNC first.")  # RFC 7162 §3.2.5
        return None
    return _select(session, command)


async def _select(session: ImapSession, command: Select) -> None:
    if session.selected is not None:
        session.unselect()
        # RFC 9051 §7.1: what follows speaks of the new mailbox.
        session.send(responses.ok("The previous mailbox is closed.", code=codes.CLOSED))
    mail = session.services.mail
    place = await require_place(session, command.mailbox, Right.READ)
    if command.condstore:
        session.enable_condstore()
    state = await mail.live.open(place.account, place.mailbox.mailbox_id)
    mail.live.pin(place.account, place.mailbox.mailbox_id)
    viewed, looked = None, place
    try:
        if not place.is_own:
            looked, viewed = await _look(session, command.mailbox, place.mailbox.mailbox_id)
            state = viewed.state
        gone = await _find_vanished(session, place.account, state, command.qresync)
    except BaseException:
        mail.live.unpin(place.account, place.mailbox.mailbox_id)
        if viewed is not None:
            session.services.shared.views.leave(viewed)
        raise
    selected = Selected(
        looked,
        state,
        viewed,
        read_only=command.read_only,
        condstore=session.condstore,
        qresync=session.qresync,
        uidonly=session.uidonly,
    )
    session.select(selected)
    _describe(session, selected, looked, command)
    if command.qresync is not None and gone is not None:
        vanished, changed = resync.missed(selected, command.qresync, gone)
        session.send(responses.vanished(vanished, earlier=True))
        plan = compile_plan((Item.FLAGS,), uid=True, modseq=True, utf8=False, by_uid=session.uidonly)
        await tell_memory_rows(session, selected, plan, changed)
    code = codes.READ_ONLY if selected.read_only else codes.READ_WRITE
    session.ok(command.tag, "Selected.", code=code)


async def _look(session: ImapSession, name: str, mailbox: MailboxId) -> tuple[Place, Viewed]:
    """Open the view of somebody else's mailbox, which is in memory now.

    The rights are read once more: from here on each change of them is felt.
    """
    place = await require_place(session, name, Right.READ)
    if place.mailbox.mailbox_id != mailbox:
        raise Conflict(cause="the name has become that of another mailbox")
    return place, await session.services.shared.views.open(session.viewer, place)


async def _find_vanished(
    session: ImapSession, account: AccountId, state: MailboxState, asked: Qresync | None
) -> BitMap | None:
    """Return what left since the client was here; None: it does not ask, or knows another mailbox of that name."""
    if asked is None or asked.uidvalidity != state.uidvalidity:  # RFC 7162 §3.2.5: then its other arguments are void
        return None
    return await resync.find_vanished(session.services.changes, account, state, asked.modseq)


def _describe(session: ImapSession, selected: Selected, place: Place, command: Select) -> None:
    state = selected.state
    flags = selected.flags
    send = session.send
    send(responses.flags(flags))
    send(responses.ok("Flags that are kept.", code=codes.permanentflags(selected.permanent_flags)))
    send(responses.exists(selected.view.exists))
    if "IMAP4REV2" not in session.enabled:
        # RFC 3501 §2.3.2 would have messages recent to whoever is told of them first: see docs/decisions/0011.
        send(responses.recent(0))
        unseen = state.column.first([1 - bit for bit in state.column.having(b"\\Seen")])
        if unseen is not None and not session.uidonly:  # it is a sequence number (RFC 9586 §3)
            send(responses.ok("First unseen message.", code=codes.unseen(unseen + 1)))
    send(responses.ok("UIDs are valid.", code=codes.uidvalidity(state.uidvalidity)))
    send(responses.ok("Predicted next UID.", code=codes.uidnext(state.uidnext)))
    send(responses.ok("Highest MODSEQ.", code=codes.highestmodseq(max(state.highestmodseq, 1))))
    send(responses.ok("Mailbox id.", code=codes.mailboxid(place_object_id(place))))
    if "IMAP4REV2" in session.enabled:
        # RFC 9051 §6.3.2 asks for it.
        send(responses.list_([], place.name, utf8=session.utf8, oldname=command.oldname))


def unselect(session: ImapSession, command: Unselect) -> None:
    """Leave the mailbox and expunge nothing."""
    session.unselect()
    session.ok(command.tag, "Unselected.")
