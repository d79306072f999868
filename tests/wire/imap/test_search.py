"""What SEARCH, SORT and THREAD ask for."""

from __future__ import annotations

from datetime import date

import pytest

from hongyan.wire.imap.commands import Search, Sort, SortKey, SortOrder, Thread
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.search import (
    All,
    And,
    EmailIdIs,
    Fuzzy,
    HasFlag,
    InBody,
    InHeader,
    InternalDate,
    InText,
    IsRecent,
    Larger,
    ModSeqSince,
    Not,
    Older,
    Or,
    Partial,
    SaveDate,
    SaveDateSupported,
    SearchKey,
    SearchOption,
    SearchReturn,
    SentDate,
    Seqs,
    Smaller,
    ThreadIdIs,
    Uids,
    When,
    Younger,
    names_seqs,
)
from hongyan.wire.imap.sequence import STAR, SequenceSet

SEEN = HasFlag(b"\\Seen")
DAY = date(2026, 2, 1)


def search(arguments: bytes) -> Search:
    command = parse_command(b"a SEARCH " + arguments)
    assert isinstance(command, Search)
    assert not command.uid
    again = parse_command(b"a uid search " + arguments)
    assert again == Search(b"a", True, command.key, command.returns)
    return command


def refused(arguments: bytes) -> CommandFault:
    with pytest.raises(CommandFault) as caught:
        parse_command(b"a SEARCH" + arguments)
    assert caught.value.tag == b"a"
    return caught.value


