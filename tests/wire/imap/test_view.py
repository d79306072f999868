"""A session's sequence numbers, and what its client may be told when."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.sequence import SequenceSet, parse_sequence_set
from hongyan.wire.imap.view import News, View, may_tell_expunges


def uids(*numbers: int) -> array[int]:
    return array("I", numbers)


def gone(*numbers: int) -> BitMap:
    return BitMap(numbers)


# Numbers


def test_messages_that_were_not_told_of_have_no_numbers() -> None:
    shared = uids(10, 20, 30)
    view = View(shared)
    shared.append(40)
    assert view.exists == 3
    assert view.seq_of(30) == 3
    assert view.seq_of(40) is None
    assert view.seq_of(15) is None
    assert view.positions(SequenceSet(((1, 0),)), uid=True) == [(0, 3)]
    assert view.names_only_known(parse_sequence_set(b"1:3"), uid=False)
    assert not view.names_only_known(parse_sequence_set(b"4"), uid=False)
    assert view.names_only_known(parse_sequence_set(b"4"), uid=True)
    assert list(view.uids_of([(0, 1), (2, 3)])) == [10, 30]


def test_the_saved_result_is_part_of_a_set_and_loses_what_is_expunged() -> None:
    view = View(uids(10, 20, 30, 40))
    view.saved = BitMap([20, 30, 99])
    assert view.positions(parse_sequence_set(b"$"), uid=False) == [(1, 3)]
    assert view.positions(parse_sequence_set(b"$"), uid=True) == [(1, 3)]
    assert view.positions(parse_sequence_set(b"40,$"), uid=True) == [(1, 4)]
    assert view.names_only_known(parse_sequence_set(b"$"), uid=False)
    view.apply(News(uids(10, 30, 40), gone(20)), expunges=True)
    assert view.positions(parse_sequence_set(b"$"), uid=False) == [(1, 2)]
    assert list(view.uids_of([(1, 2)])) == [30]
    view.saved = BitMap()
    assert view.positions(parse_sequence_set(b"$"), uid=False) == []


# News


def test_nothing_new_is_told_by_nothing() -> None:
    shared = uids(1, 2)
    assert View(shared).apply(News(shared), expunges=True) == []


def test_new_messages_are_told_by_their_number() -> None:
    shared = uids(1, 2)
    view = View(shared)
    shared.extend([3, 4])
    assert view.apply(News(shared), expunges=False) == [b"* 4 EXISTS\r\n"]
    assert view.apply(News(shared), expunges=False) == []
    shared.append(5)
    assert view.apply(News(shared, recent=1), expunges=False) == [b"* 5 EXISTS\r\n", b"* 1 RECENT\r\n"]


def test_changed_flags_are_told_with_the_uid() -> None:
    shared = uids(10, 20)
    view = View(shared)
    news = News(shared, flags=[(20, b"\\Seen", 7), (99, b"", 8)])
    assert view.apply(news, expunges=False) == [b"* 2 FETCH (UID 20 FLAGS (\\Seen))\r\n"]
    view.condstore = True
    assert view.apply(news, expunges=False) == [b"* 2 FETCH (UID 20 FLAGS (\\Seen) MODSEQ (7))\r\n"]


def test_flags_of_a_message_that_was_not_told_of_are_not_told() -> None:
    shared = uids(10)
    view = View(shared)
    shared.append(20)
    assert view.apply(News(shared, flags=[(20, b"\\Seen", 7)]), expunges=True) == [b"* 2 EXISTS\r\n"]


def test_expunged_messages_are_told_from_the_last_to_the_first() -> None:
    view = View(uids(1, 2, 3, 4, 5))
    told = view.apply(News(uids(1, 4), gone(2, 3, 5)), expunges=True)
    assert b"".join(told) == b"* 5 EXPUNGE\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n"
    assert view.exists == 2


def test_a_client_of_qresync_is_told_uids() -> None:
    view = View(uids(1, 2, 3, 4, 5), qresync=True)
    told = view.apply(News(uids(1, 5, 6), gone(2, 3, 4)), expunges=True)
    assert told == [b"* VANISHED 2:4\r\n", b"* 3 EXISTS\r\n"]


def test_a_client_of_uidonly_is_told_nothing_but_uids() -> None:
    view = View(uids(1, 2, 30, 31), uidonly=True)
    told = view.apply(News(uids(1, 31, 32), gone(2, 30), [(31, b"\\Seen", 9)]), expunges=True)
    assert told == [b"* 31 UIDFETCH (FLAGS (\\Seen))\r\n", b"* VANISHED 2,30\r\n", b"* 3 EXISTS\r\n"]
    view.condstore = True
    assert view.changed_flags([(31, b"", 10), (99, b"", 10)]) == [b"* 31 UIDFETCH (FLAGS () MODSEQ (10))\r\n"]


def test_expunged_messages_keep_their_numbers_until_they_may_be_told() -> None:
    view = View(uids(1, 2, 3))
    after = uids(1, 3)
    assert view.apply(News(after, gone(2)), expunges=False) == []
    assert view.seq_of(2) == 2
    assert view.seq_of(3) == 3
    assert view.held == gone(2)
    after.append(4)
    assert view.apply(News(after, flags=[(3, b"\\Seen", 1)]), expunges=False) == [
        b"* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n",
        b"* 4 EXISTS\r\n",
    ]
    assert view.apply(News(after), expunges=True) == [b"* 2 EXPUNGE\r\n"]
    assert view.exists == 3
    assert view.uids is after
    assert view.held == gone()


def test_flags_are_told_by_the_numbers_before_the_expunge() -> None:
    view = View(uids(1, 2, 3))
    news = News(uids(2, 3, 4), gone(1), flags=[(3, b"\\Seen", 1)])
    assert view.apply(news, expunges=True) == [
        b"* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n",
        b"* 1 EXPUNGE\r\n",
        b"* 3 EXISTS\r\n",
    ]


def test_a_message_that_came_and_went_unseen_is_never_told() -> None:
    shared = uids(1)
    view = View(shared)
    shared.append(2)
    assert view.apply(News(uids(1), gone(2)), expunges=False) == []
    assert view.apply(News(uids(1), gone(2)), expunges=True) == []
    assert view.exists == 1


def test_what_came_and_went_while_others_were_held_back_is_never_told() -> None:
    shared = uids(1, 2)
    view = View(shared)
    shared.append(3)  # not told, and gone with 1
    assert view.apply(News(uids(2), gone(1, 3)), expunges=False) == []
    assert view.exists == 2
    assert view.apply(News(uids(2)), expunges=True) == [b"* 1 EXPUNGE\r\n"]


def test_a_mailbox_that_was_read_anew_changes_nothing() -> None:
    view = View(uids(1, 2))
    again = uids(1, 2)
    assert view.apply(News(again), expunges=False) == []
    assert view.uids is again


def test_an_incomplete_list_of_the_expunged_is_made_complete() -> None:
    view = View(uids(1, 2, 3, 4))
    assert view.apply(News(uids(2, 4, 5), gone(1)), expunges=True) == [
        b"* 3 EXPUNGE\r\n* 1 EXPUNGE\r\n",
        b"* 3 EXISTS\r\n",
    ]


def test_a_mailbox_may_be_emptied_and_filled() -> None:
    view = View(uids(1, 2))
    empty = uids()
    assert view.apply(News(empty, gone(1, 2)), expunges=True) == [b"* 2 EXPUNGE\r\n* 1 EXPUNGE\r\n"]
    empty.append(3)
    assert view.apply(News(empty), expunges=False) == [b"* 1 EXISTS\r\n"]
    assert View(uids()).apply(News(uids(1)), expunges=False) == [b"* 1 EXISTS\r\n"]


def test_many_responses_come_in_pieces() -> None:
    shared = array("I", range(1, 3001))
    told = View(shared).apply(News(shared, flags=((uid, b"", 1) for uid in shared)), expunges=False)
    assert len(told) == 3
    assert b"".join(told).count(b"\r\n") == 3000
    told = View(shared).apply(News(uids(), BitMap(shared)), expunges=True)
    assert len(told) == 3
    assert b"".join(told).startswith(b"* 3000 EXPUNGE\r\n* 2999 EXPUNGE\r\n")


@pytest.mark.parametrize(
    ("octets", "may"),
    [
        (b"a NOOP", True),
        (b"a IDLE", True),
        (b"a EXPUNGE", True),
        (b"a COPY 1 b", True),
        (b"a MOVE 1 b", True),
        (b"a CHECK", True),
        (b"a FETCH 1 FLAGS", False),
        (b"a STORE 1 FLAGS ()", False),
        (b"a SEARCH ALL", False),
        (b"a SORT (DATE) UTF-8 ALL", False),
        (b"a THREAD REFERENCES UTF-8 ALL", False),
        (b"a UID FETCH 1 FLAGS", True),
        (b"a UID STORE 1 FLAGS ()", True),
        (b"a UID SEARCH ALL", True),
        (b"a UID SEARCH NOT 1:2", False),
        (b"a UID SORT (DATE) UTF-8 UID 1", True),
        (b"a UID THREAD REFERENCES UTF-8 1", False),
    ],
)
def test_expunges_are_told_in_the_commands_that_allow_it(octets: bytes, may: bool) -> None:
    assert may_tell_expunges(parse_command(octets)) is may


# A client that believes what it is told


class Client:
    """Numbers as a client keeps them: it knows a UID once it was told."""

    def __init__(self, known: Iterable[int]) -> None:
        self.messages: list[int | None] = list(known)

    def read(self, octets: bytes) -> None:
        for line in octets.split(b"\r\n")[:-1]:
            if match := re.fullmatch(rb"\* (\d+) EXPUNGE", line):
                del self.messages[int(match[1]) - 1]
            elif match := re.fullmatch(rb"\* (\d+) EXISTS", line):
                count = int(match[1])
                assert count > len(self.messages), "EXISTS never takes messages away"
                self.messages += [None] * (count - len(self.messages))
            elif match := re.fullmatch(rb"\* VANISHED ([0-9:,]+)", line):
                for low, high in parse_sequence_set(match[1]).ranges:
                    for uid in range(low, high + 1):
                        self.messages.remove(uid)
            else:
                match = re.fullmatch(rb"\* (\d+) FETCH \(UID (\d+) FLAGS \(\)\)", line)
                assert match, line
                assert self.messages[int(match[1]) - 1] in {None, int(match[2])}

    def ask(self, view: View) -> None:
        """Fetch the UIDs of all messages."""
        found = list(view.uids_of(view.positions(parse_sequence_set(b"1:*"), uid=False)))
        assert len(found) == len(self.messages)
        for known, uid in zip(self.messages, found, strict=True):
            assert known in {None, uid}
        self.messages = list(found)


ACTS = st.lists(
    st.tuples(st.just("append"), st.integers(1, 3))
    | st.tuples(st.just("expunge"), st.integers(0, 7))
    | st.tuples(st.just("tell"), st.booleans())
    | st.tuples(st.just("ask"), st.just(0)),
    max_size=30,
)


@given(ACTS, st.booleans())
def test_a_client_that_believes_what_it_is_told_is_right(acts: list[tuple[str, int]], qresync: bool) -> None:
    mailbox = uids(1, 2, 3)
    uidnext, expunged = 4, BitMap()
    view = View(mailbox, qresync=qresync)
    client = Client(mailbox)

    def tell(*, expunges: bool) -> None:
        news = News(mailbox, expunged.copy(), [(uid, b"", 1) for uid in mailbox])
        client.read(b"".join(view.apply(news, expunges=expunges)))
        expunged.clear()
        client.ask(view)

    for act, number in acts:
        match act:
            case "append":
                mailbox.extend(range(uidnext, uidnext + number))
                uidnext += number
            case "expunge" if mailbox:
                uid = mailbox[number % len(mailbox)]
                expunged.add(uid)
                mailbox = array("I", [other for other in mailbox if other != uid])
            case "tell":
                tell(expunges=bool(number))
            case "ask":
                client.ask(view)
            case _:
                pass
    tell(expunges=True)
    assert client.messages == list(mailbox)
    assert view.uids is mailbox
