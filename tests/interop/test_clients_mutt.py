"""mutt and NeoMutt: whole sessions, by keys that are pushed."""

from __future__ import annotations

import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

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


def muttrc(office: Office, owner: Owner, port: int = 0) -> str:
    """Write the configuration; `port` is where IMAP is, if not at the service itself."""
    return str(
        office.write(
            "muttrc",
            MUTTRC.format(
                user=owner.address.replace("@", "%40"),
                imaps=port or office.port("imaps"),
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


@pytest.mark.parametrize("program", PROGRAMS)
def test_mutt_searches_on_the_server_and_moves_what_it_found(office: Office, owner: Owner, program: str) -> None:
    letter = b"From: goose@elsewhere.test\r\nSubject: %b\r\n\r\n%b\r\n"
    office.bring(owner, letter % (b"one", b"Honk."), letter % (b"two", b"A needle."), letter % (b"three", b"needles"))
    keys = "<limit>=b needle<enter><tag-pattern>.<enter><tag-prefix><save-message>=Archive<enter><sync-mailbox>"
    with office.tap() as tap:
        config = muttrc(office, owner, tap.port)
        drawn = office.run_on_screen(PROGRAMS[program], program, "-F", config, "-e", f"push '{keys}<quit>'")
        searches = [command for command in tap.commands if command.startswith("UID SEARCH")]
        assert searches == ['UID SEARCH BODY "needle"'], tap.commands
        assert tap.verbs & {"UID MOVE", "UID COPY"}
    assert sorted(subject_of(octets) for octets in office.messages(owner, "Archive")) == [b"three", b"two"], drawn
    assert [subject_of(octets) for octets in office.messages(owner)] == [b"one"]


def subject_of(octets: bytes) -> bytes:
    return octets.partition(b"Subject: ")[2].partition(b"\r\n")[0]


@pytest.mark.parametrize("program", PROGRAMS)
def test_mutt_postpones_a_draft_and_sends_it_later_with_a_copy_in_sent(
    office: Office, owner: Owner, program: str
) -> None:
    body = office.write("body", "Honk, honk.\n")
    config = muttrc(office, owner)
    with open(config, "a") as file:
        file.write(f"set editor = 'cp {body}'\nset postpone = yes\nset fast_reply\nset abort_unmodified = no\n")

    def push(keys: str) -> str:
        return office.run_on_screen(PROGRAMS[program], program, "-F", config, "-e", f"push '{keys}<quit>'")

    drawn = push(f"<mail>{owner.address}<enter>Geese<enter><postpone-message>")
    (draft,) = office.messages(owner, "Drafts")
    assert b"Subject: Geese\r\n" in draft, drawn
    assert b"\\Draft" in office.flags(owner, "Drafts")[0]
    drawn = push("<recall-message><send-message>")
    (message,) = office.wait_for(owner, 1)
    assert b"Honk, honk." in message, drawn
    (copy,) = office.messages(owner, "Sent")
    assert b"Subject: Geese\r\n" in copy
    assert b"\\Seen" in office.flags(owner, "Sent")[0]
    assert office.messages(owner, "Drafts") == []
