"""Mail over JMAP (RFC 8621): which methods there are, and what the session object says of them."""

from __future__ import annotations

__all__ = ["MAIL", "mail_capability"]

from collections.abc import Mapping

from hongyan.web.jmap.call import Capability, Method
from hongyan.web.jmap.email_search import SORTED_BY
from hongyan.web.jmap.mailbox import mailbox_methods
from hongyan.web.jmap.services import JmapServices
from hongyan.wire.imap.mailbox_name import MAX_LEVELS, MAX_OCTETS

MAIL = "urn:ietf:params:jmap:mail"


def mail_capability(services: JmapServices, of_emails: Mapping[str, Method]) -> Capability:
    """Return the capability (RFC 8621 §1.3.1)."""
    account = {
        "maxMailboxesPerEmail": None,
        "maxMailboxDepth": MAX_LEVELS,
        "maxSizeMailboxName": MAX_OCTETS,
        "maxSizeAttachmentsPerEmail": services.options.max_size_upload,
        "emailQuerySortOptions": list(SORTED_BY),
        "mayCreateTopLevelMailbox": True,
    }
    return Capability(MAIL, {**mailbox_methods(services), **of_emails}, {}, account)
