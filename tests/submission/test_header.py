"""The header of a submitted message: one From that every reader takes for the same, and nothing hidden."""

from __future__ import annotations

import pytest

from hongyan.submission.header import BadHeader, BadSender, read_header


def senders(value: str | bytes) -> list[str]:
    octets = value.encode() if isinstance(value, str) else value
    return [str(address) for address in read_header(b"From:" + octets + b"\r\n\r\nbody\r\n").senders]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (" ann@hongyan.test", ["ann@hongyan.test"]),
        (" <ann@hongyan.test>", ["ann@hongyan.test"]),
        (" Ann <ann@hongyan.test>", ["ann@hongyan.test"]),
        (' "Ann, the goose" <ann@hongyan.test>', ["ann@hongyan.test"]),
        (' "Ann \\"<bob@hongyan.test>\\"" <ann@hongyan.test>', ["ann@hongyan.test"]),
        (" Ann (bob@hongyan.test) <ann@hongyan.test>", ["ann@hongyan.test"]),
        (" ann@hongyan.test (Ann (the) goose)", ["ann@hongyan.test"]),
        (" Ann J. Goose <ann@hongyan.test>", ["ann@hongyan.test"]),
        (" [CI] Ann: news <ann@hongyan.test>", ["ann@hongyan.test"]),
        (" =?utf-8?q?=E9=9B=81?= <ann@hongyan.test>", ["ann@hongyan.test"]),
        (" 雁 <ann@hongyan.test>", ["ann@hongyan.test"]),
        ("\r\n Ann\r\n <ann@hongyan.test>", ["ann@hongyan.test"]),
        (" ann@hongyan.test, Bob <bob@hongyan.test>", ["ann@hongyan.test", "bob@hongyan.test"]),
        (' "a b"@hongyan.test', ['"a b"@hongyan.test']),
        (" ann@[192.0.2.1]", ["ann@[192.0.2.1]"]),
        (" 雁@例子.example", ["雁@xn--fsqu00a.example"]),
    ],
)
def test_a_plain_list_of_mailboxes_is_read(value: str, found: list[str]) -> None:
    assert senders(value) == found


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        " Ann",
        " ann@",
        " @hongyan.test",
        " <>",
        " <ann@hongyan.test",
        " ann@hongyan.test>",
        " <bob@hongyan.test> <ann@hongyan.test>",
        ' "bob@hongyan.test" <bob@example.org> <ann@hongyan.test>',
        " bob@hongyan.test <ann@hongyan.test>",
        " <bob@hongyan.test>ann@hongyan.test",
        " ann@hongyan.test bob@hongyan.test",
        " <@relay.example:ann@hongyan.test>",
        " team: ann@hongyan.test;",
        " undisclosed:;",
        " ann@hongyan.test,",
        " ,ann@hongyan.test",
        " ann@hongyan.test;bob@hongyan.test",
        ' "Ann <ann@hongyan.test>',
        " Ann (unclosed <ann@hongyan.test>",
        " ann\\@bob@hongyan.test",
        " ann@hongyan..test",
        b" ann\xff@hongyan.test",
        " " + ", ".join(["ann@hongyan.test"] * 101),
        " " + "x" * 10_001,
    ],
)
def test_what_another_reader_may_take_otherwise_is_refused(value: str | bytes) -> None:
    with pytest.raises(BadSender):
        senders(value)


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: none\r\n",
        b"From: ann@hongyan.test\r\nFrom: ann@hongyan.test\r\n",
        b"From: ann@hongyan.test\r\nFROM : ann@hongyan.test\r\n",
        b"From: ann@hongyan.test\r\nSender: ann@hongyan.test\r\nSender: ann@hongyan.test\r\n",
        b"From: ann@hongyan.test\r\nSender:\r\n",
    ],
)
def test_there_is_one_from_and_at_most_one_sender(header: bytes) -> None:
    with pytest.raises(BadSender):
        read_header(header + b"\r\n")


@pytest.mark.parametrize(
    "header",
    [
        b"no field\r\nFrom: ann@hongyan.test\r\n",
        b"From: ann@hongyan.test\r\nno field\r\nSubject: x\r\n",
        b"From ann Mon Jan 1\r\nFrom: ann@hongyan.test\r\n",
        b": empty\r\nFrom: ann@hongyan.test\r\n",
        b"Fr\xc3\xb6m: x\r\nFrom: ann@hongyan.test\r\n",
        b"X: y\r\n" * 10_000 + b"From: ann@hongyan.test\r\n",
        b"From: ann@hongyan.test\r\nX: " + b"y" * (1 << 20) + b"\r\n",
    ],
)
def test_a_header_that_others_may_end_elsewhere_is_refused(header: bytes) -> None:
    with pytest.raises(BadHeader):
        read_header(header + b"\r\n")


def test_sender_counts_as_one_who_writes() -> None:
    header = read_header(b"From: ann@hongyan.test\r\nSender: Bob <bob@hongyan.test>\r\n\r\n")
    assert [str(address) for address in header.senders] == ["ann@hongyan.test", "bob@hongyan.test"]


def test_bcc_is_found_wherever_it_stands_and_taken_out() -> None:
    hidden = (b"Bcc: a@b.test,\r\n\tc@d.test\r\n", b"bCC : e@f.test\r\n", b"BCC:\r\n")
    octets = b"%bFrom: ann@hongyan.test\r\n%bSubject: x\r\n%b\r\nBcc: stays\r\n" % hidden
    header = read_header(octets)
    assert header.without_bcc() == b"From: ann@hongyan.test\r\nSubject: x\r\n"
    assert tuple(octets[start:end] for start, end in header.bcc) == hidden
    assert octets[header.body :] == b"Bcc: stays\r\n"


def test_what_is_missing_is_known() -> None:
    bare = read_header(b"From: ann@hongyan.test\r\n\r\n")
    assert (bare.has_date, bare.has_message_id) == (False, False)
    full = read_header(b"DATE: now\r\nMessage-id: <x@y>\r\nFrom: ann@hongyan.test\r\n")
    assert (full.has_date, full.has_message_id) == (True, True)


def test_ten_thousand_fields_and_a_thousand_of_those_that_matter_are_too_many() -> None:
    many = b"From: ann@hongyan.test\r\n" + b"X: y\r\n" * 9000
    assert [str(one) for one in read_header(many + b"\r\n").senders] == ["ann@hongyan.test"]
    with pytest.raises(BadHeader):
        read_header(many + b"X: y\r\n" * 1000 + b"\r\n")
    with pytest.raises(BadHeader):
        read_header(b"From: ann@hongyan.test\r\n" + b"Bcc: bob@hongyan.test\r\n" * 1000 + b"\r\n")


def test_folds_count_as_no_fields() -> None:
    folded = (
        b"From: ann@hongyan.test\r\nX:" + b"\r\n y" * 10_000 + b"\r\nBcc: bob@hongyan.test\r\n eve@hongyan.test\r\n"
    )
    read = read_header(folded + b"\r\nbody\r\n")
    assert read.without_bcc() == folded[: folded.index(b"Bcc:")]
