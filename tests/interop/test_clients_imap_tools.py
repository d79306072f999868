"""imap-tools: what a Python program does that works on mail."""

from __future__ import annotations

import ssl
import threading

import imap_tools
import pytest
from imap_tools import AND, NOT, OR, MailBox, MailMessageFlags

from tests.support.clients import Office, Owner, letters
from tests.support.tap import Tap

pytestmark = pytest.mark.interop

LETTER = (
    "From: =?gb2312?B?tPPR4w==?= <goose@elsewhere.test>\r\nTo: {address}\r\nSubject: =?UTF-8?B?6bi/6ZuB?=\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHonk.\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=UTF-8''%E9%9B%81.pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n"
)


def open_mailbox(office: Office, owner: Owner, tap: Tap) -> imap_tools.BaseMailBox:
    trusted = ssl.create_default_context(cafile=str(office.authority))
    return MailBox("localhost", tap.port, timeout=20, ssl_context=trusted).login(owner.address, owner.secret)


def test_imap_tools_stores_finds_reads_marks_moves_and_deletes(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two", b"three"))
    with office.tap() as tap, open_mailbox(office, owner, tap) as mailbox:
        mailbox.append(LETTER.format(address=owner.address).encode(), "INBOX", flag_set=[MailMessageFlags.FLAGGED])
        (message,) = mailbox.fetch(AND(subject="鸿雁", flagged=True), charset="UTF-8", mark_seen=False)
        assert (message.subject, message.from_values.name, message.text) == ("鸿雁", "大雁", "Honk.")
        assert [(part.filename, part.payload) for part in message.attachments] == [("雁.pdf", b"%PDF")]
        newest = mailbox.fetch(bulk=True, reverse=True, limit=2, headers_only=True, mark_seen=False)
        assert [message.subject for message in newest] == ["鸿雁", "three"]
        assert mailbox.uids(OR(AND(subject="one"), AND(subject="two"))) == ["1", "2"]
        assert mailbox.uids(AND(NOT(AND(subject="one")), flagged=False)) == ["2", "3"]
        assert mailbox.uids(sort="REVERSE SUBJECT")[0] == "4"
        mailbox.flag(["1", "2"], [MailMessageFlags.SEEN, "$Work"], value=True)
        mailbox.copy("1", "Archive")
        mailbox.move("2", "Archive")
        mailbox.delete("3")
        assert mailbox.uids() == ["1", "4"]
        assert dict(mailbox.folder.status("Archive", ["MESSAGES", "UNSEEN"])) == {"MESSAGES": 2, "UNSEEN": 0}
        assert tap.verbs >= {"UID SEARCH", "UID SORT", "UID FETCH", "UID STORE", "UID COPY", "APPEND"}


def test_imap_tools_keeps_mailboxes_in_order(office: Office, owner: Owner) -> None:
    with office.tap() as tap, open_mailbox(office, owner, tap) as mailbox:
        mailbox.folder.create("工作/雁")
        mailbox.folder.rename("工作", "Work & Play")
        mailbox.folder.subscribe("Work & Play/雁", value=True)
        folders = {folder.name: folder.flags for folder in mailbox.folder.list()}
        assert set(folders) >= {"INBOX", "Sent", "Work & Play", "Work & Play/雁"}
        assert "\\Sent" in folders["Sent"]
        assert "Work & Play/雁" in {folder.name for folder in mailbox.folder.list(subscribed_only=True)}
        mailbox.folder.set("Work & Play/雁")
        assert mailbox.folder.get() == "Work & Play/雁"
        mailbox.folder.set("INBOX")
        mailbox.folder.delete("Work & Play/雁")
        assert not mailbox.folder.exists("Work & Play/雁")


def test_imap_tools_follows_another_session_by_idle(office: Office, owner: Owner) -> None:
    with office.tap() as tap, open_mailbox(office, owner, tap) as mailbox:
        bring = threading.Thread(target=lambda: tap.wait_for("IDLE") and office.bring(owner, *letters(b"one")))
        bring.start()
        assert mailbox.idle.wait(timeout=20) == [b"* 1 EXISTS"]
        bring.join()
        assert [message.subject for message in mailbox.fetch(AND(seen=False))] == ["one"]
        assert office.flags(owner) == [b"\\Seen"]
