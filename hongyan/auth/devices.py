"""How many programs an account may use at once. A device is an app password or a certificate, not a connection."""

from __future__ import annotations

__all__ = ["DeviceOptions", "is_over_device_limit"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hongyan.options import option
from hongyan.store.credentials import Device
from hongyan.types import CredentialId


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """The section `[devices]`."""

    limit: int = option(
        0, "App passwords and client certificates of an account that may be in use at once; 0: no limit."
    )
    idle: int = option(30, "After so long without a login a device is not in use any more.", unit="days")

    def __post_init__(self) -> None:
        if self.limit < 0 or self.idle < 1:
            raise ValueError("the limit of devices is not negative, and a device is in use for a day at least")


def is_over_device_limit(
    used: Device,
    devices: Sequence[Device],
    find_later_use: Callable[[CredentialId], datetime | None],
    options: DeviceOptions,
    now: datetime,
) -> bool:
    """Whether a login with `used` would be one device too many: enough others are in use, and this one was not.

    `find_later_use` knows uses that are later than those stored with the devices.
    """
    if not options.limit:
        return False
    since = now - timedelta(days=options.idle)
    in_use = set()
    for known in devices:
        last = find_later_use(known.credential) or known.last_used_at
        if last is not None and last > since:
            in_use.add(known.credential)
    return used.credential not in in_use and len(in_use) >= options.limit
