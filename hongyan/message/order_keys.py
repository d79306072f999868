"""What a message is sorted and threaded by, found once when it arrives (RFC 5256, RFC 5957).

Texts are keys of the collation (`collation.casemap`), cut at `MAX_KEY` characters. Message ids are told by numbers
made from them, links: who compares a hundred thousand messages compares numbers.
"""

from __future__ import annotations

__all__ = ["MAX_KEY", "MAX_LINKS", "MAX_THREAD_LINKS", "OrderKeys", "find_order_keys", "read_order_keys"]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from struct import pack

from hongyan.message.address_list import ListedAddress, parse_address_list
from hongyan.message.base_subject import find_base_subject
from hongyan.message.collation import casemap
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import pick_fields, split_fields

MAX_KEY = 500
"""Characters of a text by which messages are sorted."""

MAX_LINKS = 100
"""Message ids of References that are looked at: the first, and the last of the others."""

MAX_THREAD_LINKS = 15
"""Messages that one answers by which its thread is found: the first, and the last of the others."""

_NAMES = frozenset({b"subject", b"from", b"to", b"cc", b"message-id", b"references", b"in-reply-to"})
_MAX_SUBJECT = 4 * MAX_KEY
_FIRST_ADDRESS = 2000  # octets of a list in which the first address is looked for
_REMEMBERED = 300
# msg-id, with a quoted left side as well; without white space, as nobody writes it there.
_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,512}>")
_QUOTED_LEFT = re.compile(rb'<"((?:[^"\\]|\\.)*)"@')
_QUOTED_PAIR = re.compile(rb"\\(.)")
# What programs put before a subject where people do not write English. RFC 5256 knows none of these: a thread does.
_ANSWERED = re.compile(
    r"(?:(?:回复|回覆|答复|答覆|转发|轉發|轉寄|回信|返信|転送|답장|전달|re|fwd?|aw|wg|sv|vs|antw|tr|rv|enc|odp|rif|ynt)\s*[:：]|\s)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OrderKeys:
    """The keys of one message.

    `links` are its own Message-ID (0 if it has none), then those it answers, oldest first (RFC 5256 §3, step 1).
    `thread_links` are the same, bound to the subject: messages that share one are of one thread (RFC 8621 §3).
    """

    subject: str
    is_reply: bool
    from_: str
    to: str
    cc: str
    from_name: str
    to_name: str
    links: tuple[int, ...]
    thread_links: tuple[int, ...]

    def packed_links(self) -> bytes:
        """Return the links as they are stored: eight octets each."""
        return pack(f"<{len(self.links)}q", *self.links)


def find_order_keys(fields: Mapping[bytes, Sequence[bytes]]) -> OrderKeys:
    """Return the keys of a message with these unfolded fields, by name in lower case."""
    base = find_base_subject(decode_words(fields[b"subject"][0])[:_MAX_SUBJECT]) if b"subject" in fields else None
    subject = "" if base is None else casemap(base.text)[:MAX_KEY]
    from_, from_name = _first_address(fields, b"from")
    to, to_name = _first_address(fields, b"to")
    own, references = _ids(fields)
    links = (_link(own) if own else 0, *map(_link, references))
    return OrderKeys(
        subject=subject,
        is_reply=base is not None and base.is_reply,
        from_=from_,
        to=to,
        cc=_first_address(fields, b"cc")[0],
        from_name=from_name,
        to_name=to_name,
        links=links,
        thread_links=_thread_links(subject, own, references),
    )


def read_order_keys(fields: bytes) -> OrderKeys:
    """Return the keys of a message of which the fields are kept as they came (`anatomy.STORED_FIELDS`)."""
    return find_order_keys(pick_fields(split_fields(fields), _NAMES)[0])


# -- addresses


def _first_address(fields: Mapping[bytes, Sequence[bytes]], name: bytes) -> tuple[str, str]:
    """Return the keys of an address field: the mailbox of its first address, and how that is displayed."""
    values = fields.get(name)
    if values is None:
        return "", ""
    value = values[0][:_FIRST_ADDRESS]
    return _remembered_address(value) if len(value) <= _REMEMBERED else _address_keys(value)


def _address_keys(value: bytes) -> tuple[str, str]:
    first = next(iter(parse_address_list(value)), None)
    if first is None:
        return "", ""
    mailbox = casemap(decode_words(first.local_part or b""))[:MAX_KEY]
    return mailbox, _display_key(first)


# The same people write again and again.
_remembered_address = lru_cache(maxsize=2048)(_address_keys)


def _display_key(address: ListedAddress) -> str:
    """RFC 5957 §3: the name of a group; the display name; or the address itself."""
    local_part, domain = address.local_part or b"", address.domain
    if domain is None:
        return casemap(decode_words(local_part))[:MAX_KEY]
    name = decode_words(address.name).strip() if address.name else ""
    if name:
        return casemap(name)[:MAX_KEY]
    return casemap(decode_words(b"%b@%b" % (local_part, domain) if domain else local_part))[:MAX_KEY]


# -- ids


def _ids(fields: Mapping[bytes, Sequence[bytes]]) -> tuple[bytes, list[bytes]]:
    """Return the message's id, and those of the messages that it answers (RFC 5256 §3, step 1)."""
    own = _MESSAGE_ID.search(fields[b"message-id"][0]) if b"message-id" in fields else None
    references: list[bytes] = []
    if b"references" in fields:
        references = _MESSAGE_ID.findall(b" ".join(fields[b"references"]))
    if not references and b"in-reply-to" in fields:
        references = _MESSAGE_ID.findall(fields[b"in-reply-to"][0])[:1]
    if len(references) > MAX_LINKS:
        references = references[:1] + references[1 - MAX_LINKS :]
    return (_plain(own[0]) if own else b""), [_plain(id_) for id_ in references]


def _plain(id_: bytes) -> bytes:
    """Take quotes off the left side: RFC 5256 §3 compares ids in their normal form."""
    if id_[1:2] != b'"':
        return id_
    return _QUOTED_LEFT.sub(lambda match: b"<%b@" % _QUOTED_PAIR.sub(rb"\1", match[1]), id_, count=1)


def _link(id_: bytes, key: bytes = b"") -> int:
    """Return the number that tells an id: never 0, and the chance that two ids share one is negligible."""
    return int.from_bytes(blake2b(id_, digest_size=8, key=key).digest(), "little", signed=True) or 1


def _thread_links(subject: str, own: bytes, references: list[bytes]) -> tuple[int, ...]:
    if len(references) > MAX_THREAD_LINKS:
        references = references[:1] + references[1 - MAX_THREAD_LINKS :]
    answered = _ANSWERED.match(subject)
    topic = subject if answered is None else subject[answered.end() :]
    key = blake2b(topic.encode("utf-8", "replace"), digest_size=16).digest()
    return (_link(own, key) if own else 0, *dict.fromkeys([_link(id_, key) for id_ in references if id_ != own]))
