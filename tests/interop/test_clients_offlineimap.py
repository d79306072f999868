"""OfflineIMAP 3: an account and a Maildir are kept the same, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clients import Office, Owner, files_of, letters
from tests.support.tap import Tap

pytestmark = pytest.mark.interop

CONFIG = """
[general]
accounts = all
metadata = {home}/state
ui = basic
[Account all]
localrepository = near
remoterepository = far
utf8foldernames = yes
[Repository near]
type = Maildir
localfolders = {home}/mail
sep = /
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {address}
remotepass = {secret}
ssl = yes
sslcacertfile = {authority}
usecompression = {compression}
"""


def sync(office: Office, owner: Owner, tap: Tap, *, compression: str = "no") -> None:
    """Synchronise; the tap then knows what this run said."""
    tap.forget()
    config = CONFIG.format(
        home=office.home,
        port=tap.port,
        address=owner.address,
        secret=owner.secret,
        authority=office.authority,
        compression=compression,
    )
    said = office.run(("offlineimap3",), "offlineimap", "-o", "-c", office.write("offlineimaprc", config))
    assert "ERROR" not in said, said


def fetched(tap: Tap) -> int:
    """How many messages were asked for."""
    return sum("BODY.PEEK[]" in command for command in tap.commands)


def file_with(folder: Path, subject: str) -> Path:
    return next(file for file in files_of(folder) if f"Subject: {subject}".encode() in file.read_bytes())


def mark(file: Path, flags: str) -> None:
    """Set the flags of a message of a Maildir."""
    file.rename(file.parent.parent / "cur" / f"{file.name.partition(':')[0]}:2,{flags}")


def test_offlineimap_fetches_nothing_twice_and_carries_flags_and_deletions_both_ways(
    office: Office, owner: Owner
) -> None:
    inbox = office.home / "mail" / "INBOX"
    office.bring(owner, *letters(b"one", b"two", b"three", b"four"))
    with office.tap() as tap:
        sync(office, owner, tap)
        assert fetched(tap) == 4
        sync(office, owner, tap)
        assert fetched(tap) == 0
        assert not tap.verbs & {"UID STORE", "STORE", "EXPUNGE", "APPEND"}

        mark(file_with(inbox, "one"), "FS")
        file_with(inbox, "two").unlink()
        with office.imap(owner) as imap:
            imap.select("INBOX")
            imap.uid("STORE", "3", "+FLAGS", "(\\Answered)")
            imap.uid("STORE", "4", "+FLAGS", "(\\Deleted)")
            imap.expunge()
        sync(office, owner, tap)
        assert fetched(tap) == 0
        assert sorted(office.flags(owner)) == [b"\\Answered", b"\\Flagged \\Seen"]
        assert [file.name.partition(":2,")[2] for file in files_of(inbox)].count("R") == 1
        assert len(files_of(inbox)) == 2


def test_offlineimap_settles_what_both_sides_changed_since(office: Office, owner: Owner) -> None:
    inbox = office.home / "mail" / "INBOX"
    office.bring(owner, *letters(b"one", b"two"))
    with office.tap() as tap:
        sync(office, owner, tap)
        mark(file_with(inbox, "one"), "F")
        mark(file_with(inbox, "two"), "S")
        with office.imap(owner) as imap:
            imap.select("INBOX")
            imap.uid("STORE", "1", "+FLAGS", "(\\Answered)")
            imap.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
            imap.expunge()
        sync(office, owner, tap)
        sync(office, owner, tap)
        assert not tap.verbs & {"UID STORE", "STORE", "EXPUNGE", "APPEND"}
    assert office.flags(owner) == [b"\\Answered \\Flagged"]
    assert [file.name.partition(":2,")[2] for file in files_of(inbox)] == ["FR"]


def test_offlineimap_makes_mailboxes_on_the_other_side_and_stores_what_is_new_here(
    office: Office, owner: Owner
) -> None:
    with office.tap() as tap:
        sync(office, owner, tap)
        for folder in ("cur", "new", "tmp"):
            (office.home / "mail" / "工作" / folder).mkdir(parents=True)
        (office.home / "mail" / "工作" / "cur" / "1.test:2,S").write_bytes(letters(b"kept")[0].replace(b"\r\n", b"\n"))
        with office.imap(owner) as imap:
            imap.create("&lsFP4Q-/&lsE-")
            imap.append("&lsFP4Q-/&lsE-", None, None, letters(b"far")[0])
        sync(office, owner, tap)
        assert tap.verbs >= {"CREATE", "APPEND"}
        assert b"Subject: kept" in office.messages(owner, "&XeVPXA-")[0]
        assert office.flags(owner, "&XeVPXA-") == [b"\\Seen"]
        assert file_with(office.home / "mail" / "雁信" / "雁", "far")
        sync(office, owner, tap)
        assert not tap.verbs & {"UID STORE", "CREATE", "APPEND"}
        assert fetched(tap) == 0


def test_offlineimap_speaks_over_a_compressed_connection(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one"))
    with office.tap() as tap:
        sync(office, owner, tap, compression="yes")
        assert "COMPRESS" in tap.verbs
    assert len(files_of(office.home / "mail" / "INBOX")) == 1
