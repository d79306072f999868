"""Every message at hand, broken ones included, is analysed, and what is found fits together."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import Message

import pytest

from hongyan.message.parts import Part
from tests.message.invariants import check_analysis
from tests.support.parts import read_parts
from tests.support.testdata import SUITES_OF_MESSAGES, case_files, crlf, message_files

Count = Callable[[str, int], None]

_PREFIX = b"Return-Path: <a@example.org>\r\nReceived: by mx.example.org; Mon, 6 Jan 2025 10:00:00 +0800\r\n"


@pytest.mark.parametrize("suite", SUITES_OF_MESSAGES)
def test_structure_outline_and_fields_agree(suite: str, count_cases: Count) -> None:
    files = message_files(suite)
    for file in files:
        octets = file.read_bytes()
        check_analysis(b"", octets)
        check_analysis(_PREFIX, crlf(octets))
    assert files
    count_cases(suite, 2 * len(files))


def test_python_finds_the_same_parts_in_real_mail(count_cases: Count) -> None:
    differing = []
    files = case_files("spamassassin", "*/*")
    for file in files:
        octets = crlf(file.read_bytes())
        expected = _python_tree(message_from_bytes(octets))
        if octets.startswith(b"From "):
            octets = octets.split(b"\r\n", 1)[1]
        if _our_tree(read_parts(octets)[0]) != expected:
            differing.append(file.name.split(".")[0])
    # A multipart without parts has one, since IMAP cannot say otherwise; and Python makes messages of the groups of
    # fields in message/delivery-status.
    assert len(differing) == 2
    count_cases("spamassassin", len(files))


def _our_tree(part: Part) -> object:
    kind = (part.content_type.type + b"/" + part.content_type.subtype).lower().decode()
    return kind, [_our_tree(child) for child in part.children]


def _python_tree(message: Message) -> object:
    parts = message.get_payload() if message.is_multipart() else []
    assert isinstance(parts, list)
    return message.get_content_type(), [_python_tree(part) for part in parts if isinstance(part, Message)]
