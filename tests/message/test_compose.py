"""Messages of our own, read back with Python's parser."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.address_list import parse_address_list
from hongyan.message.compose import (
    compose,
    format_addresses,
    format_field,
    format_mailbox,
    make_boundary,
    make_message_id,
    make_multipart,
    make_text,
)
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import split_fields, unfold
from tests.support.clock import FakeClock, FakeRandom


def parse(octets: bytes) -> EmailMessage:
    message = message_from_bytes(octets, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def lines_of(octets: bytes) -> list[bytes]:
    assert octets.count(b"\n") == octets.count(b"\r") == octets.count(b"\r\n")
    return octets.split(b"\r\n")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(TEXTS)
def test_a_field_holds_any_text_and_nothing_leaves_it(text: str) -> None:
    field = format_field("Subject", text)
    assert field.isascii()
    assert len(split_fields(field)) == 2  # The field, and nothing behind its end.
    assert split_fields(field)[1] == b""
    assert all(line.strip() for line in lines_of(field)[:-1])
    name, _, value = field.partition(b":")
    assert name == b"Subject"
    assert decode_words(unfold(value)).split() == "".join(c if c.isprintable() else " " for c in text).split() or not (
        text.isprintable()
    )


@pytest.mark.parametrize("utf8", [False, True])
def test_a_line_end_in_a_value_begins_no_field(utf8: bool) -> None:
    assert format_field("Subject", "a\r\nBcc: b@c", utf8=utf8) == b"Subject: a Bcc: b@c\r\n"
    assert format_mailbox("a\r\nBcc: x", "b@c\r\nBcc: y", utf8=utf8) == '"a Bcc: x" <b@cBcc: y>'


@given(TEXTS)
def test_a_mailbox_gives_its_name_and_address_back(name: str) -> None:
    listed = parse_address_list(format_mailbox(name, "ann@example.org").encode())
    assert len(listed) == 1
    assert (listed[0].local_part, listed[0].domain) == (b"ann", b"example.org")
    if name.isprintable():
        assert decode_words(listed[0].name or b"").split() == name.split()


def test_long_fields_are_folded_at_spaces() -> None:
    lines = lines_of(format_field("Subject", "word " * 60))[:-1]
    assert len(lines) > 3
    assert max(map(len, lines)) <= 78
    assert len(lines_of(format_field("Message-ID", "<" + "x" * 200 + "@example.org>"))) == 2


@pytest.mark.parametrize("eight_bit", [True, False])
@pytest.mark.parametrize("text", ["a\nb\n", "会议纪要\n" * 50, "naïve " * 30 + "\n", "x" * 2000, ".\nFrom me\n"])
def test_text_survives_its_encoding(text: str, eight_bit: bool) -> None:
    octets = compose([format_field("Subject", "s")], make_text(text, eight_bit=eight_bit))
    assert eight_bit or octets.isascii()
    assert max(map(len, lines_of(octets))) <= 998
    assert parse(octets).get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")


def test_a_multipart_is_read_by_others() -> None:
    boundary = make_boundary(FakeRandom())
    body = make_multipart("alternative", [make_text("一"), make_text("<p>一</p>", subtype="html")], boundary)
    fields = [
        format_addresses("From", [format_mailbox("张三", "zhang@example.cn")]),
        format_addresses("To", [format_mailbox("", "a@b.c"), format_mailbox('O"Neil, Jo', "jo@example.org")]),
        format_field("Subject", "会议 2025"),
        format_field("Message-ID", make_message_id("example.cn", FakeClock(), FakeRandom())),
    ]
    message = parse(compose(fields, body))
    assert not message.defects
    assert message["Subject"] == "会议 2025"
    assert message["From"].addresses[0].display_name == "张三"
    assert [address.display_name for address in message["To"].addresses] == ["", 'O"Neil, Jo']
    assert message["Message-ID"].startswith("<20260101120000.")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == "一"


def test_eight_bit_parts_are_told_of_outside() -> None:
    body = make_multipart("mixed", [make_text("一", eight_bit=True)], "b")
    assert ("Content-Transfer-Encoding", "8bit") in body.fields
