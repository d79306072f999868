"""Patterns of LIST."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire.imap.commands import List
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.list_pattern import ListPattern
from hongyan.wire.imap.parser import parse_command


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("", ""),
        ("*", "a/b/c"),
        ("%", "foo"),
        ("%/", "foo/"),
        ("foo", "foo"),
        ("foo*", "foo"),
        ("foo*", "foo/bar"),
        ("*foo*", "bar/foo/"),
        ("%/%", "a/b"),
        ("a%c", "abc"),
        ("%*", "a/b"),
        ("*%", "a/b"),
        ("%%", "ab"),
        ("a*%b", "a/x/b"),
        ("inbox", "INBOX"),
        ("i%X", "INBOX"),
        ("%I%N%B%O%X%", "INBOX"),
        ("i%X/foo", "INBOX/foo"),
        ("*X/f*", "INBOX/foo"),
        ("日%", "日本"),
    ],
)
def test_it_matches(pattern: str, name: str) -> None:
    assert ListPattern("", pattern).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("a", "b"),
        ("foo", "foo/"),
        ("%", "foo/bar"),
        ("%/%", "foo"),
        ("foo*", "fobo"),
        ("Foo", "foo"),
        ("i%X/foo", "INBOX/FOO"),
        ("inbo", "INBOX"),
        ("INBOX", "INBOXES"),
        ("ınbox", "INBOX"),
        ("a.b", "axb"),
        ("", "a"),
    ],
)
def test_it_does_not_match(pattern: str, name: str) -> None:
    assert not ListPattern("", pattern).matches(name)


def test_the_reference_stands_before_the_pattern() -> None:
    assert ListPattern("Work/", "%").matches("Work/A")
    assert not ListPattern("Work/", "%").matches("A")
    assert ListPattern("Wo", "rk").matches("Work")


def _by_regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "%": "[^/]*"}.get(c, re.escape(c)) for c in pattern), re.DOTALL)


@given(st.text("ab/%*", max_size=8), st.text("ab/", max_size=8))
def test_it_means_what_the_simplest_reading_means(pattern: str, name: str) -> None:
    assert ListPattern("", pattern).matches(name) == bool(_by_regex(pattern).fullmatch(name))


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not ListPattern("", "%a*" * 300 + "b").matches("a" * 1000)


def test_a_pattern_may_cut_an_encoded_name_in_two() -> None:
    command = parse_command(b'a LIST "" "&ZeV*"')
    assert isinstance(command, List)
    assert command.patterns == ("&ZeV*",)
    assert parse_command(b'a LIST "" R&D') == List(b"a", "", ("R&D",))
    for octets in (b'a LIST "" "\xe4*"', b'a LIST "" "a\x01&*"'):
        with pytest.raises(CommandFault):
            parse_command(octets)
