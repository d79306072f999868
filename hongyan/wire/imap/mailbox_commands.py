"""Commands about mailboxes: select, create, list, status, quota (RFC 9051 §6.3)."""

from __future__ import annotations

__all__ = [
    "read_create",
    "read_delete",
    "read_get_quota",
    "read_get_quota_root",
    "read_list",
    "read_lsub",
    "read_rename",
    "read_select",
    "read_status",
    "read_subscribe",
    "read_unsubscribe",
]

import re
from collections.abc import Iterator

from hongyan.wire.imap.commands import (
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    List,
    ListReturn,
    ListSelect,
    Lsub,
    Qresync,
    Rename,
    Select,
    Status,
    StatusItem,
    Subscribe,
    Unsubscribe,
)
from hongyan.wire.imap.cursor import MAX_NUMBER, MAX_NUMBER64, Cursor
from hongyan.wire.imap.mailbox_name import DELIMITER, decode_name
from hongyan.wire.imap.sequence import SequenceSet
from hongyan.wire.imap.sharing_commands import read_entries

MAX_PATTERNS = 50
"""How many patterns a LIST may give: each is held against every mailbox."""

_SPECIAL_USES = {
    use.lower(): use
    for use in ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
}
_USE = re.compile(rb"\\[A-Za-z-]+")
_SELECTS = {option.value.encode(): option for option in ListSelect}
_RETURNS = {option.value.encode(): option for option in ListReturn}
_STATUS_ITEMS = {item.value.encode(): item for item in StatusItem}


def read_select(cursor: Cursor, tag: bytes, *, read_only: bool) -> Select:
    # select        = "SELECT" SP mailbox [select-params]
    # examine       = "EXAMINE" SP mailbox [select-params]
    # select-params = SP "(" select-param *(SP select-param) ")"
    # select-param  =/ "CONDSTORE" / "QRESYNC" SP "(" … ")"
    cursor.space()
    mailbox, oldname = cursor.read_mailbox_and_oldname()
    condstore, qresync = False, None
    if cursor.take(b" "):
        for word in _words_in_parentheses(cursor, "Parameters of SELECT"):
            if word == b"CONDSTORE" and not condstore:
                condstore = True
            elif word == b"QRESYNC" and qresync is None:
                qresync = _read_qresync(cursor)
            else:
                cursor.fail("SELECT knows the parameters CONDSTORE and QRESYNC, each once")
    cursor.end()
    return Select(tag, mailbox, read_only, condstore, qresync, oldname)


def _read_qresync(cursor: Cursor) -> Qresync:
    # select-param =/ "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
    cursor.require(b" (", "QRESYNC has the form QRESYNC (UIDVALIDITY MODSEQ UIDS (SEQS UIDS))")
    uidvalidity = cursor.read_number(MAX_NUMBER, 1)
    cursor.space()
    modseq = cursor.read_number(MAX_NUMBER64, 1)
    uids = seqs = seq_uids = None
    more = cursor.take(b" ")
    if more and cursor.peek() != b"(":
        uids = _read_known_set(cursor)
        more = cursor.take(b" ")
    if more:
        # seq-match-data = "(" known-sequence-set SP known-uid-set ")"
        cursor.require(b"(", "The last argument of QRESYNC stands in parentheses")
        seqs = _read_known_set(cursor)
        cursor.space()
        seq_uids = _read_known_set(cursor)
        cursor.require(b")", "The last argument of QRESYNC stands in parentheses")
        if seqs.count() != seq_uids.count():
            cursor.fail("The last argument of QRESYNC names as many UIDs as sequence numbers")
    cursor.require(b")", "The arguments of QRESYNC end with )")
    return Qresync(uidvalidity, modseq, uids, seqs, seq_uids)


def _read_known_set(cursor: Cursor) -> SequenceSet:
    """Read a set in which `*` and `$` are not allowed (RFC 7162 §7, known-uids)."""
    known = cursor.read_sequence_set()
    if known.has_star or known.saved:
        cursor.fail("A set in QRESYNC holds neither * nor $")
    return known


