"""APPEND (RFC 9051 §6.3.12), also of several messages (RFC 3502)."""

from __future__ import annotations

__all__ = ["append"]

from hongyan.mailboxes.append import Incoming
from hongyan.mailboxes.append import append as append_messages
from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import codes
from hongyan.wire.imap.sequence import format_ranges


def append(session: ImapSession, command: AppendReceived) -> Work:
    """Store the messages, all or none."""
    return _append(session, command)


async def _append(session: ImapSession, command: AppendReceived) -> None:
    mail = session.services.mail
    target = await mail.mailboxes.find_mailbox(session.account, command.mailbox)
    if target is None:
        session.no(command.tag, "There is no such mailbox.", code=codes.TRYCREATE)
        return
    messages = [
        Incoming(
            message.octets,
            flags=message.told.flags,
            internal_date=message.told.internaldate,
        )
        for message in command.messages
    ]
    done = await append_messages(mail, session.account, target.mailbox_id, messages)
    last = done.first_uid + len(messages) - 1
    code = codes.appenduid(done.uidvalidity, format_ranges([(done.first_uid, last)]))
    session.done(command.tag, "Stored.", code=code)
