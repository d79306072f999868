"""Header values, dates and texts as other parsers read them: ours are equal but where a decision says otherwise."""

from __future__ import annotations

import json
from calendar import timegm
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from hongyan.message.address_list import parse_address_list
from hongyan.message.analyze import analyze
from hongyan.message.dates import parse_date
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import iterate_fields, unfold
from hongyan.message.parameters import Parameter, parse_content_type, parse_disposition
from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from hongyan.message.text import part_text
from tests.support.parts import read_parts
from tests.support.testdata import case_files, crlf

Count = Callable[[str, int], None]

STALWART_DEVIATIONS = {
    # Octets beyond ASCII without a charset are guessed, not shown as U+FFFD.
    ("legacy/016", "content_type"),
    ("legacy/016", "content_disposition"),
    ("legacy/017", "to"),
    ("legacy/023", "content_disposition"),
    ("legacy/026", "content_type"),
    ("legacy/026", "content_disposition"),
    # uuencode is decoded where the header says so.
    ("legacy/026", "body"),
    # A backslash before a character that needs none is a Windows path, not a quoted-pair.
    ("legacy/035", "content_disposition"),
    # One word alone is a local part, as in Dovecot's ENVELOPE, not a name.
    ("rfc/001", "from"),
    ("rfc/001", "to"),
    ("rfc/004", "from"),
    ("rfc/004", "to"),
    # A comment within a name is no part of it.
    ("rfc/002", "to"),
    # Of two parameters of one name the first counts; Stalwart drops an empty one.
    ("thirdparty/010", "content_type"),
}


def test_stalwart_reads_the_same_values(count_cases: Count) -> None:
    differing = set()
    files = [file for file in case_files("mime-stalwart", "*/*.json") if not file.name.endswith(".crlf.json")]
    for file in files:
        octets = file.with_suffix(".eml").read_bytes().replace(b"\r\n", b"\n")
        case = f"{file.parent.name}/{file.stem}"
        ours = {(part.header_start, part.body_start): part for part in read_parts(octets)}
        for theirs in _stalwart_parts(json.loads(file.read_text())):
            part = ours.get((theirs["offset_header"], theirs["offset_body"]))
            if part is not None:
                differing.update((case, name) for name in _differing_values(theirs, part, octets))
    assert differing == STALWART_DEVIATIONS
    count_cases("mime-stalwart", len(files))


def _stalwart_parts(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in message["parts"]:
        yield part
        if isinstance(part["body"], dict) and isinstance(part["body"].get("Message"), dict):
            yield from _stalwart_parts(part["body"]["Message"])


def _differing_values(theirs: dict[str, Any], part: Part, octets: bytes) -> Iterator[str]:
    for field in theirs["headers"]:
        name, value = field["name"], unfold(octets[field["offset_start"] : field["offset_end"]])
        expected = field["value"]
        if isinstance(expected, dict) and not _same_value(name, expected, value):
            yield name
    body = theirs["body"]
    if isinstance(body, dict) and part.is_text and part.kind is Kind.LEAF and part.body_end == theirs["offset_end"]:
        text = body.get("Text")
        # HTML is compared by the tests of text.py: here it would be without its tags.
        if text is not None and part.content_type.subtype.lower() != b"html" and part_text(part, octets) != text:
            yield "body"


def _same_value(name: str, expected: dict[str, Any], value: bytes) -> bool:
    if "Address" in expected:
        return list(_stalwart_addresses(expected["Address"])) == list(_our_addresses(value))
    if "DateTime" in expected and name != "received":
        date = expected["DateTime"]
        seconds = timegm(tuple(date[key] for key in ("year", "month", "day", "hour", "minute", "second")))
        offset = date["tz_hour"] * 3600 + date["tz_minute"] * 60
        return parse_date(value) == seconds + (offset if date["tz_before_gmt"] else -offset)
    if "ContentType" in expected:
        return _same_content_type(name, expected["ContentType"], value)
    if "Text" in expected and name in ("subject", "comments", "content_description"):
        return decode_words(value) == expected["Text"]
    return True


def _stalwart_addresses(value: dict[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    for address in value.get("List", ()):
        yield address["name"], address["address"]
    for group in value.get("Group", ()):
        yield "group", group["name"]
        for address in group["addresses"]:
            yield address["name"], address["address"]


def _our_addresses(value: bytes) -> Iterator[tuple[str | None, str | None]]:
    for name, _, local_part, domain in parse_address_list(value):
        if domain is not None:
            address = (local_part or b"") + (b"@" + domain if domain else b"")
            yield None if name is None else decode_words(name), address.decode() or None
        elif local_part is not None:
            yield "group", decode_words(local_part)


def _same_content_type(name: str, expected: dict[str, Any], value: bytes) -> bool:
    attributes = [(attribute["name"], attribute["value"]) for attribute in expected["attributes"] or ()]
    if name == "content_type":
        content_type = parse_content_type(value)
        assert content_type is not None
        kind = (content_type.type.lower().decode(), content_type.subtype.lower().decode())
        return kind == (expected["c_type"], expected["c_subtype"]) and attributes == _pairs(content_type.parameters)
    if name == "content_disposition":
        disposition = parse_disposition(value)
        if disposition is None:
            return not expected["c_type"]
        return disposition.kind.lower().decode() == expected["c_type"] and attributes == _pairs(disposition.parameters)
    return True


def _pairs(parameters: tuple[Parameter, ...]) -> list[tuple[str, str]]:
    return [(parameter.name.lower().decode(), parameter.text) for parameter in parameters]


def _dates(file: Path) -> Iterator[bytes]:
    for name, value in iterate_fields(file.read_bytes().split(b"\n\n", 1)[0]):
        if name.lower() == b"date":
            yield value


def test_dates_are_those_that_python_reads(count_cases: Count) -> None:
    dates = 0
    for file in case_files("spamassassin", "*/*"):
        for value in _dates(file):
            expected: int | None
            try:
                expected = int(parsedate_to_datetime(value.decode("latin-1")).timestamp())
            except (ValueError, TypeError):
                expected = None
            if b"PM" in value:
                expected = (expected or 0) + 12 * 3600  # Python does not see it.
            assert parse_date(value) == expected, value
            dates += 1
    assert dates > 400
    count_cases("spamassassin", dates)


def test_the_phrases_that_zbateson_hid_in_every_charset_are_found(count_cases: Count) -> None:
    """Messages m0001 … hold two texts in German and a few in other scripts, in ever other charsets and encodings."""
    files = case_files("mime-zbateson", "m*.txt")
    german = ("die hasen und die frösche", "die hasen klagten einst über ihre mißliche lage")
    found = 0
    for file in files:
        octets = crlf(file.read_bytes())
        preview = analyze(b"", octets).preview.casefold()
        found += any(phrase.casefold() in preview for phrase in german)
        assert "\ufffd" not in preview
    assert found >= len(files) // 3
    count_cases("mime-zbateson", len(files))