def read_create(cursor: Cursor, tag: bytes) -> Create:
    # create       = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]
    # create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"
    cursor.space()
    mailbox, oldname = cursor.read_mailbox_and_oldname()
    uses: dict[str, None] = {}
    if cursor.take(b" "):
        for word in _words_in_parentheses(cursor, "Parameters of CREATE"):
            if word != b"USE" or not cursor.take(b" ("):
                cursor.fail("CREATE knows the parameter USE (...)")
            if not cursor.take(b")"):
                uses[_read_special_use(cursor)] = None
                while cursor.take(b" "):
                    uses[_read_special_use(cursor)] = None
                cursor.require(b")", "Special uses stand in parentheses")
    cursor.end()
    # A delimiter at the end says that mailboxes below it will follow (RFC 9051 §6.3.4): the name is without it.
    if len(mailbox) > 1:
        mailbox = mailbox.removesuffix(DELIMITER)
    return Create(tag, mailbox, tuple(uses), oldname)


def _read_special_use(cursor: Cursor) -> str:
    # use-attr = "\All" / "\Archive" / "\Drafts" / "\Flagged" / "\Junk" / "\Sent" / "\Trash" / use-attr-ext
    match = _USE.match(cursor.octets, cursor.at)
    if not match:
        cursor.fail("A special use has the form \\Sent")
    cursor.at = match.end()
    use = match[0].decode("ascii")
    return _SPECIAL_USES.get(use.lower(), use)


def read_delete(cursor: Cursor, tag: bytes) -> Delete:
    # delete = "DELETE" SP mailbox
    cursor.space()
    mailbox, oldname = cursor.read_mailbox_and_oldname()
    cursor.end()
    return Delete(tag, mailbox, oldname)


def read_rename(cursor: Cursor, tag: bytes) -> Rename:
    # rename = "RENAME" SP mailbox SP mailbox
    cursor.space()
    mailbox, oldname = cursor.read_mailbox_and_oldname()
    cursor.space()
    new_mailbox, new_oldname = cursor.read_mailbox_and_oldname()
    cursor.end()
    if len(new_mailbox) > 1:
        new_mailbox = new_mailbox.removesuffix(DELIMITER)
    if new_oldname and not oldname:
        oldname = mailbox  # RFC 9051 §6.3.6: OLDNAME is the supplied existing name in both cases
    return Rename(tag, mailbox, new_mailbox, oldname)


def read_subscribe(cursor: Cursor, tag: bytes) -> Subscribe:
    # subscribe = "SUBSCRIBE" SP mailbox
    return Subscribe(tag, _read_only_mailbox(cursor))


def read_unsubscribe(cursor: Cursor, tag: bytes) -> Unsubscribe:
    # unsubscribe = "UNSUBSCRIBE" SP mailbox
    return Unsubscribe(tag, _read_only_mailbox(cursor))


def _read_only_mailbox(cursor: Cursor) -> str:
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.end()
    return mailbox


def read_list(cursor: Cursor, tag: bytes) -> List:
    # list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
    cursor.space()
    select: frozenset[ListSelect] = frozenset()
    extended = cursor.peek() == b"("
    if extended:
        select = _read_list_select(cursor)
        cursor.space()
    reference = decode_name(cursor.read_astring(), cursor.utf8)
    cursor.space()
    if cursor.peek() == b"(":
        extended = True
        patterns = _read_patterns(cursor)
    else:
        patterns = (cursor.read_list_mailbox(),)
    returns: frozenset[ListReturn] = frozenset()
    status: tuple[StatusItem, ...] = ()
    metadata: tuple[str, ...] = ()
    if cursor.take(b" "):
        extended = True
        if cursor.read_word() != b"RETURN":
            cursor.fail("Behind its patterns LIST has RETURN (...)")
        cursor.space()
        returns, status, metadata = _read_list_return(cursor)
    cursor.end()
    return List(tag, reference, patterns, select, returns, status, metadata, extended)


