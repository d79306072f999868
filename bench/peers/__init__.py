"""The peers: Postfix takes mail in, Dovecot or Cyrus keeps it, as an administrator who wants speed would set them up.

The templates beside this file are their whole configuration; each line has its reason.
"""

from __future__ import annotations

__all__ = ["PostfixCyrus", "PostfixDovecot", "raised_watches"]

from bench.peers.pair import PostfixCyrus, PostfixDovecot, raised_watches
