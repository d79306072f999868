"""Programs that others wrote, as clients of a running service: one service for a suite, an account for each test.

A suite has the fixtures by `from tests.support.clients import demo, office, owner` in its conftest.
"""

from __future__ import annotations

__all__ = ["Office", "Owner", "demo", "files_of", "letters", "office", "owner"]

import contextlib
import imaplib
import itertools
import os
import pty
import smtplib
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import imapclient  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.support import debian
from tests.support.server import SECRET, Demo, start_demo
from tests.support.tap import Tap, open_tap

_ACCOUNTS = 200
_SECONDS = 20.0  # after which a program that has not ended has failed

_LETTER = b"From: Goose <goose@elsewhere.test>\r\nSubject: %b\r\nMessage-ID: <%b@elsewhere.test>\r\n\r\nHonk.\r\n"


def letters(*names: bytes) -> list[bytes]:
    """Return messages with these subjects, which are their ids, too."""
    return [_LETTER % (name, name) for name in names]


def files_of(folder: Path) -> list[Path]:
    """Return the messages of a Maildir."""
    return sorted(file for part in ("cur", "new") for file in (folder / part).glob("*"))


@dataclass(frozen=True, slots=True)
class Owner:
    """An account of the demonstration, that one test has to itself."""

    address: str
    secret: str = SECRET


@dataclass
class Office:
    """The running service, and ways to use it that are no program's under test."""

    demo: Demo
    home: Path
    owners: Iterator[int] = field(default_factory=itertools.count)

    @property
    def authority(self) -> Path:
        """The certificate that clients have to trust."""
        return Path(str(self.demo.told["ca"]))

    def port(self, service: str) -> int:
        return self.demo.endpoint(service)[1]

    def hire(self) -> Owner:
        """Return an account that nobody has used."""
        number = next(self.owners)
        assert number < _ACCOUNTS, "the demonstration has no more accounts"
        return Owner(f"u{number:03d}@hongyan.test")

    def bring(self, to: Owner, *messages: bytes) -> None:
        """Let another server bring messages."""
        with smtplib.SMTP("127.0.0.1", self.port("smtp")) as smtp:
            for octets in messages:
                smtp.sendmail("friend@elsewhere.test", [to.address], octets)

    @contextlib.contextmanager
    def imap(self, of: Owner) -> Iterator[imaplib.IMAP4_SSL]:
        """Look into an account by IMAP."""
        context = ssl.create_default_context(cafile=str(self.authority))
        with imaplib.IMAP4_SSL("localhost", self.port("imaps"), ssl_context=context) as imap:
            imap.login(of.address, of.secret)
            yield imap

    def messages(self, of: Owner, mailbox: str = "INBOX") -> list[bytes]:
        """Return the messages of a mailbox."""
        with self.imap(of) as imap:
            imap.select(mailbox, readonly=True)
            _, found = imap.fetch("1:*", "BODY.PEEK[]") if imap.search(None, "ALL")[1][0] else ("OK", [])
            return [part[1] for part in found if isinstance(part, tuple)]

    def wait_for(self, of: Owner, count: int) -> list[bytes]:
        """Return the messages of INBOX when there are so many: IDLE says when to look.

        What comes while IDLE begins is lost by IMAPClient; so it looks each second in any case.
        """
        context = ssl.create_default_context(cafile=str(self.authority))
        with imapclient.IMAPClient("localhost", self.port("imaps"), ssl_context=context, timeout=_SECONDS) as imap:
            imap.login(of.address, of.secret)
            imap.select_folder("INBOX", readonly=True)
            for _ in range(int(_SECONDS)):
                if len(found := imap.search()) >= count:
                    break
                imap.idle()
                imap.idle_check(1)
                imap.idle_done()
            assert len(found) == count
            return [imap.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"] for uid in found]

    @contextlib.contextmanager
    def tap(self, service: str = "imaps") -> Iterator[Tap]:
        """Open another port of a service, at which is written down what clients say."""
        with open_tap(self.authority, self.port(service), tls=service.endswith("s")) as tap:
            yield tap

    def flags(self, of: Owner, mailbox: str = "INBOX") -> list[bytes]:
        """Return the flags of the messages of a mailbox."""
        with self.imap(of) as imap:
            imap.select(mailbox, readonly=True)
            lines = imap.fetch("1:*", "FLAGS")[1]
            return [b" ".join(imaplib.ParseFlags(line)) for line in lines if isinstance(line, bytes)]

    def run(
        self,
        packages: Sequence[str],
        program: str,
        *arguments: str | Path,
        given: bytes = b"",
        ends_with: int = 0,
        environment: Mapping[str, str] | None = None,
        in_place: bool = False,
    ) -> str:
        """Run a program of Debian's packages in a home of its own; return all that it said.

        `in_place` is for programs that look for their files below /usr only, and needs root.
        """
        root = debian.require(*packages)
        command = [str(debian.find_program(root, program)), *map(str, arguments)]
        done = subprocess.run(
            debian.in_place(root, program, *command[1:]) if in_place else command,
            env=self._environment(root, environment or {}),
            cwd=self.home,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        said = done.stdout.decode("utf-8", "replace")
        assert done.returncode == ends_with, f"{program} ended with {done.returncode}:\n{said}"
        return said

    @contextlib.contextmanager
    def start(self, packages: Sequence[str], program: str, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program that goes on until it is ended, which it is here. What it says is in the file `said`."""
        root = debian.require(*packages)
        command = [str(debian.find_program(root, program)), *map(str, arguments)]
        with (
            (self.home / "said").open("wb") as said,
            subprocess.Popen(
                command,
                env=self._environment(root, {}),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def run_on_screen(self, packages: Sequence[str], program: str, *arguments: str | Path) -> str:
        """Run a program that wants a terminal; return what it drew."""
        root = debian.require(*packages)
        master, slave = pty.openpty()
        command = [str(debian.find_program(root, program)), *map(str, arguments)]
        environment = self._environment(root, {"TERM": "xterm", "LINES": "40", "COLUMNS": "120"})
        with subprocess.Popen(
            command, env=environment, cwd=self.home, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        ) as process:
            os.close(slave)
            drawn = bytearray()
            with contextlib.suppress(OSError):  # the end of a terminal that nobody has open
                while octets := os.read(master, 1 << 16):
                    drawn += octets
            process.wait(_SECONDS)
        os.close(master)
        return drawn.decode("utf-8", "replace")

    def write(self, name: str, text: str) -> Path:
        """Write a file of configuration, that only its owner may read."""
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)
        return file

    def _environment(self, root: Path, more: Mapping[str, str]) -> dict[str, str]:
        return debian.run_environment(root) | {"HOME": str(self.home), **more}


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with start_demo("--accounts", str(_ACCOUNTS), "--secret", SECRET, "--limits", "off") as running:
        yield running


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def office(demo: Demo, _numbers: Iterator[int], tmp_path: Path) -> Office:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Office(demo, home, _numbers)


@pytest.fixture
def owner(office: Office) -> Owner:
    return office.hire()
