"""Whose fault is it? Three roots, so that each kind of error is met in one place.

    HongyanError
    ├── PeerFault          a program at the other end broke the protocol; expected, cheap, logged at debug
    ├── UserFault          somebody asked for what they may not have or what does not exist; expected
    │   ├── NotFound
    │   ├── AlreadyExists
    │   ├── Refused        not allowed
    │   ├── OverLimit      too many, too large, too often
    │   └── OverQuota      the account is full
    └── ServerFault        ours: pages somebody
        ├── StorageFull        no room on the disk, or it is read-only: try later
        ├── StorageFailed      the disk did not keep what it was given
        ├── Corrupt            what was stored cannot be read back
        ├── Conflict           somebody else was first; the unit of work may be tried again
        ├── Unavailable        an engine or another machine cannot be reached
        └── ConfigurationError the configuration names something impossible

An error that reaches a stranger carries a sentence for them, and for us a cause. The sentence
names no path, no setting and no other account.
"""

from __future__ import annotations

__all__ = [
    "AlreadyExists",
    "ConfigurationError",
    "Conflict",
    "Corrupt",
    "HongyanError",
    "NotFound",
    "OverLimit",
    "OverQuota",
    "PeerFault",
    "Refused",
    "ServerFault",
    "StorageFailed",
    "StorageFull",
    "Unavailable",
    "UserFault",
]


class HongyanError(Exception):
    """The root. `sentence` may be shown to strangers; `cause` is for the log."""

    def __init__(self, sentence: str = "", *, cause: str = "") -> None:
        super().__init__(sentence or cause)
        self.sentence = sentence
        self.cause = cause

    @property
    def kind(self) -> str:
        """The name of the error as programs read it: that of `NotFound` is `not-found`."""
        name = type(self).__name__
        return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class PeerFault(HongyanError):
    """The peer broke the protocol."""


class UserFault(HongyanError):
    """Somebody asked for what cannot be given."""


class NotFound(UserFault):
    """There is no such thing."""


class AlreadyExists(UserFault):
    """The name is taken."""


class Refused(UserFault):
    """It is not allowed."""


class OverLimit(UserFault):
    """Too many, too large or too often."""


class OverQuota(OverLimit):
    """The account has no room for it."""


class ServerFault(HongyanError):
    """Our fault, or our machine's."""


class StorageFull(ServerFault):
    """No room is left, or the disk is read-only. Nothing was stored; reading goes on."""


class StorageFailed(ServerFault):
    """A write or a sync failed: what was to be stored is to be taken as lost."""


class Corrupt(ServerFault):
    """What was stored cannot be read back."""


class Conflict(ServerFault):
    """Another unit of work was first. It may be tried again from fresh facts."""


class Unavailable(ServerFault):
    """An engine or another machine cannot be reached now."""


class ConfigurationError(ServerFault):
    """The configuration names something impossible: file, line and remedy are in the sentence."""
