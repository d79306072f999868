"""Who sent a message, as far as anybody vouches for it: the results of all checks side by side."""

from __future__ import annotations

__all__ = ["NOT_CHECKED", "Authentication"]

from dataclasses import dataclass

from hongyan.addresses import Address, Domain
from hongyan.mailauth.arc import ArcResult
from hongyan.mailauth.author import UnfitAuthor
from hongyan.mailauth.dkim import DkimResult, DkimStatus
from hongyan.mailauth.dmarc import DmarcResult, DmarcStatus
from hongyan.mailauth.spf import SpfResult
from hongyan.mailauth.spf_record import SpfStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """What is known about a message's origin. What was not checked, or not in time, is None or empty."""

    spf: SpfResult | None = None
    """Of MAIL FROM; of postmaster at the HELO name where the reverse-path is null (RFC 7208 §2.4)."""
    helo: SpfResult | None = None
    signatures: tuple[DkimResult, ...] = ()
    arc: ArcResult | None = None
    authors: tuple[Domain, ...] | UnfitAuthor = ()
    """The domains of the header From, or why it names none that could be answered."""
    author: Address | None = None
    """The address in the header From, if it names exactly one."""
    dmarc: DmarcResult | None = None

    @property
    def signers(self) -> tuple[str, ...]:
        """The domains whose signatures hold, as A-labels, each once."""
        passed = (one.domain.lower() for one in self.signatures if one.status is DkimStatus.PASS)
        return tuple(dict.fromkeys(passed))

    @property
    def spf_domain(self) -> str:
        """The domain of MAIL FROM if SPF passed for it, else empty."""
        return self.spf.domain if self.spf is not None and self.spf.status is SpfStatus.PASS else ""

    def find_sender(self, reverse_path: Address | None) -> Address | None:
        """Return whom somebody vouches for: the author where DMARC passes, else the reverse-path where SPF does.

        Lists and services send from a reverse-path that nobody answers.
        """
        if self.author is not None and self.dmarc is not None and self.dmarc.status is DmarcStatus.PASS:
            return self.author
        return reverse_path if self.spf_domain else None


NOT_CHECKED = Authentication()
"""Of a message that nobody has looked into."""
