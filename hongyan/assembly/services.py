"""Services from engines: what files, sends and looks after, with its ports filled in."""

from __future__ import annotations

__all__ = ["Services", "make_services"]

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from hongyan.addresses import Domain
from hongyan.assembly.certificates import Issuing, make_issuing
from hongyan.assembly.directory import Directory, Entrance, make_directory, make_entrance
from hongyan.assembly.domain_care import DomainCare, make_domain_care
from hongyan.assembly.gate import Gatehouse, make_gatehouse
from hongyan.assembly.ground import Ground
from hongyan.assembly.outgoing import Outgoing, make_outgoing
from hongyan.assembly.pushing import Pushing, make_pushing
from hongyan.assembly.reports import Reports, make_reports
from hongyan.assembly.screening import Screening, make_screening
from hongyan.assembly.searching import Searching, make_searching
from hongyan.assembly.sending import Sending, make_sending
from hongyan.assembly.upkeep import Upkeep
from hongyan.assembly.vacations import make_vacation_responder
from hongyan.auth.notices import SecurityNotices
from hongyan.auth.passwords import Passwords
from hongyan.delivery.deliver import Deliverer
from hongyan.delivery.spool import SpoolRoom, make_room
from hongyan.domains.readiness import ReadinessKeeper
from hongyan.engines.sql.annotations import SqlAnnotations
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.cursors import SqlCursors
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.messages import SqlMessages
from hongyan.engines.sql.ordering_fill import SqlOrdering
from hongyan.inbound.checks import Checks
from hongyan.inbound.origin import OriginServices
from hongyan.inbound.reception import InboundServices
from hongyan.inbound.timeline import InboundTimeline
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.orderings import Orderings
from hongyan.mailboxes.shared_mail import SharedMail
from hongyan.mailboxes.watches import Watches
from hongyan.notify.hub import Hub
from hongyan.queue.late_failures import LateFailures
from hongyan.queue.postmaster import PostmasterMail
from hongyan.screening.examined import MessageCheck
from hongyan.servers.imap.heart import Heart
from hongyan.servers.imap.search_index import EmailMaps
from hongyan.servers.imap.services import ImapServices
from hongyan.servers.lifecycle import Lifecycle, Lifecycles
from hongyan.submission.readiness import SenderReadiness
from hongyan.submission.submit import Submitter
from hongyan.submission.timeline import SubmissionTimeline
from hongyan.submission.transaction import SubmissionServices
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class Services:
    """Everything between the engines and the listeners."""

    mail: Mail
    shared: SharedMail
    hub: Hub
    directory: Directory
    entrance: Entrance
    outgoing: Outgoing
    screening: Screening
    searching: Searching
    pushing: Pushing
    reports: Reports
    domain_care: DomainCare
    notices: SecurityNotices
    sending: Sending
    imap: ImapServices
    inbound: InboundServices
    submission: SubmissionServices
    gatehouse: Gatehouse
    upkeep: Upkeep
    issuing: Issuing
    lifecycles: Lifecycles

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        yield "hub", self.hub.run
        yield "directory", self.directory.watch.run
        yield "logins", self.entrance.logins.run
        yield "timelines", self.directory.timelines.run
        if self.entrance.bans.is_shared:
            yield "bans", self.entrance.bans.run
        yield "evidence", self.sending.evidence.run
        yield "upkeep", self.upkeep.run
        yield "ordering", self.imap.orderings.fill_all
        yield "pools", partial(self.outgoing.remote.pools.run, self.outgoing.resolver)
        yield "suppressions", self.outgoing.suppressions.run
        yield "domains", self.domain_care.run
        yield "notices", self.notices.run
        yield "consumers", self.screening.consumers.run
        yield "spam", self.screening.spam.run
        yield from self.searching.background()
        yield from self.pushing.background()
        yield from self.reports.background()
        yield from self.issuing.background()
        yield "listeners", self.lifecycles.run
        yield from self.outgoing.security.background()

    async def close(self) -> None:
        """End what holds threads or has not written yet."""
        await self.screening.close()
        await self.searching.close()
        await self.reports.close()
        await self.gatehouse.close()
        await self.entrance.close()
        await self.lifecycles.flush()
        await self.directory.timelines.close()
        await self.mail.live.close()
        await self.outgoing.close()


