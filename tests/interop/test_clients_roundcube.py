"""Roundcube: what a user of its pages does in a day."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.clients import Office, Owner, letters
from tests.support.roundcube import Roundcube, start_roundcube
from tests.support.tap import Tap

pytestmark = pytest.mark.interop


@pytest.fixture
def tap(office: Office) -> Iterator[Tap]:
    with office.tap() as tap:
        yield tap


@pytest.fixture
def roundcube(office: Office, owner: Owner, tap: Tap) -> Iterator[Roundcube]:
    submissions = office.port("submissions")
    with start_roundcube(office.home, office.authority, imaps=tap.port, submissions=submissions) as roundcube:
        roundcube.log_in(owner.address, owner.secret)
        yield roundcube
        assert roundcube.logs() == ""  # neither it nor PHP had anything to complain of


def rows(script: str) -> list[int]:
    """The UIDs of a list, from its first row on."""
    return [int(uid) for uid in re.findall(r"add_message_row\((\d+),", script)]


def test_roundcube_lists_by_sort_and_by_thread_and_searches(
    office: Office, owner: Owner, tap: Tap, roundcube: Roundcube
) -> None:
    answer = (
        b"From: a@x.test\r\nSubject: Re: two\r\nMessage-ID: <a@x.test>\r\nIn-Reply-To: <two@elsewhere.test>\r\n\r\n"
    )
    office.bring(owner, *letters(b"one", b"two", b"three"), answer + b"A needle.\r\n")
    assert rows(roundcube.act("list", mbox="INBOX", sort="subject_ASC")) == [1, 3, 2, 4]
    assert rows(roundcube.act("list", mbox="INBOX", sort="from_ASC"))[0] == 4
    threads = roundcube.act("list", mbox="INBOX", threads="1", sort="_")
    assert '"parent_uid":2' in threads
    assert rows(roundcube.act("search", mbox="INBOX", q="two", headers="subject", scope="base")) == [2, 4]
    assert '"4-INBOX"' in roundcube.act("search", mbox="INBOX", q="needle", headers="text", scope="all")
    assert tap.verbs >= {"UID SORT", "UID THREAD", "LIST", "NAMESPACE", "GETQUOTAROOT", "STATUS"}
    assert 'LIST (SPECIAL-USE) "" "*" RETURN (SUBSCRIBED)' in tap.commands


def test_roundcube_reads_marks_moves_copies_and_deletes(
    office: Office, owner: Owner, tap: Tap, roundcube: Roundcube
) -> None:
    office.bring(owner, *letters(b"one", b"two", b"three", b"four"))
    assert "Honk." in roundcube.page(task="mail", action="show", mbox="INBOX", uid="1")
    assert "marked" in roundcube.act("mark", {"_uid": "1", "_flag": "flagged", "_mbox": "INBOX"})
    assert "moved" in roundcube.act("move", {"_uid": "2", "_mbox": "INBOX", "_target_mbox": "Archive"})
    assert "copied" in roundcube.act("copy", {"_uid": "3", "_mbox": "INBOX", "_target_mbox": "Archive"})
    assert "moved" in roundcube.act("move", {"_uid": "4", "_mbox": "INBOX", "_target_mbox": "Trash"})
    assert "deleted" in roundcube.act("delete", {"_uid": "1", "_mbox": "Trash"})
    assert tap.verbs >= {"UID MOVE", "UID COPY", "UID EXPUNGE"}
    assert [set(flags.split()) for flags in office.flags(owner)] == [{b"\\Seen", b"\\Flagged"}, set()]
    assert len(office.messages(owner, "Archive")) == 2
    assert office.messages(owner, "Trash") == []


def test_roundcube_writes_a_draft_and_sends_it_with_a_copy_in_sent(
    office: Office, owner: Owner, tap: Tap, roundcube: Roundcube
) -> None:
    page = roundcube.page(task="mail", action="compose")
    (identity,) = re.findall(r'name="_from".*?<option value="(\d+)"', page, re.DOTALL) or re.findall(
        r'name="_from" value="(\d+)"', page
    )
    (number,) = re.findall(r'"compose_id":"(\w+)"', page)
    fields = {"id": number, "from": identity, "to": owner.address, "subject": "鸿雁", "message": "雁 says honk."}
    form = {"task": "mail", "action": "send", "framed": "1", **fields, "charset": "UTF-8", "store_target": "Sent"}
    roundcube.submit(**form, draft="1")
    (draft,) = office.messages(owner, "Drafts")
    assert b"Subject: =?UTF-8?" in draft
    shown = roundcube.submit(**form, draft="")
    assert "sent_successfully" in shown
    (message,) = office.wait_for(owner, 1)
    assert b"format=flowed" in message
    assert len(office.messages(owner, "Sent")) == 1
    assert office.flags(owner, "Sent") == [b"\\Seen"]


def test_roundcube_keeps_folders_and_shares_one(office: Office, owner: Owner, tap: Tap, roundcube: Roundcube) -> None:
    roundcube.page(task="settings", action="folders")
    roundcube.submit(task="settings", action="save-folder", name="工作", parent="", framed="1")
    with office.imap(owner) as imap:
        assert b'"&XeVPXA-"' in b"".join(imap.lsub('""', "*")[1])
    other = office.hire().address
    rights = {"_mbox": "Archive", "_act": "save", "_user": other, "_acl": "lrs", "_mode": ""}
    roundcube.act("plugin.acl", rights, task="settings")
    with office.imap(owner) as imap:
        assert f"{other} lrs".encode() in imap.getacl("Archive")[1][0]
    assert tap.verbs >= {"CREATE", "SUBSCRIBE", "SETACL"}
