"""APPEND (RFC 9051 §6.3.12), also of several messages (RFC 3502); REPLACE (RFC 8508)."""

from __future__ import annotations

__all__ = ["append"]

from pyroaring import BitMap

from hongyan.mailboxes.append import Incoming
from hongyan.mailboxes.append import append as append_messages
from hongyan.mailboxes.append import replace as replace_message
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right, keepable_flags
from hongyan.mailboxes.viewed import mark_seen
from hongyan.servers.imap.append_receiver import AppendReceived, ReceivedMessage
from hongyan.servers.imap.places import find_target, tell_standing
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.changes import Flag
from hongyan.store.messages import Appending
from hongyan.store.shares import Reached
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Replaced
from hongyan.wire.imap.sequence import format_ranges


def append(session: ImapSession, command: AppendReceived) -> Work | None:
    """Store the messages, all or none; or one in the place of another."""
    if command.replaced is None:
        return _append(session, command)
    return _begin_replace(session, command, command.replaced)


async def _append(session: ImapSession, command: AppendReceived) -> None:
    mail = session.services.mail
    target = await find_target(session, command.mailbox)
    if target is None:
        session.no(command.tag, "There is no such mailbox.", code=codes.TRYCREATE)
        return
    messages = [_incoming(message, target) for message in command.messages]
    done = await append_messages(mail, target.account, target.mailbox.mailbox_id, messages)
    await _mark_seen(session, command, target, done.first_uid)
    session.made(target, done.first_uid, len(messages))
    tell_standing(session, target)
    session.ok(command.tag, "Stored.", code=_appenduid(done, len(messages)))


def _begin_replace(session: ImapSession, command: AppendReceived, replaced: Replaced) -> Work | None:
    selected = session.require_selected()
    if selected.read_only:
        session.no(command.tag, "The mailbox was opened by EXAMINE: it cannot be changed.", code=codes.READ_ONLY)
        return None
    selected.require(Right.DELETE_MESSAGES, Right.EXPUNGE)  # RFC 8508 §4.1
    if replaced.uid:
        session.tell_arrivals(replaced.message)
    if not selected.view.names_only_known(replaced.message, uid=replaced.uid):
        session.bad(command.tag, "There is no message of that number.")
        return None
    uids = selected.uids(selected.positions(replaced.message, uid=replaced.uid))
    if len(uids) != 1:  # RFC 8508 §3.4: without the old message the new one is not stored
        session.no(command.tag, "There is no message of that UID.", code=codes.NONEXISTENT)
        return None
    return _replace(session, selected, command, uids[0])


async def _replace(session: ImapSession, selected: Selected, command: AppendReceived, uid: int) -> None:
    target = await find_target(session, command.mailbox)
    if target is None:
        session.no(command.tag, "There is no such mailbox.", code=codes.TRYCREATE)
        return
    done = await _put_in_place(session, selected, uid, target, _incoming(command.messages[0], target))
    if done is None:
        session.tell_news()
        session.no(command.tag, "The message was expunged meanwhile; nothing was stored.", code=codes.EXPUNGEISSUED)
        return
    await _mark_seen(session, command, target, done.first_uid)
    session.made(target, done.first_uid, 1)
    # RFC 8508 §4.3: which message is the new one stands before the old one goes.
    session.send(responses.ok("The new message is stored.", code=_appenduid(done, 1)))
    session.tell_news()
    code = codes.highestmodseq(selected.state.highestmodseq) if session.condstore else b""  # as for EXPUNGE
    session.ok(command.tag, "Replaced.", code=code)


async def _put_in_place(
    session: ImapSession, selected: Selected, uid: int, target: Place, new: Incoming
) -> Appending | None:
    """Store the new message and remove the old one, in one step where both are of one account; else one after other."""
    mail, account, source = session.services.mail, selected.account, selected.state.mailbox_id
    if account == target.account:
        return await replace_message(mail, account, source, uid, target.mailbox.mailbox_id, new)
    if selected.state.position_of(uid) is None:
        return None
    done = await append_messages(mail, target.account, target.mailbox.mailbox_id, [new])
    await expunge(mail, account, source, BitMap([uid]))
    return done


def _incoming(message: ReceivedMessage, target: Place) -> Incoming:
    flags = message.told.flags if target.is_own else _kept(message.told.flags, target)
    return Incoming(message.octets, flags=flags, internal_date=message.told.internaldate)


def _appenduid(done: Appending, count: int) -> bytes:
    return codes.appenduid(done.uidvalidity, format_ranges([(done.first_uid, done.first_uid + count - 1)]))


def _kept(flags: tuple[Flag, ...], target: Place) -> tuple[Flag, ...]:
    """Return the flags that a message in somebody else's mailbox gets: those that may be set, `\\Seen` apart."""
    return keepable_flags(flags, target.rights - {Right.SEEN})


async def _mark_seen(session: ImapSession, command: AppendReceived, target: Place, first_uid: int) -> None:
    """To the one who put it there it is seen, if that was said; to the owner and to others it is new."""
    if target.is_own or Right.SEEN not in target.rights:
        return
    seen = BitMap(first_uid + n for n, message in enumerate(command.messages) if b"\\Seen" in message.told.flags)
    if seen:
        services = session.services
        reached = Reached(target.account, target.mailbox.mailbox_id)
        await mark_seen(services.mail, services.shared.shares, session.account, reached, seen)
