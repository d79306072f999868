"""Programs that fetch mail: getmail, fetchmail, mpop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clients import Office, Owner, files_of, letters

pytestmark = pytest.mark.interop

# -- getmail


GETMAILRC = """
[retriever]
type = Simple{type}SSLRetriever
server = localhost
port = {port}
username = {address}
password = {secret}
ca_certs = {authority}
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat >> {home}/mbox")
allow_root_commands = true
[options]
read_all = false
delete = {delete}
delivered_to = false
received = false
verbose = 1
"""


@pytest.mark.parametrize(("kind", "service"), [("IMAP", "imaps"), ("POP3", "pop3s")])
def test_getmail_fetches_each_message_once(office: Office, owner: Owner, kind: str, service: str) -> None:
    (office.home / ".config" / "getmail").mkdir(parents=True)

    def get(*, delete: bool) -> str:
        office.write(
            ".config/getmail/getmailrc",
            GETMAILRC.format(
                type=kind,
                port=office.port(service),
                address=owner.address,
                secret=owner.secret,
                authority=office.authority,
                home=office.home,
                delete=str(delete).lower(),
            ),
        )
        return office.run(("getmail6",), "getmail")

    office.bring(owner, *letters(b"one", b"two"))
    assert "2 messages (" in get(delete=False)
    assert "0 messages (" in get(delete=False)
    office.bring(owner, *letters(b"three"))
    assert "1 messages (" in get(delete=True)
    assert (office.home / "mbox").read_bytes().count(b"Honk.") == 3
    assert office.messages(owner) == []


# -- fetchmail


def delivery(office: Office) -> Path:
    """A program that keeps what it is given."""
    program = office.write("deliver", f"#!/bin/sh\nexec cat >> {office.home}/mbox\n")
    program.chmod(0o700)
    return program


def fetchmail(office: Office, *options: str, ends_with: int = 0) -> str:
    """Run it; what it remembers, and its mark that it runs, lie in the home."""
    own = ("--idfile", office.home / "fetchids", "--pidfile", office.home / "fetchmail.pid")
    return office.run(("fetchmail",), "fetchmail", "--nosyslog", "--nodetach", *own, *options, ends_with=ends_with)


@pytest.mark.parametrize(("protocol", "service"), [("IMAP", "imaps"), ("POP3", "pop3s")])
def test_fetchmail_takes_mail_away(office: Office, owner: Owner, protocol: str, service: str) -> None:
    office.bring(owner, *letters(b"one", b"two"))
    office.write(
        ".fetchmailrc",
        f'poll localhost service {office.port(service)} protocol {protocol} username "{owner.address}"'
        f' password "{owner.secret}" ssl sslcertck sslcertfile "{office.authority}"'
        f' mda "{delivery(office)}" fetchall\n',
    )
    said = fetchmail(office, "-v")
    mbox = (office.home / "mbox").read_bytes()
    assert mbox.count(b"Honk.") == 2, said
    assert office.messages(owner) == []


def test_fetchmail_begins_tls_by_stls(office: Office, owner: Owner) -> None:
    office.bring(owner, *letters(b"one"))
    office.write(
        ".fetchmailrc",
        f'poll localhost service {office.port("pop3")} protocol POP3 username "{owner.address}"'
        f' password "{owner.secret}" sslproto "TLS1.2+" sslcertck sslcertfile "{office.authority}"'
        f' mda "{delivery(office)}" keep\n',
    )
    fetchmail(office)
    assert b"Subject: one" in (office.home / "mbox").read_bytes()
    assert len(office.messages(owner)) == 1


@pytest.mark.parametrize(("protocol", "service"), [("IMAP", "imaps"), ("POP3", "pop3s")])
def test_fetchmail_leaves_mail_and_fetches_new_mail_only(
    office: Office, owner: Owner, protocol: str, service: str
) -> None:
    office.bring(owner, *letters(b"one", b"two"))
    with office.tap(service) as tap:
        remembers = "uidl" if protocol == "POP3" else ""
        office.write(
            ".fetchmailrc",
            f'poll localhost service {tap.port} protocol {protocol} {remembers} username "{owner.address}"'
            f' password "{owner.secret}" ssl sslcertck sslcertfile "{office.authority}"'
            f' mda "{delivery(office)}" keep\n',
        )
        fetchmail(office)
        fetchmail(office, ends_with=1)  # there is no new mail
        office.bring(owner, *letters(b"three"))
        fetchmail(office)
        assert len([line for line in tap.lines if line.startswith("TOP ") or "BODY.PEEK[TEXT]" in line]) == 3
    mbox = (office.home / "mbox").read_bytes()
    assert [mbox.count(b"Subject: " + name) for name in (b"one", b"two", b"three")] == [1, 1, 1]
    assert len(office.messages(owner)) == 3


# -- mpop


MPOPRC = """
account default
host localhost
port {port}
user {address}
password "{secret}"
tls on
tls_starttls {starttls}
tls_trust_file {authority}
delivery maildir {home}/mail
keep {keep}
"""


@pytest.mark.parametrize("service", ["pop3s", "pop3"])
def test_mpop_fetches_new_mail_only_and_may_leave_it(office: Office, owner: Owner, service: str) -> None:
    for folder in ("cur", "new", "tmp"):
        (office.home / "mail" / folder).mkdir(parents=True)

    def pop(keep: str) -> str:
        office.write(
            "mpoprc",
            MPOPRC.format(
                port=office.port(service),
                address=owner.address,
                secret=owner.secret,
                starttls="off" if service == "pop3s" else "on",
                authority=office.authority,
                home=office.home,
                keep=keep,
            ),
        )
        return office.run(("mpop",), "mpop", "-C", office.home / "mpoprc")

    office.bring(owner, *letters(b"one", b"two"))
    assert "new: 2 messages" in pop("on")
    assert "new: no messages" in pop("on")
    office.bring(owner, *letters(b"three"))
    assert "new: 1 message" in pop("off")
    assert len(files_of(office.home / "mail")) == 3
    assert office.messages(owner) == []
