"""Responses, as they go out."""

from __future__ import annotations

from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import StatusItem
from hongyan.wire.imap.search import Partial


def test_outcomes_are_tagged_or_not_and_may_hold_a_code() -> None:
    assert responses.ok("NOOP completed", tag=b"a1") == b"a1 OK NOOP completed\r\n"
    assert responses.no("No such mailbox", tag=b"a1", code=codes.NONEXISTENT) == (
        b"a1 NO [NONEXISTENT] No such mailbox\r\n"
    )
    assert responses.bad("What?") == b"* BAD What?\r\n"
    assert responses.outcome(b"BAD", "What?", tag=None) == b"* BAD What?\r\n"
    assert responses.bye("Too large", code=codes.TOOBIG) == b"* BYE [TOOBIG] Too large\r\n"
    assert responses.preauth("Welcome") == b"* PREAUTH Welcome\r\n"
    assert responses.ok("x\r\na1 OK forged", tag=b"a1") == b"a1 OK x  a1 OK forged\r\n"


def test_codes_hold_their_arguments() -> None:
    assert codes.appenduid(38505, b"3955") == b"APPENDUID 38505 3955"
    assert codes.copyuid(38505, b"304,319:320", b"3956:3958") == b"COPYUID 38505 304,319:320 3956:3958"
    assert codes.badcharset([b"US-ASCII", b"UTF-8"]) == b"BADCHARSET (US-ASCII UTF-8)"
    assert codes.capability([b"IMAP4rev2", b"IDLE"]) == b"CAPABILITY IMAP4rev2 IDLE"
    assert codes.permanentflags([b"\\Seen", b"\\*"]) == b"PERMANENTFLAGS (\\Seen \\*)"
    assert codes.permanentflags([]) == b"PERMANENTFLAGS ()"
    assert codes.uidnext(4) == b"UIDNEXT 4"
    assert codes.uidvalidity(4) == b"UIDVALIDITY 4"
    assert codes.unseen(4) == b"UNSEEN 4"
    assert codes.highestmodseq(715194045007) == b"HIGHESTMODSEQ 715194045007"
    assert codes.modified(b"7,9") == b"MODIFIED 7,9"
    assert codes.mailboxid(b"F2212ea87") == b"MAILBOXID (F2212ea87)"
    assert codes.UNKNOWN_CTE == b"UNKNOWN-CTE"


def test_every_constant_code_is_an_atom() -> None:
    for name in codes.__all__:
        value = getattr(codes, name)
        if isinstance(value, bytes):
            assert value == name.replace("_", "-").encode()


def test_the_server_tells_of_itself() -> None:
    assert responses.capability([b"IMAP4rev1", b"IMAP4rev2"]) == b"* CAPABILITY IMAP4rev1 IMAP4rev2\r\n"
    assert responses.enabled([]) == b"* ENABLED\r\n"
    assert responses.enabled([b"CONDSTORE", b"UTF8=ACCEPT"]) == b"* ENABLED CONDSTORE UTF8=ACCEPT\r\n"
    assert responses.id_({}) == b"* ID NIL\r\n"
    assert responses.id_({"name": "Hongyan", "version": None}) == b'* ID ("name" "Hongyan" "version" NIL)\r\n'
    assert responses.namespace() == b'* NAMESPACE (("" "/")) NIL NIL\r\n'
    assert responses.namespace(others="Other Users/") == b'* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL\r\n'


def test_a_continuation_may_be_empty() -> None:
    assert responses.continuation() == b"+ OK\r\n"
    assert responses.continuation(b"") == b"+ \r\n"
    assert responses.continuation(b"idling") == b"+ idling\r\n"


