"""Maildir: what others wrote is understood, and what is written others read; what was interrupted goes on."""

from __future__ import annotations

import mailbox
import os
from datetime import UTC, datetime
from pathlib import Path

from hongyan.migrate.carried import Carried
from hongyan.migrate.maildir import MaildirWriter, find_folders

DATE = datetime(2026, 11, 23, 8, 5, 9, tzinfo=UTC)
MOST = 1 << 20


def make(path: Path, **files: bytes) -> None:
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True, exist_ok=True)
    for number, (name, octets) in enumerate(files.items()):
        part, _, unique = name.partition("_")
        file = path / part / unique.replace("__", ":2,")
        file.write_bytes(octets)
        os.utime(file, (DATE.timestamp() + number, DATE.timestamp() + number))


def test_folders_flags_keywords_and_dates_are_read(tmp_path: Path) -> None:
    make(tmp_path, cur_1__FRSa=b"Subject: 1\n\nx\n", new_2=b"Subject: 2\n\ny\n")
    (tmp_path / "dovecot-keywords").write_text("0 geese\n1 other\n")
    make(tmp_path / ".Sent.2024", cur_3__S=b"Subject: 3\r\n\r\nz\r\n")
    make(tmp_path / ".&lsE-")
    inbox, geese, sent = find_folders(tmp_path)
    assert [inbox.name, geese.name, sent.name] == ["INBOX", "雁", "Sent/2024"]
    assert list(inbox.read(most=MOST)) == [
        Carried(b"Subject: 1\r\n\r\nx\r\n", ("\\Flagged", "\\Answered", "\\Seen", "geese"), DATE),
        Carried(b"Subject: 2\r\n\r\ny\r\n", (), DATE.replace(second=10)),
    ]
    assert list(sent.read(most=MOST)) == [Carried(b"Subject: 3\r\n\r\nz\r\n", ("\\Seen",), DATE)]
    assert list(sent.read(most=5)) == [None]


def test_links_and_hidden_files_are_no_messages(tmp_path: Path) -> None:
    make(tmp_path, cur_1__S=b"x\n")
    (tmp_path / "cur" / "link").symlink_to("/etc/passwd")
    (tmp_path / "cur" / ".hidden").write_text("x")
    assert find_folders(tmp_path)[0].count() == 1


def test_what_is_written_is_read_back_and_written_once(tmp_path: Path) -> None:
    message = Carried(b"Subject: x\r\n\r\ny\r\n", ("\\Seen", "$Forwarded", "geese"), DATE)
    writer = MaildirWriter(tmp_path, "Old/雁", 7)
    writer.write(1, message)
    again = MaildirWriter(tmp_path, "Old/雁", 7)
    assert not again.write(1, message)
    (folder,) = find_folders(tmp_path)
    assert folder.name == "Old/雁"
    (found,) = folder.read(most=MOST)
    assert found is not None
    assert (found.octets, set(found.flags), found.date) == (message.octets, set(message.flags), DATE)
    assert [path.name for path in (tmp_path / ".Old.&lsE-" / "tmp").iterdir()] == []


def test_names_that_would_lead_elsewhere_stay_within(tmp_path: Path) -> None:
    for name in ("../evil", "a/../../b", ".", "x\0y"):
        MaildirWriter(tmp_path / "top", name, 1).write(1, Carried(b"x\r\n"))
    assert {path.name for path in tmp_path.iterdir()} == {"top"}


def test_keywords_beyond_the_alphabet_are_left_out_and_told_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        writer = MaildirWriter(tmp_path, "INBOX", 1)
        for number in range(30):
            writer.write(number, Carried(b"x\r\n", (f"word{number:02d}", "\\Seen", "word29")))
        assert writer.left_out == {"word25": 1, "word26": 1, "word27": 1, "word28": 1}
    found = [message.flags for message in find_folders(tmp_path)[0].read(most=MOST) if message]
    assert {flag for flags in found for flag in flags} == {"\\Seen", "word29", *(f"word{n:02d}" for n in range(25))}


def test_another_reader_finds_the_same_messages_and_flags(tmp_path: Path) -> None:
    MaildirWriter(tmp_path, "INBOX", 1).write(5, Carried(b"Subject: x\r\n\r\ny\r\n", ("\\Seen", "\\Flagged"), DATE))
    (message,) = mailbox.Maildir(tmp_path, create=False)
    assert message["subject"] == "x"
    assert set(message.get_flags()) == {"S", "F"}  # type: ignore[attr-defined]
