"""curl speaks to every port: IMAP, POP3, SMTP and submission, with TLS from the start and by STARTTLS."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

CURL = ("curl",)
MESSAGE = b"From: Goose <goose@elsewhere.test>\r\nSubject: %b\r\n\r\nHonk.\r\n"


def curl(office: Office, owner: Owner, *arguments: str, given: bytes = b"", ends_with: int = 0) -> str:
    fixed = ("-sS", "--cacert", str(office.authority), "-u", f"{owner.address}:{owner.secret}")
    return office.run(CURL, "curl", *fixed, *arguments, given=given, ends_with=ends_with)


def test_curl_lists_mailboxes_and_reads_a_message_by_imaps(office: Office, owner: Owner) -> None:
    office.bring(owner, MESSAGE % b"one")
    url = f"imaps://localhost:{office.port('imaps')}"
    assert '* LIST (\\HasNoChildren \\Sent) "/" "Sent"' in curl(office, owner, f"{url}/")
    assert "Subject: one\r\n\r\nHonk.\r\n" in curl(office, owner, f"{url}/INBOX;UID=1")
    assert curl(office, owner, f"{url}/INBOX;UID=1;SECTION=TEXT") == "Honk.\r\n"
    assert "* SEARCH 1" in curl(office, owner, f"{url}/INBOX?SUBJECT%20one")


def test_curl_appends_and_marks_by_starttls(office: Office, owner: Owner) -> None:
    url = f"imap://localhost:{office.port('imap')}"
    draft = office.home / "draft.eml"
    draft.write_bytes(MESSAGE % b"draft")
    curl(office, owner, "--ssl-reqd", f"{url}/Drafts", "-T", str(draft))
    curl(office, owner, "--ssl-reqd", f"{url}/Drafts", "-X", "STORE 1 +Flags \\Flagged")
    assert office.messages(owner, "Drafts") == [MESSAGE % b"draft"]
    assert b"\\Flagged" in office.flags(owner, "Drafts")[0]


def test_curl_sends_by_submissions_and_by_submission(office: Office, owner: Owner) -> None:
    letter = b"From: %b\r\nSubject: %b\r\n\r\nHonk.\r\n"
    addressed = ("--mail-from", owner.address, "--mail-rcpt", owner.address, "-T", "-")
    for subject, url in (
        (b"tls", f"smtps://localhost:{office.port('submissions')}"),
        (b"starttls", f"smtp://localhost:{office.port('submission')}"),
    ):
        curl(office, owner, "--ssl-reqd", url, *addressed, given=letter % (owner.address.encode(), subject))
    subjects = sorted(octets.partition(b"Subject: ")[2].partition(b"\r\n")[0] for octets in office.wait_for(owner, 2))
    assert subjects == [b"starttls", b"tls"]


def test_curl_may_not_send_as_somebody_else(office: Office, owner: Owner) -> None:
    url = f"smtps://localhost:{office.port('submissions')}"
    addressed = ("--mail-from", "admin@hongyan.test", "--mail-rcpt", owner.address, "-T", "-")
    assert "553" in curl(office, owner, url, *addressed, given=MESSAGE % b"x", ends_with=55)


def test_curl_reads_by_pop3s_and_by_stls(office: Office, owner: Owner) -> None:
    office.bring(owner, MESSAGE % b"one", MESSAGE % b"two")
    url = f"pop3s://localhost:{office.port('pop3s')}"
    assert [line.split()[0] for line in curl(office, owner, f"{url}/").splitlines()] == ["1", "2"]
    assert "Subject: two" in curl(office, owner, f"{url}/2")
    plain = f"pop3://localhost:{office.port('pop3')}"
    assert "Subject: one" in curl(office, owner, "--ssl-reqd", f"{plain}/1")


@pytest.mark.parametrize("scheme", ["imaps", "pop3s", "smtps"])
def test_curl_is_told_that_a_secret_is_wrong(office: Office, owner: Owner, scheme: str) -> None:
    service = "submissions" if scheme == "smtps" else scheme
    url = f"{scheme}://localhost:{office.port(service)}/"
    arguments = ("--mail-from", owner.address, "--mail-rcpt", owner.address, "-T", "-") if scheme == "smtps" else ()
    assert "denied" in curl(office, Owner(owner.address, "wrong"), url, *arguments, ends_with=67).lower()
