"""The server's key: what keyed hashes of app passwords and false SCRAM salts are made with.

One file of 32 random octets in the data directory, mode 0600. It belongs to the data: a backup holds it, every
front end of a fleet has the same one. Without it the stored hashes of app passwords say nothing.
"""

from __future__ import annotations

__all__ = ["derive_key", "load_server_key"]

import contextlib
import hmac
import os
import stat
from pathlib import Path

from hongyan.clock import Random
from hongyan.errors import ConfigurationError, StorageFailed
from hongyan.secret import Secret

_OCTETS = 32


def load_server_key(path: Path, random: Random) -> Secret:
    """Return the key in a file; make it if there is no file. Blocks; for the start only.

    Raises `ConfigurationError` when the file is not a key or somebody else may read it.
    """
    with contextlib.suppress(FileExistsError):
        _make(path, random)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            octets = file.read(_OCTETS + 1)
    except OSError as error:
        raise ConfigurationError(f"The server key {path} cannot be read: {error.strerror}.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigurationError(f"The server key {path} may be read by others: chmod 600 {path}.")
    if len(octets) != _OCTETS:
        raise ConfigurationError(f"{path} is no server key: restore it from a backup.")
    return Secret(octets)


def derive_key(server_key: Secret, purpose: str) -> bytes:
    """Return the key for one purpose: no two uses share one."""
    return hmac.digest(server_key.reveal(), purpose.encode(), "sha256")


def _make(path: Path, random: Random) -> None:
    """Write a new key, whole or not at all. Raises `FileExistsError`."""
    if path.exists():
        raise FileExistsError
    fresh = path.with_name(f"{path.name}.{random.token(6).hex()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(random.token(_OCTETS))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # Unlike a rename, this never replaces the key that another process has made.
        finally:
            fresh.unlink()
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageFailed(cause=f"the server key cannot be made: {error}") from error
