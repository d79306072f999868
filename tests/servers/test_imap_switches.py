"""Whatever has commands or arguments of its own is refused where it is switched off, and nothing else is."""

from __future__ import annotations

import pytest

from hongyan.servers.imap.capabilities import OPTIONAL
from hongyan.servers.imap.switches import is_switched_off
from hongyan.wire.imap.parser import parse_command

COMMANDS = {
    "ACL": ("GETACL INBOX", "SETACL INBOX bob lr", "DELETEACL INBOX bob", "MYRIGHTS INBOX", "LISTRIGHTS INBOX bob"),
    "BINARY": ("FETCH 1 BINARY[1]", "FETCH 1 (UID BINARY.SIZE[1])"),
    "COMPRESS=DEFLATE": ("COMPRESS DEFLATE",),
    "CONDSTORE": (
        "SELECT INBOX (CONDSTORE)",
        "FETCH 1 (FLAGS) (CHANGEDSINCE 1)",
        "FETCH 1 (FLAGS MODSEQ)",
        "STORE 1 (UNCHANGEDSINCE 1) FLAGS ()",
        "SEARCH NOT MODSEQ 5",
        "STATUS INBOX (HIGHESTMODSEQ)",
    ),
    "CREATE-SPECIAL-USE": ("CREATE x (USE (\\Sent))",),
    "ENABLE": ("ENABLE CONDSTORE",),
    "ESEARCH": ("SEARCH RETURN (MIN) ALL", "UID SEARCH RETURN () ALL"),
    "ESORT": ("SORT RETURN (MIN) (DATE) UTF-8 ALL",),
    "IDLE": ("IDLE",),
    "JMAPACCESS": ("GETJMAPACCESS",),
    "LIST-EXTENDED": ('LIST "" (a b)',),
    "LIST-METADATA": ('LIST "" * RETURN (METADATA (/shared/comment))',),
    "LIST-MYRIGHTS": ('LIST "" * RETURN (MYRIGHTS)',),
    "LIST-STATUS": ('LIST "" * RETURN (STATUS (MESSAGES))',),
    "METADATA": ("GETMETADATA INBOX /shared/comment", "SETMETADATA INBOX (/shared/comment NIL)"),
    "MOVE": ("MOVE 1 Trash", "UID MOVE 1 Trash"),
    "MULTISEARCH": ("ESEARCH ALL", "ESEARCH IN (personal) RETURN (MIN) ALL"),
    "NAMESPACE": ("NAMESPACE",),
    "NOTIFY": ("NOTIFY NONE",),
    "OBJECTID": ("SEARCH EMAILID M1", "SEARCH THREADID T1", "FETCH 1 (EMAILID)", "STATUS INBOX (MAILBOXID)"),
    "PARTIAL": ("UID FETCH 1:* (FLAGS) (PARTIAL 1:5)", "SEARCH RETURN (PARTIAL 1:5) ALL"),
    "PREVIEW": ("FETCH 1 (PREVIEW)", "FETCH 1 (PREVIEW (LAZY))"),
    "QRESYNC": ("SELECT INBOX (QRESYNC (1 1))", "UID FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)"),
    "QUOTA": ('GETQUOTA ""', "GETQUOTAROOT INBOX", 'SETQUOTA "" (STORAGE 5)'),
    "QUOTASET": ('SETQUOTA "" (STORAGE 5)',),
    "SAVEDATE": ("FETCH 1 (SAVEDATE)", "SEARCH SAVEDBEFORE 1-Jan-2026", "SEARCH SAVEDATESUPPORTED"),
    "SEARCH=FUZZY": ("SEARCH FUZZY BODY x", "ESEARCH NOT FUZZY SEEN", "THREAD REFS UTF-8 OR ALL (FUZZY TEXT x)"),
    "SEARCHRES": ("SEARCH RETURN (SAVE) ALL",),
    "SORT": ("SORT (DATE) UTF-8 ALL",),
    "SORT=DISPLAY": ("SORT (REVERSE DISPLAYFROM) UTF-8 ALL",),
    "SPECIAL-USE": ('LIST (SPECIAL-USE) "" *', 'LIST "" * RETURN (SPECIAL-USE)'),
    "STATUS=SIZE": ("STATUS INBOX (SIZE)", 'LIST "" * RETURN (STATUS (SIZE))'),
    "THREAD=ORDEREDSUBJECT": ("THREAD ORDEREDSUBJECT UTF-8 ALL",),
    "THREAD=REFERENCES": ("THREAD REFERENCES UTF-8 ALL",),
    "THREAD=REFS": ("UID THREAD REFS UTF-8 ALL",),
    "UIDBATCHES": ("UIDBATCHES 500",),
    "UIDPLUS": ("UID EXPUNGE 1",),
    "UNAUTHENTICATE": ("UNAUTHENTICATE",),
    "UNSELECT": ("UNSELECT",),
    "WITHIN": ("SEARCH YOUNGER 60", "SEARCH OR OLDER 60 SEEN"),
}

BY_APPEND = {"MULTIAPPEND", "REPLACE"}
"""The dialogues show these: their commands come in pieces."""

NOT_ASKED_FOR = {"CHILDREN", "IMAP4REV2", "INPROGRESS", "LITERAL+", "RIGHTS=KXTE", "UIDONLY", "UTF8=ACCEPT"}
"""What has no command or argument of its own but ENABLE's."""

PLAIN = (
    "SELECT INBOX",
    "FETCH 1 (FLAGS UID ENVELOPE BODY.PEEK[HEADER])",
    "STORE 1 +FLAGS (\\Seen)",
    "SEARCH UNSEEN SINCE 1-Jan-2026",
    "STATUS INBOX (MESSAGES UNSEEN)",
    'LIST "" *',
    "EXPUNGE",
    "CREATE x",
    "COPY 1 x",
)


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in COMMANDS.items() for line in lines])
def test_a_command_is_refused_where_what_it_needs_is_off(name: str, line: str) -> None:
    command = parse_command(f"a {line}".encode())
    assert is_switched_off(command, frozenset({name}))
    assert not is_switched_off(command, frozenset())


@pytest.mark.parametrize("line", PLAIN)
def test_what_every_program_uses_is_never_refused(line: str) -> None:
    assert not is_switched_off(parse_command(f"a {line}".encode()), OPTIONAL)


def test_all_that_is_offered_and_has_commands_can_be_refused() -> None:
    told_only = {name for name in OPTIONAL if name in NOT_ASKED_FOR or name.startswith("QUOTA=")}
    assert OPTIONAL - told_only - BY_APPEND == COMMANDS.keys()
