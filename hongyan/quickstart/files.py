"""What quickstart writes: one configuration file, a certificate or the request for one, a systemd unit."""

from __future__ import annotations

__all__ = ["Plan", "make_config", "make_unit", "write_files"]

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hongyan.addresses import Address
from hongyan.clock import Clock
from hongyan.domains.local_authority import make_request, make_self_signed
from hongyan.errors import AlreadyExists

_CONFIG = """\
# Hongyan's configuration, as `hongyan quickstart` wrote it. `hongyan config describe` tells every setting,
# `hongyan config check` what is wrong. A relative path starts here.

[server]
hostname = "{hostname}"
data = "{data}"

# Put a certificate by a public authority in the place of these files: the server reads them again by itself.
[[certificates]]
chain = "tls/certificate.pem"
key = "tls/key.pem"

# Mail from other servers.
[listen.smtp]

# Mail from mail programs, and reading it.
[listen.submissions]
[listen.submission]
[listen.imaps]
[listen.imap]
[listen.pop3s]

# Health and metrics for this machine alone.
[listen.http]
hosts = ["127.0.0.1"]
port = 8080

[login]
default_domain = "{domain}"

[web]
security_contact = "mailto:postmaster@{domain}"
"""

_UNIT = """\
[Unit]
Description=Hongyan mail service
Documentation=file:{config}
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart={python} -m hongyan serve --config {config}
ExecReload=/bin/kill -HUP $MAINPID
User={user}
WatchdogSec=60
TimeoutStopSec=60
Restart=on-failure
LimitNOFILE=65536
UMask=0077

# Low ports are all that it needs of root.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={data}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
LockPersonality=yes
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made, and where."""

    address: Address
    hostname: str
    folder: Path
    data: Path
    user: str
    wants_request: bool = False
    """Make a request for a public authority beside the self-signed certificate."""

    @property
    def config(self) -> Path:
        return self.folder / "hongyan.toml"

    @property
    def unit(self) -> Path:
        return self.folder / "hongyan.service"

    @property
    def tls(self) -> Path:
        return self.folder / "tls"

    @property
    def request(self) -> Path:
        return self.tls / "request.pem"


def make_config(plan: Plan) -> str:
    """Return the configuration file."""
    return _CONFIG.format(hostname=plan.hostname, data=plan.data, domain=plan.address.domain.text)


def make_unit(plan: Plan) -> str:
    """Return the systemd unit."""
    return _UNIT.format(config=plan.config, python=sys.executable, user=plan.user, data=plan.data)


def write_files(plan: Plan, clock: Clock) -> list[Path]:
    """Write everything, and return what was written. Raises `AlreadyExists` rather than replace a configuration."""
    if plan.config.exists():
        raise AlreadyExists(f"{plan.config} is there already. Take it away, or name another folder with --folder.")
    plan.folder.mkdir(parents=True, exist_ok=True)
    names = tuple(dict.fromkeys((plan.hostname, plan.address.domain.text)))
    written = [plan.tls / "certificate.pem", plan.tls / "key.pem"]
    if not all(path.exists() for path in written):
        make_self_signed(plan.tls, names, clock)
    if plan.wants_request:
        plan.request.write_bytes(make_request(plan.tls / "key.pem", names))
        written.append(plan.request)
    _write(plan.unit, make_unit(plan))
    _write(plan.config, make_config(plan))  # last: with it the service can start
    return [plan.config, plan.unit, *written]


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
