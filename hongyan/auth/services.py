"""Which services an account may use: its own switches, and the operator's policy for its class."""

from __future__ import annotations

__all__ = ["DEFAULT_SERVICES", "ServiceOptions", "ServiceRefusal", "check_service"]

from dataclasses import dataclass
from enum import StrEnum

from hongyan.options import option
from hongyan.store.accounts import Account, AccountClass, AccountState, Service

DEFAULT_SERVICES = frozenset({Service.IMAP, Service.SMTP, Service.WEB})
"""What is on for a new account. POP3 is for those who ask for it."""


class ServiceRefusal(StrEnum):
    """Why an account may not use a service."""

    SUSPENDED = "suspended"
    SERVICE_OFF = "service-off"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """The section `[services]`: who may use what."""

    pop3_classes: tuple[str, ...] = option(
        (), "Classes of account that may use POP3, such as `enterprise`; empty: every class."
    )

    def __post_init__(self) -> None:
        for name in self.pop3_classes:
            AccountClass(name)


def check_service(account: Account, service: Service, options: ServiceOptions) -> ServiceRefusal | None:
    """Return why the account may not use the service now, or None."""
    if account.state is not AccountState.ACTIVE:
        return ServiceRefusal.SUSPENDED
    if service not in account.services:
        return ServiceRefusal.SERVICE_OFF
    if service is Service.POP3 and options.pop3_classes and account.account_class not in options.pop3_classes:
        return ServiceRefusal.CLASS
    return None
