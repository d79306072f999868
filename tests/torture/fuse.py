"""The forgetful disk, mounted: the kernel's requests of /dev/fuse, answered from a `Volume` in memory.

It runs as a process of its own, `python -m tests.torture.fuse DIRECTORY`, and is told by lines of JSON on standard
input what is to happen to it: `freeze` (nothing more is answered: the power is gone), `cut` (come back with what was
kept), `fail` and `mend`. Each line is answered by one. The kernel sends every write(2) at once; what programs write by
mmap comes when the kernel likes, or with msync: a disk may have it or not.
"""

from __future__ import annotations

__all__ = ["Fault", "ForgetfulDisk", "main"]

import errno
import json
import os
import random
import select
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.torture import fuse_wire as wire
from tests.torture.fuse_wire import Opcode, SetAttr
from tests.torture.mounts import mount, unmount
from tests.torture.volume import Directory, File, Node, Volume

_FOREVER = 1 << 30
_KEEP_CACHE = 2
_BIG_WRITES, _ATOMIC_TRUNCATE, _MAX_PAGES = 1 << 5, 1 << 3, 1 << 22
_BLOCKS = 1 << 26
_MODIFYING = frozenset(
    {
        Opcode.SETATTR,
        Opcode.MKNOD,
        Opcode.MKDIR,
        Opcode.UNLINK,
        Opcode.RMDIR,
        Opcode.RENAME,
        Opcode.RENAME2,
        Opcode.LINK,
        Opcode.WRITE,
        Opcode.CREATE,
        Opcode.TMPFILE,
    }
)

Answer = bytes | memoryview


@dataclass(slots=True)
class Fault:
    """What fails: `sync`, `write` or `modify` (everything that a read-only file system refuses)."""

    what: str
    error: int
    suffix: str = ""
    times: int = -1


