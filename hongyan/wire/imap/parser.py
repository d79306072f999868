"""The commands of IMAP, from octets to values (RFC 9051 §9, RFC 3501 §9 and extensions).

`parse_command` takes what the receiver found to be one command: its literals within it, without the
CRLF that ended it. It knows no states: what may be said when is told by `states`. Letters of keywords
have no case; exactly one space stands where the grammar has SP, and none elsewhere.

The grammar of the arguments stands in `session_commands`, `mailbox_commands` and `message_commands`;
that of APPEND, whose messages stream by, in `append`.
"""

from __future__ import annotations

__all__ = ["parse_command"]

import re
from collections.abc import Callable
from functools import partial

from hongyan.wire.imap import mailbox_commands, message_commands, notify_command, session_commands, sharing_commands
from hongyan.wire.imap.append import parse_append
from hongyan.wire.imap.commands import (
    Capability,
    Check,
    Close,
    Command,
    GetJmapAccess,
    Idle,
    Logout,
    Namespace,
    Noop,
    StartTls,
    Unauthenticate,
    Unselect,
)
from hongyan.wire.imap.cursor import Cursor
from hongyan.wire.imap.faults import CommandFault

# command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
# tag     = 1*<any ASTRING-CHAR except "+">
# uid     = "UID" SP (copy / move / fetch / search / store / uid-expunge)
_TAG = rb'([^\x00-\x20(){%*"\\\x7f-\xff+]+)'
_START = re.compile(_TAG + rb" (?:([Uu][Ii][Dd]) )?([A-Za-z]+)(?= |\Z)")
_TAG_ONLY = re.compile(_TAG + rb"(?: |\Z)")


def parse_command(octets: bytes, *, utf8: bool = False) -> Command:
    """Return the command, or raise CommandFault with the tag if there is one.

    `utf8` says that names of mailboxes are UTF-8, as after ENABLE of IMAP4rev2 or UTF8=ACCEPT.
    """
    start = _START.match(octets)
    if not start:
        alone = _TAG_ONLY.match(octets)
        raise CommandFault("A command is a tag, one space and a word", tag=alone[1] if alone else None)
    tag, uid, word = start.groups()
    read = (_WITH_UIDS if uid else _COMMANDS).get(word.upper())
    try:
        if read is None:
            raise CommandFault("That command is not known")
        return read(Cursor(octets, start.end(), utf8=utf8), tag)
    except CommandFault as fault:
        fault.tag = tag
        raise


def _alone(command: Callable[[bytes], Command]) -> Callable[[Cursor, bytes], Command]:
    """Return the reader of a command without arguments."""

    def read(cursor: Cursor, tag: bytes) -> Command:
        cursor.end()
        return command(tag)

    return read


def _read_append(cursor: Cursor, tag: bytes) -> Command:
    """Refuse an APPEND that has no literal: the receiver would not have handed it on as a whole."""
    parse_append(cursor.octets, utf8=cursor.utf8)
    raise CommandFault("A message is appended as a literal", tag=tag)


_COMMANDS: dict[bytes, Callable[[Cursor, bytes], Command]] = {
    b"APPEND": _read_append,
    b"AUTHENTICATE": session_commands.read_authenticate,
    b"CAPABILITY": _alone(Capability),
    b"CHECK": _alone(Check),
    b"CLOSE": _alone(Close),
    b"COMPRESS": session_commands.read_compress,
    b"COPY": message_commands.read_copy,
    b"CREATE": mailbox_commands.read_create,
    b"DELETE": mailbox_commands.read_delete,
    b"DELETEACL": sharing_commands.read_delete_acl,
    b"ENABLE": session_commands.read_enable,
    b"ESEARCH": message_commands.read_esearch,
    b"EXAMINE": partial(mailbox_commands.read_select, read_only=True),
    b"EXPUNGE": message_commands.read_expunge,
    b"FETCH": message_commands.read_fetch,
    b"GETACL": sharing_commands.read_get_acl,
    b"GETMETADATA": sharing_commands.read_get_metadata,
    b"GETQUOTA": mailbox_commands.read_get_quota,
    b"GETQUOTAROOT": mailbox_commands.read_get_quota_root,
    b"ID": session_commands.read_id,
    b"IDLE": _alone(Idle),
    b"LIST": mailbox_commands.read_list,
    b"LISTRIGHTS": sharing_commands.read_list_rights,
    b"LOGIN": session_commands.read_login,
    b"LOGOUT": _alone(Logout),
    b"LSUB": mailbox_commands.read_lsub,
    b"MOVE": message_commands.read_move,
    b"MYRIGHTS": sharing_commands.read_my_rights,
    b"GETJMAPACCESS": _alone(GetJmapAccess),
    b"NAMESPACE": _alone(Namespace),
    b"NOOP": _alone(Noop),
    b"NOTIFY": notify_command.read_notify,
    b"RENAME": mailbox_commands.read_rename,
    b"REPLACE": _read_append,
    b"SEARCH": message_commands.read_search,
    b"SELECT": partial(mailbox_commands.read_select, read_only=False),
    b"SETACL": sharing_commands.read_set_acl,
    b"SETMETADATA": sharing_commands.read_set_metadata,
    b"SETQUOTA": sharing_commands.read_set_quota,
    b"SORT": message_commands.read_sort,
    b"STARTTLS": _alone(StartTls),
    b"STATUS": mailbox_commands.read_status,
    b"STORE": message_commands.read_store,
    b"SUBSCRIBE": mailbox_commands.read_subscribe,
    b"THREAD": message_commands.read_thread,
    b"UNAUTHENTICATE": _alone(Unauthenticate),
    b"UIDBATCHES": message_commands.read_uid_batches,
    b"UNSELECT": _alone(Unselect),
    b"UNSUBSCRIBE": mailbox_commands.read_unsubscribe,
}
_WITH_UIDS: dict[bytes, Callable[[Cursor, bytes], Command]] = {
    b"COPY": partial(message_commands.read_copy, uid=True),
    b"ESEARCH": message_commands.read_esearch,  # so in the example of RFC 7377 §2; it means the same
    b"EXPUNGE": message_commands.read_uid_expunge,
    b"FETCH": partial(message_commands.read_fetch, uid=True),
    b"MOVE": partial(message_commands.read_move, uid=True),
    b"SEARCH": partial(message_commands.read_search, uid=True),
    b"SORT": partial(message_commands.read_sort, uid=True),
    b"STORE": partial(message_commands.read_store, uid=True),
    b"THREAD": partial(message_commands.read_thread, uid=True),
}
