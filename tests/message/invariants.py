"""What holds for the analysis of any octets whatever."""

from __future__ import annotations

__all__ = ["check_analysis"]

from hongyan.message.analyze import Analysis, analyze
from hongyan.message.anatomy import STORED_FIELDS, Anatomy
from hongyan.message.headers import find_body, select_fields
from hongyan.message.outline import Outline, OutlinePart
from hongyan.message.part_header import Kind, read_content_fields
from hongyan.message.parts import MAX_DEPTH, MAX_PARTS
from hongyan.message.structure import shorten_to_body
from tests.support.imap_structure import Body, check_bodystructure, check_envelope
from tests.support.parts import read_parts


def check_analysis(prefix: bytes, octets: bytes) -> Analysis:
    """Analyse a message and assert that the results fit one another and the octets."""
    found = analyze(prefix, octets)
    assert analyze(prefix, octets, Anatomy(octets)) == found
    served = prefix + octets
    assert found.size == len(served)
    check_envelope(found.envelope)
    body = check_bodystructure(found.bodystructure)
    short = check_bodystructure(shorten_to_body(found.bodystructure), extensible=False)
    assert _skeleton(short) == _skeleton(body)
    if found.envelope_utf8 is not None:
        assert found.envelope_utf8 != found.envelope
        check_envelope(found.envelope_utf8, utf8=True)
    body_utf8 = body
    form_utf8 = found.bodystructure_utf8 or found.bodystructure
    check_bodystructure(shorten_to_body(form_utf8, utf8=True), utf8=True, extensible=False)
    if found.bodystructure_utf8 is not None:
        assert found.bodystructure_utf8 != found.bodystructure
        body_utf8 = check_bodystructure(found.bodystructure_utf8, utf8=True)
    outline = Outline.from_octets(found.outline)
    _check_outline(outline, served)
    _check_agreement(outline, outline.parts[0], body_utf8, (), served)
    _check_fields(found, served)
    for text in (found.from_text, found.to_text, found.cc_text, found.subject_text, found.preview, found.message_id):
        text.encode()
        assert "\0" not in text
    assert len(found.preview) <= 256
    assert all(reference.startswith("<") for reference in found.references)
    return found


def _skeleton(body: Body) -> object:
    return body.type, body.subtype, body.octets, body.lines, [_skeleton(part) for part in body.parts]


def _check_outline(outline: Outline, served: bytes) -> None:
    parts = outline.parts
    assert len(parts) <= 2 * MAX_PARTS
    scanned = read_parts(served)
    assert Outline.from_parts(scanned).to_octets() == outline.to_octets()
    for part in scanned:
        if part.kind is Kind.LEAF and part.is_text:
            header = read_content_fields(served[part.header_start : part.body_start])
            assert (header.content_type, header.encoding) == (part.content_type, part.encoding)
    root = parts[0]
    assert root.header_start == 0
    assert root.body_end == len(served)
    assert root.body_start == find_body(served, 0, len(served))
    seen = [0]
    depth = {0: 1}
    for number, part in enumerate(parts):
        assert part.header_start <= part.body_start <= part.body_end <= len(served)
        previous_end = part.body_start
        for child_number in part.parts:
            child = parts[child_number]
            assert child_number > number
            assert previous_end <= child.header_start
            assert child.body_end <= part.body_end
            previous_end = child.body_end
            seen.append(child_number)
            depth[child_number] = depth[number] + 1
        assert bool(part.parts) == (part.kind is not Kind.LEAF)
        if part.is_text or part.kind is Kind.MESSAGE:
            assert part.lines == served.count(b"\n", part.body_start, part.body_end)
    assert sorted(seen) == list(range(len(parts)))
    assert max(depth.values()) <= MAX_DEPTH + 1


def _check_agreement(outline: Outline, part: OutlinePart, body: Body, path: tuple[int, ...], served: bytes) -> None:
    """Assert that BODYSTRUCTURE and sections speak of the same parts (RFC 9051 §6.4.5.1)."""
    if part.kind is Kind.MULTIPART:
        assert len(body.parts) == len(part.parts)
        for number, (child, child_body) in enumerate(zip(part.parts, body.parts, strict=True), 1):
            _check_agreement(outline, outline.parts[child], child_body, (*path, number), served)
        assert outline.find_section((*path, len(part.parts) + 1), "") is None
        return
    path = path or (1,)
    assert outline.find_section(path, "") == part.body
    assert outline.find_section(path, "MIME") == part.header
    assert body.octets == len(part.body)
    assert (body.lines or 0) == part.lines
    if part.kind is Kind.MESSAGE:
        inner = outline.parts[part.parts[0]]
        assert outline.find_section(path, "HEADER") == inner.header
        assert outline.find_section(path, "TEXT") == inner.body
        if inner.kind is Kind.MULTIPART:
            _check_agreement(outline, inner, body.parts[0], path, served)
        else:
            _check_agreement(outline, inner, body.parts[0], (*path, 1), served)
    else:
        assert outline.find_section(path, "TEXT") is None
        assert outline.find_section((*path, 1), "") is None


def _check_fields(found: Analysis, served: bytes) -> None:
    header = served[: find_body(served, 0, len(served))]
    assert found.fields == select_fields(header, STORED_FIELDS)
    assert found.fields.count(b"\n") == found.fields.count(b"\r\n")
    for wanted in ({b"from"}, {b"subject", b"date"}, {b"content-type"}):
        assert select_fields(found.fields, wanted) == select_fields(header, wanted)
