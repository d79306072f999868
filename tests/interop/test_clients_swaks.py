"""swaks, the testers' SMTP client: mail from other servers, and submission."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

SWAKS = ("swaks", "libnet-ssleay-perl")


def swaks(office: Office, service: str, *arguments: str, ends_with: int = 0) -> str:
    server = ("--server", "localhost", "--port", str(office.port(service)))
    trust = ("--tls-verify", "--tls-ca-path", str(office.authority)) if "--tls" in " ".join(arguments) else ()
    return office.run(SWAKS, "swaks", *server, *trust, *arguments, ends_with=ends_with)


@pytest.mark.parametrize("how", [(), ("--tls",), ("--pipeline",), ("--protocol", "SMTP")])
def test_swaks_brings_mail_from_another_server(office: Office, owner: Owner, how: tuple[str, ...]) -> None:
    said = swaks(office, "smtp", "--from", "a@elsewhere.test", "--to", owner.address, "--body", "Honk.", *how)
    assert "250 2.0.0 Message accepted" in said
    (message,) = office.messages(owner)
    assert b"\r\n\r\nHonk.\r\n" in message


@pytest.mark.parametrize("service", ["submission", "submissions"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(office: Office, owner: Owner, service: str, mechanism: str) -> None:
    tls = "--tls-on-connect" if service == "submissions" else "--tls"
    login = ("--auth", mechanism, "--auth-user", owner.address, "--auth-password", owner.secret)
    swaks(office, service, tls, *login, "--from", owner.address, "--to", owner.address, "--body", "Honk.")
    (message,) = office.wait_for(owner, 1)
    assert b"with ESMTPSA id" in message


def test_swaks_is_told_what_is_wrong(office: Office, owner: Owner) -> None:
    sender = ("--from", "a@elsewhere.test")
    assert "550 5.1.1" in swaks(office, "smtp", *sender, "--to", "nobody@hongyan.test", ends_with=24)
    assert "550 5.7.1" in swaks(office, "smtp", *sender, "--to", "somebody@elsewhere.test", ends_with=24)
    login = ("--auth", "PLAIN", "--auth-user", owner.address, "--auth-password", "wrong")
    to = ("--from", owner.address, "--to", owner.address)
    assert "535 5.7.8" in swaks(office, "submissions", "--tls-on-connect", *login, *to, ends_with=28)
    assert "530 5.7.0" in swaks(office, "submission", *to, ends_with=23)
