"""The grammar of commands: each in its good and its bad forms."""

from __future__ import annotations

import pytest

from hongyan.secret import Secret
from hongyan.wire.imap import commands as c
from hongyan.wire.imap.commands import ListReturn, ListSelect, StatusItem
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.sequence import STAR, SequenceSet


def refused(octets: bytes, *, utf8: bool = False) -> CommandFault:
    with pytest.raises(CommandFault) as caught:
        parse_command(octets, utf8=utf8)
    return caught.value


# The frame


@pytest.mark.parametrize(
    ("word", "command"),
    [
        (b"CAPABILITY", c.Capability),
        (b"NOOP", c.Noop),
        (b"LOGOUT", c.Logout),
        (b"STARTTLS", c.StartTls),
        (b"NAMESPACE", c.Namespace),
        (b"IDLE", c.Idle),
        (b"CHECK", c.Check),
        (b"CLOSE", c.Close),
        (b"UNSELECT", c.Unselect),
        (b"EXPUNGE", c.Expunge),
    ],
)
def test_a_command_without_arguments_has_none(word: bytes, command: type) -> None:
    assert parse_command(b"a1 " + word) == command(b"a1")
    assert parse_command(b"a1 " + word.lower()) == command(b"a1")
    for more in (b" ", b" x", b" {3}\r\nabc", b"\r", b"\n", b"\0"):
        assert refused(b"a1 " + word + more).status == b"BAD"


@pytest.mark.parametrize("tag", [b"a", b"A0001", b"1", b".", b"a-b_c:d", b"]", b"}", b"x" * 300, b"'"])
def test_a_tag_is_any_word_without_plus(tag: bytes) -> None:
    assert parse_command(tag + b" NOOP") == c.Noop(tag)


@pytest.mark.parametrize(
    "octets",
    [b"", b" ", b" NOOP", b"+ NOOP", b"a+b NOOP", b"(a) NOOP", b"a* NOOP", b'"a" NOOP', b"{1}\r\na NOOP", b"\xe9 NOOP"],
)
def test_without_a_tag_the_fault_has_none(octets: bytes) -> None:
    assert refused(octets).tag is None


@pytest.mark.parametrize(
    "octets",
    [
        b"a",
        b"a ",
        b"a  NOOP",
        b"a NOOP ",
        b"a FOO",
        b"a UID",
        b"a UID NOOP",
        b"a UID  FETCH 1 FLAGS",
        b"a NO-OP",
        b"a\tNOOP",
        b"a NOOP\t",
        b"a NOOP1",
        b"a (NOOP)",
        b"a UID CLOSE",
        b"a XUID FETCH 1 FLAGS",
    ],
)
def test_the_fault_knows_the_tag(octets: bytes) -> None:
    fault = refused(octets)
    assert (fault.tag, fault.status) == (b"a" if octets[1:2] in {b"", b" "} else None, b"BAD")
    assert fault.sentence


def test_words_have_no_case() -> None:
    assert parse_command(b"a UiD fEtCh 1 FlAgS") == parse_command(b"a UID FETCH 1 FLAGS")
    assert parse_command(b"a select inbox (condstore)") == parse_command(b"a SELECT INBOX (CONDSTORE)")


# Before login


def test_authenticate_takes_its_first_response_along() -> None:
    assert parse_command(b"a AUTHENTICATE plain") == c.Authenticate(b"a", "PLAIN")
    assert parse_command(b"a AUTHENTICATE PLAIN AGEAYg==") == c.Authenticate(b"a", "PLAIN", b"AGEAYg==")
    assert parse_command(b"a AUTHENTICATE EXTERNAL =") == c.Authenticate(b"a", "EXTERNAL", b"=")
    for octets in (b"", b" ", b" PLAIN ", b" PLAIN a b", b" PLAIN =a", b' "PLAIN"', b" PLAIN ====", b" PLAIN ~"):
        refused(b"a AUTHENTICATE" + octets)


@pytest.mark.parametrize(
    "arguments",
    [b"fred foo]bar", b'"fred" "foo]bar"', b"{4}\r\nfred {7}\r\nfoo]bar", b'{4+}\r\nfred "foo]bar"', b"~fred foo]bar"],
)
def test_login_takes_any_string(arguments: bytes) -> None:
    login = parse_command(b"a LOGIN " + arguments)
    assert isinstance(login, c.Login)
    assert login.userid.removeprefix("~") == "fred"
    assert login.password == Secret("foo]bar")
    assert "foo" not in repr(login)


