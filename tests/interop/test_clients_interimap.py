"""interimap and pullimap: two accounts kept alike by QRESYNC and NOTIFY, and mail that is fetched and delivered."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import imapclient
import pytest

from tests.support import debian
from tests.support.clients import Office, Owner, letters
from tests.support.tap import Tap

pytestmark = pytest.mark.interop

PACKAGES = ("interimap", "libdbd-sqlite3-perl", "libio-socket-ssl-perl", "pullimap")
SIDE = """
[{name}]
type = imaps
host = localhost
port = {port}
username = {owner.address}
password = {owner.secret}
SSL_CAfile = {authority}
compress = {compress}
"""


def perl(program: str) -> list[str]:
    """The arguments that run a script which does not take its modules' place from the environment."""
    root = debian.require(*PACKAGES)
    folders = debian.run_environment(root)["PERL5LIB"].split(os.pathsep)
    return ["-T", *(f"-I{folder}" for folder in folders), str(debian.find_program(root, program))]


def configuration(office: Office, local: Owner, remote: Owner, tap: Tap) -> Path:
    sides = {"local": (local, office.port("imaps"), "NO"), "remote": (remote, tap.port, "YES")}
    text = "database = interimap.db\nlist-mailbox = *\n" + "".join(
        SIDE.format(name=name, owner=owner, port=port, compress=compress, authority=office.authority)
        for name, (owner, port, compress) in sides.items()
    )
    (office.home / ".local" / "share" / "interimap").mkdir(parents=True, mode=0o700, exist_ok=True)
    return office.write("interimap.conf", text)


def sync(office: Office, config: Path, *more: str) -> str:
    return office.run(PACKAGES, "perl", *perl("interimap"), "--config", config, *more)


def subjects(office: Office, owner: Owner, mailbox: str = "INBOX") -> list[str]:
    found = (octets.partition(b"Subject: ")[2].partition(b"\r\n")[0] for octets in office.messages(owner, mailbox))
    return sorted(subject.decode() for subject in found)


def test_interimap_carries_to_each_side_what_changed_on_the_other(office: Office, owner: Owner) -> None:
    remote = office.hire()
    office.bring(remote, *letters(b"one", b"two"))
    office.bring(owner, *letters(b"three", b"four", b"five"))
    with office.tap() as tap:
        config = configuration(office, owner, remote, tap)
        assert "Added 3 UID(s) 1:3 -> 3:5" in sync(office, config)
        assert sum(line.startswith(" ()") for line in tap.lines) == 2  # of three messages in one APPEND
        for side, changes in ((owner, ("+FLAGS", r"(\Seen $Work)")), (remote, ("+FLAGS", r"(\Flagged)"))):
            with office.imap(side) as imap:
                imap.select("INBOX")
                imap.store("1:2", *changes)
                imap.store("5", "+FLAGS", r"\Deleted")
                imap.expunge()
        with office.imap(remote) as imap:
            imap.create("&ltE-")
            imap.append("&ltE-", r"(\Draft)", '"01-Jan-2020 00:00:00 +0000"', letters(b"honk")[0])
        tap.forget()
        said = sync(office, config)
        assert "ERROR" not in said
        assert "Conflicting" not in said, "what it stored itself has not changed since"
        assert any(command.startswith("SELECT INBOX (QRESYNC (") for command in tap.commands)
        assert tap.verbs >= {"ENABLE", "COMPRESS", "UID STORE", "UID EXPUNGE"}
        assert 'LIST "" "*" RETURN (SUBSCRIBED STATUS (UIDVALIDITY UIDNEXT HIGHESTMODSEQ))' in tap.commands
        tap.forget()
        sync(office, config)
        assert tap.verbs == {"AUTHENTICATE", "COMPRESS", "ENABLE", "LIST"}, "nothing has changed since"
    assert subjects(office, owner) == subjects(office, remote) == ["four", "one", "three"]
    assert subjects(office, owner, "&ltE-") == ["honk"]
    for side in (owner, remote):
        assert sorted(office.flags(side)) == [b"\\Flagged", b"\\Seen $Work", b"\\Seen $Work"]


def test_interimap_renames_deletes_and_repairs(office: Office, owner: Owner) -> None:
    remote = office.hire()
    office.bring(remote, *letters(b"one", b"two"))
    with office.tap() as tap:
        config = configuration(office, owner, remote, tap)
        sync(office, config)
        sync(office, config, "--rename", "Archive", "Attic")
        sync(office, config, "--delete", "Junk")
        office.bring(owner, *letters(b"three"))
        assert "Added 1 UID(s) 3 -> 3" in sync(office, config, "--repair")
        assert 'LIST "" (Archive Attic)' in tap.commands
        assert tap.verbs >= {"RENAME", "DELETE"}
    for side in (owner, remote):
        with office.imap(side) as imap:
            names = b"".join(imap.list()[1])
        assert b"Attic" in names
        assert b'"Archive"' not in names
        assert b"Junk" not in names
    assert subjects(office, owner) == subjects(office, remote) == ["one", "three", "two"]


def is_told(idle: imapclient.IMAPClient, wanted: object) -> bool:
    """Return whether IDLE tells this, after whatever else it tells."""
    return any(wanted in idle.idle_check(20) for _ in range(5))


def test_interimap_is_told_by_notify_of_mail_flags_and_deletions(office: Office, owner: Owner) -> None:
    remote = office.hire()
    trusted = ssl.create_default_context(cafile=str(office.authority))
    office.bring(remote, *letters(b"one", b"two"))
    with office.tap() as tap:
        config = configuration(office, owner, remote, tap)
        sync(office, config)
        command = [*perl("interimap"), "--config", config, "--watch", "--notify"]
        with (
            office.start(PACKAGES, "perl", *command) as process,
            imapclient.IMAPClient("localhost", office.port("imaps"), ssl_context=trusted, timeout=20) as local,
            office.imap(remote) as imap,
        ):
            local.login(owner.address, owner.secret)
            local.select_folder("INBOX")
            local.idle()
            assert tap.wait_for("NOTIFY")
            imap.select("INBOX")
            imap.store("1", "+FLAGS", r"(\Flagged)")
            assert is_told(local, (1, b"FETCH", (b"UID", 1, b"FLAGS", (b"\\Flagged",))))
            office.bring(remote, *letters(b"three"))
            assert is_told(local, (3, b"EXISTS"))
            imap.store("2", "+FLAGS", r"(\Deleted)")
            imap.expunge()
            assert is_told(local, (2, b"EXPUNGE"))
            local.idle_done()
            assert process.poll() is None
        said = [command for command in tap.commands if command.startswith("NOTIFY")]
    assert said[0].startswith("NOTIFY SET STATUS (")
    assert "(personal (MailboxName SubscriptionChange))" in said[1]
    assert "IDLE" not in tap.verbs
