"""The index answers as the scan does, on whatever is thrown at it."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.servers.imap import search_index
from hongyan.wire.imap.search import InBody, InHeader, InText
from tests.search.conftest import Desk, open_desk
from tests.support.mail import ACCOUNT

_SCRAPS = [
    *("meeting", "ting", "Ting", "a", "b1", "4xk29fz81", "internationalization", "unverständlich", "ﬁn", "ＡＢＣ"),
    *("person037", "son037", "a1" * 20, "a1" * 21, "ü9" * 6),
    *("会", "议", "會議", "报价", "報", "カタ", "한국어", "明天", "1", "2026", "İ", "e\u0301", "\u0301"),
    *(" ", "  ", "\r\n", "\r\n ", "\t", ".", ",", ", ", "@", "<", ">", "...", "-", "_", '"', "'", "*", "&lt;", "=?"),
    *("\ue000", "\ue003", "\x1b", "\x85", "\u3000", "，", "\u200b", ":", "subject", "Subject: "),
]
_TEXTS = st.lists(st.sampled_from(_SCRAPS), max_size=12).map("".join)


def _plain(subject: str, body: str) -> bytes:
    return b"Subject: %b\r\nX-Note: %b\r\n\r\n%b" % (_one_line(subject), _one_line(subject[::-1]), body.encode())


def _encoded(subject: str, body: str) -> bytes:
    word = base64.b64encode(subject.encode())
    return b"Subject: =?utf-8?B?%b?= x\r\nContent-Type: text/plain; charset=gb18030\r\n\r\n%b" % (
        word,
        body.encode("gb18030", "replace"),
    )


def _html(subject: str, body: str) -> bytes:
    return (
        b"Subject: %b\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\nContent-Type: text/html;"
        b" charset=utf-8\r\n\r\n<p>%b</p><b>tail</b>\r\n--z\r\nContent-Disposition: attachment;"
        b" filename*=utf-8''%b\r\n\r\nx\r\n--z--\r\n"
    ) % (_one_line(subject), body.encode(), b"".join(b"%%%02X" % octet for octet in subject.encode()))


def _one_line(text: str) -> bytes:
    return " ".join(text.split()).encode()


_FORMS: list[Callable[[str, str], bytes]] = [_plain, _encoded, _html]
_MESSAGES = st.lists(st.tuples(st.sampled_from(_FORMS), _TEXTS, _TEXTS), min_size=1, max_size=8)
_KEYS: list[Callable[[str], InBody | InHeader | InText]] = [
    InBody,
    InText,
    lambda text: InHeader(b"subject", text),
    lambda text: InHeader(b"x-note", text),
]


@given(messages=_MESSAGES, late=_MESSAGES, needles=st.lists(_TEXTS, max_size=4), seed=st.integers(0, 1 << 16))
@example(messages=[(_plain, "a", "the meeting, then")], late=[], needles=["ting, t", "ting", "", " "], seed=0)
@example(  # what only may be there is read
    messages=[(_plain, "a", "wait ... what"), (_plain, "b", "wait --- what")],
    late=[],
    needles=["wait ... what"],
    seed=0,
)
@example(messages=[(_plain, "a", "meeting")], late=[(_plain, "b", "meeting")], needles=["ting"], seed=0)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_index_and_scan_find_the_same(
    messages: list[tuple[Callable[[str, str], bytes], str, str]],
    late: list[tuple[Callable[[str, str], bytes], str, str]],
    needles: list[str],
    seed: int,
    tmp_path_factory: TempFolders,
) -> None:
    asyncio.run(_compare(messages, late, needles, random.Random(seed), tmp_path_factory.mktemp("desk")))


class TempFolders:
    """pytest's factory, as far as it is used."""

    def mktemp(self, basename: str) -> Path: ...


async def _compare(
    messages: list[tuple[Callable[[str, str], bytes], str, str]],
    late: list[tuple[Callable[[str, str], bytes], str, str]],
    needles: list[str],
    chance: random.Random,
    folder: Path,
) -> None:
    async with open_desk(folder) as desk:
        await desk.file(*[form(subject, body) for form, subject, body in messages])
        await desk.catch_up()
        await desk.file(*[form(subject, body) for form, subject, body in late])
        everything = messages + late
        among = BitMap(range(1, len(everything) + 1))
        for _, *texts in everything:
            for text in texts:
                start = chance.randrange(len(text) + 1)
                needles.append(text[start : start + chance.randint(1, 9)])
        for needle in needles:
            for key in (make(needle) for make in _KEYS):
                assert await desk.look_up(key, among) == await desk.scan(key, among), key
                loosely = await desk.search().find_loosely(key, among)
                assert loosely == await desk.search(reads=True).find_loosely(key, among), key
                found = [await search.weigh(key, among) for search in (desk.search(), desk.search(reads=True))]
                assert [BitMap.union(*groups.values()) if groups else BitMap() for groups in found] == [loosely] * 2


async def test_what_is_looked_for_loosely_weighs_the_same_with_the_index_and_without(desk: Desk) -> None:
    subjects = ("budget meeting", "the meeting: a budget", "budgets", "lunch", "預算會議", "会议和预算")
    bodies = (
        "we meet for the budget",
        "budget meeting",
        "meetings",
        "",
        "開會議預算",
        "预算会议",
        "invoice20261123x",
    )
    both = [(subject, body) for subject in subjects for body in bodies]
    mail = [f"From: meeting <a@b.example>\r\nSubject: {s}\r\n\r\n{b}".encode() for s, b in both]
    await desk.file(*mail)
    await desk.catch_up()
    await desk.file(*mail)
    among = BitMap(range(1, 2 * len(both) + 1))
    for needle in ("budget meeting", "meet", "meeting budg", "budgets", "预算会议", "會", "算会", "invoice20261123"):
        for key in (InBody(needle), InText(needle), InHeader(b"subject", needle), InHeader(b"from", needle)):
            by_index = await desk.search().weigh(key, among)
            assert dict(by_index) == dict(await desk.search(reads=True).weigh(key, among)), key
            assert all(1 <= score <= 100 for score in by_index)
    assert set(await desk.search().weigh(InText("budget meet"), among)) >= {20, 31, 81, 100}


async def test_most_words_are_answered_without_reading(desk: Desk) -> None:
    await desk.file(*[b"Subject: s%d\r\n\r\nthe weekly meeting of group %d" % (n, n % 3) for n in range(60)])
    await desk.catch_up()
    for needle, hits in (("ting", 60), ("weekly meet", 60), ("group 1", 20), ("nowhere", 0)):
        match = await desk.index.match(ACCOUNT, (search_index.IndexField.BODY,), needle)
        assert match is not None
        assert (len(match.sure), len(match.doubtful)) == (hits, 0)


async def test_two_characters_and_one_are_found_in_either_writing(desk: Desk) -> None:
    await desk.file("Subject: 报价单\r\n\r\n明天開會議論".encode(), b"Subject: x\r\n\r\ny")
    await desk.catch_up()
    among = BitMap([1, 2])
    for needle in ("會議", "会议", "开", "論"):
        assert await desk.look_up(InBody(needle), among) == BitMap([1])
    assert await desk.look_up(InHeader(b"subject", "價單"), among) == BitMap([1])