def test_login_takes_what_is_escaped_and_what_is_utf8() -> None:
    login = parse_command('a LOGIN "鴻" "a\\"b\\\\ c é"'.encode())
    assert login == c.Login(b"a", "鴻", Secret('a"b\\ c é'))
    assert parse_command(b'a LOGIN "" ""') == c.Login(b"a", "", Secret(""))


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b" a",
        b" a ",
        b"  a b",
        b" a  b",
        b" a b ",
        b" a b c",
        b' "a b',
        b' a "b\\c"',
        b' "a" "b"c',
        b" a {1}\r\n",
        b" a {2}\r\nb",
        b" a {1}b",
        b" a {1}\nb",
        b' a "b\rc"',
        b' a "b\x00"',
        b" a {1}\r\n\x00",
        b" \xff b",
        b' "\xff" b',
        b" a b%",
        b" a (b)",
        b" a {-1}\r\n",
        b" a {99999999999999999999}\r\n",
        b" NIL",
        b" a ~{1}\r\n\x00",
    ],
)
def test_login_refuses_what_is_no_string(arguments: bytes) -> None:
    assert refused(b"a LOGIN" + arguments).tag == b"a"


def test_id_is_a_list_of_pairs_or_nil() -> None:
    octets = b'a ID ("Name" "Thunderbird" "version" NIL "os" {5}\r\nlinux)'
    assert parse_command(octets) == c.Id(b"a", {"name": "Thunderbird", "version": None, "os": "linux"})
    assert parse_command(b"a ID nil") == parse_command(b"a ID ()") == c.Id(b"a", {})
    for arguments in (b"", b" ", b" (", b' ("a")', b' ("a" "b" )', b' ( "a" "b")', b' ("a" "b"', b' (a "b")', b" NILx"):
        refused(b"a ID" + arguments)
    refused(b"a ID (" + b" ".join(b'"%d" "x"' % n for n in range(31)) + b")")


def test_enable_names_capabilities() -> None:
    assert parse_command(b"a ENABLE condstore UTF8=ACCEPT x CONDSTORE") == c.Enable(
        b"a", ("CONDSTORE", "UTF8=ACCEPT", "X")
    )
    for arguments in (b"", b" ", b" a  b", b" (a)"):
        refused(b"a ENABLE" + arguments)


# Mailboxes


@pytest.mark.parametrize("name", [b"INBOX", b"inbox", b'"InBox"', b"{5}\r\ninbox", b"{5+}\r\nINBOX"])
def test_a_mailbox_is_any_string(name: bytes) -> None:
    assert parse_command(b"a SELECT " + name) == c.Select(b"a", "INBOX", read_only=False)
    assert parse_command(b"a EXAMINE " + name) == c.Select(b"a", "INBOX", read_only=True)
    assert parse_command(b"a DELETE " + name) == c.Delete(b"a", "INBOX")
    assert parse_command(b"a SUBSCRIBE " + name) == c.Subscribe(b"a", "INBOX")
    assert parse_command(b"a UNSUBSCRIBE " + name) == c.Unsubscribe(b"a", "INBOX")
    assert parse_command(b"a GETQUOTAROOT " + name) == c.GetQuotaRoot(b"a", "INBOX")


@pytest.mark.parametrize("word", [b"SELECT", b"EXAMINE", b"CREATE", b"DELETE", b"SUBSCRIBE", b"UNSUBSCRIBE", b"STATUS"])
@pytest.mark.parametrize(
    "arguments", [b"", b" ", b"  a", b" a ", b" a b", b" a%", b" a*", b' "a', b" {5}\r\nab", b" \xe4", b" a\xe4", b" &"]
)
def test_what_is_no_mailbox_is_refused(word: bytes, arguments: bytes) -> None:
    assert refused(b"a " + word + arguments).tag == b"a"


def test_names_are_utf8_only_once_that_was_enabled() -> None:
    assert parse_command('a SELECT "日本"'.encode(), utf8=True) == c.Select(b"a", "日本", read_only=False)
    assert parse_command("a SELECT {6}\r\n日本".encode(), utf8=True) == c.Select(b"a", "日本", read_only=False)
    assert parse_command(b"a SELECT &ZeVnLA-") == c.Select(b"a", "日本", read_only=False)
    refused('a SELECT "日本"'.encode())
    refused("a SELECT 日本".encode(), utf8=True)  # an atom is ASCII


