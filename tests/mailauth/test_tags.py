"""Tag lists, RFC 6376 §3.2."""

from __future__ import annotations

import pytest

from hongyan.mailauth.tags import TagListFault, parse_tags, unfold, without_tag


def test_white_space_around_names_and_values_does_not_count() -> None:
    assert parse_tags(b" v = 1 ;\r\n\ta=rsa-sha256; b= ab\r\n c;") == {
        b"v": b"1",
        b"a": b"rsa-sha256",
        b"b": b"ab\r\n c",
    }
    assert unfold(b" ab\r\n c\t") == b"abc"


def test_an_empty_list_has_no_tags() -> None:
    assert parse_tags(b"") == {}
    assert parse_tags(b" \r\n ") == {}


@pytest.mark.parametrize(
    "octets", [b"v=1; v=1", b"v", b"=1", b"v=1;;a=2", b"1v=1", b"v-w=1", b"v=1; \xff=2", b"x=1;" * 100]
)
def test_what_is_no_tag_list_is_refused(octets: bytes) -> None:
    with pytest.raises(TagListFault):
        parse_tags(octets)


def test_a_value_may_hold_equals_signs() -> None:
    assert parse_tags(b"b=YQ==") == {b"b": b"YQ=="}


def test_a_tag_is_emptied_and_nothing_else_changes() -> None:
    assert without_tag(b" v=1; bh=x=;\r\n b = YQ\r\n ==; d=e ", b"b") == b" v=1; bh=x=;\r\n b =; d=e "
    assert without_tag(b"b=YQ==", b"b") == b"b="
