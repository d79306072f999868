"""Programs that send mail: msmtp."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

MSMTPRC = """
account default
host localhost
port {port}
tls on
tls_starttls {starttls}
tls_trust_file {authority}
auth {auth}
user {address}
password {secret}
from {address}
"""


@pytest.mark.parametrize(("service", "auth"), [("submission", "plain"), ("submissions", "scram-sha-256")])
def test_msmtp_sends(office: Office, owner: Owner, service: str, auth: str) -> None:
    office.write(
        "msmtprc",
        MSMTPRC.format(
            port=office.port(service),
            starttls="on" if service == "submission" else "off",
            authority=office.authority,
            auth=auth,
            address=owner.address,
            secret=owner.secret,
        ),
    )
    hidden = office.hire()
    letter = f"From: {owner.address}\nTo: {owner.address}\nBcc: {hidden.address}\nSubject: geese\n\nHonk.\n"
    office.run(("msmtp",), "msmtp", "-C", office.home / "msmtprc", "-t", "--remove-bcc=off", given=letter.encode())
    (message,) = office.wait_for(owner, 1)
    assert office.wait_for(hidden, 1) == [message]
    assert hidden.address.encode() not in message
    assert b"\r\nMessage-ID: <" in message


def test_msmtp_is_told_of_unknown_recipients(office: Office, owner: Owner) -> None:
    office.write(
        "msmtprc",
        MSMTPRC.format(
            port=office.port("submissions"),
            starttls="off",
            authority=office.authority,
            auth="plain",
            address=owner.address,
            secret=owner.secret,
        ),
    )
    letter = f"From: {owner.address}\n\nHonk.\n".encode()
    arguments = ("-C", office.home / "msmtprc", "nobody@hongyan.test")
    assert "There is no such recipient here" in office.run(("msmtp",), "msmtp", *arguments, given=letter, ends_with=65)
