"""Maildir++: a message a file, a mailbox a directory with `new`, `cur` and `tmp`; INBOX is the top, `.Sent.2024` below.

The letters after ":2," are flags; keywords are letters from a to z that the file `dovecot-keywords` explains. The time
of a file is the message's internal date. Names of mailboxes are in modified UTF-7 (RFC 3501 §5.1.3).

There are 26 letters for keywords in a mailbox and no more: messages lose those that came later, and the writer tells
which.

A message is written under a name that follows from its UIDVALIDITY and UID: what was interrupted goes on where it was.
"""

from __future__ import annotations

__all__ = ["Folder", "MaildirWriter", "find_folders", "is_maildir"]

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hongyan.migrate.carried import Carried, from_file, to_file
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.mailbox_name import INBOX, from_modified_utf7, to_modified_utf7

_LETTERS = {
    "D": "\\Draft",
    "F": "\\Flagged",
    "P": "$Forwarded",
    "R": "\\Answered",
    "S": "\\Seen",
    "T": "\\Deleted",
}
_KEYWORDS = "dovecot-keywords"
_KEYWORD_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NOT_IN_A_NAME = re.compile(r"[./\x00]")


def is_maildir(path: Path) -> bool:
    """Whether a directory is a mailbox in this format."""
    return (path / "cur").is_dir() and (path / "new").is_dir()


@dataclass(frozen=True, slots=True)
class Folder:
    """A mailbox on disk."""

    name: str
    path: Path

    def count(self) -> int:
        """Return how many messages there are."""
        return sum(1 for _ in self._files())

    def read(self, *, most: int) -> Iterator[Carried | None]:
        """Yield the messages, the oldest first; None in the place of one with more than `most` octets."""
        keywords = _read_keywords(self.path)
        for file, status in sorted(self._files(), key=lambda pair: (pair[1].st_mtime, pair[0].name)):
            if status.st_size > most:
                yield None
                continue
            with contextlib.suppress(FileNotFoundError):  # another program took it away meanwhile
                octets = from_file(file.read_bytes())
                date = datetime.fromtimestamp(int(status.st_mtime), UTC)
                yield Carried(octets, _flags_of(file.name, keywords), date)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for part in ("new", "cur"):
            for entry in os.scandir(self.path / part):
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def find_folders(top: Path) -> list[Folder]:
    """Return the mailboxes of a Maildir++, INBOX first."""
    found = [Folder(INBOX, top)] if is_maildir(top) else []
    below = [path for path in sorted(top.iterdir()) if path.name.startswith(".") and is_maildir(path)]
    return found + [Folder(_decode_name(path.name[1:]), path) for path in below]


@dataclass(slots=True)
class MaildirWriter:
    """Writes the messages of one mailbox, each once, however often it is run.

    `left_out` counts the messages that have a keyword for which there was no letter.
    """

    top: Path
    name: str
    uidvalidity: int
    left_out: Counter[str] = field(default_factory=Counter)
    _letters: dict[str, str] = field(default_factory=dict)
    _present: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self._path / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._letters = {keyword: letter for letter, keyword in _read_keywords(self._path).items()}
        self._present = {entry.name.partition(":")[0] for entry in os.scandir(self._path / "cur")}

    @property
    def _path(self) -> Path:
        return self.top if self.name == INBOX else self.top / f".{_encode_name(self.name)}"

    def write(self, uid: int, message: Carried) -> bool:
        """Write a message, whole or not at all; return whether it was not there yet."""
        unique = self._unique(uid)
        letters = self._letters_of(message.flags)
        if unique in self._present:
            return False
        making = self._path / "tmp" / unique
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(to_file(message.octets))
        if message.date is not None:
            seconds = message.date.timestamp()
            os.utime(making, (seconds, seconds))
        making.rename(self._path / "cur" / f"{unique}:2,{letters}")
        self._present.add(unique)
        return True

    def _unique(self, uid: int) -> str:
        return f"{self.uidvalidity}.{uid}.hongyan"

    def _letters_of(self, flags: tuple[str, ...]) -> str:
        system = {flag: letter for letter, flag in _LETTERS.items()}
        letters = {system[flag] for flag in flags if flag in system}
        letters |= {letter for flag in flags if flag not in system and (letter := self._letter_of(flag))}
        return "".join(sorted(letters))

    def _letter_of(self, keyword: str) -> str:
        """Return the letter of a keyword; none, when all letters are taken."""
        if keyword not in self._letters and not keyword.startswith("\\"):
            free = [letter for letter in _KEYWORD_LETTERS if letter not in self._letters.values()]
            if not free:
                self.left_out[keyword] += 1
                return ""
            self._letters[keyword] = free[0]
            lines = [f"{_KEYWORD_LETTERS.index(letter)} {known}\n" for known, letter in self._letters.items()]
            (self._path / _KEYWORDS).write_text("".join(lines))
        return self._letters.get(keyword, "")


def _flags_of(name: str, keywords: Mapping[str, str]) -> tuple[str, ...]:
    letters = name.rpartition(":2,")[2] if ":2," in name else ""
    known = (_LETTERS.get(letter) or keywords.get(letter) for letter in letters)
    return tuple(flag for flag in known if flag)


def _read_keywords(path: Path) -> dict[str, str]:
    """Return what the letters mean."""
    try:
        lines = (path / _KEYWORDS).read_text(errors="replace").splitlines()
    except OSError:
        return {}
    words = [line.split() for line in lines]
    return {
        _KEYWORD_LETTERS[int(pair[0])]: pair[1]
        for pair in words
        if len(pair) == 2 and pair[0].isdigit() and int(pair[0]) < len(_KEYWORD_LETTERS)
    }


def _decode_name(name: str) -> str:
    levels = name.split(".")
    return "/".join(map(_decode_level, levels))


def _decode_level(level: str) -> str:
    try:
        return from_modified_utf7(level.encode())
    except (CommandFault, UnicodeEncodeError):
        return level  # as some programs write it: UTF-8


def _encode_name(name: str) -> str:
    """Return the directory of a mailbox. What would part levels, or lead elsewhere, is written as an underscore."""
    return ".".join(to_modified_utf7(_NOT_IN_A_NAME.sub("_", level)).decode() for level in name.split("/"))
