"""The truth about a mailbox, kept by hand: what commands that were answered OK have made of it."""

from __future__ import annotations

__all__ = ["Message", "ModelMailbox"]

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Message:
    """One message."""

    subject: bytes
    flags: frozenset[bytes] = frozenset()


@dataclass
class ModelMailbox:
    """One mailbox."""

    name: str
    messages: dict[int, Message] = field(default_factory=dict)
    uidnext: int = 1

    def append(self, message: Message) -> int:
        """Put a message in; return its UID."""
        uid = self.uidnext
        self.messages[uid] = message
        self.uidnext += 1
        return uid

    def store(self, uids: Iterable[int], sign: str, flags: frozenset[bytes]) -> None:
        """Change flags of those that are there."""
        for uid in uids:
            message = self.messages.get(uid)
            if message is not None:
                before = message.flags
                message.flags = flags if sign == "" else before | flags if sign == "+" else before - flags

    def having(self, flag: bytes) -> set[int]:
        """Return the UIDs with a flag."""
        return {uid for uid, message in self.messages.items() if flag in message.flags}

    def copy(self, uids: Iterable[int], target: ModelMailbox) -> None:
        """Put copies into another mailbox, in order of UID."""
        for uid in sorted(uids):
            message = self.messages[uid]
            target.append(Message(message.subject, message.flags))
