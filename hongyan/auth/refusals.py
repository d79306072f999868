"""What a refused login is told. One sentence for every wrong secret; a cause only where it may be known."""

from __future__ import annotations

__all__ = ["Refusals"]

from hongyan.auth.principal import LoginReason, LoginRefused
from hongyan.auth.services import ServiceRefusal
from hongyan.limits.rates import OverRate
from hongyan.store.accounts import Service

_SOON = 5.0  # seconds

_SERVICE_NAMES = {Service.IMAP: "IMAP", Service.POP3: "POP3", Service.SMTP: "SMTP", Service.WEB: "The web client"}
_REASONS = {
    ServiceRefusal.SUSPENDED: LoginReason.SUSPENDED,
    ServiceRefusal.SERVICE_OFF: LoginReason.SERVICE_OFF,
    ServiceRefusal.CLASS: LoginReason.CLASS,
}
_SENTENCES = {
    LoginReason.SUSPENDED: "This account is suspended, ask your admin.",
    LoginReason.SERVICE_OFF: "{service} is switched off for this account, ask your admin to switch it on.",
    LoginReason.CLASS: "{service} is not for this class of account, use IMAP or ask your admin.",
    LoginReason.SCOPE: "This app password or certificate is for other services than {service}: {help_url}",
    LoginReason.DEVICE_LIMIT: "Too many devices are in use, revoke one of their app passwords first: {help_url}",
}


class Refusals:
    """Makes refusals, in ASCII English, with the help page that the operator names."""

    def __init__(self, help_url: str) -> None:
        self._help_url = help_url
        self._wrong = f"Wrong name or secret. Mail programs need an app password: {help_url}"

    def wrong_secret(self, reason: LoginReason) -> LoginRefused:
        """Whatever the reason is: the peer is told that name and secret do not fit."""
        return LoginRefused(reason, self._wrong, told=LoginReason.WRONG_SECRET)

    def wrong_certificate(self, reason: LoginReason) -> LoginRefused:
        """TLS has verified the certificate, and it opens nothing, or not what was asked for."""
        sentence = "This certificate was revoked, has expired or is not that account's; ask for a new one."
        return LoginRefused(reason, sentence, told=LoginReason.WRONG_SECRET)

    def of_service(self, refusal: ServiceRefusal, service: Service, *, is_told: bool) -> LoginRefused:
        """The secret is right, but the account may not use the service."""
        return self.named(_REASONS[refusal], service) if is_told else self.wrong_secret(_REASONS[refusal])

    def named(self, reason: LoginReason, service: Service) -> LoginRefused:
        """A right app password was shown: the cause may be told."""
        sentence = _SENTENCES[reason].format(service=_SERVICE_NAMES[service], help_url=self._help_url)
        return LoginRefused(reason, sentence)

    def over_rate(self, over: OverRate) -> LoginRefused:
        """Too many logins have failed."""
        minutes = int(over.seconds // 60) + 1
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        sentence = f"Too many failed logins, try again in {wait}."
        return LoginRefused(LoginReason.TOO_MANY_FAILURES, sentence, retry_after=over.seconds)

    def busy(self) -> LoginRefused:
        """Too many passwords wait for their check."""
        return LoginRefused(LoginReason.BUSY, "Too many logins at once, try again in a moment.", retry_after=_SOON)

    def unavailable(self) -> LoginRefused:
        """Our fault."""
        sentence = "Logins cannot be checked now, try again later."
        return LoginRefused(LoginReason.UNAVAILABLE, sentence, retry_after=_SOON)

    def tls_required(self) -> LoginRefused:
        """The secret would travel in the open."""
        return LoginRefused(LoginReason.TLS_REQUIRED, "Logins need TLS.")