def test_a_name_that_was_not_normal_is_told_as_it_was() -> None:
    name, decomposed = "caf\u00e9", "cafe\u0301"
    assert parse_command(f'a SELECT "{decomposed}"'.encode(), utf8=True) == c.Select(
        b"a", name, False, oldname=decomposed
    )
    assert parse_command(f'a CREATE "{decomposed}"'.encode(), utf8=True) == c.Create(b"a", name, (), decomposed)
    assert parse_command(f'a DELETE "{decomposed}"'.encode(), utf8=True) == c.Delete(b"a", name, decomposed)
    assert parse_command(f'a RENAME "{decomposed}" b'.encode(), utf8=True) == c.Rename(b"a", name, "b", decomposed)
    assert parse_command(f'a RENAME b "{decomposed}"'.encode(), utf8=True) == c.Rename(b"a", "b", name, "b")
    assert parse_command(f'a CREATE "{name}"'.encode(), utf8=True) == c.Create(b"a", name)


def test_select_takes_what_a_client_knows() -> None:
    assert parse_command(b"a SELECT b (CONDSTORE)") == c.Select(b"a", "b", False, condstore=True)
    assert parse_command(b"a SELECT b (QRESYNC (67890007 20050715194045000))") == c.Select(
        b"a", "b", False, qresync=c.Qresync(67890007, 20050715194045000)
    )
    full = parse_command(b"a EXAMINE b (QRESYNC (1 2 41,43:211,214:541 (1,2 41,43)) CONDSTORE)")
    uids = SequenceSet(((41, 41), (43, 211), (214, 541)))
    seqs, seq_uids = SequenceSet(((1, 1), (2, 2))), SequenceSet(((41, 41), (43, 43)))
    assert full == c.Select(b"a", "b", True, condstore=True, qresync=c.Qresync(1, 2, uids, seqs, seq_uids))
    short = parse_command(b"a SELECT b (QRESYNC (1 2 (1 41)))")
    assert isinstance(short, c.Select)
    assert short.qresync == c.Qresync(1, 2, None, SequenceSet(((1, 1),)), SequenceSet(((41, 41),)))


@pytest.mark.parametrize(
    "parameters",
    [
        b"()",
        b"(FOO)",
        b"(CONDSTORE",
        b"CONDSTORE",
        b"(CONDSTORE )",
        b"( CONDSTORE)",
        b"(CONDSTORE CONDSTORE)",
        b"(QRESYNC)",
        b"(QRESYNC ())",
        b"(QRESYNC (1))",
        b"(QRESYNC (0 1))",
        b"(QRESYNC (1 0))",
        b"(QRESYNC (1 2 *))",
        b"(QRESYNC (1 2 1:*))",
        b"(QRESYNC (1 2 $))",
        b"(QRESYNC (1 2 3 4))",
        b"(QRESYNC (1 2 (1)))",
        b"(QRESYNC(1 2))",
        b"(QRESYNC (1 2 (1 2) 3))",
        b"(QRESYNC (1 2) QRESYNC (1 2))",
        b"(QRESYNC (4294967296 2))",
        b"(CONDSTORE) x",
        b"(QRESYNC (1 9223372036854775808))",
        b"(QRESYNC (1 1 1:6 (1 1,2)))",
        b"(QRESYNC (1 1 1:6 (1,2 1)))",
    ],
)
def test_select_refuses_other_parameters(parameters: bytes) -> None:
    refused(b"a SELECT b " + parameters)


def test_create_takes_special_uses() -> None:
    assert parse_command(b"a CREATE Sent (USE (\\sent))") == c.Create(b"a", "Sent", ("\\Sent",))
    assert parse_command(b"a CREATE x (USE (\\Sent \\Drafts \\x-new))").special_uses == (
        "\\Sent",
        "\\Drafts",
        "\\x-new",
    )  # type: ignore[union-attr]
    assert parse_command(b"a CREATE x (USE ())") == c.Create(b"a", "x")
    assert parse_command(b"a CREATE owatagusiam/") == c.Create(b"a", "owatagusiam")
    for parameters in (
        b"()",
        b"(USE)",
        b"(USE \\Sent)",
        b"(USE (Sent))",
        b"(USE (\\Sent)",
        b"(X (\\Sent))",
        b"(USE (\\)",
    ):
        refused(b"a CREATE x " + parameters)


def test_rename_takes_two_names() -> None:
    assert parse_command(b"a RENAME inbox Old/2025") == c.Rename(b"a", "INBOX", "Old/2025")
    assert parse_command(b'a RENAME {1}\r\na "b c"') == c.Rename(b"a", "a", "b c")
    for arguments in (b"", b" a", b" a ", b" a b c", b" a  b"):
        refused(b"a RENAME" + arguments)


