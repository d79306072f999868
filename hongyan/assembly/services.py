"""Services from engines: what files, sends and looks after, with its ports filled in."""

from __future__ import annotations

__all__ = ["Services", "make_services"]

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from hongyan.assembly.directory import Directory, Entrance, make_directory, make_entrance
from hongyan.assembly.ground import Ground
from hongyan.assembly.outgoing import Outgoing, make_outgoing
from hongyan.assembly.upkeep import Upkeep
from hongyan.auth.passwords import Passwords
from hongyan.delivery.deliver import Deliverer
from hongyan.delivery.spool import spool_directory
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.messages import SqlMessages
from hongyan.inbound.transaction import InboundServices
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.mail import Mail
from hongyan.notify.hub import Hub
from hongyan.servers.imap.heart import Heart
from hongyan.servers.imap.services import ImapServices
from hongyan.submission.submit import Submitter
from hongyan.submission.transaction import SubmissionServices
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class Services:
    """Everything between the engines and the listeners."""

    mail: Mail
    hub: Hub
    directory: Directory
    entrance: Entrance
    outgoing: Outgoing
    imap: ImapServices
    inbound: InboundServices
    submission: SubmissionServices
    upkeep: Upkeep

    def background(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Yield what runs for as long as the server does."""
        yield "hub", self.hub.run()
        yield "directory", self.directory.watch.run()
        yield "logins", self.entrance.logins.run()
        yield "upkeep", self.upkeep.run()

    async def close(self) -> None:
        """End what holds threads or has not written yet."""
        await self.entrance.close()
        await self.mail.live.close()
        await self.outgoing.close()


async def make_services(ground: Ground) -> Services:
    """Make all services, and read what they keep in memory."""
    mail, hub = _make_mail(ground)
    passwords = Passwords(ground.config.passwords, ground.random)
    directory = make_directory(ground, mail, passwords)
    entrance = make_entrance(ground, directory, passwords)
    # Who answers others from what it keeps comes before them.
    directory.watch.listen(
        directory.domains,
        directory.quotas,
        directory.aliases,
        directory.identities,
        directory.signing_keys,
        entrance.login,
        entrance.revocations,
    )
    await directory.watch.start()
    await directory.domains.load()
    deliverer = Deliverer(mail)
    outgoing = make_outgoing(ground, directory, deliverer)
    ground.wheel.every(1.0, hub.tick)
    return Services(
        mail=mail,
        hub=hub,
        directory=directory,
        entrance=entrance,
        outgoing=outgoing,
        imap=_make_imap(ground, mail, hub, entrance),
        inbound=_make_inbound(ground, directory, deliverer, outgoing),
        submission=_make_submission(ground, mail, directory, outgoing),
        upkeep=Upkeep(ground, directory),
    )


def _make_mail(ground: Ground) -> tuple[Mail, Hub]:
    """Make the mailboxes in memory and the hub, which know each other."""
    engines = ground.engines
    mailboxes = SqlMailboxes(ground.database)

    async def catch_up(account: AccountId) -> None:
        await live.catch_up(account)

    hub = Hub(engines.bus, catch_up if engines.is_shared else None)
    live = LiveMailboxes(mailboxes, mailboxes, hub, ground.config.memory)
    return Mail(mailboxes, SqlMessages(ground.database), engines.storage.blobs, live, ground.clock), hub


def _make_imap(ground: Ground, mail: Mail, hub: Hub, entrance: Entrance) -> ImapServices:
    options = ground.config.imap
    return ImapServices(
        mail=mail,
        changes=SqlMailboxes(ground.database),
        door=entrance.door,
        revocations=entrance.revocations,
        hub=hub,
        heart=Heart(ground.wheel, options.heartbeat),
        clock=ground.clock,
        random=ground.random,
        spool=spool_directory(ground.data),
        options=options,
    )


def _make_inbound(ground: Ground, directory: Directory, deliverer: Deliverer, outgoing: Outgoing) -> InboundServices:
    return InboundServices(
        hostname=ground.config.server.hostname,
        aliases=directory.aliases,
        deliverer=deliverer,
        queue=outgoing.queue,
        clock=ground.clock,
        random=ground.random,
        spool=spool_directory(ground.data),
    )


def _make_submission(ground: Ground, mail: Mail, directory: Directory, outgoing: Outgoing) -> SubmissionServices:
    options, hostname = ground.config.submission, ground.config.server.hostname
    submitter = Submitter(
        mail,
        outgoing.queue,
        directory.identities,
        ground.random,
        hostname,
        options,
        directory.signing_keys.find,
    )
    return SubmissionServices(
        hostname=hostname,
        aliases=directory.aliases,
        identities=directory.identities,
        submitter=submitter,
        clock=ground.clock,
        random=ground.random,
        spool=spool_directory(ground.data),
        hide_client=options.hide_client,
    )
