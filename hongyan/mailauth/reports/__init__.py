"""Reports that domains send one another: how mail in their name fared (RFC 9990), and how TLS went (RFC 8460).

Documents and the letters that carry them, written and read; where they may be sent. Nothing here is sent or kept.
"""

from __future__ import annotations

__all__: list[str] = []
