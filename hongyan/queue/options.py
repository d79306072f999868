"""How much the queue does at a time, and how long it leaves alone what it cannot reach."""

from __future__ import annotations

__all__ = ["QueueOptions"]

from dataclasses import dataclass

from hongyan.options import option


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The section `[queue]`."""

    concurrency: int = option(100, "Deliveries to other hosts that run at the same time.")
    per_destination: int = option(5, "Deliveries to one destination that run at the same time.")
    local_concurrency: int = option(20, "Deliveries into the mailboxes of one domain that run at the same time.")
    per_provider: int = option(
        20, "Deliveries at the same time to the hosts of one provider, however many domains it serves."
    )
    first_deliveries: int = option(
        2, "Deliveries at the same time to a provider that has not taken any yet; each that succeeds allows one more."
    )
    back_off: tuple[int, ...] = option(
        (1, 2, 5, 10, 20, 30),
        "How long hosts that cannot be reached are left alone, for all messages; the last one is repeated.",
        unit="minutes",
    )
    batch: int = option(100, "Recipients of one destination that are claimed at a time.")
    lease: int = option(10, "After how long another node takes over what a dead one was at.", unit="minutes")
    notices_per_hour: int = option(100, "Notifications that one address is sent within an hour; those beyond are not.")
    verp_notices_per_hour: int = option(
        1000, "The same for one who has asked for a notification for each recipient (XVERP)."
    )

    def __post_init__(self) -> None:
        deliveries = (self.concurrency, self.per_destination, self.local_concurrency, self.per_provider)
        others = (self.first_deliveries, self.batch, self.lease, self.notices_per_hour, self.verp_notices_per_hour)
        if min(*deliveries, *others) < 1:
            raise ValueError("limits of the queue are 1 or more")
        if not self.back_off or min(self.back_off) < 1:
            raise ValueError("back_off is one minute or longer")
