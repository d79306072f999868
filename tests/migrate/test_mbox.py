"""mbox: what is written is read back, by us and by the standard library; what others wrote is understood."""

from __future__ import annotations

import io
import mailbox
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.migrate.carried import Carried
from hongyan.migrate.mbox import read_mbox, write_message

DATE = datetime(2026, 11, 23, 8, 5, 9, tzinfo=UTC)
MOST = 1 << 20


def read(octets: bytes, most: int = MOST) -> list[Carried | None]:
    return list(read_mbox(io.BytesIO(octets), most=most))


def test_messages_are_read_with_their_flags_and_dates() -> None:
    (one, two) = read(
        b"From ann@geese.test Mon Nov 23 08:05:09 2026\n"
        b"Status: RO\nX-Status: AF\nX-Keywords: $Forwarded geese\nSubject: one\n folded\nX-UID: 4\n\n"
        b">From the north\nFrom the east\n>From the south\n>>From both\n\n"
        b"From bob@geese.test Mon Nov 23 08:05:09 2026 +0200\nSubject: two\n\nbody\n\n"
    )
    assert one == Carried(
        b"Subject: one\r\n folded\r\n\r\nFrom the north\r\nFrom the east\r\nFrom the south\r\n>From both\r\n",
        ("\\Seen", "\\Answered", "\\Flagged", "$Forwarded", "geese"),
        DATE,
    )
    assert two is not None
    assert two.date == datetime(2026, 11, 23, 6, 5, 9, tzinfo=UTC)
    assert two.flags == ()


def test_a_line_that_begins_with_from_parts_messages_only_after_an_empty_line() -> None:
    assert len(read(b"From a Mon Nov 23 08:05:09 2026\nSubject: x\n\ntext\nFrom here it goes on\n")) == 1


def test_files_with_crlf_are_read_too() -> None:
    (one,) = read(b"From a Mon Nov 23 08:05:09 2026\r\nSubject: x\r\n\r\ntext\r\n\r\n")
    assert one is not None
    assert one.octets == b"Subject: x\r\n\r\ntext\r\n"


def test_a_message_that_is_too_large_leaves_its_place_and_the_next_is_read() -> None:
    big, small = read(b"From a x\n\n" + b"x" * 100 + b"\n\nFrom b x\n\ny\n", most=50)
    assert big is None
    assert small is not None


@pytest.mark.parametrize("octets", [b"", b"no envelope\n", b"\n\n\n", b"From", b"\xff\xfe\x00"])
def test_what_is_no_mbox_has_no_messages(octets: bytes) -> None:
    assert read(octets) == []


@pytest.mark.parametrize("first", [b"From a\n", b"From a yesterday\n", b"From a Mon Foo 99 99:99:99 9999\n"])
def test_a_date_that_cannot_be_read_is_none(first: bytes) -> None:
    (one,) = read(first + b"Subject: x\n\ny\n")
    assert one is not None
    assert one.date is None


lines = st.lists(
    st.sampled_from([b"From the geese", b">From them", b">>From", b"text", b"", b"From: not", b"\xe9\x9b\x81"]),
    max_size=8,
)
flags = st.lists(st.sampled_from(["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Junk", "geese"]), unique=True)


@given(st.lists(st.tuples(lines, flags), min_size=1, max_size=4))
def test_what_is_written_is_read_back(given_messages: list[tuple[list[bytes], list[str]]]) -> None:
    messages = [
        Carried(b"Subject: x\r\n\r\n" + b"".join(line + b"\r\n" for line in body), tuple(flags), DATE)
        for body, flags in given_messages
    ]
    found = read(b"".join(write_message(message, "MAILER-DAEMON") for message in messages))
    assert [message and message.octets for message in found] == [message.octets for message in messages]
    assert [message and set(message.flags) for message in found] == [set(message.flags) for message in messages]
    assert {message and message.date for message in found} == {DATE}


def test_another_reader_finds_the_same_messages_and_flags(tmp_path: Path) -> None:
    path = tmp_path / "x.mbox"
    body = b"Subject: %d\r\n\r\nFrom here\r\n"
    path.write_bytes(b"".join(write_message(Carried(body % n, ("\\Seen",) * n, DATE), "a@b.test") for n in range(2)))
    with_library = mailbox.mbox(path)
    assert [message["subject"] for message in with_library] == ["0", "1"]
    assert [message.get_flags() for message in with_library] == ["O", "RO"]
    with_library.close()


@given(st.binary(max_size=300))
def test_no_octets_are_too_strange(octets: bytes) -> None:
    for message in read(octets):
        assert message is None or b"\n" not in message.octets.replace(b"\r\n", b"")
