"""The responses of IMAP, from values to octets (RFC 9051 §7, RFC 3501 §7 and extensions).

Each function returns one whole line or more, CRLF included. FETCH is in `encoder`: it is the one that
comes by the hundred thousand.
"""

from __future__ import annotations

__all__ = [
    "acl",
    "bad",
    "bye",
    "capability",
    "continuation",
    "enabled",
    "esearch",
    "exists",
    "expunge",
    "flags",
    "id_",
    "list_",
    "listrights",
    "lsub",
    "metadata",
    "metadata_changed",
    "myrights",
    "namespace",
    "no",
    "ok",
    "outcome",
    "preauth",
    "quota",
    "quotaroot",
    "recent",
    "search",
    "sort",
    "status",
    "uid_batches",
    "vanished",
]

from collections.abc import Iterable, Mapping

from hongyan.wire.imap.commands import StatusItem
from hongyan.wire.imap.mailbox_name import DELIMITER, encode_mailbox
from hongyan.wire.imap.search import Partial
from hongyan.wire.imap.sequence import format_numbers
from hongyan.wire.imap.strings import NIL, encode_astring, encode_literal8, encode_string, encode_text

UNTAGGED = b"*"

_QUOTED_DELIMITER = b'"%b"' % DELIMITER.encode("ascii")
MAX_ID_OCTETS = 1024


# Outcomes: response-tagged = tag SP resp-cond-state CRLF; with the tag left out they are untagged


def ok(text: str, *, tag: bytes = UNTAGGED, code: bytes = b"") -> bytes:
    return outcome(b"OK", text, tag=tag, code=code)


def no(text: str, *, tag: bytes = UNTAGGED, code: bytes = b"") -> bytes:
    return outcome(b"NO", text, tag=tag, code=code)


def bad(text: str, *, tag: bytes = UNTAGGED, code: bytes = b"") -> bytes:
    return outcome(b"BAD", text, tag=tag, code=code)


def outcome(condition: bytes, text: str, *, tag: bytes | None = UNTAGGED, code: bytes = b"") -> bytes:
    """Tell how a command went: `condition` is OK, NO or BAD, as in a CommandFault."""
    # resp-text = ["[" resp-text-code "]" SP] [text]
    if code:
        return b"%b %b [%b] %b\r\n" % (tag or UNTAGGED, condition, code, encode_text(text))
    return b"%b %b %b\r\n" % (tag or UNTAGGED, condition, encode_text(text))


def bye(text: str, *, code: bytes = b"") -> bytes:
    """Say that the connection closes, RFC 9051 §7.1.5."""
    return outcome(b"BYE", text, code=code)


def preauth(text: str, *, code: bytes = b"") -> bytes:
    """Greet a client that is logged in already, RFC 9051 §7.1.4."""
    return outcome(b"PREAUTH", text, code=code)


def continuation(text: bytes = b"OK") -> bytes:
    """Ask for more: a literal, DONE of IDLE, or a step of AUTHENTICATE (in base64, and perhaps empty)."""
    # continue-req = "+" SP (resp-text / base64) CRLF
    return b"+ %b\r\n" % text


# The server and the session


def capability(capabilities: Iterable[bytes]) -> bytes:
    return b"* CAPABILITY %b\r\n" % b" ".join(capabilities)


def enabled(capabilities: Iterable[bytes]) -> bytes:
    # enable-data = "ENABLED" *(SP capability)
    return b" ".join((b"* ENABLED", *capabilities)) + b"\r\n"


def id_(fields: Mapping[str, str | None]) -> bytes:
    """Tell who the server is, RFC 2971 §3.2."""
    if not fields:
        return b"* ID NIL\r\n"
    pairs = [
        b"%b %b" % (_id_string(name), NIL if value is None else _id_string(value)) for name, value in fields.items()
    ]
    return b"* ID (%b)\r\n" % b" ".join(pairs)


def _id_string(text: str) -> bytes:
    return encode_string(text.encode("ascii", "replace")[:MAX_ID_OCTETS])


def jmap_access(url: str) -> bytes:
    """Tell where the same mail is had by JMAP."""
    # resp-jmapaccess = "JMAPACCESS" SP quoted (RFC 9698 §4)
    return b"* JMAPACCESS %b\r\n" % encode_string(url.encode("ascii"))


def namespace(*, personal: str | None = "", others: str | None = None, shared: str | None = None) -> bytes:
    """Tell the prefixes of the three namespaces; None: there is none of that kind (RFC 9051 §6.3.10)."""
    # namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace
    return b"* NAMESPACE %b %b %b\r\n" % (_namespace(personal), _namespace(others), _namespace(shared))


def _namespace(prefix: str | None) -> bytes:
    return NIL if prefix is None else b"((%b %b))" % (encode_mailbox(prefix, utf8=False), _QUOTED_DELIMITER)


# Mailboxes


