"""Which versions and ciphers of TLS a running server takes, asked by `openssl s_client`."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.config import Config, Service
from hongyan.domains.tls_profiles import TlsChoice
from tests.support.server import Server, in_thread, start_server

pytestmark = pytest.mark.interop

WEAK = ("-cipher", "ALL:@SECLEVEL=0")
CBC = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")


async def shake(server: Server, service: Service, *options: str) -> str | None:
    """Return the version that a handshake came to, or None when there was none."""
    endpoint = server.app.endpoints[service]
    command = ["openssl", "s_client", "-connect", f"{endpoint.host}:{endpoint.port}", "-brief", *options]
    if service in ("smtp", "submission"):
        command += ["-starttls", "smtp"]
    done = await in_thread(lambda: subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20))
    told = done.stderr.decode()
    return told.partition("Protocol version: ")[2].partition("\n")[0] or None


def with_profile(service: Service, profile: TlsChoice) -> object:
    def change(config: Config) -> Config:
        listen = {**config.listen, service: replace(config.listen[service], tls=profile)}
        return replace(config, listen=listen)

    return change


async def test_submission_takes_tls_1_3_alone_and_port_25_takes_1_2_too(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        for service in ("submissions", "submission"):
            assert await shake(server, service, "-tls1_2") is None
            assert await shake(server, service) == "TLSv1.3"
        for service in ("smtp", "imaps"):
            assert await shake(server, service, "-tls1_2") == "TLSv1.2"
            assert await shake(server, service, "-tls1_1", *WEAK) is None
            assert await shake(server, service, *CBC) is None


async def test_a_legacy_listener_takes_old_versions_and_its_neighbours_do_not(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=with_profile("imaps", "legacy")) as server:  # type: ignore[arg-type]
        assert await shake(server, "imaps", "-tls1", *WEAK) == "TLSv1"
        assert await shake(server, "imaps", "-tls1_1", *WEAK) == "TLSv1.1"
        assert await shake(server, "imaps", *CBC) == "TLSv1.2"
        assert await shake(server, "imaps", "-tls1_2", "-cipher", "AES128-GCM-SHA256") is None, "no forward secrecy"
        assert await shake(server, "imaps") == "TLSv1.3"
        assert await shake(server, "pop3s", "-tls1", *WEAK) is None


@pytest.mark.parametrize("name", ["mail.hongyan.test", "nobody.knows.test"])
async def test_the_name_that_is_asked_for_does_not_change_the_profile(tmp_path: Path, name: str) -> None:
    async with start_server(tmp_path, change=with_profile("imaps", "modern")) as server:  # type: ignore[arg-type]
        assert await shake(server, "imaps", "-tls1_2", "-servername", name) is None
        assert await shake(server, "imaps", "-servername", name) == "TLSv1.3"
