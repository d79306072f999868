"""A file system that keeps only what was synced: the model of a disk whose power may go at any moment.

Each file has what processes see and what the disk surely holds; between them lie the writes since the last sync. At a
cut the disk may have taken any of those on its own: every sector of 512 octets stands at some moment of its own
history since the sync, and so does the file's size. Names are kept as a journal keeps them: a directory that was
synced has its names, of the others a first part of what was done, perhaps nothing. That is less than ext4 gives
(there, to sync a new file also keeps its name) and what POSIX promises.

A sync that fails has lost what it was to write: processes go on seeing it, the disk never gets it.
"""

from __future__ import annotations

__all__ = ["SECTOR", "Directory", "File", "Node", "Special", "Volume"]

import random
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

SECTOR = 512
ROOT = 1


class Fate(Enum):
    """What became of a file's writes since its last sync."""

    NONE = "none of them"
    ALL = "all of them"
    FIRST = "the first ones, the last of these torn"
    SCATTERED = "any sector at any moment of its history"


_WEIGHTS = {Fate.NONE: 40, Fate.ALL: 15, Fate.FIRST: 15, Fate.SCATTERED: 30}


@dataclass(slots=True)
class Write:
    """Octets that were written."""

    at: int
    octets: bytes

    @property
    def end(self) -> int:
        return self.at + len(self.octets)


@dataclass(slots=True)
class Resize:
    """A file that was cut off or made longer."""

    size: int


@dataclass(slots=True)
class Node:
    """What files and directories have in common; `number` is the inode's."""

    number: int
    mode: int
    uid: int = 0
    gid: int = 0
    links: int = 0
    kept_links: int = 0
    lookups: int = 0


N = TypeVar("N", bound=Node)


@dataclass(slots=True)
class Special(Node):
    """A socket or a pipe: only its name is of interest."""


@dataclass(slots=True)
class File(Node):
    """A regular file."""

    content: bytearray = field(default_factory=bytearray)
    kept: bytearray = field(default_factory=bytearray)
    pending: list[Write | Resize] = field(default_factory=list)
    failures: int = 0

    def write(self, at: int, octets: bytes) -> None:
        """Write, as processes see it."""
        change = Write(at, octets)
        _apply(self.content, change)
        self.pending.append(change)

    def resize(self, size: int) -> None:
        """Cut off or make longer."""
        change = Resize(size)
        _apply(self.content, change)
        self.pending.append(change)

    def sync(self) -> None:
        """Keep what was written so far."""
        for change in self.pending:
            _apply(self.kept, change)
        self.pending.clear()

    def lose(self) -> None:
        """A sync has failed: what was to be kept never will be. Each who has the file open is to be told once."""
        self.pending.clear()
        self.failures += 1

    def after_cut(self, fate: Fate, chance: random.Random) -> bytearray:
        """Return what the disk holds after the power went."""
        left = bytearray(self.kept)
        match fate:
            case Fate.NONE:
                pass
            case Fate.ALL:
                for change in self.pending:
                    _apply(left, change)
            case Fate.FIRST:
                _apply_first(left, self.pending, chance)
            case Fate.SCATTERED:
                left = _scatter(left, self.pending, chance)
        return left


@dataclass(slots=True)
class Directory(Node):
    """Names, as processes see them and as they are kept."""

    entries: dict[bytes, int] = field(default_factory=dict)
    kept: dict[bytes, int] = field(default_factory=dict)


@dataclass(slots=True)
class _NameChange:
    """Names that change at once: one, or both of a rename. None: the name is gone."""

    names: list[tuple[Directory, bytes, int | None]]


