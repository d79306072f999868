"""imapfilter: mail is moved by the rules of a Lua script."""

from __future__ import annotations

import threading

import pytest

from tests.support.clients import Office, Owner, letters
from tests.support.tap import Tap

pytestmark = [pytest.mark.interop, pytest.mark.root]

BEGIN = """
options.timeout = 20
options.create = true
options.subscribe = true
options.starttls = true
far = IMAP {{ server = 'localhost', port = {port}, username = '{address}', password = '{secret}', ssl = 'auto' }}
"""


def run(office: Office, owner: Owner, tap: Tap, rules: str) -> str:
    begin = BEGIN.format(port=tap.port, address=owner.address, secret=owner.secret)
    config = office.write("config.lua", begin + rules)
    return office.run(("imapfilter",), "imapfilter", "-t", office.authority, "-c", config, in_place=True)


RULES = """
mailboxes, folders = far:list_all()
print('mailboxes ' .. table.concat(mailboxes, ' '))
invoices = far.INBOX:contain_subject('invoice') * far.INBOX:is_unseen()
invoices:move_messages(far['Work/Invoices']);
(far.INBOX:contain_from('goose@') * far.INBOX:match_body('Honk')):mark_flagged()
far.INBOX:contain_field('Message-ID', 'spam'):delete_messages()
far.INBOX:is_flagged():copy_messages(far.Archive)
far.INBOX:is_smaller(10000):add_flags({'$Done'})
older = far.INBOX:is_older(10) + far.INBOX:is_newer(1)
exist, recent, unseen, uidnext = far.INBOX:check_status()
print('left ' .. exist .. ' unseen ' .. unseen .. ' next ' .. uidnext .. ' of these days ' .. #older)
"""


def test_imapfilter_moves_marks_copies_and_deletes_by_rules(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"invoice-1", b"invoice-2", b"spam", b"news"))
    with office.tap() as tap:
        said = run(office, owner, tap, RULES)
        assert tap.verbs >= {"UID SEARCH", "UID STORE", "UID COPY", "CREATE", "SUBSCRIBE", "EXPUNGE"}
    assert "mailboxes Archive Drafts INBOX Junk Sent Trash" in said
    assert "left 1 unseen 1 next 5 of these days 1" in said
    assert len(office.messages(owner, "Work/Invoices")) == 2
    assert [b"Subject: news" in octets for octets in office.messages(owner)] == [True]
    assert [b"Subject: news" in octets for octets in office.messages(owner, "Archive")] == [True]
    assert office.flags(owner) == [b"\\Flagged $Done"]


FOLLOW = """
before = far.INBOX:is_new()
woken, event = far.INBOX:enter_idle()
print('woken ' .. tostring(woken) .. ' for ' .. #far.INBOX:is_unseen())
"""


def test_imapfilter_is_woken_by_idle(office: Office, owner: Owner) -> None:
    with office.tap() as tap:
        bring = threading.Thread(target=lambda: tap.wait_for("IDLE") and office.bring(owner, *letters(b"one")))
        bring.start()
        said = run(office, owner, tap, FOLLOW)
        bring.join()
    assert "woken true for 1" in said
