"""What is written down: every kind of act, as `source:subject:action`."""

from __future__ import annotations

__all__ = ["CLI", "DEMONSTRATION", "SERVER", "Actor", "AuditEvent"]

from dataclasses import dataclass
from enum import StrEnum


class AuditEvent(StrEnum):
    """The kinds of act that the trail keeps."""

    DOMAIN_ADDED = "directory:domain:added"
    DOMAIN_CHANGED = "directory:domain:changed"
    DOMAIN_REMOVED = "directory:domain:removed"
    READINESS_WAIVED = "directory:domain:waived"
    READINESS_REQUIRED = "directory:domain:required"
    DKIM_KEY_MADE = "directory:dkim_key:made"
    DKIM_KEY_CHANGED = "directory:dkim_key:changed"
    REPORTS_DECLINED = "directory:reports:declined"
    REPORTS_RESUMED = "directory:reports:resumed"
    ACCOUNT_CREATED = "directory:account:created"
    ACCOUNT_CHANGED = "directory:account:changed"
    ACCOUNT_REMOVED = "directory:account:removed"
    SETTINGS_CHANGED = "directory:settings:changed"
    ALIAS_SAVED = "directory:alias:saved"
    ALIAS_REMOVED = "directory:alias:removed"
    IDENTITY_GRANTED = "directory:identity:granted"
    IDENTITY_REVOKED = "directory:identity:revoked"
    QUOTA_CHANGED = "directory:quota:changed"
    PASSWORD_CHANGED = "auth:password:changed"  # noqa: S105 - the name of an event
    APP_PASSWORD_CREATED = "auth:app_password:created"  # noqa: S105 - the name of an event
    APP_PASSWORDS_REVOKED = "auth:app_password:revoked"
    CLIENT_CERTIFICATE_ISSUED = "auth:client_certificate:issued"
    CLIENT_CERTIFICATES_REVOKED = "auth:client_certificate:revoked"
    WEB_SESSION_OPENED = "auth:web_session:opened"
    WEB_SESSIONS_REVOKED = "auth:web_session:revoked"
    API_KEY_CREATED = "auth:api_key:created"
    SECOND_FACTOR_ENABLED = "auth:second_factor:enabled"
    SECOND_FACTOR_DISABLED = "auth:second_factor:disabled"
    PASSKEY_ADDED = "auth:passkey:added"
    PASSKEY_REMOVED = "auth:passkey:removed"
    STRANGER_REPORTED = "auth:login:not_me"
    RECOVERY_CODE_USED = "auth:recovery_code:used"
    RECOVERY_CODES_MADE = "auth:recovery_code:made"
    SENDING_HELD = "limits:sending:held"
    SENDING_RELEASED = "limits:sending:released"
    SENDING_LIMITS_CHANGED = "limits:sending:changed"
    MAILBOX_SHARED = "mail:mailbox:shared"
    MAILBOX_UNSHARED = "mail:mailbox:unshared"
    DELETED_ELSEWHERE = "mail:messages:deleted_elsewhere"
    TIMELINE_READ = "mail:timeline:read"
    LISTENER_PROLONGED = "servers:listener:prolonged"
    CERTIFICATE_RENEWED = "domains:certificate:renewed"
    BAN_LIFTED = "limits:ban:lifted"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and from where: an address of an account, or one of the names below."""

    name: str
    peer: str = ""


CLI = Actor("cli")
"""Somebody at the machine itself."""

DEMONSTRATION = Actor("demonstration")
"""What gives accounts of a demonstration their secrets, anew where those of last time are lost: no news to anybody."""

SERVER = Actor("server")
"""The server, of its own accord."""
