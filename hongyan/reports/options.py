"""How reports are sent and received."""

from __future__ import annotations

__all__ = ["ReportOptions"]

from dataclasses import dataclass

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.options import option
from hongyan.wire.imap.mailbox_name import find_fault_of_new_name

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The section `[reports]`."""

    dmarc: bool = option(True, "Tell other domains once a day how mail in their name was found, if they ask for it.")
    tls: bool = option(True, "Tell other domains once a day how TLS with their servers went, if they ask for it.")
    organization: str = option("", "Who reports, as it is shown to others; empty: the host's name.")
    contact: str = option("", "Address for questions about our reports; empty: postmaster at the host's name.")
    opt_out: tuple[str, ...] = option((), "Domains to which nothing is reported, with those below them.")
    first: float = option(1800.0, "How long after midnight (UTC) the first report of a day leaves.", unit="s")
    spread: float = option(14_400.0, "Over how long the reports of a day are spread.", unit="s")
    flush_every: float = option(5.0, "How often counts are stored; a crash loses as much.", unit="s")
    most_domains: int = option(10_000, "Domains that are counted for each kind of report and day.")
    most_facts: int = option(1000, "Facts that differ, such as addresses, that one report tells.")
    read: bool = option(True, "Read the reports that others send about our domains.")
    addresses: tuple[str, ...] = option(
        (), "Addresses of ours whose mail is read for reports, besides postmaster at each of our domains."
    )
    folder: str = option(
        "Reports",
        "Mailbox into which letters go from INBOX, marked as read, once their report is kept; empty: they stay.",
    )
    keep: int = option(180, "How long reports of others are kept.", unit="d")
    most_a_day: int = option(50, "Reports that one sender may send about one of our domains.", unit="per day")

    def __post_init__(self) -> None:
        if self.first < 60 or self.spread < 0 or self.first + self.spread > _DAY:
            raise ValueError("reports leave at the earliest a minute after midnight, and all within a day")
        if self.flush_every <= 0 or min(self.most_domains, self.most_facts, self.keep, self.most_a_day) < 1:
            raise ValueError("flush_every, most_domains, most_facts, keep and most_a_day are above 0")
        bad_name = find_fault_of_new_name(self.folder) if self.folder else None
        if bad_name is not None:
            raise ValueError(f"reports.folder: {bad_name}")
        try:
            for domain in self.opt_out:
                Domain.parse(domain)
            for address in (*self.addresses, *([self.contact] if self.contact else [])):
                Address.parse(address)
        except AddressFault as fault:
            raise ValueError(f"reports: {fault.sentence or fault.cause}") from None