@pytest.mark.parametrize(
    ("octets", "key"),
    [
        (b"ALL", All()),
        (b"ANSWERED", HasFlag(b"\\Answered")),
        (b"DELETED", HasFlag(b"\\Deleted")),
        (b"DRAFT", HasFlag(b"\\Draft")),
        (b"FLAGGED", HasFlag(b"\\Flagged")),
        (b"SEEN", SEEN),
        (b"UNANSWERED", Not(HasFlag(b"\\Answered"))),
        (b"UNDELETED", Not(HasFlag(b"\\Deleted"))),
        (b"UNDRAFT", Not(HasFlag(b"\\Draft"))),
        (b"UNFLAGGED", Not(HasFlag(b"\\Flagged"))),
        (b"UNSEEN", Not(SEEN)),
        (b"RECENT", IsRecent()),
        (b"NEW", And((IsRecent(), Not(SEEN)))),
        (b"OLD", Not(IsRecent())),
        (b"KEYWORD $junk", HasFlag(b"$Junk")),
        (b"KEYWORD work", HasFlag(b"work")),
        (b"UNKEYWORD work", Not(HasFlag(b"work"))),
        (b"BCC a", InHeader(b"bcc", "a")),
        (b'CC "a b"', InHeader(b"cc", "a b")),
        (b"FROM {1}\r\na", InHeader(b"from", "a")),
        (b'SUBJECT ""', InHeader(b"subject", "")),
        (b"TO a]", InHeader(b"to", "a]")),
        (b'HEADER X-Spam "y"', InHeader(b"x-spam", "y")),
        (b'HEADER "Message-ID" ""', InHeader(b"message-id", "")),
        (b"BODY a", InBody("a")),
        (b"TEXT a", InText("a")),
        (b"BEFORE 1-Feb-2026", InternalDate(When.BEFORE, DAY)),
        (b'ON "1-feb-2026"', InternalDate(When.ON, DAY)),
        (b"SINCE 01-FEB-2026", InternalDate(When.SINCE, DAY)),
        (b"SENTBEFORE 1-Feb-2026", SentDate(When.BEFORE, DAY)),
        (b"SENTON 1-Feb-2026", SentDate(When.ON, DAY)),
        (b"SENTSINCE 1-Feb-2026", SentDate(When.SINCE, DAY)),
        (b"SAVEDBEFORE 1-Feb-2026", SaveDate(When.BEFORE, DAY)),
        (b"SAVEDON 1-Feb-2026", SaveDate(When.ON, DAY)),
        (b"SAVEDSINCE 1-Feb-2026", SaveDate(When.SINCE, DAY)),
        (b"SAVEDATESUPPORTED", SaveDateSupported()),
        (b"LARGER 4294967296", Larger(4294967296)),
        (b"SMALLER 0", Smaller(0)),
        (b"OLDER 259200", Older(259200)),
        (b"YOUNGER 1", Younger(1)),
        (b"MODSEQ 620162338", ModSeqSince(620162338)),
        (b'MODSEQ "/flags/\\\\draft" all 620162338', ModSeqSince(620162338)),
        (b'MODSEQ "/flags/$Junk" shared 0', ModSeqSince(0)),
        (b"EMAILID M6d99ac3275bb4e", EmailIdIs(b"M6d99ac3275bb4e")),
        (b"THREADID T-1_a", ThreadIdIs(b"T-1_a")),
        (b"2:4,7", Seqs(SequenceSet(((2, 4), (7, 7))))),
        (b"*", Seqs(SequenceSet(((STAR, STAR),)))),
        (b"$", Seqs(SequenceSet((), True))),
        (b"UID 5:*", Uids(SequenceSet(((5, STAR),)))),
        (b"UID $", Uids(SequenceSet((), True))),
        (b"NOT SEEN", Not(SEEN)),
        (b"NOT NOT SEEN", Not(Not(SEEN))),
        (b"OR SEEN ALL", Or(SEEN, All())),
        (b"OR OR SEEN ALL NOT SEEN", Or(Or(SEEN, All()), Not(SEEN))),
        (b"(SEEN)", SEEN),
        (b"(SEEN ALL)", And((SEEN, All()))),
        (b"SEEN ALL", And((SEEN, All()))),
        (b"((SEEN 1) ALL)", And((And((SEEN, Seqs(SequenceSet(((1, 1),))))), All()))),
        (b"FUZZY SUBJECT hello", Fuzzy(InHeader(b"subject", "hello"))),
        (b"OR (FROM a) (TO b)", Or(InHeader(b"from", "a"), InHeader(b"to", "b"))),
    ],
)
def test_keys_of_the_grammar_are_read(octets: bytes, key: SearchKey) -> None:
    assert search(octets).key == key
    assert search(octets.replace(b"NOT", b"not").replace(b"SEEN", b"Seen")).key == key


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b" ",
        b"  ALL",
        b" ALL ",
        b" ALL  SEEN",
        b" FOO",
        b" ()",
        b" (ALL",
        b" (ALL ",
        b" (ALL )",
        b" ( ALL)",
        b" ALL)",
        b" NOT",
        b" NOT ",
        b" OR ALL",
        b" OR ALL ",
        b" NOTSEEN",
        b" FROM",
        b" FROM ",
        b" FROM (a)",
        b' FROM "a',
        b" HEADER a",
        b" KEYWORD \\Seen",
        b" KEYWORD",
        b' KEYWORD "a"',
        b" BEFORE 2026-02-01",
        b" BEFORE 1-Foo-2026",
        b" BEFORE 31-Feb-2026",
        b" BEFORE 0-Feb-2026",
        b" BEFORE 1-Feb-0000",
        b" BEFORE 1-Feb-26",
        b' BEFORE "1-Feb-2026',
        b" BEFORE 1-Feb-2026x",
        b" BEFORE 001-Feb-2026",
        b" LARGER -1",
        b" LARGER a",
        b" LARGER 9223372036854775808",
        b" OLDER 0",
        b" YOUNGER 4294967296",
        b" MODSEQ",
        b' MODSEQ "/x/a" all 1',
        b' MODSEQ "/flags/a" foo 1',
        b' MODSEQ "/flags/a" 1',
        b" EMAILID a.b",
        b' EMAILID ""',
        b" EMAILID " + b"a" * 256,
        b" UID a",
        b" UID 0",
        b" 0",
        b" 1:",
        b" 1,2 ,3",
        b" $ $5",
        b" CHARSET",
        b" CHARSET UTF-8",
        b" CHARSET UTF-8 ",
        b" RETURN",
        b" RETURN ()",
        b" RETURN (FOO) ALL",
        b" RETURN (MIN",
        b" RETURN (MIN )ALL",
        b" RETURN (MIN)ALL",
        b" RETURN MIN ALL",
        b" RETURN (ALL PARTIAL 1:2) ALL",
        b" RETURN (PARTIAL 1:2 PARTIAL 1:2) ALL",
        b" RETURN (PARTIAL) ALL",
        b" RETURN (PARTIAL 0:2) ALL",
        b' SUBJECT "\xff"',
        b" SUBJECT {1}\r\n\xff",
    ],
)
def test_other_programs_are_refused(arguments: bytes) -> None:
    assert refused(arguments).status == b"BAD"