class ForgetfulDisk:
    """One mount, and the volume beneath it."""

    def __init__(self, mountpoint: Path, *, sync_seconds: float = 0.0) -> None:
        self._mountpoint = mountpoint
        self._sync_seconds = sync_seconds
        self._chance = random.Random(0)
        self.volume = Volume()
        self.faults: list[Fault] = []
        self.syncs = 0
        self.fd = -1
        self._handles: dict[int, int] = {}  # of each open file: how many failures of its syncs were told by it
        self._last_handle = 0
        self._answers: dict[int, Callable[[Node, bytes], Answer]] = {
            Opcode.INIT: self._init,
            Opcode.LOOKUP: self._lookup,
            Opcode.GETATTR: self._getattr,
            Opcode.SETATTR: self._setattr,
            Opcode.MKNOD: self._mknod,
            Opcode.MKDIR: self._mkdir,
            Opcode.UNLINK: self._unlink,
            Opcode.RMDIR: self._rmdir,
            Opcode.RENAME: self._rename,
            Opcode.RENAME2: self._rename2,
            Opcode.LINK: self._link,
            Opcode.OPEN: self._open,
            Opcode.OPENDIR: self._open,
            Opcode.READ: self._read,
            Opcode.WRITE: self._write,
            Opcode.STATFS: self._statfs,
            Opcode.RELEASE: self._release,
            Opcode.RELEASEDIR: _nothing,
            Opcode.FSYNC: self._fsync,
            Opcode.FSYNCDIR: self._fsyncdir,
            Opcode.SYNCFS: self._syncfs,
            Opcode.READDIR: self._readdir,
            Opcode.CREATE: self._create,
            Opcode.TMPFILE: self._tmpfile,
            Opcode.DESTROY: _nothing,
        }

    # -- from outside

    def mount(self) -> None:
        """Show the volume to the system."""
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.fd},rootmode={stat.S_IFDIR:o},user_id=0,group_id=0,allow_other"
        mount("hongyan-torture", self._mountpoint, "fuse", options)

    def unmount(self) -> None:
        """Take it away; whoever waits for an answer gets an error."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            unmount(self._mountpoint)

    def cut(self, seed: int) -> None:
        """The power went: come back with what was kept."""
        self.unmount()
        self.volume = self.volume.after_cut(random.Random(seed))
        self.faults.clear()
        self.mount()

    def serve_one(self) -> bool:
        """Answer one request; false when the file system was unmounted."""
        try:
            request = os.read(self.fd, wire.MAX_WRITE + 8192)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                return True
            if error.errno == errno.ENODEV:
                return False
            raise
        _length, opcode, unique, number, _uid, _gid, _pid, _ext, _pad = wire.HEADER.unpack_from(request)
        body = request[wire.HEADER.size :]
        if opcode in wire.NO_REPLY:
            self._forget(opcode, number, body)
            return True
        answer: Answer = b""
        failed = 0
        try:
            answer = self._answer(opcode, number, body)
        except OSError as fault:
            failed = fault.errno or errno.EIO
        reply = wire.REPLY.pack(wire.REPLY.size + len(answer), -failed, unique)
        try:
            os.writev(self.fd, (reply, answer))
        except OSError as fault:
            if fault.errno != errno.ENOENT:  # who asked is gone
                raise
        return True

    def _answer(self, opcode: int, number: int, body: bytes) -> Answer:
        answer = self._answers.get(opcode)
        if answer is None:
            raise OSError(errno.ENOSYS, "")
        node = self.volume.nodes.get(number)
        if node is None and opcode != Opcode.INIT:
            raise OSError(errno.ESTALE, "")
        if opcode in _MODIFYING:
            self._meet("modify", node)
        return answer(node or self.volume.root, body)

    def _meet(self, what: str, node: Node | None) -> None:
        """Fail if this is to fail."""
        for fault in self.faults:
            if fault.what == what and fault.times and self._is_named(node, fault.suffix):
                fault.times -= 1
                raise OSError(fault.error, os.strerror(fault.error))

    def _is_named(self, node: Node | None, suffix: str) -> bool:
        if not suffix:
            return True
        return node is not None and any(
            number == node.number and name.endswith(suffix.encode())
            for directory in self.volume.nodes.values()
            if isinstance(directory, Directory)
            for name, number in directory.entries.items()
        )

    # -- requests

    def _init(self, _node: Node, body: bytes) -> Answer:
        _major, minor, readahead, flags = wire.INIT.unpack_from(body)
        wanted = flags & (_BIG_WRITES | _MAX_PAGES | _ATOMIC_TRUNCATE)
        pages = wire.MAX_WRITE // 4096
        return wire.INIT_REPLY.pack(7, min(minor, 31), readahead, wanted, 16, 12, wire.MAX_WRITE, 1, pages, 0, 0, 0)

    def _lookup(self, node: Node, body: bytes) -> Answer:
        return self._entry(self._find(_directory(node), wire.names(body)[0]))

    def _find(self, directory: Directory, name: bytes) -> Node:
        number = directory.entries.get(name)
        if number is None:
            raise OSError(errno.ENOENT, "")
        return self.volume.nodes[number]

    def _entry(self, node: Node) -> bytes:
        node.lookups += 1
        return wire.ENTRY_REPLY.pack(node.number, 0, _FOREVER, _FOREVER, 0, 0) + wire.attr_octets(node)

    def _forget(self, opcode: int, number: int, body: bytes) -> None:
        forgotten = []
        if opcode == Opcode.FORGET:
            forgotten = [(number, wire.FORGET.unpack_from(body)[0])]
        elif opcode == Opcode.BATCH_FORGET:
            count, _ = wire.BATCH_FORGET.unpack_from(body)
            forgotten = [wire.FORGET_ONE.unpack_from(body, 8 + 16 * at) for at in range(count)]
        for one, lookups in forgotten:
            node = self.volume.nodes.get(one)
            if node is not None:
                node.lookups -= lookups
                self.volume.forget(node)

    def _getattr(self, node: Node, _body: bytes) -> Answer:
        return wire.ATTR_REPLY.pack(_FOREVER, 0, 0) + wire.attr_octets(node)

    def _setattr(self, node: Node, body: bytes) -> Answer:
        fields = wire.SETATTR.unpack_from(body)
        valid, size, mode, uid, gid = fields[0], fields[3], fields[11], fields[13], fields[14]
        if valid & SetAttr.MODE:
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        if valid & SetAttr.UID:
            node.uid = uid
        if valid & SetAttr.GID:
            node.gid = gid
        if valid & SetAttr.SIZE:
            self._meet("write", node)
            _file(node).resize(size)
        return self._getattr(node, b"")

    def _mknod(self, node: Node, body: bytes) -> Answer:
        mode = wire.MKNOD.unpack_from(body)[0]
        made = self.volume.make_file(mode) if stat.S_ISREG(mode) else self.volume.make_special(mode)
        return self._name(_directory(node), wire.names(body[wire.MKNOD.size :])[0], made)

    def _mkdir(self, node: Node, body: bytes) -> Answer:
        made = self.volume.make_directory(wire.MKDIR.unpack_from(body)[0])
        return self._name(_directory(node), wire.names(body[wire.MKDIR.size :])[0], made)

    def _name(self, directory: Directory, name: bytes, node: Node) -> bytes:
        self.volume.link(directory, name, node)
        return self._entry(node)

    def _unlink(self, node: Node, body: bytes) -> Answer:
        (name,) = wire.names(body)
        self._find(_directory(node), name)
        self.volume.unlink(_directory(node), name)
        return b""

    def _rmdir(self, node: Node, body: bytes) -> Answer:
        if _directory(self._find(_directory(node), wire.names(body)[0])).entries:
            raise OSError(errno.ENOTEMPTY, "")
        return self._unlink(node, body)

    def _rename(self, node: Node, body: bytes) -> Answer:
        (target,) = wire.RENAME.unpack_from(body)
        return self._move(node, target, wire.names(body[wire.RENAME.size :]), 0)

    def _rename2(self, node: Node, body: bytes) -> Answer:
        target, flags, _ = wire.RENAME2.unpack_from(body)
        return self._move(node, target, wire.names(body[wire.RENAME2.size :]), flags)

    def _move(self, node: Node, target: int, names: list[bytes], flags: int) -> Answer:
        old, new = names
        source, goal = _directory(node), _directory(self.volume.nodes[target])
        self._find(source, old)
        if flags & ~1:
            raise OSError(errno.EINVAL, "")
        if flags & 1 and new in goal.entries:
            raise OSError(errno.EEXIST, "")
        self.volume.rename(source, old, goal, new)
        return b""

    def _link(self, node: Node, body: bytes) -> Answer:
        (number,) = wire.LINK.unpack_from(body)
        return self._name(_directory(node), wire.names(body[wire.LINK.size :])[0], self.volume.nodes[number])

    def _open(self, node: Node, body: bytes) -> Answer:
        if isinstance(node, File) and int.from_bytes(body[:4], "little") & os.O_TRUNC:
            self._meet("modify", node)
            node.resize(0)
        return self._handle(node)

    def _handle(self, node: Node) -> bytes:
        self._last_handle += 1
        if isinstance(node, File):
            self._handles[self._last_handle] = node.failures
        return wire.OPEN_REPLY.pack(self._last_handle, _KEEP_CACHE, 0)

    def _release(self, _node: Node, body: bytes) -> Answer:
        self._handles.pop(wire.RELEASE.unpack_from(body)[0], None)
        return b""

    def _create(self, node: Node, body: bytes) -> Answer:
        made = self.volume.make_file(wire.CREATE.unpack_from(body)[1])
        name = wire.names(body[wire.CREATE.size :])[0]
        return self._name(_directory(node), name, made) + self._handle(made)

    def _tmpfile(self, _node: Node, body: bytes) -> Answer:
        made = self.volume.make_file(wire.CREATE.unpack_from(body)[1])
        return self._entry(made) + self._handle(made)

    def _read(self, node: Node, body: bytes) -> Answer:
        _handle, at, size, *_ = wire.READ.unpack_from(body)
        return bytes(_file(node).content[at : at + size])

    def _write(self, node: Node, body: bytes) -> Answer:
        _handle, at, size, *_ = wire.WRITE.unpack_from(body)
        self._meet("write", node)
        _file(node).write(at, body[wire.WRITE.size : wire.WRITE.size + size])
        return wire.WRITE_REPLY.pack(size, 0)

    def _statfs(self, _node: Node, _body: bytes) -> Answer:
        free = 0 if any(fault.what == "write" and fault.error == errno.ENOSPC for fault in self.faults) else _BLOCKS
        return wire.STATFS_REPLY.pack(_BLOCKS, free, free, 1 << 20, 1 << 20, 4096, 255, 4096)

    def _fsync(self, node: Node, body: bytes) -> Answer:
        """Sync; a failure is told once by every descriptor that was open then, as Linux does."""
        self._spin()
        file, handle = _file(node), wire.FSYNC.unpack_from(body)[0]
        try:
            self._meet("sync", node)
            file.sync()
        except OSError:
            file.lose()
        told = self._handles.get(handle, file.failures)
        self._handles[handle] = file.failures
        if told < file.failures:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return b""

    def _fsyncdir(self, node: Node, _body: bytes) -> Answer:
        self._spin()
        try:
            self._meet("sync", node)
        except OSError:
            self.volume.lose_names(_directory(node))
            raise
        self.volume.sync_directory(_directory(node))
        return b""

    def _syncfs(self, _node: Node, _body: bytes) -> Answer:
        self.volume.sync_everything()
        return b""

    def _spin(self) -> None:
        """A disk takes its time."""
        self.syncs += 1
        if self._sync_seconds:
            time.sleep(self._chance.uniform(0, self._sync_seconds))

    def _readdir(self, node: Node, body: bytes) -> Answer:
        _handle, at, size, *_ = wire.READ.unpack_from(body)
        listed = bytearray()
        for place, (name, number) in enumerate(list(_directory(node).entries.items())[at:], at + 1):
            entry = wire.dirent(self.volume.nodes[number], name, place)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return bytes(listed)


def _nothing(_node: Node, _body: bytes) -> Answer:
    return b""


def _directory(node: Node) -> Directory:
    if not isinstance(node, Directory):
        raise OSError(errno.ENOTDIR, "")
    return node


def _file(node: Node) -> File:
    if not isinstance(node, File):
        raise OSError(errno.EISDIR if isinstance(node, Directory) else errno.EINVAL, "")
    return node


class _Remote:
    """Standard input and output: what is to happen, and that it did."""

    def __init__(self, disk: ForgetfulDisk) -> None:
        self._disk = disk
        self._rest = b""
        self.is_frozen = False
        self.is_open = True

    def receive(self) -> None:
        octets = os.read(0, 65536)
        if not octets:
            self.is_open = False
            return
        *lines, self._rest = (self._rest + octets).split(b"\n")
        for line in lines:
            answer = self._obey(json.loads(line))
            os.write(1, json.dumps(answer).encode() + b"\n")

    def _obey(self, said: dict[str, object]) -> dict[str, object]:
        disk = self._disk
        match said:
            case {"do": "freeze"}:
                self.is_frozen = True
            case {"do": "cut", "seed": int(seed)}:
                disk.cut(seed)
                self.is_frozen = False
            case {"do": "fail", "what": str(what), "error": int(error), "suffix": str(suffix), "times": int(times)}:
                disk.faults.append(Fault(what, error, suffix, times))
            case {"do": "mend"}:
                disk.faults.clear()
        return {"syncs": disk.syncs, "octets": disk.volume.octets}


def main() -> None:
    """Mount, and serve until standard input ends."""
    mountpoint, sync_seconds = Path(sys.argv[1]), float(sys.argv[2])
    disk = ForgetfulDisk(mountpoint, sync_seconds=sync_seconds)
    disk.mount()
    remote = _Remote(disk)
    os.write(1, b"{}\n")
    try:
        while remote.is_open:
            waiting = [0] if remote.is_frozen else [0, disk.fd]
            ready, _, _ = select.select(waiting, [], [])
            if 0 in ready:
                remote.receive()
            elif not disk.serve_one():
                return
    finally:
        disk.unmount()


if __name__ == "__main__":
    main()
