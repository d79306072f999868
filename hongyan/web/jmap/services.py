"""What the methods of JMAP work with."""

from __future__ import annotations

__all__ = ["JmapServices"]

from dataclasses import dataclass

from hongyan.clock import Clock, Random
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.orderings import Orderings
from hongyan.mailboxes.shared_mail import SharedMail
from hongyan.notify.hub import Hub
from hongyan.store.changes import ChangeStore
from hongyan.web.jmap.options import JmapOptions


@dataclass(frozen=True, slots=True)
class JmapServices:
    """The services, shared with IMAP."""

    mail: Mail
    changes: ChangeStore
    orderings: Orderings
    shared: SharedMail
    hub: Hub
    clock: Clock
    random: Random
    options: JmapOptions
