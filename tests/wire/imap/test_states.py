"""Which command may come when."""

from __future__ import annotations

import typing

import pytest

from hongyan.wire.imap.commands import Command
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.states import _STATES, State, find_fault_of_state


def test_each_command_has_its_states() -> None:
    assert set(_STATES) == set(typing.get_args(Command))


@pytest.mark.parametrize(
    ("octets", "before", "after", "selected"),
    [
        (b"a NOOP", True, True, True),
        (b"a CAPABILITY", True, True, True),
        (b"a LOGOUT", True, True, True),
        (b"a ID NIL", True, True, True),
        (b"a LOGIN b c", True, False, False),
        (b"a AUTHENTICATE PLAIN", True, False, False),
        (b"a STARTTLS", True, False, False),
        (b"a ENABLE X", False, True, True),
        (b"a SELECT b", False, True, True),
        (b"a IDLE", False, True, True),
        (b"a FETCH 1 FLAGS", False, False, True),
        (b"a UID SEARCH ALL", False, False, True),
        (b"a CLOSE", False, False, True),
        (b"a MOVE 1 b", False, False, True),
    ],
)
def test_commands_come_in_their_states(octets: bytes, before: bool, after: bool, selected: bool) -> None:
    command = parse_command(octets)
    assert (find_fault_of_state(command, State.NOT_AUTHENTICATED) is None) == before
    assert (find_fault_of_state(command, State.AUTHENTICATED) is None) == after
    assert (find_fault_of_state(command, State.SELECTED) is None) == selected
    assert find_fault_of_state(command, State.LOGOUT)


def test_the_sentence_says_what_to_do() -> None:
    fetch, login = parse_command(b"a FETCH 1 FLAGS"), parse_command(b"a LOGIN b c")
    assert find_fault_of_state(fetch, State.NOT_AUTHENTICATED) == "Log in first"
    assert find_fault_of_state(fetch, State.AUTHENTICATED) == "Select a mailbox first"
    assert find_fault_of_state(login, State.SELECTED) == "You are logged in already"
