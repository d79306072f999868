"""`import` and `export`: the mail of an account, from files and to files. Both go on where they were interrupted."""

from __future__ import annotations

__all__ = ["export_mail", "import_mail"]

import base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from hongyan.cli.acting import Bar, show_progress
from hongyan.cli.backend import open_backend
from hongyan.cli.calls import Backend, Document
from hongyan.cli.commands import DEGRADED, DONE, WHERE, DryRun, Where, about
from hongyan.cli.fault import CommandFault, UsageFault
from hongyan.cli.screen import print_json, print_table, tell
from hongyan.cli.words import say
from hongyan.migrate.carried import Carried
from hongyan.migrate.maildir import Folder, MaildirWriter, find_folders
from hongyan.migrate.mbox import read_mbox, write_message

Format = Literal["mbox", "maildir"]

_INBOX = "INBOX"
_BATCH = 8 << 20  # octets
_TOGETHER = 100  # messages


@dataclass(slots=True)
class _Tally:
    """What became of the messages of a mailbox."""

    mailbox: str
    stored: int = 0
    present: int = 0
    too_large: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Keywords that the format has no place for, and how many messages have each."""

    def as_json(self) -> Document:
        return {
            "mailbox": self.mailbox,
            "stored": self.stored,
            "present": self.present,
            "too_large": self.too_large,
            "keywords_left_out": dict(self.left_out),
        }


def import_mail(
    address: Annotated[str, about("The account's address.")],
    source: Annotated[Path, about("An mbox file, a Maildir, or a directory of mbox files.")],
    /,
    *,
    mailbox: Annotated[str | None, about("Bring all of it into this mailbox; else each into its own.")] = None,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Bring mail into an account. Begun again, it stores nothing twice."""
    sources = list(_find_sources(source))
    if not sources:
        raise CommandFault("not-found", f"{source} is neither an mbox nor a Maildir.")
    tallies = []
    with open_backend(where) as backend, show_progress(quiet=where.json) as bar:
        largest = backend.call("mail.mailboxes", {"address": address}, bar)["largest"]
        for name, messages in sources:
            target = _Target(backend, address, mailbox or name, bar, dry_run=dry_run)
            target.take(messages.read(most=int(str(largest))))
            tallies.append(target.tally)
    _print_tallies(tallies, as_json=where.json, dry_run=dry_run)
    return DEGRADED if any(tally.too_large for tally in tallies) else DONE


def export_mail(
    address: Annotated[str, about("The account's address.")],
    target: Annotated[Path, about("The directory to write to.")],
    /,
    *,
    form: Annotated[Format, about("How it is written.", name="--format")] = "maildir",
    mailbox: Annotated[str | None, about("This mailbox alone.")] = None,
    dry_run: DryRun = False,
    where: Where = WHERE,
) -> int:
    """Write the mail of an account to files. Exit code 3: some keywords have no place there."""
    tallies: list[_Tally] = []
    written: set[Path] = set()
    with open_backend(where) as backend, show_progress(quiet=where.json) as bar:
        boxes = _list(backend.call("mail.mailboxes", {"address": address}, bar)["mailboxes"])
        meant = [box for box in boxes if mailbox in (None, box["name"])]
        if not meant:
            raise CommandFault("not-found", "There is no such mailbox.")
        for box in meant:
            tally = _Tally(str(box["name"]))
            if dry_run:
                tally.stored = int(str(box["messages"]))
            elif form == "maildir":
                _write_maildir(backend, address, box, target, bar, tally)
            else:
                path = _mbox_path(target, str(box["name"]), written)
                _write_mbox(backend, address, box, path, bar, tally)
            tallies.append(tally)
    _print_tallies(tallies, as_json=where.json, dry_run=dry_run)
    return DEGRADED if any(tally.left_out for tally in tallies) else DONE


# -- in


@dataclass(frozen=True, slots=True)
class _MboxFile:
    path: Path

    def read(self, *, most: int) -> Iterator[Carried | None]:
        with self.path.open("rb") as file:
            yield from read_mbox(file, most=most)


def _find_sources(source: Path) -> Iterator[tuple[str, _MboxFile | Folder]]:
    """Yield what is to be read, with the mailbox that it would be."""
    if source.is_file():
        yield _INBOX, _MboxFile(source)
    elif source.is_dir():
        folders = find_folders(source)
        yield from ((folder.name, folder) for folder in folders)
        if not folders:
            files = sorted(path for path in source.rglob("*.mbox") if path.is_file())
            yield from ((_name_of(path.relative_to(source)), _MboxFile(path)) for path in files)
    else:
        raise UsageFault(f"There is no {source}.")


def _name_of(path: Path) -> str:
    return "/".join(path.with_suffix("").parts)


