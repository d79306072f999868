"""A map of a mailbox says of each email by which UIDs it is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.servers.imap.search_index import EmailMap, EmailMaps
from hongyan.store.index import email_of
from tests.search.conftest import Desk
from tests.support.mail import ACCOUNT

_EMAILS = st.lists(st.one_of(st.integers(1, 40), st.just(0)), max_size=60)


@given(emails=_EMAILS, wanted=st.sets(st.integers(1, 80)), cut=st.integers(0, 60))
def test_it_selects_what_looking_at_each_message_would(emails: list[int], wanted: set[int], cut: int) -> None:
    """0 stands for the email after the one before."""
    rows: list[tuple[int, int]] = []
    number = 0
    for uid, email in enumerate(emails, 3):
        number = email or number + 1
        rows.append((uid, email_of(ACCOUNT, number)))
    known = EmailMap()
    known.extend(rows[:cut], 2 + cut)
    known.extend(rows[cut:], 100)
    looked_at = BitMap([uid for uid, email in rows if email - email_of(ACCOUNT, 0) in wanted])
    assert known.select(BitMap(wanted)) == looked_at


async def test_a_mailbox_that_grows_is_read_on_from_where_the_map_ends(desk: Desk) -> None:
    maps = EmailMaps(desk.mail)
    await desk.file(*[b"Subject: n%d\r\n\r\nx" % number for number in range(3)])
    assert not maps.is_ready(ACCOUNT, desk.shop.inbox, 3)
    known = await maps.find(ACCOUNT, desk.shop.inbox, 3)
    assert (len(known), list(known.select(BitMap([2, 4])))) == (1, [2])
    await desk.shop.messages.copy(ACCOUNT, desk.shop.inbox, BitMap([2]), {}, desk.shop.inbox)
    assert maps.is_ready(ACCOUNT, desk.shop.inbox, 4)
    known = await maps.find(ACCOUNT, desk.shop.inbox, 4)
    assert list(known.select(BitMap([2]))) == [2, 4]
