"""What of a blob is not served, in the words of `schema`.

`skipped` octets at its beginning are not: what is served of them stands in the prefix. That is so for a header from
which forged Authentication-Results were left out (RFC 8601 §5); the blob keeps all that came.
"""

from __future__ import annotations

__all__ = ["SERVED"]

SERVED = ("ALTER TABLE emails ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0",)
