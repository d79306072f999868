"""Names of mailboxes: modified UTF-7, UTF-8, INBOX."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.mailbox_name import (
    decode_mailbox,
    encode_mailbox,
    find_fault_of_new_name,
    from_modified_utf7,
    to_modified_utf7,
)

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=40)


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("", b""),
        ("INBOX", b"INBOX"),
        ("&&x&&", b"&-&-x&-&-"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("tietä&jä&", b"tiet&AOQ-&-j&AOQ-&-"),
        ("已发送", b"&XfJT0ZAB-"),
        ("😀", b"&2D3eAA-"),
        ("a%*b", b"a%*b"),
    ],
)
def test_names_have_one_form_in_modified_utf7(name: str, octets: bytes) -> None:
    assert to_modified_utf7(name) == octets
    assert from_modified_utf7(octets) == name


@pytest.mark.parametrize(
    "octets",
    [
        b"&",
        b"&Jjo",
        b"&Jjo!",
        b"&U,BTFw-&ZeVnLIqe-",  # one shift would have done
        b"&AGE-",  # "a" needs none
        b"&AOT-",  # bits left over
        b"&AOQ=-",  # padding
        b"&A-",
        b"&2D0-",  # half a surrogate pair
        b"&3gDYPQ-",  # the halves the wrong way round
        b"&U/BTFw-",  # "/" of plain base64
        b"p\xe4\xe4",
        b"a\x01b",
        b"a\x7fb",
        "日本".encode(),
    ],
)
def test_other_spellings_are_refused(octets: bytes) -> None:
    with pytest.raises(CommandFault) as caught:
        decode_mailbox(octets, utf8=False)
    assert caught.value.status == (b"NO" if octets.isascii() else b"BAD")


@given(NAMES)
def test_every_name_survives_modified_utf7(name: str) -> None:
    octets = to_modified_utf7(name)
    assert octets.isascii()
    assert from_modified_utf7(octets) == unicodedata.normalize("NFC", name)


@given(st.binary(max_size=40))
def test_what_is_decoded_has_one_spelling(octets: bytes) -> None:
    try:
        name = from_modified_utf7(octets)
    except CommandFault:
        return
    assert from_modified_utf7(to_modified_utf7(name)) == name
    assert to_modified_utf7(name) == octets or not unicodedata.is_normalized("NFC", _as_sent(octets))


def _as_sent(octets: bytes) -> str:
    """Decode by way of Python's own UTF-7."""
    return octets.replace(b"+", b"+-").replace(b"&-", b"&").replace(b"&", b"+").replace(b",", b"/").decode("utf-7")


@pytest.mark.parametrize("octets", [b"inbox", b"INBOX", b"iNbOx"])
@pytest.mark.parametrize("utf8", [False, True])
def test_inbox_is_one_mailbox_however_it_is_written(octets: bytes, utf8: bool) -> None:
    assert decode_mailbox(octets, utf8) == "INBOX"
    assert decode_mailbox(octets + b"/Later", utf8) == "INBOX/Later"
    assert decode_mailbox(octets + b"es", utf8) == octets.decode() + "es"
    assert decode_mailbox(b"Old/" + octets, utf8) == "Old/" + octets.decode()


def test_what_only_looks_like_inbox_is_another_mailbox() -> None:
    assert decode_mailbox("ınbox".encode(), utf8=True) == "ınbox"
    assert decode_mailbox("\uff49nbox".encode(), utf8=True) == "\uff49nbox"


def test_names_come_in_form_c() -> None:
    assert decode_mailbox("cafe\u0301".encode(), utf8=True) == "caf\u00e9"
    assert decode_mailbox(to_modified_utf7("cafe\u0301"), utf8=False) == "caf\u00e9"


def test_an_ampersand_is_itself_once_names_are_utf8() -> None:
    assert decode_mailbox(b"R&D", utf8=True) == "R&D"
    assert decode_mailbox(b"&ZeVnLIqe-", utf8=True) == "&ZeVnLIqe-"
    assert decode_mailbox(b"R&-D", utf8=False) == "R&D"


@pytest.mark.parametrize("character", ["\0", "\x01", "\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\u2029", "\uffff"])
def test_control_characters_are_refused(character: str) -> None:
    for octets, utf8 in ((f"a{character}b".encode(), True), (to_modified_utf7(f"a{character}b"), False)):
        with pytest.raises(CommandFault) as caught:
            decode_mailbox(octets, utf8)
        assert (caught.value.status, caught.value.code) == (b"NO", b"CANNOT")


@pytest.mark.parametrize("octets", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe6\x97"])
def test_what_is_no_utf8_is_refused(octets: bytes) -> None:
    with pytest.raises(CommandFault):
        decode_mailbox(octets, utf8=True)


def test_a_name_has_a_longest_form() -> None:
    assert decode_mailbox("日".encode() * 333, utf8=True) == "日" * 333
    with pytest.raises(CommandFault, match="at most"):
        decode_mailbox("日".encode() * 334, utf8=True)
    assert decode_mailbox(b"a" * 1000, utf8=False) == "a" * 1000
    with pytest.raises(CommandFault):
        decode_mailbox(b"a" * 1001, utf8=False)


def test_names_are_written_for_the_client_that_reads_them() -> None:
    assert encode_mailbox('a "b" \\ c', utf8=False) == b'"a \\"b\\" \\\\ c"'
    assert encode_mailbox("日本語", utf8=False) == b'"&ZeVnLIqe-"'
    assert encode_mailbox("日本語", utf8=True) == '"日本語"'.encode()
    assert encode_mailbox("R&D", utf8=False) == b'"R&-D"'
    assert encode_mailbox("", utf8=False) == b'""'


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "/a", "a/", "a%", "*", "#news", "a/ b", "a /b", "..", "a/../b", "a/" * 50 + "a"]
)
def test_some_names_are_not_for_new_mailboxes(name: str) -> None:
    assert find_fault_of_new_name(name)


@pytest.mark.parametrize("name", ["a", "a/b", "R&D", "日本語/書", "a.b", "...", "/".join("a" * 50)])
def test_other_names_are(name: str) -> None:
    assert find_fault_of_new_name(name) is None
