"""What is written down: every kind of act, as `source:subject:action`."""

from __future__ import annotations

__all__ = ["CLI", "SERVER", "Actor", "AuditEvent"]

from dataclasses import dataclass
from enum import StrEnum


class AuditEvent(StrEnum):
    """The kinds of act that the trail keeps."""

    DOMAIN_ADDED = "directory:domain:added"
    DOMAIN_CHANGED = "directory:domain:changed"
    DOMAIN_REMOVED = "directory:domain:removed"
    ACCOUNT_CREATED = "directory:account:created"
    ACCOUNT_CHANGED = "directory:account:changed"
    ACCOUNT_REMOVED = "directory:account:removed"
    ALIAS_SAVED = "directory:alias:saved"
    ALIAS_REMOVED = "directory:alias:removed"
    IDENTITY_GRANTED = "directory:identity:granted"
    IDENTITY_REVOKED = "directory:identity:revoked"
    QUOTA_CHANGED = "directory:quota:changed"
    PASSWORD_CHANGED = "auth:password:changed"  # noqa: S105 - the name of an event
    APP_PASSWORD_CREATED = "auth:app_password:created"  # noqa: S105 - the name of an event
    APP_PASSWORDS_REVOKED = "auth:app_password:revoked"
    BAN_LIFTED = "limits:ban:lifted"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and from where: an address of an account, or one of the names below."""

    name: str
    peer: str = ""


CLI = Actor("cli")
"""Somebody at the machine itself."""

SERVER = Actor("server")
"""The server, of its own accord."""
