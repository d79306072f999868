"""What the mail servers of others have in common for a test: a log, and a Maildir that they deliver to."""

from __future__ import annotations

__all__ = ["MailServer"]

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class MailServer:
    """A running server. It logs to `LOG` and delivers to `mail/new` of its folder."""

    folder: Path

    LOG: ClassVar[str] = "log"

    @property
    def log(self) -> str:
        """What it has logged so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / self.LOG).read_text(errors="replace")
        return ""

    def messages(self) -> list[bytes]:
        """The messages that it has delivered for its own domains, as it writes them to disk, the oldest first."""
        files = (self.folder / "mail" / "new").glob("*")
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def wait_for_messages(self, count: int, seconds: float = 30.0) -> list[bytes]:
        """Return the messages when there are `count` of them."""
        deadline = time.monotonic() + seconds
        while len(messages := self.messages()) < count:
            assert time.monotonic() < deadline, f"{len(messages)} of {count} messages arrived\n{self.log}"
            time.sleep(_POLL_SECONDS)
        return messages

    def wait_for_log(self, words: str, seconds: float = 30.0) -> str:
        """Return the log when it holds the words."""
        deadline = time.monotonic() + seconds
        while words not in (log := self.log):
            assert time.monotonic() < deadline, f"{words!r} was not logged\n{log}"
            time.sleep(_POLL_SECONDS)
        return log