class Volume:
    """A tree of files and directories."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {}
        self._last = 0
        self._pending: list[_NameChange] = []
        self.root = self._add(Directory(0, stat.S_IFDIR | 0o755))
        self.root.links = self.root.kept_links = 2

    # -- what processes do

    def make_file(self, mode: int) -> File:
        """Make a file that has no name yet."""
        return self._add(File(0, stat.S_IFREG | stat.S_IMODE(mode)))

    def make_directory(self, mode: int) -> Directory:
        """Make a directory that has no name yet."""
        return self._add(Directory(0, stat.S_IFDIR | stat.S_IMODE(mode)))

    def make_special(self, mode: int) -> Special:
        """Make a socket or a pipe that has no name yet."""
        return self._add(Special(0, mode))

    def link(self, directory: Directory, name: bytes, node: Node) -> None:
        """Give a node a name."""
        self._change((directory, name, node.number))

    def unlink(self, directory: Directory, name: bytes) -> None:
        """Take a name away."""
        self._change((directory, name, None))

    def rename(self, source: Directory, old: bytes, target: Directory, new: bytes) -> None:
        """Move a name, over another one perhaps."""
        self._change((source, old, None), (target, new, source.entries[old]))

    def sync_directory(self, directory: Directory) -> None:
        """Keep the directory's names. A rename into or out of it takes what was done before in the other with it."""
        wanted = {directory.number}
        for change in reversed(self._pending):
            touched = {place.number for place, _, _ in change.names}
            if touched & wanted:
                wanted |= touched
        waiting = []
        for change in self._pending:
            if any(place.number in wanted for place, _, _ in change.names):
                self._keep(change)
            else:
                waiting.append(change)
        self._pending = waiting

    def lose_names(self, directory: Directory) -> None:
        """A sync of the directory has failed."""
        self._pending = [one for one in self._pending if all(place is not directory for place, _, _ in one.names)]

    def sync_everything(self) -> None:
        """Keep all there is."""
        for change in self._pending:
            self._keep(change)
        self._pending = []
        for node in self.nodes.values():
            if isinstance(node, File):
                node.sync()

    def forget(self, node: Node) -> None:
        """Nobody holds the node any more; drop it if it has no name."""
        if node.links <= 0 and node.kept_links <= 0 and node.lookups <= 0 and node is not self.root:
            if any(number == node.number for change in self._pending for _, _, number in change.names):
                return
            self.nodes.pop(node.number, None)

    @property
    def octets(self) -> int:
        """How much lies in the files that have names."""
        return sum(len(node.content) for node in self.nodes.values() if isinstance(node, File) and node.links > 0)

    # -- the cut

    def after_cut(self, chance: random.Random) -> Volume:
        """Return the volume as it is found when the power is back."""
        self._keep_some_names(chance)
        found = Volume()
        made: dict[int, Node] = {ROOT: found.root}
        for node in self._kept_nodes():
            if node is not self.root:
                made[node.number] = found._add(self._survivor(node, chance))
        for node in self._kept_nodes():
            directory = made[node.number]
            if isinstance(node, Directory) and isinstance(directory, Directory):
                for name, number in node.kept.items():
                    found.link(directory, name, made[number])
        found.sync_everything()
        return found

    def _survivor(self, node: Node, chance: random.Random) -> Node:
        match node:
            case Directory():
                return Directory(0, node.mode, node.uid, node.gid)
            case File():
                (fate,) = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
                left = node.after_cut(fate, chance)
                return File(0, node.mode, node.uid, node.gid, content=left, kept=bytearray(left))
            case _:
                return Special(0, node.mode, node.uid, node.gid)

    def _keep_some_names(self, chance: random.Random) -> None:
        """A journal keeps names in the order in which they were given: some of the first, all or none."""
        count = chance.choice((0, 0, len(self._pending), chance.randint(0, len(self._pending))))
        for change in self._pending[:count]:
            self._keep(change)
        self._pending = []

    def _kept_nodes(self) -> Iterator[Node]:
        """Yield what can be reached by names that are kept, each once, directories before what is in them."""
        seen, waiting = {ROOT}, [ROOT]
        while waiting:
            node = self.nodes[waiting.pop()]
            yield node
            if isinstance(node, Directory):
                fresh = set(node.kept.values()) - seen
                seen |= fresh
                waiting += sorted(fresh)

    # -- parts

    def _add(self, node: N) -> N:
        self._last += 1
        node.number = self._last
        self.nodes[node.number] = node
        return node

    def _change(self, *names: tuple[Directory, bytes, int | None]) -> None:
        for directory, name, number in names:
            before = directory.entries.pop(name, None)
            if before is not None:
                self.nodes[before].links -= 1
            if number is not None:
                directory.entries[name] = number
                self.nodes[number].links += 1
        self._pending.append(_NameChange(list(names)))

    def _keep(self, change: _NameChange) -> None:
        for directory, name, number in change.names:
            before = directory.kept.pop(name, None)
            if before is not None:
                self.nodes[before].kept_links -= 1
            if number is not None:
                directory.kept[name] = number
                self.nodes[number].kept_links += 1
            if before is not None:
                self.forget(self.nodes[before])


def _apply(content: bytearray, change: Write | Resize) -> None:
    match change:
        case Write():
            if len(content) < change.at:
                content.extend(bytes(change.at - len(content)))
            content[change.at : change.end] = change.octets
        case Resize():
            del content[change.size :]
            content.extend(bytes(change.size - len(content)))


def _apply_first(content: bytearray, changes: list[Write | Resize], chance: random.Random) -> None:
    """Apply a first part of the changes, the last of them in part."""
    count = chance.randint(0, len(changes))
    for change in changes[:count]:
        _apply(content, change)
    if count < len(changes) and isinstance(change := changes[count], Write):
        torn = chance.randrange(len(change.octets) + 1)
        torn -= (change.at + torn) % SECTOR
        if torn > 0:
            _apply(content, Write(change.at, change.octets[:torn]))


def _scatter(content: bytearray, changes: list[Write | Resize], chance: random.Random) -> bytearray:
    """Take each sector, and the size, from a moment of its own."""
    size, sizes = len(content), [len(content)]
    for change in changes:
        size = max(size, change.end) if isinstance(change, Write) else change.size
        sizes.append(size)
    until: dict[int, int] = {}

    def moment(sector: int) -> int:
        if sector not in until:
            until[sector] = chance.randint(0, len(changes))
        return until[sector]

    content.extend(bytes(max(sizes) - len(content)))
    for number, change in enumerate(changes):
        start, end = (change.at, change.end) if isinstance(change, Write) else (change.size, len(content))
        for sector in range(start // SECTOR, (end + SECTOR - 1) // SECTOR):
            if moment(sector) <= number:
                continue
            low, high = max(start, sector * SECTOR), min(end, (sector + 1) * SECTOR)
            if isinstance(change, Write):
                content[low:high] = change.octets[low - change.at : high - change.at]
            else:
                content[low:high] = bytes(high - low)
    del content[chance.choice(sizes) :]
    return content
