"""Mutants of what a client is told of its mailbox: planted faults that the clients of `tests/views` have to find."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "views that slip"
_VIEW = "hongyan.wire.imap.view:View."
_TEST = "tests/views/test_machine.py::test_each_client_knows_what_is_true"


def _mutant(name: str, change: Change, *tests: str) -> Mutant:
    return Mutant(name, _ROW, (change,), (_TEST, *tests))


_NOTIFY = "tests/dialogues/test_dialogues.py::test_dialogue[imap/notify: "


def _unasked(name: str, change: Change, title: str) -> Mutant:
    return Mutant(name, _ROW, (change,), (f"{_NOTIFY}{title}]",))


def _uidonly(name: str, change: Change, title: str) -> Mutant:
    return Mutant(name, _ROW, (change,), (f"tests/dialogues/test_dialogues.py::test_dialogue[imap/uidonly: {title}]",))


MUTANTS = (
    _mutant(
        "expunge-during-fetch",
        Change("hongyan.servers.imap.commands.fetch:_finish", "tell_news(expunge=command.uid)", "tell_news()"),
    ),
    _mutant("expunges-from-the-first", Change(f"{_VIEW}_tell_expunged", "positions.reverse()", "pass")),
    _mutant(
        "arrivals-push-out-what-is-held",
        Change(f"{_VIEW}_extend", "self.uids = self.uids[: self.exists] + fresh", "self.uids = uids"),
    ),
    _mutant(
        "changes-of-others-taken-for-own",
        Change(
            "hongyan.servers.imap.selected:Selected.made", "self._own.add(modseq)", "self._own |= {modseq - 1, modseq}"
        ),
    ),
    _mutant(
        "resync-forgets-an-expunge",
        Change("hongyan.engines.sql.expunged:expunged_since", "AND modseq > $3", "AND modseq > $3 + 2"),
        "tests/contract/test_changes.py::test_what_left_is_told_from_any_cursor",
    ),
    _mutant(
        "rows-by-old-positions",
        Change("hongyan.servers.imap.fetch_rows:_positions_in_both", "if selected.is_current:", "if True:"),
    ),
    _uidonly(
        "uidonly-takes-numbers",
        Change("hongyan.wire.imap.states:names_numbers", "return not uid or names_seqs(key)", "return not uid"),
        "Every command that names a number is BAD, and says why",
    ),
    _uidonly(
        "uidonly-compares-numbers",
        Change("hongyan.wire.imap.states:names_numbers", "qresync is not None and qresync.known_seqs", "None"),
        "With QRESYNC what was missed comes by UID; numbers to compare with are BAD",
    ),
    _uidonly(
        "uidonly-tells-what-left-by-number",
        Change("hongyan.wire.imap.view:View._tell_expunged", "if self.qresync or self.uidonly:", "if self.qresync:"),
        "What leaves is told as VANISHED, whoever removed it and by which command",
    ),
    _uidonly(
        "uidonly-replaces-by-number",
        Change(
            "hongyan.servers.imap.append_receiver:AppendReceiver._read_head",
            "and self._uidonly and not self._replaced.uid",
            "and False",
        ),
        "Every command that names a number is BAD, and says why",
    ),
    _uidonly(
        "uidonly-tells-the-first-unseen-by-number",
        Change(
            "hongyan.servers.imap.commands.select:_describe",
            "unseen is not None and not session.uidonly",
            "unseen is not None",
        ),
        "SELECT tells no number of the first unseen message",
    ),
    _unasked(
        "notify-expunges-at-once",
        Change(
            "hongyan.servers.imap.notified:Notified.speak",
            "expunge=self.notice.is_immediate or session.idle_tag is not None",
            "expunge=True",
        ),
        "With SELECTED-DELAYED it is told when a command allows it",
    ),
    _unasked(
        "notify-none-is-talkative",
        Change("hongyan.servers.imap.session:ImapSession.tell_news", "elif notified.hears_selected or", "elif True or"),
        "After NOTIFY NONE nothing is told that was not asked for, not even while it idles",
    ),
    _unasked(
        "notify-tells-flags-of-others",
        Change("hongyan.servers.imap.selected:Selected._changed", "if flags or", "if True or"),
        "Without FlagChange changed flags are not told, those that the client itself changes are",
    ),
    _unasked(
        "notify-beyond-rights",
        Change(
            "hongyan.servers.imap.notified:Notified._tell_standing", "if Right.READ not in now.rights:", "if False:"
        ),
        "A mailbox of somebody else is told of as far as its rights go",
    ),
    _unasked(
        "notify-forgets-what-was-before-another",
        Change("hongyan.servers.imap.notified:Notified.tell_until", "await self._tell_difference(picture)", "pass"),
        "What happened until another NOTIFY takes the place of one is told all the same",
    ),
    _unasked(
        "notify-repeats-what-the-client-did",
        Change("hongyan.servers.imap.notified:Notified.carried_out", "self._own_names |= names", "pass"),
        "Names that come, go and change are told, and what the client does itself is not",
    ),
)