def test_return_options_are_read() -> None:
    assert search(b"ALL").returns is None
    assert search(b"RETURN () ALL").returns == SearchReturn(frozenset({SearchOption.ALL}))
    everything = b"return (min MAX count Save all relevancy) FUZZY SEEN"
    assert search(everything).returns == SearchReturn(frozenset(SearchOption))
    partial = search(b"RETURN (SAVE PARTIAL -1:-100) UNDELETED").returns
    assert partial == SearchReturn(frozenset({SearchOption.SAVE}), Partial(-1, -100))
    assert bytes(Partial(-1, -100)) == b"-1:-100"
    assert search(b"RETURN (PARTIAL 23500:24000) ALL").returns == SearchReturn(frozenset(), Partial(23500, 24000))


def test_text_is_decoded_by_the_charset_that_was_named() -> None:
    for charset, codec in ((b"UTF-8", "utf-8"), (b"gb2312", "gb2312"), (b"Big5", "big5"), (b'"GB18030"', "gb18030")):
        octets = "鴻雁".encode(codec) if codec != "gb2312" else "鸿雁".encode(codec)
        key = search(b"CHARSET " + charset + b" SUBJECT {%d}\r\n%b" % (len(octets), octets)).key
        assert key == InHeader(b"subject", octets.decode(codec))
    assert search('SUBJECT "鴻雁"'.encode()).key == InHeader(b"subject", "鴻雁")


@pytest.mark.parametrize("charset", [b"FOO", b"utf-7", b"idna", b"zlib", b"unicode_escape", b'""', b"rot13", b"UTF8"])
def test_an_unknown_charset_is_told_apart_from_bad_grammar(charset: bytes) -> None:
    fault = refused(b" CHARSET " + charset + b" ALL")
    assert fault.status == b"NO"
    assert fault.code.startswith(b"BADCHARSET (US-ASCII UTF-8 ")
    assert fault.code.endswith(b")")


def test_nesting_and_number_of_keys_have_limits() -> None:
    assert search(b"(" * 50 + b"SEEN" + b")" * 50).key == SEEN
    assert search(b" ".join([b"SEEN"] * 10_000)).key == And((SEEN,) * 10_000)
    for arguments in (
        b" " + b"(" * 51 + b"SEEN" + b")" * 51,
        b" " + b"(" * 100_000,
        b" " + b"NOT " * 51 + b"SEEN",
        b" " + b"OR SEEN " * 100_000,
        b" " + b"FUZZY " * 100_000,
        b" " + b" ".join([b"SEEN"] * 10_001),
    ):
        fault = refused(arguments)
        assert (fault.status, fault.code) == (b"NO", b"LIMIT")


def test_it_is_known_whether_a_search_names_sequence_numbers() -> None:
    assert names_seqs(search(b"NOT OR SEEN (ALL FUZZY 1:2)").key)
    assert not names_seqs(search(b"NOT OR SEEN (ALL UID 1:2)").key)


def test_sort_has_criteria_and_a_charset() -> None:
    assert parse_command(b"a SORT (SUBJECT reverse DATE) UTF-8 ALL") == Sort(
        b"a", False, (SortOrder(SortKey.SUBJECT), SortOrder(SortKey.DATE, True)), All()
    )
    command = parse_command(b"a UID SORT RETURN (COUNT) (ARRIVAL) US-ASCII SINCE 1-Feb-2026 NOT FROM x")
    assert isinstance(command, Sort)
    assert (command.uid, command.returns) == (True, SearchReturn(frozenset({SearchOption.COUNT})))
    assert command.key == And((InternalDate(When.SINCE, DAY), Not(InHeader(b"from", "x"))))
    for arguments in (
        b"",
        b"()",
        b"(FOO) UTF-8 ALL",
        b"(DATE)",
        b"(DATE) UTF-8",
        b"(REVERSE) UTF-8 ALL",
        b"(DATE) X ALL",
    ):
        with pytest.raises(CommandFault):
            parse_command(b"a SORT " + arguments)


def test_thread_has_an_algorithm_and_a_charset() -> None:
    assert parse_command(b"a THREAD references UTF-8 ALL") == Thread(b"a", False, "REFERENCES", All())
    assert parse_command(b"a UID THREAD ORDEREDSUBJECT US-ASCII SEEN") == Thread(b"a", True, "ORDEREDSUBJECT", SEEN)
    for arguments in (b"", b"REFERENCES", b"REFERENCES UTF-8", b"REFERENCES ALL", b"REFERENCES X ALL"):
        with pytest.raises(CommandFault):
            parse_command(b"a THREAD " + arguments)
