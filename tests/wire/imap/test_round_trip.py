"""Commands written in any way the grammar allows are read as what they were."""

from __future__ import annotations

import unicodedata
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from hongyan.secret import Secret
from hongyan.wire.imap import commands as c
from hongyan.wire.imap import search as s
from hongyan.wire.imap.fetch import Item
from hongyan.wire.imap.mailbox_name import to_modified_utf7
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.receiver import CommandReceived, ContinuationDue, Receiver, after_login
from hongyan.wire.imap.search_program import MAX_DEPTH
from hongyan.wire.imap.sequence import SequenceSet, format_ranges

ATOMS = st.from_regex(rb"[A-Za-z0-9$._-]{1,12}", fullmatch=True).filter(lambda atom: atom.upper() != b"NIL")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn"]), max_size=20).map(
    lambda text: "x" + unicodedata.normalize("NFC", text).replace("/", "")
)
TAGS = st.from_regex(rb"[A-Za-z0-9.]{1,8}", fullmatch=True)
FLAGS = st.lists(st.sampled_from([b"\\Seen", b"\\Deleted", b"$Junk", b"work", b"$x"]), unique=True, max_size=4).map(
    tuple
)
NUMBERS = st.integers(1, 0xFFFFFFFF)
SETS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4).map(lambda ranges: SequenceSet(tuple(ranges)))
DATES = st.dates(date(1970, 1, 1), date(2100, 1, 1))
MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def written(octets: bytes, draw: st.DrawFn) -> bytes:
    """Write a string in one of its forms, as a client may choose."""
    forms = [b"{%d}\r\n%b" % (len(octets), octets), b"{%d+}\r\n%b" % (len(octets), octets)]
    if b"\r" not in octets and b"\n" not in octets:
        forms.append(b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
    if octets.isalnum() and octets.upper() != b"NIL":
        forms.append(octets)
    return draw(st.sampled_from(forms))


def anycase(word: bytes, draw: st.DrawFn) -> bytes:
    return draw(st.sampled_from([word, word.lower(), word.title()]))


def date_text(day: date) -> bytes:
    return b"%d-%b-%d" % (day.day, MONTHS[day.month - 1], day.year)


@st.composite
def mailbox_commands(draw: st.DrawFn) -> tuple[bytes, c.Command]:
    tag, name, other = draw(TAGS), draw(NAMES), draw(NAMES)
    one, two = (written(to_modified_utf7(text), draw) for text in (name, other))
    items = tuple(draw(st.lists(st.sampled_from(c.StatusItem), min_size=1, unique=True)))
    listed = b" ".join(anycase(item.value.encode(), draw) for item in items)
    messages = draw(SETS)
    return draw(
        st.sampled_from(
            [
                (b"SELECT " + one, c.Select(tag, name, read_only=False)),
                (b"EXAMINE " + one + b" (CONDSTORE)", c.Select(tag, name, read_only=True, condstore=True)),
                (b"CREATE " + one, c.Create(tag, name)),
                (b"DELETE " + one, c.Delete(tag, name)),
                (b"RENAME " + one + b" " + two, c.Rename(tag, name, other)),
                (b"SUBSCRIBE " + one, c.Subscribe(tag, name)),
                (b"LSUB " + one + b" " + two, c.Lsub(tag, name, other)),
                (b"LIST " + one + b" (" + two + b")", c.List(tag, name, (other,), extended=True)),
                (b"STATUS " + one + b" (" + listed + b")", c.Status(tag, name, items)),
                (b"UID MOVE " + format_ranges(messages.ranges) + b" " + two, c.Move(tag, True, messages, other)),
            ]
        ).map(lambda pair: (tag + b" " + pair[0], pair[1]))
    )


@st.composite
def message_commands(draw: st.DrawFn) -> tuple[bytes, c.Command]:
    tag, messages, uid = draw(TAGS), draw(SETS), draw(st.booleans())
    head = tag + (b" UID " if uid else b" ")
    numbers = format_ranges(messages.ranges)
    if draw(st.booleans()):
        change, flags, silent = draw(st.sampled_from(c.FlagChange)), draw(FLAGS), draw(st.booleans())
        word = anycase(change.value.encode() + (b".SILENT" if silent else b""), draw)
        text = b"STORE " + numbers + b" " + word + b" (" + b" ".join(flags) + b")"
        return head + text, c.Store(tag, uid, messages, change, flags, silent)
    items = tuple(draw(st.lists(st.sampled_from(Item), min_size=1, unique=True)))
    text = b"FETCH " + numbers + b" (" + b" ".join(anycase(item.value, draw) for item in items) + b")"
    return head + text, c.Fetch(tag, uid, messages, items)


@st.composite
def leaf_keys(draw: st.DrawFn) -> tuple[bytes, s.SearchKey]:
    text, day, number, messages = draw(TEXTS), draw(DATES), draw(NUMBERS), draw(SETS)
    string, when = written(text.encode(), draw), draw(st.sampled_from(s.When))
    numbers, field = format_ranges(messages.ranges), draw(ATOMS)
    return draw(
        st.sampled_from(
            [
                (b"ALL", s.All()),
                (b"FLAGGED", s.HasFlag(b"\\Flagged")),
                (b"UNKEYWORD x", s.Not(s.HasFlag(b"x"))),
                (b"SUBJECT " + string, s.InHeader(b"subject", text)),
                (b"HEADER " + field + b" " + string, s.InHeader(field.lower(), text)),
                (b"TEXT " + string, s.InText(text)),
                (when.value.encode() + b" " + date_text(day), s.InternalDate(when, day)),
                (b"SENT" + when.value.encode() + b' "' + date_text(day) + b'"', s.SentDate(when, day)),
                (b"LARGER %d" % number, s.Larger(number)),
                (b"YOUNGER %d" % number, s.Younger(number)),
                (b"MODSEQ %d" % number, s.ModSeqSince(number)),
                (numbers, s.Seqs(messages)),
                (b"UID " + numbers, s.Uids(messages)),
            ]
        )
    )


def joined(keys: list[tuple[bytes, s.SearchKey]]) -> tuple[bytes, s.SearchKey]:
    octets = b" ".join(octets for octets, _ in keys)
    return octets, keys[0][1] if len(keys) == 1 else s.And(tuple(key for _, key in keys))


KEYS = st.recursive(
    leaf_keys(),
    lambda keys: st.one_of(
        keys.map(lambda key: (b"NOT " + key[0], s.Not(key[1]))),
        keys.map(lambda key: (b"fuzzy " + key[0], s.Fuzzy(key[1]))),
        st.tuples(keys, keys).map(lambda two: (b"OR " + two[0][0] + b" " + two[1][0], s.Or(two[0][1], two[1][1]))),
        st.lists(keys, min_size=1, max_size=3).map(joined).map(lambda key: (b"(" + key[0] + b")", key[1])),
    ),
    max_leaves=12,
)


@given(mailbox_commands() | message_commands())
def test_commands_about_mailboxes_and_messages(pair: tuple[bytes, c.Command]) -> None:
    octets, command = pair
    assert parse_command(octets) == command


@given(st.lists(KEYS, min_size=1, max_size=3).map(joined))
def test_searches(pair: tuple[bytes, s.SearchKey]) -> None:
    octets, key = pair
    if octets.count(b"(") + octets.count(b"NOT") + octets.count(b"fuzzy") + octets.count(b"OR") <= MAX_DEPTH:
        assert parse_command(b"a SEARCH " + octets) == c.Search(b"a", False, key)


@given(st.data(), TEXTS, TEXTS)
def test_logins(data: st.DataObject, userid: str, password: str) -> None:
    one, two = (written(text.encode(), data.draw) for text in (userid, password))  # type: ignore[arg-type]
    assert parse_command(b"a LOGIN " + one + b" " + two) == c.Login(b"a", userid, Secret(password))


@given(st.lists(mailbox_commands() | message_commands(), max_size=4))
def test_what_the_receiver_parts_the_parser_reads(pairs: list[tuple[bytes, c.Command]]) -> None:
    receiver = Receiver(after_login(message=100))
    receiver.receive_data(b"".join(octets + b"\r\n" for octets, _ in pairs))
    commands = []
    while (event := receiver.next_event()) is not None:
        if not isinstance(event, ContinuationDue):
            assert isinstance(event, CommandReceived)
            commands.append(parse_command(event.octets))
    assert commands == [command for _, command in pairs]
