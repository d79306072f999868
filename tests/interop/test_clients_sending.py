"""Programs that send mail: msmtp and mutt, and mutt that reads it."""

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


MUTTRC = """
set folder = imaps://{user}@localhost:{imaps}/
set spoolfile = +INBOX
set record = +Sent
set postponed = +Drafts
set trash = +Trash
set imap_user = {address}
set imap_pass = "{secret}"
set smtp_url = smtps://{user}@localhost:{submissions}/
set smtp_pass = "{secret}"
set ssl_starttls = yes
set ssl_force_tls = yes
set ssl_verify_host = no
set certificate_file = {authority}
set ssl_ca_certificates_file = {authority}
set from = {address}
set realname = Goose
set use_envelope_from = yes
set mail_check = 1
set confirmappend = no
set confirmcreate = no
set delete = yes
set move = no
set quit = yes
set wait_key = no
set pager_stop
set sleep_time = 0
set crypt_use_gpgme = no
set header_cache = {home}/headers
set message_cachedir = {home}/bodies
"""

PROGRAMS = {"mutt": ("mutt", "libsasl2-modules"), "neomutt": ("neomutt",)}


def muttrc(office: Office, owner: Owner) -> str:
    return str(
        office.write(
            "muttrc",
            MUTTRC.format(
                user=owner.address.replace("@", "%40"),
                imaps=office.port("imaps"),
                submissions=office.port("submissions"),
                address=owner.address,
                secret=owner.secret,
                authority=office.authority,
                home=office.home,
            ),
        )
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_mutt_sends_and_keeps_a_copy(office: Office, owner: Owner, program: str) -> None:
    (office.home / "goose.bin").write_bytes(bytes(range(256)) * 40)
    arguments = ("-F", muttrc(office, owner), "-s", "鸿雁", "-a", str(office.home / "goose.bin"), "--", owner.address)
    office.run(PROGRAMS[program], program, *arguments, given="雁\n".encode())
    (message,) = office.wait_for(owner, 1)
    assert b"goose.bin" in message
    assert len(office.messages(owner, "Sent")) == (program == "mutt")  # NeoMutt keeps none in batch mode


@pytest.mark.parametrize("program", PROGRAMS)
def test_mutt_reads_marks_files_and_deletes(office: Office, owner: Owner, program: str) -> None:
    letter = b"From: goose@elsewhere.test\r\nSubject: %b\r\n\r\nHonk.\r\n"
    office.bring(owner, letter % b"one", letter % b"two", letter % b"three")
    keys = "1<enter><display-message><exit><flag-message>2<enter><save-message>=Archive<enter>3<enter><delete-message>"
    drawn = office.run_on_screen(PROGRAMS[program], program, "-F", muttrc(office, owner), "-e", f"push '{keys}<quit>'")
    with office.imap(owner) as imap:
        imap.select("INBOX")
        assert imap.search(None, "SEEN", "FLAGGED")[1] == [b"1"], drawn
    assert [b"Subject: two" in octets for octets in office.messages(owner, "Archive")] == [True]
    assert b"Subject: three" in b"".join(office.messages(owner, "Trash"))
    assert len(office.messages(owner)) == 1
