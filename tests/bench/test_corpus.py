"""The made mail is what its facts say, and the same each time."""

from __future__ import annotations

import email
import email.policy

import pytest

from bench.corpus import BigMailbox, Corpus
from bench.corpus.vocabulary import CHINESE_WORD, SUBJECT_WORD

CORPUS = Corpus(1)


def test_a_message_is_the_same_for_the_same_seed_and_differs_for_another() -> None:
    assert CORPUS.message(54_321) == Corpus(1).message(54_321)
    assert CORPUS.message(54_321) != Corpus(2).message(54_321)


def test_each_line_ends_with_crlf_and_none_begins_with_a_dot() -> None:
    for number in range(300):
        message = CORPUS.message(number)
        assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")
        assert b"\r\n." not in message


def test_facts_agree_with_messages() -> None:
    for number in range(300):
        facts = CORPUS.facts(number)
        message = email.message_from_bytes(CORPUS.message(number), policy=email.policy.default)
        assert message["Message-ID"] == f"<{facts.message_id}>"
        assert CORPUS.vocabulary.person(facts.sender)[1] in message["From"]
        assert (CHINESE_WORD in message["Subject"]) == facts.is_chinese
        assert (SUBJECT_WORD in message["Subject"]) == facts.has_word
        assert not message.defects


def test_replies_answer_earlier_messages() -> None:
    seen, replies = set(), 0
    for number in range(400):
        message = email.message_from_bytes(CORPUS.message(number))
        if message["In-Reply-To"]:
            assert message["In-Reply-To"] in seen
            replies += 1
        seen.add(message["Message-ID"])
    assert replies > 100


def test_the_big_mailbox_has_something_for_each_search() -> None:
    mailbox = BigMailbox(CORPUS, 5000)
    assert len(mailbox.sizes) == 5000
    for hits in (mailbox.unseen, mailbox.flagged, mailbox.from_sender, mailbox.with_word, mailbox.chinese):
        assert 0 < hits < 5000


@pytest.mark.parametrize("size", [4096, 102_400])
def test_templates_have_the_size_and_make_different_messages(size: int) -> None:
    for template in CORPUS.templates(size, 8):
        one, other = template.message(b"00000001.r17e2c0"), template.message(b"00000002.r17e2c0")
        assert abs(len(one) - size) < 120
        assert one != other
        assert b"\r\n." not in one
        assert one.endswith(b"\r\n")
        assert email.message_from_bytes(one)["Message-ID"] == "<00000001.r17e2c0@bench.example.org>"