def test_mailboxes_are_listed() -> None:
    assert responses.list_([b"\\HasNoChildren"], "INBOX", utf8=False) == b'* LIST (\\HasNoChildren) "/" "INBOX"\r\n'
    assert responses.list_([], "日本", utf8=False) == b'* LIST () "/" "&ZeVnLA-"\r\n'
    assert responses.list_([], "日本", utf8=True) == '* LIST () "/" "日本"\r\n'.encode()
    assert responses.list_([b"\\NonExistent"], "", utf8=False) == b'* LIST (\\NonExistent) "/" ""\r\n'
    assert responses.list_([], "Foo", utf8=False, childinfo=[b"SUBSCRIBED"]) == (
        b'* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED"))\r\n'
    )
    assert responses.list_([], "New", utf8=True, oldname='O"ld', childinfo=[b"SUBSCRIBED"]) == (
        b'* LIST () "/" "New" ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("O\\"ld"))\r\n'
    )
    assert responses.lsub([b"\\Noselect"], "a b", utf8=False) == b'* LSUB (\\Noselect) "/" "a b"\r\n'


def test_status_tells_each_item_in_its_form() -> None:
    assert (
        responses.status(
            "blurdybloop",
            {
                StatusItem.MESSAGES: 231,
                StatusItem.UIDNEXT: 44292,
                StatusItem.APPENDLIMIT: None,
                StatusItem.MAILBOXID: b"F2212ea87",
            },
            utf8=False,
        )
        == b'* STATUS "blurdybloop" (MESSAGES 231 UIDNEXT 44292 APPENDLIMIT NIL MAILBOXID (F2212ea87))\r\n'
    )


def test_quotas_are_told() -> None:
    assert responses.quotaroot("INBOX", [""], utf8=False) == b'* QUOTAROOT "INBOX" ""\r\n'
    assert responses.quotaroot("INBOX", [], utf8=False) == b'* QUOTAROOT "INBOX"\r\n'
    assert responses.quota("", [(b"STORAGE", 10, 512), (b"MESSAGE", 1, 2)], utf8=False) == (
        b'* QUOTA "" (STORAGE 10 512 MESSAGE 1 2)\r\n'
    )


def test_the_selected_mailbox_is_told() -> None:
    assert responses.flags([b"\\Seen", b"$Junk"]) == b"* FLAGS (\\Seen $Junk)\r\n"
    assert responses.exists(172) == b"* 172 EXISTS\r\n"
    assert responses.recent(0) == b"* 0 RECENT\r\n"
    assert responses.expunge(44) == b"* 44 EXPUNGE\r\n"
    assert responses.vanished([507, 505]) == b"* VANISHED 505,507\r\n"
    assert responses.vanished(range(41, 44), earlier=True) == b"* VANISHED (EARLIER) 41:43\r\n"
    assert responses.vanished([]) == b""


def test_results_are_told() -> None:
    assert responses.search([2, 84, 882]) == b"* SEARCH 2 84 882\r\n"
    assert responses.search([]) == b"* SEARCH\r\n"
    assert responses.search([2, 5], modseq=917162500) == b"* SEARCH 2 5 (MODSEQ 917162500)\r\n"
    assert responses.search([], modseq=917162500) == b"* SEARCH\r\n"
    assert responses.sort([5, 3, 4]) == b"* SORT 5 3 4\r\n"
    assert responses.esearch(b"A282", uid=False, minimum=2, count=3) == b'* ESEARCH (TAG "A282") MIN 2 COUNT 3\r\n'
    assert responses.esearch(b"A", uid=True, all_=b"17,900:901", maximum=901, modseq=5) == (
        b'* ESEARCH (TAG "A") UID MAX 901 ALL 17,900:901 MODSEQ 5\r\n'
    )
    assert responses.esearch(b"A", uid=True) == b'* ESEARCH (TAG "A") UID\r\n'
    assert responses.esearch(b"A", uid=True, partial=(Partial(-1, -100), b"1:3")) == (
        b'* ESEARCH (TAG "A") UID PARTIAL (-1:-100 1:3)\r\n'
    )
    assert responses.esearch(b"A", uid=True, partial=(Partial(24000, 24500), b"")) == (
        b'* ESEARCH (TAG "A") UID PARTIAL (24000:24500 NIL)\r\n'
    )