async def make_services(ground: Ground) -> Services:
    """Make all services, and read what they keep in memory."""
    mail, hub = _make_mail(ground)
    passwords = Passwords(ground.config.passwords, ground.random)
    directory = make_directory(ground, mail, passwords)
    entrance = make_entrance(ground, directory, passwords)
    # Who answers others from what it keeps comes before them.
    kept = (directory.domains, directory.quotas, directory.settings, directory.aliases, directory.identities)
    directory.watch.listen(*kept, directory.dkim, directory.signing_keys, entrance.login, entrance.revocations)
    directory.watch.listen(directory.shared.views)
    await directory.watch.start()
    await directory.domains.load()
    await directory.dkim.load()
    deliverer = Deliverer(mail)
    outgoing = make_outgoing(ground, directory, deliverer)
    lifecycles = _make_lifecycles(ground)
    gatehouse = make_gatehouse(ground, entrance, outgoing.resolver)
    domain_care = make_domain_care(ground, directory, outgoing, lifecycles, gatehouse.listings)
    await domain_care.readiness.load()
    directory.watch.listen(domain_care.readiness)
    sending = make_sending(ground, directory, entrance, outgoing)
    screening = make_screening(ground, mail, gatehouse.reputation)
    screening.consumers.add(_make_late_failures(ground, mail, directory, outgoing))
    reports = make_reports(ground, directory, outgoing, mail)
    if ground.config.reports.read:
        screening.consumers.add(reports.reader)
    vacations = make_vacation_responder(ground, directory, outgoing, mail)
    screening.consumers.add(vacations)
    searching = make_searching(ground, mail)
    notices = _make_notices(ground, directory, entrance, outgoing)
    pushing = make_pushing(ground, hub, entrance, outgoing.resolver)
    jobs = {"vacations": vacations.expire, "push-subscriptions": pushing.web_push.forget_old}
    room = make_room(ground.data, ground.config.spool)
    ground.wheel.every(1.0, hub.tick)
    return Services(
        mail=mail,
        shared=directory.shared,
        hub=hub,
        directory=directory,
        entrance=entrance,
        outgoing=outgoing,
        screening=screening,
        searching=searching,
        pushing=pushing,
        reports=reports,
        domain_care=domain_care,
        notices=notices,
        sending=sending,
        imap=_make_imap(ground, mail, hub, directory, entrance, searching, room),
        inbound=_make_inbound(
            ground, directory, deliverer, outgoing, gatehouse.with_checks(screening.incoming), reports, room
        ),
        submission=_make_submission(ground, mail, directory, outgoing, screening, domain_care, sending, room),
        gatehouse=gatehouse,
        upkeep=Upkeep(
            ground, directory, entrance, notices, sending, gatehouse, outgoing.security, reports, searching, jobs
        ),
        lifecycles=lifecycles,
        issuing=make_issuing(ground, directory.domains, outgoing.resolver),
    )


def _make_late_failures(ground: Ground, mail: Mail, directory: Directory, outgoing: Outgoing) -> LateFailures:
    return LateFailures(mail, directory.timelines, outgoing.ends, ground.config.server.hostname, ground.clock)


def _make_notices(ground: Ground, directory: Directory, entrance: Entrance, outgoing: Outgoing) -> SecurityNotices:
    host = ground.config.server.hostname
    return SecurityNotices(
        directory.audit,
        SqlAudit(ground.database),
        directory.accounts,
        directory.settings,
        SqlCursors(ground.database),
        ground.engines.counters,
        PostmasterMail(host, outgoing.queue, ground.clock, ground.random),
        entrance.locator.locate,
        ground.clock,
        ground.config.web.url or f"https://{host}",
    )


def _make_lifecycles(ground: Ground) -> Lifecycles:
    each = {
        str(service): Lifecycle(service, _day(options.deprecated), _day(options.off), ground.clock)
        for service, options in ground.config.listen.items()
    }
    return Lifecycles(each, ground.data)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _make_mail(ground: Ground) -> tuple[Mail, Hub]:
    """Make the mailboxes in memory and the hub, which know each other."""
    engines = ground.engines
    mailboxes = SqlMailboxes(ground.database)

    async def catch_up(account: AccountId) -> None:
        await live.catch_up(account)

    hub = Hub(engines.bus, catch_up if engines.is_shared else None)
    live = LiveMailboxes(mailboxes, mailboxes, hub, ground.config.memory)
    return Mail(mailboxes, SqlMessages(ground.database), engines.storage.blobs, live, ground.clock), hub


