"""A wrong answer is found out, whatever is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bench.checks import Seen, check_bodies, check_envelopes, check_flags, check_headers, check_listing
from bench.corpus import BigMailbox, Corpus
from bench.corpus.vocabulary import internal_date

CORPUS = Corpus(1)
MAILBOX = BigMailbox(CORPUS, 20)


def listing(number: int) -> bytes:
    """The answer of a right server for one message."""
    facts = CORPUS.facts(number)
    local, host = CORPUS.vocabulary.person(facts.sender)[1].encode().split(b"@")
    person = b'((NIL NIL "%b" "%b"))' % (local, host)
    name = facts.message_id.encode()
    envelope = b'("date" "subject" %b %b %b NIL NIL NIL NIL "<%b>")' % (person, person, person, name)
    return b"* %d FETCH (UID %d FLAGS (%b) INTERNALDATE %b RFC822.SIZE %d ENVELOPE %b BODYSTRUCTURE (%b))\r\n" % (
        number + 1,
        number + 100,
        " ".join(facts.flags).encode(),
        internal_date(facts.received),
        len(CORPUS.message(number)),
        envelope,
        b'"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1',
    )


RIGHT = b"".join(map(listing, range(MAILBOX.count)))


def body(number: int) -> bytes:
    message = CORPUS.message(number)
    return b"* %d FETCH (BODY[] {%d}\r\n%b)\r\n" % (number + 1, len(message), message)


def test_a_right_listing_passes() -> None:
    assert check_listing(RIGHT, MAILBOX) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda octets: octets[octets.index(b"\n") + 1 :],
        lambda octets: octets + listing(3),
        lambda octets: octets.replace(b"UID 105 ", b"UID 104 "),
        lambda octets: re.sub(rb"RFC822.SIZE \d+", b"RFC822.SIZE 77", octets, count=1),
        lambda octets: octets.replace(b"(\\Seen)", b"()", 1),
        lambda octets: octets.replace(b"@bench.example.org>", b"@bench.example.net>", 1),
        lambda octets: octets.replace(b'"person', b'"somebody', 1),
        lambda octets: re.sub(rb"INTERNALDATE \"..", b'INTERNALDATE "30', octets, count=1),
        lambda octets: octets.replace(b"BODYSTRUCTURE (", b"BODY (", 1),
    ],
    ids=["lacks one", "one twice", "a UID twice", "size", "flags", "message-id", "sender", "date", "structure"],
)
def test_a_wrong_listing_is_found_out(spoil: Callable[[bytes], bytes]) -> None:
    spoiled = spoil(RIGHT)
    assert spoiled != RIGHT
    assert check_listing(spoiled, MAILBOX) != []


def test_flags_are_counted() -> None:
    flags = [" ".join(CORPUS.facts(number).flags).encode() for number in range(MAILBOX.count)]
    right = b"".join(b"* %d FETCH (FLAGS (%b))\r\n" % (nth, told) for nth, told in enumerate(flags, start=1))
    assert check_flags(right, MAILBOX) == []
    assert check_flags(right.replace(b"\\Seen", b"\\Draft", 1), MAILBOX) != []


def test_bodies_are_compared_octet_for_octet() -> None:
    right = body(3) + body(4)
    assert check_bodies(right, MAILBOX, 2) == []
    assert check_bodies(right, MAILBOX, 3) != []
    assert check_bodies(right.replace(b"CorpusMailer 2.1", b"CorpusMailer 2.0", 1), MAILBOX, 2) != []


def test_each_header_field_has_to_come() -> None:
    fields = b"From: a\r\nTo: b\r\nSubject: c\r\nDate: d\r\n\r\n"
    one = b"* 1 FETCH (BODY[HEADER.FIELDS (From To Subject Date)] {%d}\r\n%b)\r\n"
    right = MAILBOX.count * (one % (len(fields), fields))
    assert check_headers(right, MAILBOX) == []
    assert check_headers(right.replace(b"Subject: ", b"Object: ", 1), MAILBOX) != []


def test_envelopes_come_in_the_order_that_was_asked_for() -> None:
    names = [b"<%b>" % CORPUS.message_id(number).encode() for number in (4, 2)]
    assert check_envelopes(listing(4) + listing(2), names) == []
    assert check_envelopes(listing(2) + listing(4), names) != []


def test_an_answer_that_was_right_is_not_read_again_and_another_is() -> None:
    read: list[bytes] = []

    def check(octets: bytes) -> list[str]:
        read.append(octets)
        return [] if octets == b"right" else ["wrong"]

    seen = Seen()
    assert [seen.check("a", octets, check) for octets in (b"right", b"right", b"other")] == [[], [], ["wrong"]]
    assert seen.check("b", b"right", check) == []
    assert read == [b"right", b"other", b"right"]
