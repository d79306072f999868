"""Pages with checksums: a file whose octets changed on the disk is noticed when such a page is read.

SQLite itself notices only what makes no sense to it; of flipped octets in a list of messages, hardly any. Its extension
`cksumvfs`, which APSW brings along, writes a checksum into the last eight octets of each page and compares it with what
it reads. Where the extension is missing, files are as they always were.
"""

from __future__ import annotations

__all__ = ["SUM_OCTETS", "find_summing_vfs"]

import threading
from functools import cache

import apsw
import apsw.sqlite_extra

from hongyan import telemetry

SUM_OCTETS = 8
"""What each page keeps free for its checksum."""

_EXTENSION, _VFS = "cksumvfs", "cksmvfs"
_SYSTEM = "unix"

_loading = threading.Lock()
log = telemetry.logger("store")


def find_summing_vfs() -> str | None:
    """Return the name of the VFS that writes and compares checksums; None if there is none here."""
    with _loading:
        return _load()


@cache
def _load() -> str | None:
    usual = apsw.vfs_names()[0]
    try:
        apsw.set_default_vfs(_SYSTEM)  # It takes what is the default beneath itself,
        connection = apsw.Connection(":memory:")
        try:
            apsw.sqlite_extra.load(connection, _EXTENSION)
        finally:
            connection.close()
            apsw.set_default_vfs(usual)  # and makes itself the default, for which nobody has asked.
    except (apsw.Error, LookupError, OSError, apsw.sqlite_extra.NotAvailable) as error:
        log.warning("page-sums-missing", error=error)
        return None
    return _VFS
