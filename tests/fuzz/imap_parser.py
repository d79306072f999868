"""A command of IMAP is read within bounds, or refused by a `CommandFault` whose sentence fits one line."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.wire.imap.append import parse_append
from hongyan.wire.imap.commands import Append, Command, Fetch, Search
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.fetch import MAX_ITEMS
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.responses import outcome
from hongyan.wire.imap.search import names_seqs
from hongyan.wire.imap.states import State, find_fault_of_state, names_numbers
from hongyan.wire.imap.view import may_tell_expunges

CORPUS: list[bytes] = [
    b"a NOOP",
    b'a LOGIN {4+}\r\nfred "a\\"b"',
    b"a AUTHENTICATE PLAIN AGEAYg==",
    b'a ID ("name" "x" "version" NIL)',
    b"a ENABLE CONDSTORE UTF8=ACCEPT",
    b"a SELECT &ZeVnLIqe- (QRESYNC (1 2 41,43:211 (1,2 41,43)) CONDSTORE)",
    b"a CREATE Sent (USE (\\Sent))",
    b'a RENAME "a b" {1}\r\nc',
    b'a LIST (SUBSCRIBED RECURSIVEMATCH) "" ("*" a%) RETURN (CHILDREN STATUS (MESSAGES SIZE))',
    b"a STATUS INBOX (UIDNEXT HIGHESTMODSEQ)",
    b'a UID FETCH 1:*,7,$ (UID BODY.PEEK[1.2.HEADER.FIELDS (Date "X")]<0.99> BINARY.SIZE[1]) (CHANGEDSINCE 5 VANISHED)',
    b"a FETCH 1 FULL",
    b"a UID STORE 4:2 (UNCHANGEDSINCE 7) +FLAGS.SILENT (\\Seen $Junk)",
    b'a UID SEARCH RETURN (MIN PARTIAL -1:-10) CHARSET GB2312 OR (NOT SEEN 1:5) HEADER X "y" SINCE 1-Feb-2026',
    b'a SEARCH MODSEQ "/flags/\\\\seen" all 5 EMAILID M1 OLDER 9 $',
    b'a ESEARCH IN (mailboxes (Work "x") subtree-one Old personal selected) RETURN (COUNT) FUZZY (BODY x) 1:9',
    b"a UID SORT (REVERSE DATE) UTF-8 ALL",
    b"a THREAD REFERENCES UTF-8 SUBJECT x",
    b"a UID SEARCH UIDAFTER $ NOT UIDBEFORE 9",
    b"a UID MOVE 5:9 Trash",
    b'a APPEND INBOX (\\Seen) " 1-Feb-2026 10:00:00 +0800" UTF8 (~{310+}',
    b"a UID EXPUNGE 1:5",
    b"a UIDBATCHES 2000 1:50",
    b'a NOTIFY SET STATUS (SELECTED (MessageNew (UID FLAGS) MessageExpunge)) (SUBTREE (Work "x") (MailboxName))',
    b'a GETQUOTAROOT "INBOX"',
]


def target(octets: bytes) -> None:
    for utf8 in (False, True):
        command = _read(octets, utf8=utf8)
        if command is None:
            continue
        assert command == _read(octets, utf8=utf8)
        if not isinstance(command, Append):
            find_fault_of_state(command, State.SELECTED)
            may_tell_expunges(command)
            names_numbers(command)
        if isinstance(command, Fetch):
            assert len(command.items) <= MAX_ITEMS
            assert all(b"\r" not in getattr(item, "label", b"") for item in command.items), "a label ends the line"
        if isinstance(command, Search):
            names_seqs(command.key)


def _read(octets: bytes, *, utf8: bool) -> Command | None:
    command: Command | None = None
    for read in (parse_append, parse_command):
        try:
            command = read(octets, utf8=utf8)
        except CommandFault as fault:
            _check(fault, octets)
    return command


def _check(fault: CommandFault, octets: bytes) -> None:
    assert fault.sentence
    assert fault.sentence.isascii()
    assert fault.sentence.isprintable()
    assert fault.tag is None or octets.startswith(fault.tag + b" ") or octets == fault.tag
    line = outcome(fault.status, fault.sentence, tag=fault.tag, code=fault.code)
    assert line.endswith(b"\r\n")
    assert line.count(b"\n") == line.count(b"\r") == 1
