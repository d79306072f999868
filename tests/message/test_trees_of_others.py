"""The part trees that other parsers found in the same octets: ours are equal but where a decision says otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

from hongyan.message.analyze import analyze
from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from tests.support.imap_structure import Body, check_bodystructure
from tests.support.parts import read_parts
from tests.support.testdata import case_files, crlf

Count = Callable[[str, int], None]
Ranges = dict[str, tuple[int, int, int]]

# Stalwart lets only an inner multipart's own delimiters end it. RFC 2046 §5.1.2: "all levels of nesting" count,
# and an outer delimiter ends what is open, as in Dovecot and Cyrus.
_OUTER_ENDS_INNER = {"malformed/001", "malformed/008", "malformed/009", "malformed/011", "malformed/012"}
# A delimiter at the very end opens a part of no octets, as in Dovecot.
_EMPTY_LAST_PART = {"malformed/002", "malformed/013", "malformed/014"}
STALWART_DEVIATIONS = (
    _OUTER_ENDS_INNER
    | _EMPTY_LAST_PART
    | {
        "malformed/004",  # "--ab" is no delimiter of "a": parts.py says why.
        "malformed/021",  # Of two Content-Type fields the first counts, as in Dovecot.
        "malformed/022",  # message/rfc822 without a header is still read as a message.
        "thirdparty/005",  # A delimiter begins a line; "invalid--1--" is text.
        "legacy/049",  # The last line break belongs to the body.
    }
)

MIME4J_DEVIATIONS = {
    "bad-newlines-multiple-parts-base64",  # RFC 2046 §5.2.1: message/rfc822 is never in base64; it is not decoded.
    "base64encoded-rfc822message",
    "missing-inner-start-boundary",  # IMAP cannot say that a multipart has no parts.
    "multipartnopart",
    "weird-boundary",  # RFC 2046 §5.1.1: a boundary does not end with a space.
}


def test_stalwart_finds_the_same_parts(count_cases: Count) -> None:
    differing = set()
    files = case_files("mime-stalwart", "*/*.json")
    for file in files:
        with_crlf = file.name.endswith(".crlf.json")
        case = f"{file.parent.name}/{file.name.split('.')[0]}"
        octets = (file.parent / f"{case.split('/')[1]}.eml").read_bytes().replace(b"\r\n", b"\n")
        if with_crlf:
            octets = crlf(octets)
        expected = dict(_stalwart_ranges(json.loads(file.read_text()), ""))
        if expected != dict(_our_ranges(read_parts(octets)[0], "")):
            differing.add(case)
    assert differing == STALWART_DEVIATIONS
    count_cases("mime-stalwart", len(files))


def _stalwart_ranges(message: dict[str, list[dict[str, object]]], path: str) -> Iterator[tuple[str, object]]:
    parts = message["parts"]

    def walk(number: int, path: str) -> Iterator[tuple[str, object]]:
        part = parts[number]
        yield path, (part["offset_header"], part["offset_body"], part["offset_end"])
        body = part["body"]
        if isinstance(body, dict):
            for place, child in enumerate(body.get("Multipart", ()), 1):
                yield from walk(child, f"{path}.{place}")
            if isinstance(body.get("Message"), dict):
                yield from _stalwart_ranges(body["Message"], path + ".m")

    yield from walk(0, path)


def _our_ranges(part: Part, path: str) -> Iterator[tuple[str, object]]:
    yield path, (part.header_start, part.body_start, part.body_end)
    for place, child in enumerate(part.children, 1):
        yield from _our_ranges(child, f"{path}.m" if part.kind is Kind.MESSAGE else f"{path}.{place}")


def test_mime4j_finds_the_same_parts_and_bodies(count_cases: Count) -> None:
    differing = set()
    files = case_files("mime-mime4j", "*/*.msg")
    for file in files:
        octets = crlf(file.read_bytes())
        expected = _mime4j_tree(ElementTree.parse(file.with_suffix(".xml")).getroot())
        if expected != _our_tree(read_parts(octets)[0], octets):
            differing.add(file.stem)
    assert differing == MIME4J_DEVIATIONS
    count_cases("mime-mime4j", len(files))


def _mime4j_tree(element: ElementTree.Element) -> object:
    for child in element:
        match child.tag:
            case "multipart":
                return "multipart", [_mime4j_tree(part) for part in child if part.tag == "body-part"]
            case "message":
                return "message", [_mime4j_tree(child)]
            case "body":
                return "body", _comparable(child.text or "")
    return "nothing"


def _our_tree(part: Part, octets: bytes) -> object:
    if part.kind is not Kind.LEAF:
        return part.kind.name.lower(), [_our_tree(child, octets) for child in part.children]
    return "body", _comparable(octets[part.body_start : part.body_end].decode("latin-1"))


def _comparable(text: str) -> str:
    """XML loses white space at the ends, and holds other octets than ASCII in ways of its own."""
    return re.sub(r"[\s�]+", " ", "".join(character if character.isascii() else "�" for character in text)).strip()


def test_mimekit_finds_the_same_offsets_octets_and_lines(count_cases: Count) -> None:
    differing = []
    cases = 0
    for file in case_files("mime-mimekit", "*.mbox.txt"):
        name = file.name.split(".")[0]
        for line_end in ("unix", "dos"):
            box = file.read_bytes().replace(b"\r\n", b"\n")
            box = crlf(box) if line_end == "dos" else box
            messages = json.loads((file.parent / f"{name}.{line_end}-offsets.json").read_text())
            for number, message in enumerate(messages):
                octets = box[message["beginOffset"] : message["endOffset"]]
                expected = _mimekit_tree(message["body"], message["beginOffset"])
                cases += 1
                if expected != _our_offsets(read_parts(octets)[0], octets):
                    differing.append(f"{name} {line_end} {number}")
    # A part without an empty line: we give the line break before the delimiter to its header.
    assert differing == ["issue1189 unix 1", "issue1189 dos 1"]
    count_cases("mime-mimekit", cases)


def _mimekit_tree(entity: dict[str, object], base: int) -> object:
    message = entity.get("message")
    children = entity.get("children", [message["body"]] if isinstance(message, dict) else [])
    assert isinstance(children, list)
    kind = str(entity["mimeType"]).lower()
    lines = entity["lines"] if kind.startswith(("text/", "message/rfc822")) else None
    offsets = [int(str(entity[key])) - base for key in ("beginOffset", "headersEndOffset", "endOffset")]
    return kind, offsets, entity["octets"], lines, [_mimekit_tree(child, base) for child in children]


def _our_offsets(part: Part, octets: bytes) -> object:
    kind = (part.content_type.type + b"/" + part.content_type.subtype).lower().decode()
    # MimeKit counts a last line without an end; Dovecot and Cyrus, whose clients we get, count line ends.
    unended = part.body_end > part.body_start and octets[part.body_end - 1] != 0x0A
    lines = part.lines + unended if kind.startswith(("text/", "message/rfc822")) else None
    offsets = [part.header_start, part.body_start, part.body_end]
    return kind, offsets, part.body_end - part.body_start, lines, [_our_offsets(p, octets) for p in part.children]


def test_wildduck_finds_the_same_tree_sizes_and_parameters(count_cases: Count) -> None:
    files = case_files("imap-wildduck", "*.json")
    for file in files:
        octets = crlf(file.with_suffix(".eml").read_bytes())
        found = analyze(b"", octets)
        parts = read_parts(octets)
        body = check_bodystructure(found.bodystructure)
        _compare_wildduck(json.loads(file.read_text()), parts[0], body, octets)
    count_cases("imap-wildduck", len(files))


def _compare_wildduck(node: dict[str, object], part: Part, body: Body, octets: bytes) -> None:
    header = "".join(f"{line}\r\n" for line in node["header"]) + "\r\n"  # type: ignore[attr-defined]
    assert octets[part.header_start : part.body_start].decode() == header
    parsed = node["parsedHeader"]
    assert isinstance(parsed, dict)
    content_type = parsed["content-type"]
    assert (content_type["type"], content_type["subtype"]) == (body.type.decode(), body.subtype.decode())
    assert content_type["params"] == {name.decode(): value.decode() for name, value in body.parameters.items()} or (
        not content_type["params"] and body.parameters == {}
    )
    children = node.get("childNodes", [])
    assert isinstance(children, list)
    assert len(children) == len(body.parts) == len(part.children)
    if not children:
        content = octets[part.body_start : part.body_end]
        assert content.decode() == node["body"]
        assert body.octets == node["size"]
        if part.is_text:
            assert part.lines + bool(content) == node["lineCount"]
        assert body.encoding.decode() == parsed["content-transfer-encoding"]
    for child_node, child, child_body in zip(children, part.children, body.parts, strict=True):
        _compare_wildduck(child_node, child, child_body, octets)