def test_list_in_its_basic_form() -> None:
    assert parse_command(b'a LIST "" ""') == c.List(b"a", "", ("",))
    assert parse_command(b'a LIST "" *') == c.List(b"a", "", ("*",))
    assert parse_command(b"a LIST Work/ %") == c.List(b"a", "Work/", ("%",))
    assert parse_command(b"a LIST {0}\r\n {1}\r\n%") == c.List(b"a", "", ("%",))
    assert parse_command(b'a LIST "" "a*b%c]"') == parse_command(b'a LIST "" a*b%c]')
    assert parse_command(b'a LSUB "" "*"') == c.Lsub(b"a", "", "*")
    assert parse_command(b'a LIST "" &ZeVnLA-*') == c.List(b"a", "", ("日本*",))


def test_list_in_its_extended_form() -> None:
    assert parse_command(b'a LIST () "" *') == c.List(b"a", "", ("*",), extended=True)
    assert parse_command(b'a LIST "" (INBOX "Drafts" Sent/%)') == c.List(
        b"a", "", ("INBOX", "Drafts", "Sent/%"), extended=True
    )
    command = parse_command(
        b'a LIST (SUBSCRIBED REMOTE RECURSIVEMATCH SPECIAL-USE) "" "*" '
        b'RETURN (CHILDREN STATUS (MESSAGES UNSEEN) METADATA (/Shared/x "/private/y") subscribed MYRIGHTS SPECIAL-USE)'
    )
    assert command == c.List(
        b"a",
        "",
        ("*",),
        frozenset(ListSelect),
        frozenset(ListReturn),
        (StatusItem.MESSAGES, StatusItem.UNSEEN),
        ("/shared/x", "/private/y"),
        extended=True,
    )
    assert parse_command(b'a LIST "" * RETURN ()') == c.List(b"a", "", ("*",), extended=True)


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b' ""',
        b' "" ',
        b'  "" *',
        b' ""  *',
        b' "" * ',
        b' "" * x',
        b' "" * RETURN',
        b' "" * RETURN CHILDREN',
        b' "" ()',
        b' "" (a',
        b' "" (a  b)',
        b' (RECURSIVEMATCH) "" *',
        b' (REMOTE RECURSIVEMATCH) "" *',
        b' (X) "" *',
        b' (SUBSCRIBED)"" *',
        b' "" * RETURN (X)',
        b' "" * RETURN (STATUS)',
        b' "" * RETURN (STATUS ())',
        b" % *",
        b' "" * RETURN (STATUS (X))',
        b' "" * RETURN (CHILDREN',
        b' "" * RETURN (CHILDREN) x',
        b' "" \xe4',
        b' "" (())',
    ],
)
def test_list_refuses_other_forms(arguments: bytes) -> None:
    refused(b"a LIST" + arguments)


def test_status_knows_its_items() -> None:
    names = b" ".join(item.value.encode() for item in StatusItem)
    assert parse_command(b"a STATUS inbox (" + names + b")") == c.Status(b"a", "INBOX", tuple(StatusItem))
    assert parse_command(b"a STATUS a (messages MESSAGES)") == c.Status(b"a", "a", (StatusItem.MESSAGES,))
    for items in (
        b"()",
        b"MESSAGES",
        b"(MESSAGES",
        b"(MESSAGES )",
        b"( MESSAGES)",
        b"(FOO)",
        b"(MESSAGES) x",
        b"((SIZE))",
    ):
        refused(b"a STATUS a " + items)


def test_quota_roots_are_strings() -> None:
    assert parse_command(b'a GETQUOTA ""') == c.GetQuota(b"a", "")
    assert parse_command(b"a GETQUOTA root") == c.GetQuota(b"a", "root")
    refused(b"a GETQUOTA")
    refused(b'a GETQUOTA "" x')


# Messages


@pytest.mark.parametrize(("word", "command"), [(b"COPY", c.Copy), (b"MOVE", c.Move)])
def test_copy_and_move_take_messages_and_a_mailbox(word: bytes, command: type) -> None:
    one = SequenceSet(((2, 4),))
    assert parse_command(b"a " + word + b" 2:4 MEETING") == command(b"a", False, one, "MEETING")
    assert parse_command(b"a UID " + word + b' 4:2 "a b"') == command(b"a", True, SequenceSet(((4, 2),)), "a b")
    assert parse_command(b"a UID " + word + b" $ {1}\r\nx") == command(b"a", True, SequenceSet((), True), "x")
    for arguments in (b"", b" 1", b" 1 ", b"  1 a", b" 1  a", b" a b", b" 1 a b", b" 1, a", b" 0 a"):
        refused(b"a " + word + arguments)


