"""Commands about rights, entries and limits are read within bounds or refused, and rights are the same when read again.

Whose mailbox a name below `Other Users/` means is found for every name, or it means none.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.addresses import Address
from hongyan.mailboxes.reach import others_name, split_others_name
from hongyan.mailboxes.rights import ALL_RIGHTS, parse_rights, write_rights
from hongyan.wire.imap.commands import GetMetadata, List, SetAcl, SetMetadata, SetQuota
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.sharing_commands import MAX_ENTRIES, MAX_ENTRY_OCTETS

CORPUS: list[bytes] = [
    b"a SETACL Work bert +lrs",
    b'a SETACL "Other Users/a@b.test/INBOX" -anyone -cd',
    b"a DELETEACL Work {4+}\r\nbert",
    b'a GETACL "Other Users/a/b@b.test/x"',
    b"a LISTRIGHTS &ZeVnLA- bert@b.test",
    b"a MYRIGHTS INBOX",
    b'a GETMETADATA (MAXSIZE 1024 DEPTH infinity) "" (/shared/comment "/private/x/y")',
    b"a GETMETADATA INBOX (DEPTH 1) /private",
    b'a SETMETADATA INBOX (/private/x NIL /shared/y "z" /shared/w ~{3+}\r\na\0b)',
    b'a SETQUOTA "" (STORAGE 512 MESSAGE 9223372036854775807)',
    b'a LIST "" * RETURN (MYRIGHTS METADATA (/shared/x /private/y))',
]


def target(octets: bytes) -> None:
    for utf8 in (False, True):
        try:
            command = parse_command(octets, utf8=utf8)
        except CommandFault:
            continue
        match command:
            case SetAcl():
                _check_rights(command.rights)
            case GetMetadata():
                _check_entries(command.wish.entries)
            case SetMetadata():
                _check_entries(tuple(command.values))
            case List() if command.metadata:
                _check_entries(command.metadata)
            case SetQuota():
                assert all(0 <= limit < 1 << 63 for limit in command.limits.values())
        mailbox = getattr(command, "mailbox", "")
        found = split_others_name(mailbox)
        if found is not None:
            address, inner = found
            assert isinstance(address, Address)
            assert split_others_name(others_name(address, inner)) == found


def _check_rights(text: str) -> None:
    try:
        rights = parse_rights(text)
    except ValueError:
        return
    assert rights <= ALL_RIGHTS
    assert parse_rights(write_rights(rights)) >= rights


def _check_entries(names: tuple[str, ...]) -> None:
    assert 0 < len(names) <= MAX_ENTRIES
    assert all(name.startswith(("/private", "/shared")) and name == name.lower() for name in names)
    assert all(len(name) <= MAX_ENTRY_OCTETS and "*" not in name and "%" not in name for name in names)
