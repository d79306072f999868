"""Mutants of what clients that have logged in may do: compressed input, commands about many messages."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_COMPRESSED = "compressed input"
_MANY = "commands about many messages"

_COMPRESSION = "tests/servers/test_compression.py::"
_COMPRESSION_CODE = "hongyan.servers.compression:"
_DIALOGUE = "tests/dialogues/test_dialogues.py::test_dialogue"


def _mutant(name: str, row: str, change: Change | Constant, *tests: str) -> Mutant:
    return Mutant(name, row, (change,), tests)


MUTANTS = (
    _mutant(
        "inflated-in-one-go",
        _COMPRESSED,
        Constant(f"{_COMPRESSION_CODE}_PORTION", 1 << 30),
        f"{_COMPRESSION}test_however_far_octets_reach_little_lies_in_memory",
        f"{_COMPRESSION}test_other_connections_have_their_turn_between_portions",
    ),
    _mutant(
        "inflated-without-bound",
        _COMPRESSED,
        Change(
            f"{_COMPRESSION_CODE}Compressed._hand_on",
            "self._made > self._bounds.free + self._bounds.ratio * self._came",
            "False",
        ),
        f"{_COMPRESSION}test_octets_that_grow_beyond_the_bounds_end_the_connection",
    ),
    _mutant(
        "inflated-ahead-of-the-session",
        _COMPRESSED,
        Change(f"{_COMPRESSION_CODE}Compressed.advance", "self._session.buffered < _AHEAD", "True"),
        f"{_COMPRESSION}test_however_far_octets_reach_little_lies_in_memory",
    ),
    _mutant(
        "compressed-behind-plain-text",
        _COMPRESSED,
        Change("hongyan.servers.imap.commands.compress:compress", "elif session.buffered:", "elif False:"),
        f"{_DIALOGUE}[imap/compress: Commands behind COMPRESS come too early]",
    ),
    _mutant(
        "compressed-by-strangers",
        _COMPRESSED,
        Change("hongyan.wire.imap.states:find_fault_of_state", "if state in states:", "if True:"),
        f"{_DIALOGUE}[imap/compress: Strangers may not compress]",
    ),
    _mutant(
        "message-limit-is-only-announced",
        _MANY,
        Change("hongyan.servers.imap.message_limit:take_newest", "if not limit or", "if True or"),
        f"{_DIALOGUE}[imap/messagelimit: COPY does nothing, MOVE and UID EXPUNGE go from the newest down,"
        " EXPUNGE has no limit]",
    ),
    _mutant(
        "fetch-beyond-the-message-limit",
        _MANY,
        Change("hongyan.servers.imap.commands.fetch:_fetch_chosen", "if limit and count > limit:", "if False:"),
        f"{_DIALOGUE}[imap/messagelimit: FETCH tells of the newest, from the last down, and how far it went]",
    ),
    _mutant(
        "search-beyond-the-message-limit",
        _MANY,
        Change("hongyan.servers.imap.searching:Searcher.limit", "if not most or len(self._all) <= most:", "if True:"),
        f"{_DIALOGUE}[imap/messagelimit: SEARCH looks through the newest; sets narrow what is counted]",
    ),
    _mutant(
        "appended-beyond-the-message-limit",
        _MANY,
        Change(
            "hongyan.servers.imap.append_receiver:AppendReceiver._offered",
            "if self._most and len(self._messages) >= self._most:",
            "if False:",
        ),
        f"{_DIALOGUE}[imap/messagelimit: SAVELIMIT is for COPY alone, and for APPEND]",
    ),
)