def _read_list_select(cursor: Cursor) -> frozenset[ListSelect]:
    # list-select-opts = "(" [(*(list-select-opt SP) list-select-base-opt *(SP list-select-opt)) /
    #                         (list-select-independent-opt *(SP list-select-independent-opt))] ")"
    options = set()
    for word in _words_in_parentheses(cursor, "Selection options of LIST", empty=True):
        if word not in _SELECTS:
            cursor.fail(f"LIST knows no selection option {word[:40].decode('ascii')}")
        options.add(_SELECTS[word])
    if ListSelect.RECURSIVEMATCH in options and ListSelect.SUBSCRIBED not in options:
        cursor.fail("RECURSIVEMATCH needs another selection option, as SUBSCRIBED")  # RFC 9051 §6.3.9.1
    return frozenset(options)


def _read_patterns(cursor: Cursor) -> tuple[str, ...]:
    # patterns = "(" list-mailbox *(SP list-mailbox) ")"
    cursor.require(b"(", "Patterns stand in parentheses")
    patterns = {cursor.read_list_mailbox(): None}
    while cursor.take(b" "):
        patterns[cursor.read_list_mailbox()] = None
        if len(patterns) > MAX_PATTERNS:
            cursor.fail(f"LIST has at most {MAX_PATTERNS} patterns")
    cursor.require(b")", "Patterns stand in parentheses")
    return tuple(patterns)


def _read_list_return(cursor: Cursor) -> tuple[frozenset[ListReturn], tuple[StatusItem, ...], tuple[str, ...]]:
    # list-return-opts = "RETURN" SP "(" [list-return-opt *(SP list-return-opt)] ")"
    # return-option    = "SUBSCRIBED" / "CHILDREN" / status-option / option-extension
    # status-option    = "STATUS" SP "(" status-att *(SP status-att) ")"
    # return-option    =/ "MYRIGHTS" / "METADATA" SP "(" entry *(SP entry) ")"
    options = set()
    status: tuple[StatusItem, ...] = ()
    metadata: tuple[str, ...] = ()
    for word in _words_in_parentheses(cursor, "Return options of LIST", empty=True):
        if word == b"STATUS" and not status:
            cursor.space()
            status = _read_status_items(cursor)
        elif word == b"METADATA" and not metadata:
            cursor.space()
            if cursor.peek() != b"(":
                cursor.fail("Entries stand in parentheses")
            metadata = read_entries(cursor)
        elif word in _RETURNS:
            options.add(_RETURNS[word])
        else:
            cursor.fail(f"LIST knows no return option {word[:40].decode('ascii')}")
    return frozenset(options), status, metadata


def read_lsub(cursor: Cursor, tag: bytes) -> Lsub:
    # lsub = "LSUB" SP mailbox SP list-mailbox
    cursor.space()
    reference = decode_name(cursor.read_astring(), cursor.utf8)
    cursor.space()
    pattern = cursor.read_list_mailbox()
    cursor.end()
    return Lsub(tag, reference, pattern)


def read_status(cursor: Cursor, tag: bytes) -> Status:
    # status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.space()
    items = _read_status_items(cursor)
    cursor.end()
    return Status(tag, mailbox, items)


def _read_status_items(cursor: Cursor) -> tuple[StatusItem, ...]:
    items: dict[StatusItem, None] = {}
    for word in _words_in_parentheses(cursor, "Items of STATUS"):
        if word not in _STATUS_ITEMS:
            cursor.fail(f"STATUS knows no item {word[:40].decode('ascii')}")
        items[_STATUS_ITEMS[word]] = None
    return tuple(items)


def _words_in_parentheses(cursor: Cursor, what: str, *, empty: bool = False) -> Iterator[bytes]:
    """Yield words between parentheses; who asks for them may read a word's argument before the next."""
    cursor.require(b"(", f"{what} stand in parentheses")
    if empty and cursor.take(b")"):
        return
    yield cursor.read_word()
    while cursor.take(b" "):
        yield cursor.read_word()
    cursor.require(b")", f"{what} stand in parentheses")


def read_get_quota(cursor: Cursor, tag: bytes) -> GetQuota:
    # getquota = "GETQUOTA" SP quota-root-name
    cursor.space()
    root = cursor.read_text()
    cursor.end()
    return GetQuota(tag, root)


def read_get_quota_root(cursor: Cursor, tag: bytes) -> GetQuotaRoot:
    # getquotaroot = "GETQUOTAROOT" SP mailbox
    return GetQuotaRoot(tag, _read_only_mailbox(cursor))
