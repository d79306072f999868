"""The words that the kernel and a file system in user space exchange by /dev/fuse (linux/fuse.h, version 7.31)."""

from __future__ import annotations

__all__ = [
    "ATTR_REPLY",
    "BATCH_FORGET",
    "CREATE",
    "ENTRY_REPLY",
    "FORGET",
    "FORGET_ONE",
    "FSYNC",
    "HEADER",
    "INIT",
    "INIT_REPLY",
    "LINK",
    "MAX_WRITE",
    "MKDIR",
    "MKNOD",
    "NO_REPLY",
    "OPEN_REPLY",
    "READ",
    "RELEASE",
    "RENAME",
    "RENAME2",
    "REPLY",
    "SETATTR",
    "STATFS_REPLY",
    "WRITE",
    "WRITE_REPLY",
    "Opcode",
    "SetAttr",
    "attr_octets",
    "dirent",
    "names",
]

import stat
import struct
import time
from enum import IntEnum, IntFlag

from tests.torture.volume import Directory, File, Node

MAX_WRITE = 1 << 20

HEADER = struct.Struct("<IIQQIIIHH")  # length, opcode, unique, node, uid, gid, pid, extensions, padding
REPLY = struct.Struct("<IiQ")  # length, error, unique
INIT = struct.Struct("<IIII")  # major, minor, readahead, flags
INIT_REPLY = struct.Struct("<IIIIHHIIHHII24x")
ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
ATTR_REPLY = struct.Struct("<QII")  # how long it is valid; then the attributes
ENTRY_REPLY = struct.Struct("<QQQQII")  # node, generation, validities; then the attributes
OPEN_REPLY = struct.Struct("<QII")
READ = WRITE = struct.Struct("<QQIIQII")  # handle, offset, size, …
WRITE_REPLY = struct.Struct("<II")
SETATTR = struct.Struct("<IIQQQQQQIIIIIIII")
CREATE = struct.Struct("<IIII")  # flags, mode, umask, …
MKNOD = struct.Struct("<IIII")  # mode, device, umask, …
MKDIR = struct.Struct("<II")  # mode, umask
RENAME = struct.Struct("<Q")
RENAME2 = struct.Struct("<QII")
LINK = struct.Struct("<Q")
STATFS_REPLY = struct.Struct("<QQQQQIII28x")
FSYNC = struct.Struct("<QII")  # handle, flags
RELEASE = struct.Struct("<QIIQ")  # handle, …
FORGET = struct.Struct("<Q")
BATCH_FORGET = struct.Struct("<II")
FORGET_ONE = struct.Struct("<QQ")
DIRENT = struct.Struct("<QQII")

_BLOCK = 512


class Opcode(IntEnum):
    """What the kernel asks for."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    RENAME2 = 45
    SYNCFS = 50
    TMPFILE = 51


NO_REPLY = frozenset({Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT})


class SetAttr(IntFlag):
    """Which attributes are to be set."""

    MODE = 1
    UID = 2
    GID = 4
    SIZE = 8


def attr_octets(node: Node) -> bytes:
    """Return a node's attributes."""
    size = len(node.content) if isinstance(node, File) else 0
    now = int(time.time())
    links = max(node.links, 0) + isinstance(node, Directory)
    blocks = (size + _BLOCK - 1) // _BLOCK
    return ATTR.pack(
        *(node.number, size, blocks, now, now, now, 0, 0, 0),
        *(node.mode, links, node.uid, node.gid, 0, 4096, 0),
    )


def dirent(node: Node, name: bytes, offset: int) -> bytes:
    """Return an entry of a listing; `offset` is where the next one begins."""
    entry = DIRENT.pack(node.number, offset, len(name), stat.S_IFMT(node.mode) >> 12) + name
    return entry + bytes(-len(entry) % 8)


def names(octets: bytes) -> list[bytes]:
    """Return names that each end with NUL."""
    return octets.split(b"\0")[:-1]
