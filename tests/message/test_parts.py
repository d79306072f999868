"""How odd structure is read: the decisions of parts.py, one by one."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from tests.support.parts import read_parts


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


@dataclass(frozen=True)
class Node:
    """A part to be built: `body` of a leaf, `children` of a multipart, or one child of a message."""

    body: bytes = b""
    children: tuple[Node, ...] = ()
    is_message: bool = False


LINES = st.lists(
    st.sampled_from([b"", b"text", b"-- ", b"--", b"-", b"--b", b"--b0x", b"From a@b", b"A: b"]), max_size=5
)
LEAVES = LINES.map(lambda lines: Node(b"\r\n".join(lines)))
TREES = st.recursive(
    LEAVES,
    lambda nodes: st.one_of(
        st.lists(nodes, min_size=1, max_size=4).map(lambda children: Node(children=tuple(children))),
        nodes.map(lambda child: Node(children=(child,), is_message=True)),
    ),
    max_leaves=12,
)


def write(node: Node, depth: int = 0) -> bytes:
    if node.is_message:
        return b"Content-Type: message/rfc822\r\n\r\n" + write(node.children[0], depth + 1)
    if not node.children:
        return b"Content-Type: text/plain\r\n\r\n" + node.body
    boundary = b"b%d" % depth
    parts = [b"--%b\r\n%b\r\n" % (boundary, write(child, depth + 1)) for child in node.children]
    return b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n%b--%b--" % (boundary, b"".join(parts), boundary)


def read(part: Part, octets: bytes) -> Node:
    if part.kind is Kind.LEAF:
        return Node(octets[part.body_start : part.body_end])
    return Node(b"", tuple(read(child, octets) for child in part.children), part.kind is Kind.MESSAGE)


@given(TREES)
def test_every_tree_that_is_written_is_read(tree: Node) -> None:
    octets = write(tree)
    assert read(read_parts(octets)[0], octets) == tree
