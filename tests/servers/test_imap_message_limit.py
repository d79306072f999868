"""How many messages one command may be about: what an operator may set, and what is taken."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from hongyan.servers.imap.message_limit import answer, take_newest
from hongyan.servers.imap.services import ImapOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_limit": 999},  # RFC 9738 §3: no lower than 1000
        {"message_limit": -1},
        {"save_limit": 1},
        {"message_limit": 100_001},
        {"message_limit": 1000, "save_limit": 1000},  # the one holds for saving too
    ],
)
def test_a_limit_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="message_limit"):
        ImapOptions(**wrong)  # type: ignore[arg-type]  # numbers


def test_there_is_no_limit_unless_one_is_set() -> None:
    options = ImapOptions()
    assert (options.message_limit, options.save_limit) == (0, 0)
    assert take_newest(BitMap(range(5000)), 0) == (BitMap(range(5000)), b"")


def test_the_newest_are_taken_and_the_lowest_of_them_is_told() -> None:
    uids = BitMap([1, 5, 9, 12])
    assert take_newest(uids, 4) == (uids, b"")
    assert take_newest(uids, 3) == (BitMap([5, 9, 12]), b"MESSAGELIMIT 3 5")
    assert take_newest(BitMap(), 3) == (BitMap(), b"")


class _Speaker:
    def __init__(self) -> None:
        self.said: list[object] = []

    def send(self, octets: bytes) -> None:
        self.said.append(octets)

    def ok(self, tag: bytes, text: str, *, code: bytes = b"") -> None:
        self.said.append((tag, text, code))


def test_two_codes_are_two_answers_and_the_limit_is_the_untagged_one() -> None:
    speaker = _Speaker()
    answer(speaker, b"a", "Done.", b"MESSAGELIMIT 3 5", code=b"EXPUNGEISSUED")
    answer(speaker, b"b", "Done.", b"MESSAGELIMIT 3 5")
    answer(speaker, b"c", "Done.", b"", code=b"HIGHESTMODSEQ 9")
    only_newest = "Only the newest messages were dealt with."
    assert speaker.said == [
        f"* NO [MESSAGELIMIT 3 5] {only_newest}\r\n".encode(),
        (b"a", "Done.", b"EXPUNGEISSUED"),
        (b"b", only_newest, b"MESSAGELIMIT 3 5"),
        (b"c", "Done.", b"HIGHESTMODSEQ 9"),
    ]