def list_(
    attributes: Iterable[bytes],
    mailbox: str,
    *,
    utf8: bool,
    oldname: str | None = None,
    childinfo: Iterable[bytes] = (),
) -> bytes:
    """Tell of one mailbox. `childinfo` names selection options that only its children meet (RFC 9051 §6.3.9.6)."""
    # mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    extended = []
    met = b" ".join([b'"%b"' % option for option in childinfo])
    if met:
        extended.append(b'"CHILDINFO" (%b)' % met)
    if oldname is not None:
        extended.append(b'"OLDNAME" (%b)' % encode_mailbox(oldname, utf8))
    tail = b" (%b)" % b" ".join(extended) if extended else b""
    name = encode_mailbox(mailbox, utf8)
    return b"* LIST (%b) %b %b%b\r\n" % (b" ".join(attributes), _QUOTED_DELIMITER, name, tail)


def lsub(attributes: Iterable[bytes], mailbox: str, *, utf8: bool) -> bytes:
    """RFC 3501 §7.2.3."""
    return b"* LSUB (%b) %b %b\r\n" % (b" ".join(attributes), _QUOTED_DELIMITER, encode_mailbox(mailbox, utf8))


def status(mailbox: str, values: Mapping[StatusItem, int | bytes | None], *, utf8: bool) -> bytes:
    """Tell what STATUS asked for. MAILBOXID is octets; APPENDLIMIT None: there is none (RFC 7889 §3.1)."""
    # mailbox-data = "STATUS" SP mailbox SP "(" [status-att-list] ")"
    told = b" ".join([_status_value(item, value) for item, value in values.items()])
    return b"* STATUS %b (%b)\r\n" % (encode_mailbox(mailbox, utf8), told)


def _status_value(item: StatusItem, value: int | bytes | None) -> bytes:
    name = item.value.encode("ascii")
    if value is None:
        return b"%b NIL" % name
    return b"%b %d" % (name, value) if isinstance(value, int) else b"%b (%b)" % (name, value)


def acl(mailbox: str, grants: Iterable[tuple[str, str]], *, utf8: bool) -> bytes:
    """Tell identifiers and their rights, RFC 4314 §3.6."""
    # acl-data = "ACL" SP mailbox *(SP identifier SP rights)
    told = [b" %b %b" % (_identifier(name, utf8=utf8), encode_astring(rights.encode())) for name, rights in grants]
    return b"* ACL %b%b\r\n" % (encode_mailbox(mailbox, utf8), b"".join(told))


def listrights(mailbox: str, identifier: str, required: str, optional: Iterable[str], *, utf8: bool) -> bytes:
    """Tell which rights somebody always has, and which may be granted, RFC 4314 §3.7."""
    # listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)
    name = _identifier(identifier, utf8=utf8)
    rights = b" ".join(encode_astring(one.encode()) for one in (required, *optional))
    return b"* LISTRIGHTS %b %b %b\r\n" % (encode_mailbox(mailbox, utf8), name, rights)


def myrights(mailbox: str, rights: str, *, utf8: bool) -> bytes:
    """Tell the rights of who asks, RFC 4314 §3.8."""
    # myrights-data = "MYRIGHTS" SP mailbox SP rights
    return b"* MYRIGHTS %b %b\r\n" % (encode_mailbox(mailbox, utf8), encode_astring(rights.encode()))


def _identifier(name: str, *, utf8: bool) -> bytes:
    return encode_astring(name.encode(), utf8=utf8)


def metadata(mailbox: str, values: Iterable[tuple[str, bytes | None]], *, utf8: bool) -> bytes:
    """Tell entries with their values, RFC 5464 §4.4.1. A value may hold any octets."""
    # metadata-resp = "METADATA" SP mailbox SP (entry-values / entry-list)
    told = b" ".join(b"%b %b" % (encode_astring(name.encode()), _value(value)) for name, value in values)
    return b"* METADATA %b (%b)\r\n" % (encode_mailbox(mailbox, utf8), told)


def metadata_changed(mailbox: str, entries: Iterable[str], *, utf8: bool) -> bytes:
    """Tell which entries are other ones now, or gone, RFC 5464 §4.4.2."""
    # entry-list = entry *(SP entry)
    told = b" ".join(encode_astring(name.encode()) for name in entries)
    return b"* METADATA %b %b\r\n" % (encode_mailbox(mailbox, utf8), told)


def _value(value: bytes | None) -> bytes:
    if value is None:
        return NIL
    return encode_literal8(value) if b"\0" in value else encode_string(value)


def quotaroot(mailbox: str, roots: Iterable[str], *, utf8: bool) -> bytes:
    # quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
    parts = [encode_mailbox(mailbox, utf8), *(encode_astring(root.encode(), utf8=utf8) for root in roots)]
    return b"* QUOTAROOT %b\r\n" % b" ".join(parts)


