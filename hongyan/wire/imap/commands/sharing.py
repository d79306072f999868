"""Commands about who may do what with a mailbox, and about what is noted on it: ACL, METADATA, SETQUOTA."""

from __future__ import annotations

__all__ = [
    "DeleteAcl",
    "Depth",
    "GetAcl",
    "GetMetadata",
    "ListRights",
    "MetadataWish",
    "MyRights",
    "SetAcl",
    "SetMetadata",
    "SetQuota",
]

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class SetAcl:
    """SETACL, RFC 4314 §3.1. `mode` is `=`, `+` or `-`; `rights` are letters as they were sent."""

    tag: bytes
    mailbox: str
    identifier: str
    mode: str
    rights: str


@dataclass(frozen=True, slots=True)
class DeleteAcl:
    """DELETEACL, RFC 4314 §3.2."""

    tag: bytes
    mailbox: str
    identifier: str


@dataclass(frozen=True, slots=True)
class GetAcl:
    """GETACL, RFC 4314 §3.3."""

    tag: bytes
    mailbox: str


@dataclass(frozen=True, slots=True)
class ListRights:
    """LISTRIGHTS, RFC 4314 §3.4."""

    tag: bytes
    mailbox: str
    identifier: str


@dataclass(frozen=True, slots=True)
class MyRights:
    """MYRIGHTS, RFC 4314 §3.5."""

    tag: bytes
    mailbox: str


class Depth(Enum):
    """How far below an entry GETMETADATA looks (RFC 5464 §4.2.2)."""

    ENTRY = "0"
    CHILDREN = "1"
    INFINITY = "INFINITY"


@dataclass(frozen=True, slots=True)
class MetadataWish:
    """Which entries are wanted: names in lower case, how far below them, and how large at most (RFC 5464 §4.2)."""

    entries: tuple[str, ...]
    depth: Depth = Depth.ENTRY
    maxsize: int | None = None


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """GETMETADATA, RFC 5464 §4.2. An empty mailbox is the server."""

    tag: bytes
    mailbox: str
    wish: MetadataWish


@dataclass(frozen=True, slots=True)
class SetMetadata:
    """SETMETADATA, RFC 5464 §4.3. None removes an entry."""

    tag: bytes
    mailbox: str
    values: Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class SetQuota:
    """SETQUOTA, RFC 9208 §4.1.3. Names of resources are in capitals; what is not named has no limit."""

    tag: bytes
    root: str
    limits: Mapping[str, int]
