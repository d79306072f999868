"""What is stored about a message when it arrives."""

from __future__ import annotations

from hongyan.message.analyze import analyze
from hongyan.message.anatomy import STORED_FIELDS
from hongyan.message.headers import select_fields
from hongyan.message.outline import Outline

PREFIX = b"Return-Path: <alice@example.org>\r\nReceived: by mx.hongyan.test; Mon, 6 Jan 2025 10:00:00 +0800\r\n"
MESSAGE = (
    b"Date: Mon, 06 Jan 2025 09:59:58 +0800\r\n"
    b'From: "Alice Example" <alice@example.org>\r\n'
    b"To: Bob <bob@hongyan.test>,\r\n carol@hongyan.test\r\n"
    b"Cc: =?utf-8?B?5byg5LiJ?= <zhang@example.cn>\r\n"
    b"Subject: =?utf-8?B?5Lya6K6u57qq6KaB77yaMjAyNQ==?=\r\n"
    b"X-Other: not kept\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"References: <a@example.org>\r\n <b@example.org>\r\n"
    b"In-Reply-To: <b@example.org>\r\n"
    b'Content-Type: multipart/mixed; boundary="=_x"\r\n'
    b"\r\n"
    b"preamble\r\n"
    b"--=_x\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n"
    b"Hello,\r\nBob.\r\n"
    b"\r\n--=_x\r\n"
    b"Content-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="a.pdf"\r\n'
    b"\r\n"
    b"QUJD\r\n"
    b"--=_x--\r\n"
    b"epilogue\r\n"
)
SERVED = PREFIX + MESSAGE


def test_envelope_and_structure_are_ready_octets() -> None:
    found = analyze(PREFIX, MESSAGE)
    alice = b'(("Alice Example" NIL "alice" "example.org"))'
    assert found.envelope == (
        b'("Mon, 06 Jan 2025 09:59:58 +0800" "=?utf-8?B?5Lya6K6u57qq6KaB77yaMjAyNQ==?=" '
        + b" ".join([alice] * 3)
        + b' (("Bob" NIL "bob" "hongyan.test")(NIL NIL "carol" "hongyan.test"))'
        b' (("=?utf-8?B?5byg5LiJ?=" NIL "zhang" "example.cn")) NIL "<b@example.org>" "<1@example.org>")'
    )
    assert found.bodystructure == (
        b'(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 14 2 NIL NIL NIL NIL)'
        b'("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 4 NIL ("attachment" ("filename" "a.pdf")) NIL NIL)'
        b' "mixed" ("boundary" "=_x") NIL NIL NIL)'
    )
    assert found.envelope_utf8 is None
    assert found.bodystructure_utf8 is None


def test_sections_are_found_in_the_served_message() -> None:
    outline = Outline.from_octets(analyze(PREFIX, MESSAGE).outline)

    def octets(*path: int, specifier: str = "") -> bytes:
        section = outline.find_section(path, specifier)  # type: ignore[arg-type]
        assert section is not None
        return SERVED[section.start : section.stop]

    assert octets() == SERVED
    assert octets(specifier="HEADER") == SERVED[: SERVED.index(b"preamble")]
    assert octets(specifier="TEXT") == SERVED[SERVED.index(b"preamble") :]
    assert octets(1) == b"Hello,\r\nBob.\r\n"
    assert octets(2) == b"QUJD"
    assert octets(2, specifier="MIME").endswith(b'filename="a.pdf"\r\n\r\n')
    assert outline.find_section((3,), "") is None
    assert outline.find_section((1,), "TEXT") is None


def test_stored_fields_answer_for_every_subset() -> None:
    found = analyze(PREFIX, MESSAGE)
    header = SERVED[: SERVED.index(b"preamble")]
    for wanted in ({b"from", b"date"}, {b"references"}, set(STORED_FIELDS), {b"bcc"}):
        assert select_fields(found.fields, wanted) == select_fields(header, wanted)


def test_search_texts_are_decoded_and_folded() -> None:
    found = analyze(PREFIX, MESSAGE)
    assert found.from_text == '"alice example" <alice@example.org>'
    assert found.cc_text == "张三 <zhang@example.cn>"
    assert found.subject_text == "会议纪要:2025"
    assert found.preview == "Hello, Bob."


def test_dates_ids_and_attachments_are_read() -> None:
    found = analyze(PREFIX, MESSAGE)
    assert found.size == len(SERVED)
    assert found.sent_date == 1736128798
    assert found.message_id == "<1@example.org>"
    assert found.references == ("<a@example.org>", "<b@example.org>")
    assert found.has_attachment


def test_an_empty_message_is_a_message() -> None:
    found = analyze(b"", b"")
    assert found.envelope == b"(" + b" ".join([b"NIL"] * 10) + b")"
    assert found.bodystructure == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
    assert Outline.from_octets(found.outline).find_section((), "") == range(0)
