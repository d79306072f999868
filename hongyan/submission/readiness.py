"""Before a message leaves: would the DNS of its own domain make it fail? Then that is said, or the message waits."""

from __future__ import annotations

__all__ = ["SenderReadiness"]

from collections.abc import Callable, Sequence

from hongyan import telemetry
from hongyan.addresses import Domain
from hongyan.telemetry import metrics
from hongyan.wire.smtp.replies import Reply

log = telemetry.logger("submission")


class SenderReadiness:
    """Judges the domain that a message is from."""

    def __init__(self, missing: Callable[[Domain], Sequence[str]], *, is_required: bool) -> None:
        """`missing` returns what is wrong with a domain's DNS; `is_required`: nothing may be."""
        self._missing = missing
        self._is_required = is_required

    def check(self, domain: Domain) -> Reply | None:
        """Return the reply that lets a message wait, or None if it may leave. What is wrong is counted and logged."""
        missing = self._missing(domain)
        if not missing:
            return None
        metrics.submission_unready_total.labels("deferred" if self._is_required else "sent").inc()
        log.info("sender-not-ready", domain=domain.text, missing=" ".join(missing), waits=self._is_required)
        if not self._is_required:
            return None
        named = ", ".join(word.upper() for word in missing)
        return Reply(451, "4.7.1", (f"{domain} is not ready to send: its {named} in the DNS must be mended first",))
