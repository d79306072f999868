"""JMAP from the configuration: its services, its capabilities, its routes and what requests may take there."""

from __future__ import annotations

__all__ = ["jmap_allowances", "make_jmap_routes"]

from collections.abc import Mapping, Sequence

from starlette.routing import BaseRoute

from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.assembly.uploads import make_uploads
from hongyan.config import Config
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.placements import SqlPlacements
from hongyan.engines.sql.records import SqlRecords
from hongyan.engines.sql.timelines import SqlTimelines
from hongyan.engines.sql.vacations import SqlVacations
from hongyan.mailboxes.emails import AccountEmails
from hongyan.web.allowance import Allowance
from hongyan.web.identity import Identities
from hongyan.web.jmap.blob import blob_capability
from hongyan.web.jmap.core import Jmap
from hongyan.web.jmap.email_methods import email_methods
from hongyan.web.jmap.email_services import EmailServices
from hongyan.web.jmap.email_submission import submission_capability
from hongyan.web.jmap.event_source import EVENT_SOURCE, event_source_route
from hongyan.web.jmap.identity import IdentityServices
from hongyan.web.jmap.mail import mail_capability
from hongyan.web.jmap.mail_blobs import MailBlobs
from hongyan.web.jmap.push_subscription import push_subscription_methods
from hongyan.web.jmap.quota import quota_capability
from hongyan.web.jmap.routes import jmap_routes
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.submission_record import SubmissionServices
from hongyan.web.jmap.transfer import transfer_routes
from hongyan.web.jmap.vacation_response import vacation_capability
from hongyan.web.jmap.vapid import webpush_vapid_capability
from hongyan.web.jmap.web_socket import WEB_SOCKET_PATH, web_socket_capability, web_socket_route


def make_jmap_routes(ground: Ground, services: Services, identities: Identities) -> Sequence[BaseRoute]:
    """Return the routes of JMAP."""
    of = JmapServices(
        mail=services.mail,
        changes=SqlMailboxes(ground.database),
        orderings=services.imap.orderings,
        shared=services.shared,
        hub=services.hub,
        clock=ground.clock,
        random=ground.random,
        options=ground.config.jmap,
    )
    emails = _make_email_services(ground, services, of)
    uploads = make_uploads(ground)
    blobs = MailBlobs(emails, uploads.find)
    capabilities = [
        mail_capability(of, email_methods(emails, blobs)),
        submission_capability(_make_submission_services(ground, services, emails)),
        quota_capability(of),
        blob_capability(uploads, blobs.find, of.options),
        vacation_capability(of, SqlVacations(ground.database)),
        web_socket_capability(),
        webpush_vapid_capability(services.pushing.vapid),
    ]
    jmap = Jmap(capabilities, of.options, push_subscription_methods(services.pushing.subscriptions))
    return [
        *jmap_routes(jmap, identities, ground.config.web.url),
        *transfer_routes(identities, uploads, blobs.find, of.options),
        event_source_route(identities, services.pushing.streams),
        web_socket_route(identities, jmap, services.pushing.streams),
    ]


def _make_email_services(ground: Ground, services: Services, of: JmapServices) -> EmailServices:
    placements = SqlPlacements(ground.database)
    return EmailServices(
        jmap=of,
        placements=placements,
        emails=AccountEmails(services.mail, placements),
        index=services.searching.index,
        indexer=services.searching.indexer,
    )


def _make_submission_services(ground: Ground, services: Services, emails: EmailServices) -> SubmissionServices:
    options, records = ground.config.jmap, SqlRecords(ground.database)
    identities = IdentityServices(
        records=records,
        addresses=services.directory.identities,
        random=ground.random,
        max_objects_in_get=options.max_objects_in_get,
        max_objects_in_set=options.max_objects_in_set,
    )
    return SubmissionServices(
        emails=emails,
        identities=identities,
        records=records,
        transactions=services.submission,
        queue=services.outgoing.store,
        acts=services.outgoing.acts,
        timelines=SqlTimelines(ground.database),
        clock=ground.clock,
        random=ground.random,
        max_message=ground.config.smtp.max_message,
        max_recipients=ground.config.smtp.max_recipients,
    )


def jmap_allowances(config: Config) -> Mapping[str, Allowance]:
    """Return what requests may take, by the beginnings of their paths."""
    options, usual = config.jmap, config.web.request_timeout
    return {
        "/jmap": Allowance(options.max_size_request, usual),
        EVENT_SOURCE: Allowance(0, None),
        WEB_SOCKET_PATH: Allowance(0, None),
        "/jmap/upload/": Allowance(options.max_size_upload, options.upload_timeout),
        "/jmap/download/": Allowance(0, options.upload_timeout),
    }