@dataclass(slots=True)
class _Target:
    """Sends messages in batches. Messages alike are told apart by their count, so that each is stored once."""

    backend: Backend
    address: str
    mailbox: str
    bar: Bar
    dry_run: bool
    tally: _Tally = field(init=False)
    _batch: list[Document] = field(default_factory=list)
    _octets: int = 0
    _seen: Counter[bytes] = field(default_factory=Counter)
    _taken: int = 0

    def __post_init__(self) -> None:
        self.tally = _Tally(self.mailbox)

    def take(self, messages: Iterator[Carried | None]) -> None:
        for message in messages:
            if message is None:
                self.tally.too_large += 1
            else:
                self._add(message)
        self._send()

    def _add(self, message: Carried) -> None:
        digest = sha256(message.octets).digest()
        self._batch.append(
            {
                "octets": base64.b64encode(message.octets).decode(),
                "flags": list(message.flags),
                "date": None if message.date is None else message.date.isoformat(),
                "occurrence": self._seen[digest],
            }
        )
        self._seen[digest] += 1
        self._octets += len(message.octets)
        if self._octets >= _BATCH or len(self._batch) >= _TOGETHER:
            self._send()

    def _send(self) -> None:
        if not self._batch:
            return
        batch, self._batch, self._octets = self._batch, [], 0
        self._taken += len(batch)
        if self.dry_run:
            self.tally.stored += len(batch)
        else:
            parameters = {"address": self.address, "mailbox": self.mailbox, "messages": batch}
            stored = int(str(self.backend.call("mail.append", parameters, self.bar)["stored"]))
            self.tally.stored += stored
            self.tally.present += len(batch) - stored
        self.bar(self._taken, 0)


# -- out


def _write_maildir(backend: Backend, address: str, box: Document, target: Path, bar: Bar, tally: _Tally) -> None:
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    writer = MaildirWriter(target, str(box["name"]), int(str(box["uidvalidity"])))
    for uid, message in _read(backend, address, box, bar):
        if writer.write(uid, message):
            tally.stored += 1
        else:
            tally.present += 1
    tally.left_out = writer.left_out


def _write_mbox(backend: Backend, address: str, box: Document, path: Path, bar: Bar, tally: _Tally) -> None:
    """Write a file beside the one that may be there, and put it in its place when it is whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = path.with_suffix(".new")
    with making.open("wb") as file:
        for _, message in _read(backend, address, box, bar):
            file.write(write_message(message, "MAILER-DAEMON"))
            tally.stored += 1
    making.replace(path)


def _mbox_path(target: Path, name: str, written: set[Path]) -> Path:
    """Return the file of a mailbox, and note it: no two mailboxes share one, though `a.b` and `a_b` look alike."""
    path = target / Path(*(_file_name(level) for level in name.split("/")))
    while path in written:
        path = path.with_name(f"{path.name}_")
    written.add(path)
    return path.with_suffix(".mbox")


def _file_name(level: str) -> str:
    """Return a level of a mailbox's name that leads nowhere else."""
    safe = level.replace("\0", "_").replace(".", "_")
    return safe or "_"


def _read(backend: Backend, address: str, box: Document, bar: Bar) -> Iterator[tuple[int, Carried]]:
    after, done = 0, 0
    while True:
        parameters = {"address": address, "mailbox": box["name"], "after": after}
        messages = _list(backend.call("mail.read", parameters, bar)["messages"])
        if not messages:
            return
        for message in messages:
            after = int(str(message["uid"]))
            flags = message["flags"]
            yield (
                after,
                Carried(
                    base64.b64decode(str(message["octets"])),
                    tuple(map(str, flags)) if isinstance(flags, list) else (),
                    datetime.fromisoformat(str(message["date"])),
                ),
            )
        done += len(messages)
        bar(done, int(str(box["messages"])))


def _print_tallies(tallies: list[_Tally], *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print_json({"mailboxes": [tally.as_json() for tally in tallies], **({"dry_run": True} if dry_run else {})})
        return
    print_table(
        ("mailbox", "written", "there already", "too large"),
        [(tally.mailbox, tally.stored, tally.present, tally.too_large) for tally in tallies],
    )
    for tally in tallies:
        for keyword, messages in tally.left_out.items():
            tell(
                say(
                    "{mailbox}: {messages} messages lost the keyword {keyword}, for a Maildir has room for 26 of them.",
                    mailbox=tally.mailbox,
                    messages=messages,
                    keyword=keyword,
                )
            )
    if dry_run:
        tell(say("It could be done. Nothing was changed."))


def _list(value: object) -> list[Document]:
    return list(value) if isinstance(value, list) else []