def _make_imap(
    ground: Ground,
    mail: Mail,
    hub: Hub,
    directory: Directory,
    entrance: Entrance,
    searching: Searching,
    room: SpoolRoom,
) -> ImapServices:
    options = ground.config.imap
    return ImapServices(
        mail=mail,
        orderings=Orderings(mail.messages, SqlOrdering(ground.database), ground.config.ordering),
        shared=directory.shared,
        quotas=directory.quotas,
        annotations=directory.annotations,
        watches=Watches(mail.mailboxes, directory.shared.reach, SqlAnnotations(ground.database), hub),
        changes=SqlMailboxes(ground.database),
        door=entrance.door,
        revocations=entrance.revocations,
        hub=hub,
        heart=Heart(ground.wheel, options.heartbeat),
        progress_heart=Heart(ground.wheel, options.progress),
        clock=ground.clock,
        random=ground.random,
        spool=room,
        options=options,
        email_maps=EmailMaps(mail),
        jmap_url=_find_jmap_url(ground),
        index=searching.index,
        index_keeper=searching.indexer,
        settings=directory.settings,
    )


def _find_jmap_url(ground: Ground) -> str:
    """Return where the session resource of JMAP is; nothing where no name of the web is known, or no JMAP served."""
    config = ground.config
    is_served = config.jmap.enabled and bool(config.web.url) and bool({"http", "https"} & set(config.listen))
    return f"{config.web.url}/.well-known/jmap" if is_served else ""


def _make_inbound(
    ground: Ground,
    directory: Directory,
    deliverer: Deliverer,
    outgoing: Outgoing,
    checks: Sequence[MessageCheck],
    reports: Reports,
    room: SpoolRoom,
) -> InboundServices:
    config = ground.config
    origin = OriginServices(outgoing.resolver, ground.clock, config.server.hostname, config.origin.seconds)
    return InboundServices(
        hostname=config.server.hostname,
        aliases=directory.aliases,
        deliverer=deliverer,
        queue=outgoing.queue,
        forwarding=outgoing.forwarding,
        checks=Checks(origin, config.origin, checks, seconds=config.screening.seconds),
        clock=ground.clock,
        random=ground.random,
        spool=room,
        timeline=InboundTimeline(directory.timelines, ground.clock),
        evaluations=reports.dmarc,
    )


def _make_sender_readiness(ground: Ground, keeper: ReadinessKeeper) -> SenderReadiness | None:
    if not ground.config.dns.enabled:
        return None
    is_required = ground.config.domains.require_ready

    def missing(domain: Domain) -> Sequence[str]:
        # Nobody is blamed before anybody has looked; but where it is required, nobody sends before.
        return keeper.find(domain).missing if is_required or keeper.was_looked_at(domain) else ()

    return SenderReadiness(missing, is_required=is_required)


def _make_submission(
    ground: Ground,
    mail: Mail,
    directory: Directory,
    outgoing: Outgoing,
    screening: Screening,
    care: DomainCare,
    sending: Sending,
    room: SpoolRoom,
) -> SubmissionServices:
    options, hostname = ground.config.submission, ground.config.server.hostname
    timeline = SubmissionTimeline(directory.timelines, ground.clock)
    submitter = Submitter(
        mail,
        outgoing.queue,
        directory.identities,
        ground.random,
        hostname,
        options,
        directory.signing_keys.find,
        sending.allowance,
        timeline,
        screening.outgoing,
        _make_sender_readiness(ground, care.readiness),
    )
    return SubmissionServices(
        hostname=hostname,
        aliases=directory.aliases,
        identities=directory.identities,
        submitter=submitter,
        timeline=timeline,
        clock=ground.clock,
        random=ground.random,
        spool=room,
        hide_client=options.hide_client,
        future_release=timedelta(days=options.future_release),
        offers_verp=options.verp,
        suppressions=outgoing.suppressions,
    )
