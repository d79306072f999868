"""What is kept: verified, backed up, restored; mail in and out of files. Without a server."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest

from hongyan.cli.backend import open_backend
from hongyan.cli.commands import Where
from tests.support.cli import Cli


def write_mbox(path: Path, count: int) -> Path:
    with path.open("wb") as file:
        for number in range(count):
            flags = b"Status: RO\n" if number % 2 else b""
            head = b"From a@b.test Mon Nov 23 08:05:0%d 2026\nSubject: n%d\n" % (number % 10, number)
            file.write(head + flags + b"\nbody\n\n")
    return path


@pytest.fixture
def mail(cli: Cli, tmp_path: Path) -> Cli:
    """Data with some mail in them."""
    cli.json("import", "bob@geese.test", str(write_mbox(tmp_path / "in.mbox", 7)))
    return cli


def tallies(answer: dict[str, list[dict[str, object]]]) -> dict[object, tuple[object, object]]:
    return {tally["mailbox"]: (tally["stored"], tally["present"]) for tally in answer["mailboxes"]}


def test_how_long_it_takes_is_known_from_the_beginning(mail: Cli, tmp_path: Path) -> None:
    for method, parameters in (("store.verify", {}), ("store.backup", {"target": str(tmp_path / "backup")})):
        told: list[tuple[int, int]] = []
        with open_backend(Where(data=mail.data)) as backend:
            backend.call(method, parameters, lambda done, total, told=told: told.append((done, total)))
        done, total = told[-1]
        assert done == total > 7


def test_an_import_that_is_begun_again_stores_nothing_twice_but_what_came_twice(cli: Cli, tmp_path: Path) -> None:
    file = write_mbox(tmp_path / "in.mbox", 150)
    file.write_bytes(file.read_bytes() * 2)
    assert tallies(cli.json("import", "bob@geese.test", str(file), "--dry-run")) == {"INBOX": (300, 0)}
    assert tallies(cli.json("import", "bob@geese.test", str(file))) == {"INBOX": (300, 0)}
    assert tallies(cli.json("import", "bob@geese.test", str(file))) == {"INBOX": (0, 300)}
    assert tallies(cli.json("import", "bob@geese.test", str(file), "--mailbox", "Old/雁")) == {"Old/雁": (300, 0)}


def test_what_is_exported_as_maildir_is_imported_as_it_was(mail: Cli, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert tallies(mail.json("export", "bob@geese.test", out))["INBOX"] == (7, 0)
    assert tallies(mail.json("export", "bob@geese.test", out))["INBOX"] == (0, 7)
    mail.json("account", "add", "cleo@geese.test")
    mail.json("import", "cleo@geese.test", out)
    again = str(tmp_path / "again")
    mail.json("export", "cleo@geese.test", again)
    first, second = (
        sorted(
            (path.read_bytes(), path.name.rpartition(":2,")[2], path.stat().st_mtime)
            for path in Path(top).rglob("cur/*")
        )
        for top in (out, again)
    )
    assert len(first) == 7
    assert first == second


def test_what_is_exported_as_mbox_others_can_read(mail: Cli, tmp_path: Path) -> None:
    answer = mail.json("export", "bob@geese.test", str(tmp_path / "out"), "--format", "mbox", "--mailbox", "INBOX")
    assert tallies(answer) == {"INBOX": (7, 0)}
    box = mailbox.mbox(tmp_path / "out" / "INBOX.mbox")
    assert [(message["subject"], "R" in message.get_flags()) for message in box][:2] == [("n0", False), ("n1", True)]
    box.close()


def test_an_export_names_the_keywords_that_its_format_has_no_place_for(cli: Cli, tmp_path: Path) -> None:
    keywords = [f"word{number:02d}" for number in range(28)]
    fields = f"Subject: many\nX-Keywords: {' '.join(keywords)}\n"
    source = tmp_path / "in.mbox"
    source.write_text(f"From a@b.test Mon Nov 23 08:05:00 2026\n{fields}\nbody\n\n")
    cli.json("import", "bob@geese.test", str(source))
    out = str(tmp_path / "out")
    for written in (1, 0):
        inbox = cli.json("export", "bob@geese.test", out, "--mailbox", "INBOX", code=3)["mailboxes"][0]
        assert (inbox["stored"], sorted(inbox["keywords_left_out"].values())) == (written, [1, 1])
    told = cli("export", "bob@geese.test", out)
    assert told.code == 3
    assert all(keyword in told.out for keyword in inbox["keywords_left_out"])
    cli.json("account", "add", "cleo@geese.test")
    cli.json("import", "cleo@geese.test", out)
    again = cli.json("export", "cleo@geese.test", str(tmp_path / "again"), "--mailbox", "INBOX")["mailboxes"][0]
    assert again["keywords_left_out"] == {}
    mbox = cli.json("export", "bob@geese.test", str(tmp_path / "mbox"), "--format", "mbox", "--mailbox", "INBOX")
    assert mbox["mailboxes"][0]["keywords_left_out"] == {}
    assert all(keyword in (tmp_path / "mbox" / "INBOX.mbox").read_text() for keyword in keywords)


def test_mailboxes_whose_names_look_alike_as_files_are_written_to_their_own(mail: Cli, tmp_path: Path) -> None:
    for name in ("a.b", "a_b", "x/c.d", "x/c_d"):
        mail.json("import", "bob@geese.test", str(write_mbox(tmp_path / "in.mbox", len(name))), "--mailbox", name)
    tallied = tallies(mail.json("export", "bob@geese.test", str(tmp_path / "out"), "--format", "mbox"))
    files = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.mbox")}
    assert len(files) == len(tallied)
    written = sum(path.read_text().count("Subject:") for path in files.values())
    assert written == sum(int(str(stored)) for stored, _ in tallied.values())


def test_what_cannot_be_imported_or_exported_is_said(mail: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert mail.json("import", "bob@geese.test", str(tmp_path / "empty"), code=1)["error"]["kind"] == "not-found"
    assert mail.json("import", "bob@geese.test", str(tmp_path / "none"), code=2)["error"]
    assert mail.json("import", "nobody@geese.test", str(tmp_path / "in.mbox"), code=1)["error"]["kind"] == "not-found"
    assert mail.json("export", "bob@geese.test", str(tmp_path), "--mailbox", "None", code=1)["error"]


def test_a_verification_says_that_all_is_whole_or_what_is_not(mail: Cli) -> None:
    report = mail.json("verify")
    assert (report["sound"], report["messages"], report["findings"]) == (True, 7, [])
    (segment,) = (mail.data / "blobs").glob("*.segment")
    octets = bytearray(segment.read_bytes())
    octets[len(octets.rstrip(b"\0")) - 10] ^= 0xFF
    segment.write_bytes(octets)
    report = mail.json("verify", code=3)
    assert report["counts"] == {"message-unreadable": 1}
    assert "message-unreadable" in mail("verify").out
    mail.json("verify", "--repair", code=3)
    assert mail.json("verify")["messages"] == 7  # a message stands in for the one that was set aside


def test_a_backup_is_restored_with_mail_accounts_and_keys(mail: Cli, tmp_path: Path) -> None:
    backup, data = tmp_path / "backup", tmp_path / "restored"
    assert mail.json("backup", str(backup), "--dry-run")["dry_run"] is True
    assert not backup.exists()
    assert mail.json("backup", str(backup))["copied_octets"] > 0
    assert mail.json("backup", str(backup))["copied_octets"] == 0
    assert mail.json("restore", str(backup), str(data), "--dry-run", on_data=False)["dry_run"] is True
    assert mail.json("restore", str(backup), str(data), on_data=False) == {"data": str(data)}
    restored = Cli(data)
    assert restored.json("verify")["messages"] == 7
    assert (data / "server.key").read_bytes() == (mail.data / "server.key").read_bytes()
    wanted = [where.json("domain", "dns", "geese.test")["records"] for where in (restored, mail)]
    assert wanted[0] == wanted[1]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (data, data / "server.key", backup / "keys" / "server.key"))


def test_nothing_is_restored_over_something_or_from_what_is_no_backup(mail: Cli, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    mail.json("backup", str(backup))
    refused = mail.json("restore", str(backup), str(mail.data), on_data=False, code=1)
    assert refused["error"]["kind"] == "already-exists"
    (backup / "keys" / "server.key").unlink()
    refused = mail.json("restore", str(backup), str(tmp_path / "new"), on_data=False, code=1)
    assert refused["error"]["kind"] == "not-found"
    assert not (tmp_path / "new").exists()
    assert mail.json("backup", str(mail.data / "within"), code=1)["error"]["kind"] == "refused"
