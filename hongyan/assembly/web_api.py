"""The open API from services: its resources, with what they need."""

from __future__ import annotations

__all__ = ["WebEntrance", "make_api"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hongyan.assembly.client_settings import AppleProfiles, SettingsOfDomains
from hongyan.assembly.ground import Ground
from hongyan.assembly.pictures import make_picture_proxy
from hongyan.assembly.services import Services
from hongyan.auth.strangers import Strangers
from hongyan.config import Service
from hongyan.domains.certificates import Certificates
from hongyan.domains.client_settings import Listening, listening_of
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.trusted_senders import SqlTrustedSenders
from hongyan.servers.arrival import Endpoint
from hongyan.web.api.app_passwords import AppPasswordResource
from hongyan.web.api.apple_profiles import AppleProfileResource
from hongyan.web.api.application import PREFIX, ApiApplication
from hongyan.web.api.declared import Resource
from hongyan.web.api.devices import DeviceResource
from hongyan.web.api.mail_settings import MailSettingsResource
from hongyan.web.api.operated import OperatedResource, OperationsPort
from hongyan.web.api.passkeys import PasskeyResource
from hongyan.web.api.profile import ProfileResource
from hongyan.web.api.proofs import Proofs
from hongyan.web.api.second_factor import SecondFactorResource
from hongyan.web.api.server_info import ServerInfoResource
from hongyan.web.api.session import SessionResource
from hongyan.web.api.trusted_senders import TrustedSenderResource
from hongyan.web.api.view import ViewResource
from hongyan.web.problems import Say
from hongyan.web.reading import MessageReader
from hongyan.web.seals import Seals


@dataclass(frozen=True, slots=True)
class WebEntrance:
    """What the web is given from outside: what serves, and how sentences are translated."""

    find_endpoints: Callable[[], Mapping[Service, Endpoint]]
    """Where each service that accepts connections now is reached."""
    say: Say
    operations: OperationsPort
    settings: SettingsOfDomains
    certificates: Certificates | None


def make_api(ground: Ground, services: Services, entrance: WebEntrance) -> ApiApplication:
    """Make the open API."""
    directory, doors = services.directory, services.entrance
    trusted = SqlTrustedSenders(ground.database)

    def find_listening() -> Sequence[Listening]:
        return listening_of({name: endpoint.port for name, endpoint in entrance.find_endpoints().items()})

    proofs = Proofs(doors.login, directory.accounts, doors.second_factors, doors.passkeys, doors.logins, ground.clock)
    audit = SqlAudit(ground.database)
    strangers = Strangers(audit, doors.web_sessions, directory.app_passwords, directory.settings, directory.audit)
    resources: list[Resource] = [
        SessionResource(proofs, doors.web_sessions, ground.clock),
        SecondFactorResource(doors.second_factors),
        PasskeyResource(doors.passkeys),
        ProfileResource(directory.accounts, directory.settings, directory.passwords, doors.web_sessions, ground.clock),
        MailSettingsResource(directory.settings, directory.identities, directory.quotas),
        AppPasswordResource(directory.app_passwords),
        AppleProfileResource(
            AppleProfiles(entrance.settings, entrance.certificates, ground.config.server.hostname),
            directory.app_passwords,
            ground.clock,
            ground.random,
            PREFIX,
            ground.config.web.url,
        ),
        DeviceResource(doors.web_sessions, strangers, audit, doors.locator.locate),
        ServerInfoResource(ground.config.server.hostname, find_listening, ground.clock),
        OperatedResource(entrance.operations),
        TrustedSenderResource(trusted, ground.clock),
        ViewResource(
            MessageReader(services.mail.messages, services.mail.blobs),
            Seals(ground.clock, ground.random),
            trusted,
            make_picture_proxy(ground, services.outgoing.resolver),
            ground.config.server.hostname,
            PREFIX,
        ),
    ]
    routes = [route for resource in resources for route in resource.routes()]
    return ApiApplication(routes, doors.web_sessions, entrance.say)
