"""Programs that fetch mail: mbsync, getmail, fetchmail, mpop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

MBSYNC = ("isync", "libsasl2-modules")
MESSAGE = b"From: Goose <goose@elsewhere.test>\r\nSubject: %b\r\nMessage-ID: <%b@elsewhere.test>\r\n\r\nHonk.\r\n"


def letters(*names: bytes) -> list[bytes]:
    return [MESSAGE % (name, name) for name in names]


def files_of(folder: Path) -> list[Path]:
    """The messages of a Maildir."""
    return sorted(file for part in ("cur", "new") for file in (folder / part).glob("*"))


def texts_of(folder: Path) -> list[bytes]:
    return sorted(file.read_bytes() for file in files_of(folder))


# -- mbsync


MBSYNCRC = """
IMAPAccount far
Host localhost
Port {port}
User {address}
Pass "{secret}"
SSLType IMAPS
CertificateFile {authority}
AuthMechs {mechanism}

IMAPStore far
Account far

MaildirStore near
SubFolders Verbatim
Path {home}/mail/
Inbox {home}/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


def sync(office: Office, owner: Owner, mechanism: str = "PLAIN") -> str:
    """Synchronise, and return what was said on the wire."""
    (office.home / "mail").mkdir(exist_ok=True)
    office.write(
        "mbsyncrc",
        MBSYNCRC.format(
            port=office.port("imaps"),
            address=owner.address,
            secret=owner.secret,
            authority=office.authority,
            home=office.home,
            mechanism=mechanism,
        ),
    )
    return office.run(MBSYNC, "mbsync", "-Dn", "-c", office.home / "mbsyncrc", "all")


def test_mbsync_keeps_both_sides_the_same_and_fetches_nothing_twice(office: Office, owner: Owner) -> None:
    inbox = office.home / "mail" / "INBOX"
    office.bring(owner, *letters(b"one", b"two", b"three"))
    assert sync(office, owner).count("BODY.PEEK[]") == 3
    assert len(files_of(inbox)) == 3
    again = sync(office, owner)
    assert "BODY" not in again
    assert "UID STORE" not in again

    seen = next(file for file in files_of(inbox) if b"Subject: one" in file.read_bytes())
    seen.rename(inbox / "cur" / f"{seen.name.partition(':')[0]}:2,FS")
    gone = next(file for file in files_of(inbox) if b"Subject: two" in file.read_bytes())
    gone.unlink()
    with office.imap(owner) as imap:
        imap.select("INBOX")
        imap.uid("STORE", "3", "+FLAGS", "(\\Answered)")
    assert "BODY" not in sync(office, owner)
    assert sorted(office.flags(owner)) == [b"\\Answered", b"\\Flagged \\Seen"]
    assert any(file.name.endswith(":2,R") for file in files_of(inbox))
    before = files_of(inbox)
    assert "BODY" not in sync(office, owner)
    assert files_of(inbox) == before


def test_mbsync_makes_mailboxes_on_the_other_side(office: Office, owner: Owner) -> None:
    sync(office, owner)
    for folder in ("cur", "new", "tmp"):
        (office.home / "mail" / "Work" / folder).mkdir(parents=True)
    (office.home / "mail" / "Work" / "new" / "1.test").write_bytes(letters(b"kept")[0].replace(b"\r\n", b"\n"))
    with office.imap(owner) as imap:
        imap.create("&XfJT0ZABkK5O9g-")
        imap.append("&XfJT0ZABkK5O9g-", None, None, letters(b"far")[0])
    sync(office, owner, "SCRAM-SHA-256" if has_scram(office) else "PLAIN")
    assert [b"Subject: kept" in octets for octets in office.messages(owner, "Work")] == [True]
    assert len(files_of(office.home / "mail" / "&XfJT0ZABkK5O9g-")) == 1


def has_scram(office: Office) -> bool:
    """Whether the unpacked SASL library has the mechanism."""
    from tests.support import debian

    return bool(list(debian.require(*MBSYNC).glob("usr/lib/*/sasl2/libscram.so")))


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


@pytest.mark.parametrize(("protocol", "service"), [("IMAP", "imaps"), ("POP3", "pop3s")])
def test_fetchmail_takes_mail_away(office: Office, owner: Owner, protocol: str, service: str) -> None:
    office.bring(owner, *letters(b"one", b"two"))
    office.write(
        ".fetchmailrc",
        f'poll localhost service {office.port(service)} protocol {protocol} username "{owner.address}"'
        f' password "{owner.secret}" ssl sslcertck sslcertfile "{office.authority}"'
        f' mda "{delivery(office)}" fetchall\n',
    )
    said = office.run(("fetchmail",), "fetchmail", "--nosyslog", "--nodetach", "-v")
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
    office.run(("fetchmail",), "fetchmail", "--nosyslog", "--nodetach")
    assert b"Subject: one" in (office.home / "mbox").read_bytes()
    assert len(office.messages(owner)) == 1


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
    office.bring(owner, *letters(b"three"))
    assert "new: 1 message" in pop("off")
    assert len(texts_of(office.home / "mail")) == 3
    assert office.messages(owner) == []