def quota(root: str, resources: Iterable[tuple[bytes, int, int]], *, utf8: bool) -> bytes:
    """Tell name, usage and limit of each resource; STORAGE counts units of 1024 octets (RFC 9208 §4.2.1, §5)."""
    # quota-response = "QUOTA" SP quota-root-name SP quota-list
    told = b" ".join([b"%b %d %d" % resource for resource in resources])
    return b"* QUOTA %b (%b)\r\n" % (encode_astring(root.encode(), utf8=utf8), told)


# The selected mailbox


def flags(names: Iterable[bytes]) -> bytes:
    """The flags that are used in the mailbox, RFC 9051 §7.3.5."""
    return b"* FLAGS (%b)\r\n" % b" ".join(names)


def exists(count: int) -> bytes:
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    """RFC 3501 §7.3.2, to clients of IMAP4rev1 only."""
    return b"* %d RECENT\r\n" % count


def expunge(seq: int) -> bytes:
    return b"* %d EXPUNGE\r\n" % seq


def vanished(uids: Iterable[int], *, earlier: bool = False) -> bytes:
    """Tell UIDs that are there no more, RFC 7162 §3.2.10; nothing if there are none."""
    # expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids
    told = format_numbers(uids)
    if not told:
        return b""
    return b"* VANISHED (EARLIER) %b\r\n" % told if earlier else b"* VANISHED %b\r\n" % told


# What was found


def search(numbers: Iterable[int], *, modseq: int | None = None) -> bytes:
    """Answer a SEARCH of IMAP4rev1, RFC 3501 §7.2.5; `modseq` where MODSEQ was searched (RFC 7162 §3.1.5)."""
    return _numbers(b"* SEARCH", numbers, modseq)


def sort(numbers: Iterable[int], *, modseq: int | None = None) -> bytes:
    """Answer a SORT, RFC 5256 §4, RFC 7162 §7. The order is that of the numbers."""
    return _numbers(b"* SORT", numbers, modseq)


def thread(threads: bytes) -> bytes:
    """Answer a THREAD with threads as they are written, RFC 5256 §4."""
    # thread-data = "THREAD" [SP 1*thread-list]
    return b"* THREAD %b\r\n" % threads if threads else b"* THREAD\r\n"


def _numbers(name: bytes, numbers: Iterable[int], modseq: int | None) -> bytes:
    # mailbox-data =/ "SEARCH" [1*(SP nz-number) SP search-sort-mod-seq]
    listed = str(list(numbers))[1:-1].replace(",", "").encode("ascii")
    if not listed:
        return b"%b\r\n" % name
    if modseq is None:
        return b"%b %b\r\n" % (name, listed)
    return b"%b %b (MODSEQ %d)\r\n" % (name, listed, modseq)


def esearch(
    tag: bytes,
    *,
    uid: bool,
    minimum: int | None = None,
    maximum: int | None = None,
    all_: bytes = b"",
    count: int | None = None,
    partial: tuple[Partial, bytes] | None = None,
    modseq: int | None = None,
    mailbox: tuple[bytes, int] | None = None,
    relevancy: Iterable[int] | None = None,
) -> bytes:
    """Answer a SEARCH with RETURN; what is None or empty is not told (RFC 9051 §7.3.4, RFC 9394 §3.1).

    Where several mailboxes are searched, `mailbox` says which this is, by `encode_mailbox`, and its UIDVALIDITY.
    `relevancy` has a score from 1 to 100 for each message that is told of, in the same order (RFC 6203 §4).
    """
    # esearch-response  = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    # search-correlator = SP "(" one-correlator *(SP one-correlator) ")"
    told = [b"* ESEARCH (TAG %b" % encode_string(tag)]
    if mailbox is not None:
        told.append(b"MAILBOX %b UIDVALIDITY %d" % mailbox)  # RFC 7377 §4
    told[-1] += b")"
    if uid:
        told.append(b"UID")
    if minimum is not None:
        told.append(b"MIN %d" % minimum)
    if maximum is not None:
        told.append(b"MAX %d" % maximum)
    if count is not None:
        told.append(b"COUNT %d" % count)
    if all_:
        told.append(b"ALL %b" % all_)
    if partial is not None:
        told.append(b"PARTIAL (%b %b)" % (bytes(partial[0]), partial[1] or NIL))
    if relevancy is not None:
        told.append(b"RELEVANCY (%b)" % b" ".join([b"%d" % score for score in relevancy]))
    if modseq is not None:
        told.append(b"MODSEQ %d" % modseq)
    return b" ".join(told) + b"\r\n"


def uid_batches(tag: bytes, batches: Iterable[tuple[int, int]]) -> bytes:
    """Answer UIDBATCHES: ranges from the greatest UIDs to the least, each (high, low) (RFC 10022 §3.1.2)."""
    # uidbatches-response = "UIDBATCHES" search-correlator [SP uid-range *("," uid-range)]
    told = b",".join([b"%d:%d" % batch for batch in batches])
    return b"* UIDBATCHES (TAG %b)%b\r\n" % (encode_string(tag), b" " + told if told else b"")
