"""Is an answer right? What the corpus knows is held against what the server said.

Each check returns the sentences of what is wrong; none is right. A figure whose answers were wrong is
no figure: it is marked WRONG, and the run fails.
"""

from __future__ import annotations

__all__ = ["Seen", "check_bodies", "check_count", "check_envelopes", "check_flags", "check_headers", "check_listing"]

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from bench.answers import Token, fetched, responses
from bench.corpus import BigMailbox

_SAMPLE = 400_000  # octets of a listing that are read token by token
_NUMBER = re.compile(rb"<m(\d{7})\.s\d+@")
_MESSAGE_ID = re.compile(rb"<(m\d{7}\.s\d+@[^>]+)>")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_FIELDS = (b"From: ", b"To: ", b"Subject: ", b"Date: ")

Check = Callable[[bytes], list[str]]


class Seen:
    """Checks an answer whole the first time, and then whether it is the same as the one that was right."""

    def __init__(self) -> None:
        self._right: dict[str, bytes] = {}

    def check(self, key: str, octets: bytes, check: Check) -> list[str]:
        digest = hashlib.blake2b(octets).digest()
        if self._right.get(key) == digest:
            return []
        wrong = check(octets)
        if not wrong:
            self._right[key] = digest
        return wrong


def check_count(octets: bytes, word: bytes, wanted: int) -> list[str]:
    found = octets.count(word)
    return [] if found == wanted else [f"{found} times {word.strip().decode()} instead of {wanted}"]


def check_flags(octets: bytes, mailbox: BigMailbox) -> list[str]:
    wrong = check_count(octets, b" FETCH (", mailbox.count)
    wrong += check_count(octets, b"\\Seen", mailbox.count - mailbox.unseen)
    return wrong + check_count(octets, b"\\Flagged", mailbox.flagged)


def check_listing(octets: bytes, mailbox: BigMailbox) -> list[str]:
    """Every message once, with the size that it has; and a sample of it read to the last token."""
    count = incomplete = 0
    uids, names = set(), set()
    for text in _fetch_texts(octets):
        count += 1
        uid, size, ids = _UID.search(text), _SIZE.search(text), _MESSAGE_ID.findall(text)
        if not (uid and size and ids and b"BODYSTRUCTURE (" in text and b"INTERNALDATE" in text):
            incomplete += 1
            continue
        uids.add(uid[1])
        names.add(ids[-1])  # an ENVELOPE ends with In-Reply-To and Message-ID
        incomplete += mailbox.sizes.get(ids[-1]) != int(size[1])
    wrong = [] if count == mailbox.count else [f"{count} messages listed instead of {mailbox.count}"]
    if incomplete:
        wrong.append(f"{incomplete} answers are incomplete or tell a wrong size")
    if not len(uids) == len(names) == count:
        wrong.append(f"{count - len(uids)} UIDs and {count - len(names)} Message-IDs come twice")
    sample = octets[:_SAMPLE]
    return wrong + _check_sample(sample[: sample.rfind(b"\r\n* ") + 2], mailbox)


def _check_sample(octets: bytes, mailbox: BigMailbox) -> list[str]:
    differing = [number for number, items in fetched(octets) if not _is_right(items, mailbox)]
    return [f"flags, date, sender or structure of {len(differing)} messages are wrong"] if differing else []


def _is_right(items: Mapping[bytes, Token], mailbox: BigMailbox) -> bool:
    match items:
        case {
            b"ENVELOPE": [_, _, [[_, _, bytes(local), bytes(host)]], *_, bytes(name)],
            b"BODYSTRUCTURE": [*_],
            b"FLAGS": [*flags],
            b"INTERNALDATE": bytes(date),
        }:
            found = _NUMBER.match(name)
            if found is None:
                return False
            facts = mailbox.corpus.facts(int(found[1]))
            _, sender = mailbox.corpus.vocabulary.person(facts.sender)
            return (
                {flag.decode() for flag in flags if isinstance(flag, bytes)} - {"\\Recent"} == set(facts.flags)
                and b"%b@%b" % (local, host) == sender.encode()
                and _seconds(date) == facts.received
            )
    return False


def _seconds(date: bytes) -> int:
    return int(datetime.strptime(date.decode().strip(), "%d-%b-%Y %H:%M:%S %z").timestamp())


def check_headers(octets: bytes, mailbox: BigMailbox) -> list[str]:
    count = lacking = 0
    for text in _fetch_texts(octets):
        count += 1
        lacking += not all(field in text for field in _FIELDS)
    wrong = [] if count == mailbox.count else [f"{count} messages answered instead of {mailbox.count}"]
    return wrong + ([f"{lacking} answers lack a field"] if lacking else [])


def check_bodies(octets: bytes, mailbox: BigMailbox, wanted: int) -> list[str]:
    """Each body is, octet for octet, what was appended."""
    count = differing = 0
    for _, items in fetched(octets):
        body = items.get(b"BODY[]")
        if not isinstance(body, bytes):
            continue
        count += 1
        found = _NUMBER.search(body, body.find(b"\r\nMessage-ID: "))
        differing += found is None or mailbox.corpus.message(int(found[1])) != body
    wrong = [] if count == wanted else [f"{count} bodies instead of {wanted}"]
    return wrong + ([f"{differing} bodies differ from what was appended"] if differing else [])


def check_envelopes(octets: bytes, names: Iterable[bytes]) -> list[str]:
    """The answers tell these Message-IDs, in this order."""
    told = []
    for _, items in fetched(octets):
        envelope = items.get(b"ENVELOPE")
        told.append(envelope[-1] if isinstance(envelope, list) and len(envelope) == 10 else None)
    return [] if told == list(names) else ["envelopes differ from what was appended"]


def _fetch_texts(octets: bytes) -> Iterator[bytes]:
    for parts in responses(octets):
        if b" FETCH (" in parts[0][:24]:
            yield b"".join(parts)