def test_expunge_takes_uids_only_as_uid_expunge() -> None:
    assert parse_command(b"a UID EXPUNGE 1:*") == c.Expunge(b"a", SequenceSet(((1, STAR),)))
    for octets in (b"a UID EXPUNGE", b"a UID EXPUNGE ", b"a UID EXPUNGE 1 2", b"a EXPUNGE 1"):
        refused(octets)


@pytest.mark.parametrize(
    ("arguments", "change", "silent"),
    [
        (b"FLAGS (\\Seen)", c.FlagChange.REPLACE, False),
        (b"+FLAGS (\\Seen)", c.FlagChange.ADD, False),
        (b"-flags \\seen", c.FlagChange.REMOVE, False),
        (b"FLAGS.SILENT (\\SEEN)", c.FlagChange.REPLACE, True),
        (b"+FLAGS.silent \\Seen", c.FlagChange.ADD, True),
        (b"-FLAGS.SILENT (\\Seen \\seen)", c.FlagChange.REMOVE, True),
    ],
)
def test_store_changes_flags(arguments: bytes, change: c.FlagChange, silent: bool) -> None:
    messages = SequenceSet(((1, 1000),))
    expected = c.Store(b"a", False, messages, change, (b"\\Seen",), silent)
    assert parse_command(b"a STORE 1:1000 " + arguments) == expected
    conditional = parse_command(b"a UID STORE 1:1000 (UNCHANGEDSINCE 12345) " + arguments)
    assert conditional == c.Store(b"a", True, messages, change, (b"\\Seen",), silent, 12345)


def test_store_keeps_keywords_as_they_are_written() -> None:
    command = parse_command(b"a STORE 1 FLAGS (\\Deleted $Custom work $junk $FORWARDED NonJunk)")
    assert isinstance(command, c.Store)
    assert command.flags == (b"\\Deleted", b"$Custom", b"work", b"$Junk", b"$Forwarded", b"NonJunk")
    assert parse_command(b"a STORE 1 FLAGS ()").flags == ()  # type: ignore[union-attr]
    assert parse_command(b"a STORE 1 FLAGS a b").flags == (b"a", b"b")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b" 1",
        b" 1 FLAGS",
        b" 1 FLAGS ",
        b" 1 FLAGS (",
        b" 1 FLAGS ( )",
        b" 1 FLAGS (a )",
        b" 1 FLAGS (a)b",
        b" 1 FLAGS (\\Recent)",
        b" 1 FLAGS (\\Foo)",
        b" 1 FLAGS (\\*)",
        b" 1 FLAGS (a]b)",
        b' 1 FLAGS ("a")',
        b" 1 FOO (a)",
        b" 1 *FLAGS (a)",
        b" 1 FLAGS.LOUD (a)",
        b" 1 () FLAGS (a)",
        b" 1 (UNCHANGEDSINCE) FLAGS (a)",
        b" 1 FLAGS (\xe4)",
        b" 1 (UNCHANGEDSINCE 1)FLAGS (a)",
        b" 1 (UNCHANGEDSINCE 1 UNCHANGEDSINCE 1) FLAGS (a)",
        b" 1 FLAGS a  b",
        b" 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS (a)",
        b" 1 (FOO 1) FLAGS (a)",
        b" 1 FLAGS (\\)",
        b" 1 FLAGS {1}\r\na",
    ],
)
def test_store_refuses_other_forms(arguments: bytes) -> None:
    assert refused(b"a STORE" + arguments).tag == b"a"


def test_append_as_a_whole_is_refused() -> None:
    for arguments in (b"", b" INBOX", b' INBOX "x"', b" INBOX (\\Seen)", b" INBOX {3}\r\nabc", b" {5}\r\nINBOX {1}"):
        assert refused(b"a APPEND" + arguments).tag == b"a"


def test_faults_are_sentences_for_people() -> None:
    for octets in (b"a FETCH 1 FOO", b"a SEARCH FOO", b"a STORE 1 FLAGS (\\x)", b"a STATUS a (FOO)", b"a SELECT"):
        sentence = refused(octets).sentence
        assert sentence.isascii()
        assert sentence.isprintable()
        assert sentence[0].isupper()
        assert not sentence.endswith(".")
