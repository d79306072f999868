"""Mounts that nobody else sees: a mount namespace of this process and its children, which ends with them."""

from __future__ import annotations

__all__ = ["bind", "enter_private_namespace", "mount", "mount_tmpfs", "unmount"]

import ctypes
import os
from pathlib import Path

_CLONE_NEWNS = 0x0002_0000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 1 << 14, 1 << 18
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def enter_private_namespace() -> None:
    """From now on what is mounted here, and by our children, is seen by nobody else. Before any thread begins."""
    _call("unshare", _CLONE_NEWNS)
    _call("mount", b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None)


def mount(source: str, target: Path, kind: str, options: str, *, flags: int = _MS_NOSUID | _MS_NODEV) -> None:
    """Mount a file system."""
    _call("mount", source.encode(), bytes(target), kind.encode(), ctypes.c_ulong(flags), options.encode())


def mount_tmpfs(target: Path, octets: int) -> None:
    """Mount a small disk that lies in memory."""
    mount("tmpfs", target, "tmpfs", f"size={octets},mode=0700")


def bind(source: Path, target: Path) -> None:
    """Let a file be seen in the place of another."""
    mount(str(source), target, "", "", flags=_MS_BIND)


def unmount(target: Path) -> None:
    """Unmount now, whoever still holds a file there."""
    _call("umount2", bytes(target), _MNT_DETACH)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
