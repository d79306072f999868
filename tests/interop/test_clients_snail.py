"""S-nail: a session of the classic mail program over IMAP, POP3 and submission."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner, letters
from tests.support.tap import Tap

pytestmark = pytest.mark.interop

SNAIL = ("s-nail", "libsasl2-modules")
MAILRC = """
set v15-compat sendwait noheader quiet
set tls-ca-file={authority} tls-ca-no-defaults tls-verify=strict
set from={address} imap-delim=/
set mta=smtps://{user}:{password}@localhost:{submissions} smtp-auth=plain
set folder=imaps://{user}:{password}@localhost:{port}
set record=+Sent
set keep dot
"""


def converse(office: Office, owner: Owner, tap: Tap, *commands: str, folder: str = "+INBOX") -> str:
    """Open the account, say commands, quit; return what was shown."""
    parts = {"user": owner.address.replace("@", "%40"), "password": owner.secret.replace(" ", "%20")}
    config = MAILRC.format(
        authority=office.authority,
        address=owner.address,
        submissions=office.port("submissions"),
        port=tap.port,
        **parts,
    )
    environment = {"MAILRC": str(office.write("mailrc", config)), "TERM": "dumb", "USER": "root"}
    given = "".join(f"{command}\n" for command in (f"folder {folder}", *commands, "quit")).encode()
    return office.run(SNAIL, "s-nail", "-n", "-N", "-#", given=given, environment=environment)


def test_snail_reads_marks_copies_moves_searches_and_deletes(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two", b"three", b"four"))
    act = ("headers", "type 1", "flag 1", "copy 2 +Archive", "move 3 +Archive", "search '(subject four)'", "delete 4")
    with office.tap() as tap:
        shown = converse(office, owner, tap, *act, "folder +Archive", "headers", "imap NOOP")
        assert tap.verbs >= {"UID FETCH", "UID STORE", "UID SEARCH", "APPEND", "CLOSE"}
    assert "Subject: one\nMessage-ID: <one@elsewhere.test>" in shown
    found, archived = (line for line in shown.splitlines() if "▸" in line and ("four" in line or "two" in line))
    assert "   four" in found
    assert "   two" in archived
    assert office.flags(owner) == [b"\\Flagged \\Seen", b"\\Seen"]
    assert len(office.messages(owner, "Archive")) == 2


def test_snail_sends_and_keeps_a_copy_in_sent(office: Office, owner: Owner) -> None:
    with office.tap() as tap:
        converse(office, owner, tap, f"mail {owner.address}\n~s geese\nHonk.\n.")
    (message,) = office.wait_for(owner, 1)
    assert b"\r\nSubject: geese\r\n" in message
    (copy,) = office.messages(owner, "Sent")
    assert copy.rstrip() in message


def test_snail_reads_and_deletes_by_pop3(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one", b"two"))
    with office.tap("pop3s") as tap:
        address, secret = owner.address.replace("@", "%40"), owner.secret.replace(" ", "%20")
        folder = f"pop3s://{address}:{secret}@localhost:{tap.port}"
        shown = converse(office, owner, tap, "type 2", "delete 1", folder=folder)
        assert "DELE 1" in tap.lines
    assert "Subject: two" in shown
    assert [b"Subject: two" in octets for octets in office.messages(owner)] == [True]
