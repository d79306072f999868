"""How odd structure is read: the decisions of parts.py, one by one."""

from __future__ import annotations

from hongyan.message.part_header import Kind
from hongyan.message.parts import Part, read_parts


def tree(octets: bytes) -> object:
    octets = octets.replace(b"\n", b"\r\n")

    def walk(part: Part) -> object:
        name = part.content_type.subtype.decode()
        if part.kind is Kind.LEAF:
            return name, octets[part.body_start : part.body_end]
        return name, [walk(child) for child in part.children]

    return walk(read_parts(octets)[0])


MIXED = b"Content-Type: multipart/mixed; boundary=ab\n\n"


def test_preamble_and_epilogue_belong_to_no_part() -> None:
    assert tree(MIXED + b"pre\n--ab\n\none\n--ab--\nepi\n--ab\n\nno part\n") == ("mixed", [("plain", b"one")])


def test_a_boundary_that_begins_another_is_not_mistaken_for_it() -> None:
    octets = MIXED + b"--ab\nContent-Type: multipart/x; boundary=abc\n\n--abc\n\n1\n--abc\n\n2\n--abc--\n--ab\n\n3\n"
    assert tree(octets) == ("mixed", [("x", [("plain", b"1"), ("plain", b"2")]), ("plain", b"3\r\n")])


def test_an_outer_delimiter_ends_an_inner_multipart() -> None:
    octets = MIXED + b"--ab\nContent-Type: multipart/x; boundary=c\n\n--c\n\none\n--ab\n\ntwo\n--ab--\n"
    assert tree(octets) == ("mixed", [("x", [("plain", b"one")]), ("plain", b"two")])


def test_of_two_equal_boundaries_the_inner_one_counts() -> None:
    octets = MIXED + b"--ab\nContent-Type: multipart/x; boundary=ab\n\n--ab\n\none\n--ab--\n--ab\n\ntwo\n--ab--\n"
    assert tree(octets) == ("mixed", [("x", [("plain", b"one")]), ("plain", b"two")])


def test_text_may_follow_a_delimiter_behind_white_space_or_hyphens() -> None:
    assert tree(MIXED + b"--ab said\n\none\n--ab  \n\ntwo\n--ab--ok\nepi") == (
        "mixed",
        [("plain", b"one"), ("plain", b"two")],
    )


def test_a_delimiter_in_a_header_ends_it() -> None:
    assert tree(MIXED + b"--ab\nContent-Type: text/html\n--ab\n\ntwo\n--ab--") == (
        "mixed",
        [("html", b""), ("plain", b"two")],
    )


def test_a_multipart_without_a_boundary_is_text() -> None:
    assert tree(b"Content-Type: multipart/mixed\n\nall\n") == ("plain", b"all\r\n")


def test_a_multipart_without_delimiters_has_one_empty_part() -> None:
    assert tree(MIXED + b"all\n") == ("mixed", [("plain", b"")])


def test_parts_of_a_digest_are_messages_unless_they_say_otherwise() -> None:
    octets = b"Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: s\n\n1\n--d\nContent-Type: text/html\n\n2"
    assert tree(octets) == ("digest", [("rfc822", [("plain", b"1")]), ("html", b"2")])


def test_a_message_in_base64_is_not_decoded() -> None:
    octets = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogcwo=\n"
    assert tree(octets) == ("rfc822", [("plain", b"")])


def test_a_content_type_that_cannot_be_read_is_text() -> None:
    assert tree(b"Content-Type: ???\n\nbody") == ("plain", b"body")
    assert tree(b"Content-Type: text\n\nbody") == ("plain", b"body")


def test_of_two_content_types_the_first_counts() -> None:
    assert tree(b"Content-Type: text/html\nContent-Type: text/css\n\nbody") == ("html", b"body")


def test_lines_may_end_with_lf_alone() -> None:
    octets = MIXED + b"--ab\nContent-Type: text/html\n\none\n--ab\n\ntwo\n--ab--\n"
    parts = read_parts(octets)
    assert [octets[part.body_start : part.body_end] for part in parts[1:]] == [b"one", b"two"]
