"""Mutants of how single accounts are served: what POP3 shows and removes, what IMAP does not offer, and REPLACE."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Constant, Mutant

_POP3 = "POP3 policies"
_DELETED = "what EXPUNGE does"
_SWITCHES = "capabilities switched off"
_REPLACE = "one message in the place of another"
_SILENCE = "silent STORE"

_INBOX = "hongyan.servers.pop3_inbox:"
_POP3_SESSION = "hongyan.servers.pop3:"
_COMMANDS = "hongyan.servers.imap.commands."


def _scene(file: str, title: str) -> str:
    return f"tests/dialogues/test_dialogues.py::test_dialogue[{file}: {title}]"


def _policy(title: str) -> str:
    return _scene("pop3/policy", title)


def _replaced(title: str) -> str:
    return _scene("imap/replace", title)


def _mutant(name: str, row: str, target: str, before: str, after: str, *tests: str) -> Mutant:
    return Mutant(name, row, (Change(target, before, after),), tests)


def _deleted(title: str) -> str:
    return _scene("imap/deleted", title)


_SOME_DAYS = _policy("Messages of the last days alone are shown, and the others stay")
_WAIT = _policy("An account waits from one login to the next")
_AT_QUIT = _policy("What was fetched is removed at QUIT, what was not stays")
_SEVEN_DAYS = _policy("What was fetched is removed seven days after it came, by whichever session")
_SEEN = _policy("What was fetched counts as read, but not what was looked at")

MUTANTS = (
    _mutant(
        "silent-store-after-news",
        _SILENCE,
        f"{_COMMANDS}store:store",
        "silent = False",
        "silent = command.silent",
        _scene("imap/store", "Flags that were told within a silent STORE are told again as they are after it"),
    ),
    _mutant("pop3-shows-all-days", _POP3, f"{_INBOX}open_inbox", "if days:", "if False:", _SOME_DAYS),
    _mutant(
        "pop3-looked-at-is-fetched",
        _POP3,
        f"{_POP3_SESSION}Pop3Session._end_message",
        "if self._core.end_message():",
        "if self._core.end_message() or True:",
        _SEEN,
    ),
    _mutant(
        "pop3-fetched-removes-all",
        _POP3,
        f"{_INBOX}Inbox.leave",
        "self._named(fetched), FlagAction.ADD, (FETCHED,)",
        "BitMap(self._uids), FlagAction.ADD, (FETCHED,)",
        _AT_QUIT,
    ),
    _mutant("pop3-fetched-removed-early", _POP3, f"{_INBOX}Inbox._old", "if not days or", "if True or", _SEVEN_DAYS),
    _mutant(
        "pop3-dele-passes-trash",
        _POP3,
        "hongyan.mailboxes.deletion:delete",
        "way is Deleted.EXPUNGE",
        "True",
        _policy("DELE moves to Trash where that is set"),
    ),
    _mutant(
        "pop3-dele-of-what-is-kept",
        _POP3,
        f"{_INBOX}Inbox._delete",
        "if way is Deleted.KEEP:",
        "if False:",
        _policy("DELE leaves mail where it is where that is set"),
    ),
    _mutant(
        "pop3-two-who-delete-are-not-told",
        _POP3,
        f"{_POP3_SESSION}Pop3Session._update",
        "if missing:",
        "if False:",
        "tests/servers/test_pop3.py::test_that_two_programs_delete_is_written_down",
    ),
    _mutant(
        "expunge-passes-trash",
        _DELETED,
        f"{_COMMANDS}expunge:_delete",
        "settings.deleted",
        "type(settings.deleted).EXPUNGE",
        _deleted("To Trash: what was marked is there, without its mark"),
    ),
    _mutant(
        "deleted-doubles-what-is-elsewhere",
        _DELETED,
        "hongyan.engines.sql.messages:_discard",
        "last = uids - elsewhere",
        "elsewhere = BitMap(); last = uids",
        _deleted("What a program has put into Trash itself is there once"),
    ),
    _mutant(
        "deleted-never-leaves-trash",
        _DELETED,
        "hongyan.mailboxes.deletion:_find_target",
        "for use in _FINAL",
        "for use in ()",
        _deleted("From Trash, Junk and Drafts mail is gone for good"),
    ),
    _mutant(
        "deleted-stays-marked",
        _DELETED,
        "hongyan.mailboxes.deletion:_discard",
        r'flags.pop(b"\\Deleted", None)',
        "pass",
        _deleted("To Trash: what was marked is there, without its mark"),
    ),
    _mutant(
        "pop3-expiry-of-all",
        _POP3,
        f"{_POP3_SESSION}Pop3Session._enter",
        "_expiry(self._policy)",
        "_expiry(Pop3Policy())",
        _AT_QUIT,
    ),
    _mutant(
        "pop3-logins-without-delay",
        _POP3,
        "hongyan.servers.login_delays:LoginDelays.admit",
        "now - last < self._seconds",
        "False",
        _WAIT,
    ),
    Mutant(
        "pop3-delays-without-number",
        _POP3,
        (Constant("hongyan.servers.login_delays:_MOST", 1 << 60),),
        ("tests/servers/test_login_delays.py::test_only_so_many_accounts_are_remembered",),
    ),
    _mutant(
        "switched-off-is-carried-out",
        _SWITCHES,
        "hongyan.servers.imap.switches:is_switched_off",
        "name in off and needs(command)",
        "False",
        _scene("imap/switches", "For an account: not told, and its command is refused"),
    ),
    _mutant(
        "switched-off-is-told",
        _SWITCHES,
        "hongyan.servers.imap.switches:find_switched_off",
        "off = set(own)",
        "off = set()",
        _scene("imap/switches", "For an account: not told, and its command is refused"),
    ),
    _mutant(
        "switched-off-for-all",
        _SWITCHES,
        "hongyan.servers.imap.switches:find_switched_off",
        "if not parts or client.lower().startswith(program.lower()):",
        "if True:",
        _scene("imap/switches", "For a program: from its ID on, and for others not"),
    ),
    _mutant(
        "switched-off-stays-in-part",
        _SWITCHES,
        "hongyan.servers.imap.switches:find_switched_off",
        "off.update(others)",
        "pass",
        _scene("imap/switches", "With ACL and METADATA goes what LIST tells of them"),
    ),
    _mutant(
        "replace-adds-alone",
        _REPLACE,
        "hongyan.engines.sql.messages:_replace",
        "yield from _expunge(account, source, BitMap([uid]))",
        "yield from _expunge(account, source, BitMap())",
        _replaced("A draft is saved anew: the new one is told, then the old one goes"),
    ),
    _mutant(
        "replace-without-right",
        _REPLACE,
        f"{_COMMANDS}append:_begin_replace",
        "selected.require(Right.DELETE_MESSAGES, Right.EXPUNGE)",
        "pass",
        _replaced("Rights: t and e where the old one is, i where the new one goes"),
    ),
    _mutant(
        "replace-in-what-is-looked-at",
        _REPLACE,
        f"{_COMMANDS}append:_begin_replace",
        "if selected.read_only:",
        "if False:",
        _replaced("A mailbox that was opened by EXAMINE"),
    ),
    _mutant(
        "replace-stores-what-replaces-nothing",
        _REPLACE,
        "hongyan.mailboxes.append:replace",
        "return None",
        "gone, done = None, await mail.messages.append(account, target, [new])",
        _replaced("Somebody has removed the message: nothing is stored"),
    ),
    _mutant(
        "replace-with-several",
        _REPLACE,
        "hongyan.servers.imap.append_receiver:AppendReceiver._read_head",
        "elif self._replaced is not None:",
        "elif False:",
        _replaced("One message for one"),
    ),
    _mutant(
        "replace-without-a-mailbox",
        _REPLACE,
        "hongyan.servers.imap.append_receiver:AppendReceiver._read_head",
        "self._replaced is not None and not self._selected",
        "False",
        _replaced("A mailbox has to be selected, and the literal is not asked for"),
    ),
)
