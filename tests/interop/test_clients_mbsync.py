"""mbsync (isync): an account and a Maildir are kept the same, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clients import Office, Owner, files_of, letters

pytestmark = pytest.mark.interop

MBSYNC = ("isync", "libsasl2-modules")
MBSYNCRC = """
IMAPAccount far
Host localhost
Port {port}
User {address}
Pass "{secret}"
SSLType IMAPS
CertificateFile {authority}
AuthMechs {mechanism}

IMAPStore far
Account far

MaildirStore near
SubFolders Verbatim
Path {home}/mail/
Inbox {home}/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


def sync(office: Office, owner: Owner, mechanism: str = "PLAIN") -> str:
    """Synchronise, and return what was said on the wire."""
    (office.home / "mail").mkdir(exist_ok=True)
    office.write(
        "mbsyncrc",
        MBSYNCRC.format(
            port=office.port("imaps"),
            address=owner.address,
            secret=owner.secret,
            authority=office.authority,
            home=office.home,
            mechanism=mechanism,
        ),
    )
    return office.run(MBSYNC, "mbsync", "-Dn", "-c", office.home / "mbsyncrc", "all")


def test_mbsync_keeps_both_sides_the_same_and_fetches_nothing_twice(office: Office, owner: Owner) -> None:
    inbox = office.home / "mail" / "INBOX"
    office.bring(owner, *letters(b"one", b"two", b"three"))
    assert sync(office, owner).count("BODY.PEEK[]") == 3
    assert len(files_of(inbox)) == 3
    again = sync(office, owner)
    assert "BODY" not in again
    assert "UID STORE" not in again

    seen = next(file for file in files_of(inbox) if b"Subject: one" in file.read_bytes())
    seen.rename(inbox / "cur" / f"{seen.name.partition(':')[0]}:2,FS")
    gone = next(file for file in files_of(inbox) if b"Subject: two" in file.read_bytes())
    gone.unlink()
    with office.imap(owner) as imap:
        imap.select("INBOX")
        imap.uid("STORE", "3", "+FLAGS", "(\\Answered)")
    assert "BODY" not in sync(office, owner)
    assert sorted(office.flags(owner)) == [b"\\Answered", b"\\Flagged \\Seen"]
    assert any(file.name.endswith(":2,R") for file in files_of(inbox))
    before = files_of(inbox)
    assert "BODY" not in sync(office, owner)
    assert files_of(inbox) == before


def test_mbsync_makes_mailboxes_on_the_other_side(office: Office, owner: Owner) -> None:
    sync(office, owner)
    for folder in ("cur", "new", "tmp"):
        (office.home / "mail" / "Work" / folder).mkdir(parents=True)
    (office.home / "mail" / "Work" / "new" / "1.test").write_bytes(letters(b"kept")[0].replace(b"\r\n", b"\n"))
    with office.imap(owner) as imap:
        imap.create("&XfJT0ZABkK5O9g-")
        imap.append("&XfJT0ZABkK5O9g-", None, None, letters(b"far")[0])
    sync(office, owner, "SCRAM-SHA-256" if has_scram(office) else "PLAIN")
    assert [b"Subject: kept" in octets for octets in office.messages(owner, "Work")] == [True]
    assert len(files_of(office.home / "mail" / "&XfJT0ZABkK5O9g-")) == 1


def has_scram(office: Office) -> bool:
    """Whether the unpacked SASL library has the mechanism."""
    from tests.support import debian

    return bool(list(debian.require(*MBSYNC).glob("usr/lib/*/sasl2/libscram.so")))


def file_with(folder: Path, subject: str) -> Path:
    return next(file for file in files_of(folder) if f"Subject: {subject}".encode() in file.read_bytes())


def test_mbsync_settles_what_both_sides_changed_since(office: Office, owner: Owner) -> None:
    """Both sides flag one message, and one side deletes what the other flags: nothing is lost, both end alike."""
    inbox = office.home / "mail" / "INBOX"
    office.bring(owner, *letters(b"one", b"two", b"three"))
    sync(office, owner)
    one = file_with(inbox, "one")
    one.rename(inbox / "cur" / f"{one.name.partition(':')[0]}:2,F")
    file_with(inbox, "two").unlink()
    three = file_with(inbox, "three")
    three.rename(inbox / "cur" / f"{three.name.partition(':')[0]}:2,S")
    with office.imap(owner) as imap:
        imap.select("INBOX")
        imap.uid("STORE", "1", "+FLAGS", "(\\Answered)")
        imap.uid("STORE", "2", "+FLAGS", "(\\Seen)")
        imap.uid("STORE", "3", "+FLAGS", "(\\Deleted)")
        imap.expunge()
    sync(office, owner)
    again = sync(office, owner)
    assert "BODY" not in again
    assert "UID STORE" not in again
    assert office.flags(owner) == [b"\\Answered \\Flagged"]
    assert [file.name.partition(":2,")[2] for file in files_of(inbox)] == ["FR"]


def test_mbsync_sends_what_was_written_here_and_learns_its_uid(office: Office, owner: Owner) -> None:
    """APPENDUID spares the search for the message that was just stored (RFC 4315)."""
    sync(office, owner)
    drafts = office.home / "mail" / "Drafts"
    (drafts / "cur" / "1.test:2,DS").write_bytes(letters(b"draft")[0].replace(b"\r\n", b"\n"))
    said = sync(office, owner)
    assert 'APPEND "Drafts"' in said
    assert "[APPENDUID " in said
    assert set(office.flags(owner, "Drafts")[0].split()) == {b"\\Draft", b"\\Seen"}
    assert ",U=1:2,DS" in file_with(drafts, "draft").name
    assert 'APPEND "Drafts"' not in sync(office, owner)
