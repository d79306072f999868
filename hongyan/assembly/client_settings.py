"""What mail programs are told of our domains, as listeners run."""

from __future__ import annotations

__all__ = ["TOLD_LABELS", "AppleProfiles", "SettingsOfDomains"]

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hongyan.addresses import AddressFault, Domain
from hongyan.assembly.services import Services
from hongyan.config import SERVICES, Config, Service
from hongyan.domains.apple_profile import AppleAccount, profile_octets, sign_profile
from hongyan.domains.certificates import Certificates
from hongyan.domains.client_settings import ClientSettings, listening_of, pacc_of_ports
from hongyan.servers.arrival import Endpoint
from hongyan.store.accounts import Service as AccountService

TOLD_LABELS: Final = ("autoconfig", "autodiscover", "ua-auto-config")
"""Names of each domain at which programs ask."""

_HTTPS: Final = 443


class SettingsOfDomains:
    """`web.autoconfig.ClientSettingsSource`."""

    def __init__(
        self, config: Config, services: Services, find_endpoints: Callable[[], Mapping[Service, Endpoint]]
    ) -> None:
        self._config = config
        self._domains = services.directory.domains
        self._lifecycles = services.lifecycles
        self._find_endpoints = find_endpoints

    def find(self, domain: str) -> ClientSettings | None:
        name = self._find_local(domain)
        if name is None:
            return None
        endpoints = self._find_endpoints()
        ports: dict[str, int] = {
            each: endpoints[each].port for each in endpoints if self._lifecycles.is_announced(each)
        }
        jmap = f"{self._web()}/.well-known/jmap" if self._config.jmap.enabled and self._web() else ""
        return ClientSettings(name, self._config.server.hostname, tuple(listening_of(ports)), jmap)

    def find_pacc(self, domain: str) -> ClientSettings | None:
        name, config = self._find_local(domain), self._config
        if name is None:
            return None
        # By the ports of the configuration: a record in the DNS vouches for what is said here.
        ports: dict[str, int] = {
            each: options.port or SERVICES[each]
            for each, options in config.listen.items()
            if self._lifecycles.is_announced(each)
        }
        return pacc_of_ports(name, config.server.hostname, ports, jmap=config.jmap.enabled)

    def autodiscover_url(self) -> str:
        web = self._web()
        return f"{web}/autodiscover/autodiscover.xml" if web else ""

    def asks_here(self, host: str) -> bool:
        """Whether a host is one at which programs ask for the settings of a domain of ours."""
        label, _, domain = host.partition(".")
        return self._find_local(domain if label in TOLD_LABELS else host) is not None

    def _web(self) -> str:
        endpoint = self._find_endpoints().get("https")
        if endpoint is None:
            return ""
        port = "" if endpoint.port == _HTTPS else f":{endpoint.port}"
        return f"https://{self._config.server.hostname}{port}"

    def _find_local(self, domain: str) -> str | None:
        try:
            name = Domain.parse(domain)
        except AddressFault:
            return None
        return name.text if self._domains.is_local(name) else None


class AppleProfiles:
    """`web.api.apple_profiles.ProfileMaker`: signed with the certificate that the web shows, where there is one."""

    def __init__(self, settings: SettingsOfDomains, certificates: Certificates | None, hostname: str) -> None:
        self._settings = settings
        self._certificates = certificates
        self._hostname = hostname

    def is_offered(self, domain: str) -> bool:
        settings = self._settings.find(domain)
        return settings is not None and all(settings.best(each) for each in (AccountService.IMAP, AccountService.SMTP))

    async def make(self, domain: str, account: AppleAccount) -> bytes | None:
        settings = self._settings.find(domain)
        octets = None if settings is None else profile_octets(settings, account)
        if octets is None or self._certificates is None:
            return octets
        files = self._certificates.files_of(self._hostname)
        return await asyncio.to_thread(_sign, octets, Path(files.chain), Path(files.key)) or octets


def _sign(octets: bytes, chain: Path, key: Path) -> bytes | None:
    return sign_profile(octets, chain.read_bytes(), key.read_bytes())
