"""Reports to other domains, and theirs to us: counted, sent, read."""

from __future__ import annotations

__all__ = ["Reports", "make_reports"]

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from hongyan.accounts.aliases import Aliases
from hongyan.addresses import Address, Domain
from hongyan.assembly.directory import Directory
from hongyan.assembly.ground import Ground
from hongyan.assembly.outgoing import Outgoing
from hongyan.assembly.signing import HostSigner
from hongyan.engines.sql.evaluations import SqlEvaluations
from hongyan.engines.sql.received_reports import SqlReceivedReports
from hongyan.inbound.evaluations import DmarcEvaluations
from hongyan.mailboxes.mail import Mail
from hongyan.reports.filing import Filing
from hongyan.reports.options import ReportOptions
from hongyan.reports.receive import ReportReader
from hongyan.reports.send import ReportPost, ReportSender
from hongyan.reports.tallies import DmarcTallies, Tallies, TlsTallies
from hongyan.store.evaluations import EvaluationStore
from hongyan.store.received_reports import ReceivedReportStore
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class Reports:
    """What counts, sends and reads."""

    options: ReportOptions
    evaluations: EvaluationStore
    received: ReceivedReportStore
    tallies: Tallies
    dmarc: DmarcEvaluations | None
    """Who is told how mail was found; None: nobody."""
    sender: ReportSender
    reader: ReportReader

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        yield "report-tallies", self.tallies.run
        yield "reports", self.sender.run

    async def close(self) -> None:
        """Store what was counted last."""
        await self.tallies.flush()


def make_reports(ground: Ground, directory: Directory, outgoing: Outgoing, mail: Mail) -> Reports:
    """Make it as the configuration says, and let it hear how TLS goes."""
    options, host, clock = ground.config.reports, ground.config.server.hostname.lower(), ground.clock
    evaluations, received = SqlEvaluations(ground.database), SqlReceivedReports(ground.database)
    tallies = Tallies(evaluations, ground.random, options)
    if options.tls:
        outgoing.security.results.keep_by(TlsTallies(tallies))
    signer = HostSigner(Domain.parse(host), directory.signing_keys, directory.domains, clock)

    def is_local(address: Address) -> bool:
        return directory.domains.is_local(address.domain)

    sender = ReportSender(
        host,
        evaluations,
        outgoing.resolver,
        ReportPost(host, outgoing.queue, ground.random, signer.sign, is_local),
        outgoing.security.https,
        clock,
        ground.random,
        options,
    )
    reader = ReportReader(
        mail, received, directory.domains, _AddressBook(directory.aliases), clock, options, Filing(mail, options.folder)
    )
    dmarc = DmarcTallies(tallies, clock) if options.dmarc else None
    return Reports(options, evaluations, received, tallies, dmarc, sender, reader)


class _AddressBook:
    """`reports.receive.AddressBook`."""

    def __init__(self, aliases: Aliases) -> None:
        self._aliases = aliases

    async def accounts(self, address: Address) -> Sequence[AccountId]:
        return [one.account for one in (await self._aliases.resolve(address)).recipients]
