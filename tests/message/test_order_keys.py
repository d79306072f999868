"""What messages are sorted and threaded by (RFC 5256, RFC 5957, RFC 5051)."""

from __future__ import annotations

import pytest

from hongyan.message.analyze import analyze
from hongyan.message.collation import casemap
from hongyan.message.order_keys import MAX_KEY, MAX_LINKS, MAX_THREAD_LINKS, OrderKeys, read_order_keys


def _keys(header: str) -> OrderKeys:
    octets = header.replace("\n", "\r\n").encode() + b"\r\n\r\nbody"
    analysis = analyze(b"", octets)
    assert read_order_keys(analysis.fields) == analysis.order  # those that are kept tell the same
    return analysis.order


@pytest.mark.parametrize(
    ("one", "other"),
    [("straße", "STRAßE"), ("Ärger", "A\N{COMBINING DIAERESIS}rger"), ("Ａ", "a"), ("ǆ", "ǅ")],
)
def test_texts_that_differ_in_case_or_composition_alone_are_the_same(one: str, other: str) -> None:
    assert casemap(one) == casemap(other)


def test_what_the_collation_keeps_apart() -> None:
    assert casemap("ss") != casemap("ß")
    assert casemap("가") == "가"
    assert casemap("a") < casemap("B") < casemap("c")


def test_a_subject_is_decoded_stripped_and_folded() -> None:
    keys = _keys("Subject: Re: =?utf-8?q?=5Bx=5D_=C3=A4pfel?=")
    assert (keys.subject, keys.is_reply) == (casemap("ÄPFEL"), True)
    assert _keys("From: a@b.test").subject == ""
    assert len(_keys("Subject: " + "x " * 5000).subject) == MAX_KEY


def test_an_address_is_sorted_by_its_mailbox_and_displayed_by_its_name() -> None:
    keys = _keys('From: "Zoe" <adam@b.test>, x@y.test\nTo: berta@b.test\nCc: team: a@b.test;')
    assert (keys.from_, keys.from_name) == ("ADAM", "ZOE")
    assert (keys.to, keys.to_name) == ("BERTA", "BERTA@B.TEST")
    assert keys.cc == "TEAM"
    assert _keys("To: friends:;").to_name == "FRIENDS"
    assert _keys("Subject: x").from_name == ""


def test_in_reply_to_counts_where_there_are_no_references() -> None:
    one = _keys("Message-ID: <1@b>\nReferences: <a@b> <c@d>\nIn-Reply-To: <x@y>")
    two = _keys("Message-ID: <1@b>\nIn-Reply-To: <a@b> <c@d>\nReferences: none")
    assert len(one.links) == 3
    assert two.links == one.links[:2]
    assert _keys("References: <a@b>").links[0] == 0


def test_quotes_that_need_not_be_make_no_other_id() -> None:
    assert _keys('Message-ID: <"a\\b"@c>').links == _keys("Message-ID: <ab@c>").links


def test_links_of_threads_depend_on_the_subject_and_not_on_what_answers_are_called() -> None:
    def links(subject: str) -> tuple[int, ...]:
        return _keys(f"Message-ID: <1@b>\nSubject: {subject}").thread_links

    assert (
        links("Lunch") == links("Re: lunch") == links("回复: Lunch") == links("AW: Re: Lunch") == links("转发：Lunch")
    )
    assert links("Lunch") != links("Dinner")


def test_of_many_references_the_first_and_the_last_count() -> None:
    ids = [f"<{number}@b>" for number in range(500)]
    keys = _keys("References: " + "\n ".join(ids))
    assert (len(keys.links), len(keys.thread_links)) == (MAX_LINKS + 1, MAX_THREAD_LINKS + 1)
    assert keys.links[1] == _keys("Message-ID: <0@b>").links[0]
    assert keys.links[-1] == _keys("Message-ID: <499@b>").links[0]
