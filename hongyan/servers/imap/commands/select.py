"""SELECT, EXAMINE and UNSELECT (RFC 9051 §6.3.2, §6.3.3, §6.4.2)."""

from __future__ import annotations

__all__ = ["select", "unselect"]

from hongyan.servers.imap.object_ids import mailbox_object_id
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.mailboxes import Mailbox
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Select, Unselect


def select(session: ImapSession, command: Select) -> Work | None:
    """Leave the selected mailbox and open another."""
    if command.qresync is not None:
        session.bad(command.tag, "QRESYNC is not enabled.")  # RFC 7162 §3.2.5
        return None
    return _select(session, command)


async def _select(session: ImapSession, command: Select) -> None:
    if session.selected is not None:
        session.unselect()
        # RFC 9051 §7.1: what follows speaks of the new mailbox.
        session.send(responses.ok("The previous mailbox is closed.", code=codes.CLOSED))
    mail = session.services.mail
    mailbox = await mail.mailboxes.find_mailbox(session.account, command.mailbox)
    if mailbox is None:
        session.no(command.tag, "There is no such mailbox.", code=codes.NONEXISTENT)
        return
    if command.condstore:
        session.enable_condstore()
    state = await mail.live.open(session.account, mailbox.mailbox_id)
    mail.live.pin(session.account, mailbox.mailbox_id)
    selected = Selected(session.account, state, read_only=command.read_only, condstore=session.condstore)
    session.select(selected)
    _describe(session, selected, mailbox, command)
    code = codes.READ_ONLY if command.read_only else codes.READ_WRITE
    session.ok(command.tag, "Selected.", code=code)


def _describe(session: ImapSession, selected: Selected, mailbox: Mailbox, command: Select) -> None:
    state = selected.state
    flags = selected.flags
    send = session.send
    send(responses.flags(flags))
    permanent = [] if command.read_only else [*flags, b"\\*"]
    send(responses.ok("Flags that are kept.", code=codes.permanentflags(permanent)))
    send(responses.exists(selected.view.exists))
    if "IMAP4REV2" not in session.enabled:
        # RFC 3501 §2.3.2 would have messages recent to whoever is told of them first: see docs/decisions/0011.
        send(responses.recent(0))
        unseen = state.column.first([1 - bit for bit in state.column.having(b"\\Seen")])
        if unseen is not None:
            send(responses.ok("First unseen message.", code=codes.unseen(unseen + 1)))
    send(responses.ok("UIDs are valid.", code=codes.uidvalidity(state.uidvalidity)))
    send(responses.ok("Predicted next UID.", code=codes.uidnext(state.uidnext)))
    send(responses.ok("Highest MODSEQ.", code=codes.highestmodseq(max(state.highestmodseq, 1))))
    send(responses.ok("Mailbox id.", code=codes.mailboxid(mailbox_object_id(mailbox.mailbox_id))))
    if "IMAP4REV2" in session.enabled:
        # RFC 9051 §6.3.2 asks for it.
        send(responses.list_([], mailbox.name, utf8=session.utf8, oldname=command.oldname))


def unselect(session: ImapSession, command: Unselect) -> None:
    """Leave the mailbox and expunge nothing."""
    session.unselect()
    session.ok(command.tag, "Unselected.")
