"""The libraries that Python programs use: imaplib, smtplib, poplib, IMAPClient, aiosmtplib."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import ssl
import threading
from email.message import EmailMessage

import aiosmtplib
import imapclient
import pytest

from tests.support.clients import Office, Owner

pytestmark = pytest.mark.interop

MESSAGE = b"From: Goose <goose@elsewhere.test>\r\nSubject: %b\r\n\r\nHonk.\r\n"


def trust(office: Office) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(office.authority))


def letter(owner: Owner, subject: str = "鸿雁") -> EmailMessage:
    message = EmailMessage()
    message["From"] = owner.address
    message["To"] = owner.address
    message["Subject"] = subject
    message.set_content("雁 says honk.\n")
    message.add_attachment(bytes(range(256)) * 100, maintype="application", subtype="octet-stream", filename="雁.bin")
    return message


def test_imaplib(office: Office, owner: Owner) -> None:
    with imaplib.IMAP4("localhost", office.port("imap")) as imap:
        imap.starttls(trust(office))
        imap.authenticate("PLAIN", lambda _: f"\0{owner.address}\0{owner.secret}".encode())
        assert imap.enable("UTF8=ACCEPT")[0] == "OK"
        imap.create('"雁"')
        assert imap.append('"雁"', "(\\Seen)", imaplib.Time2Internaldate(0), MESSAGE % b"one")[0] == "OK"
        assert imap.select('"雁"')[1] == [b"1"]
        assert imap.fetch("1", "(FLAGS INTERNALDATE)")[1][0].count(b"1970") == 1
        assert imap.uid("SEARCH", None, "SUBJECT", "one")[1] == [b"1"]
        assert imap.copy("1", "Archive")[0] == "OK"
        assert imap.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
        assert imap.expunge()[1] == [b"1"]
        assert imap.namespace()[1] == [b'(("" "/")) (("Other Users/" "/")) NIL']
        assert imap.getquotaroot("INBOX")[0] == "OK"
        imap.unselect()


def test_imaplib_shares_a_mailbox(office: Office, owner: Owner) -> None:
    other = office.hire()
    theirs = f'"Other Users/{owner.address}/Archive"'
    with office.imap(owner) as imap, office.imap(other) as viewer:
        assert imap.append("Archive", "", imaplib.Time2Internaldate(0), MESSAGE % b"shared")[0] == "OK"
        assert imap.setacl("Archive", other.address, "lrs")[0] == "OK"
        assert other.address.encode() + b" lrs" in imap.getacl("Archive")[1][0]
        assert viewer.myrights(theirs)[1][0].endswith(b" lrs")
        assert theirs.encode() in b"".join(viewer.list('"Other Users/"', "*")[1])
        assert viewer.select(theirs)[1] == [b"1"]
        assert b"shared" in viewer.fetch("1", "(BODY[HEADER])")[1][0][1]
        assert viewer.copy("1", "INBOX")[0] == "OK"
        assert viewer.store("1", "+FLAGS", "\\Deleted")[0] == "NO"
        assert imap.deleteacl("Archive", other.address)[0] == "OK"
        with pytest.raises(imaplib.IMAP4.abort):
            viewer.noop()


def test_imapclient_follows_another_session_by_idle(office: Office, owner: Owner) -> None:
    with imapclient.IMAPClient("localhost", office.port("imaps"), ssl_context=trust(office), timeout=20) as imap:
        imap.login(owner.address, owner.secret)
        assert b"Hongyan" in imap.id_({"name": "test"})[0]
        imap.select_folder("INBOX")
        imap.idle()
        bring = threading.Thread(target=office.bring, args=(owner, MESSAGE % b"one"))
        bring.start()
        assert imap.idle_check(20) == [(1, b"EXISTS")]
        bring.join()
        imap.idle_done()
        imap.add_flags([1], [imapclient.SEEN, "$Work"])
        found = imap.fetch([1], ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE", "BODY.PEEK[TEXT]"])[1]
        assert found[b"ENVELOPE"].subject == b"one"
        assert set(found[b"FLAGS"]) == {b"\\Seen", b"$Work"}
        assert found[b"BODY[TEXT]"] == b"Honk.\r\n"
        assert imap.search(["NOT", "DELETED", "SUBJECT", "one"]) == [1]
        imap.move([1], "Archive")
        assert imap.folder_status("Archive", ["MESSAGES", "UIDNEXT"]) == {b"MESSAGES": 1, b"UIDNEXT": 2}
        imap.create_folder("工作/雁")
        imap.rename_folder("工作", "Work")
        assert imap.find_special_folder(b"\\Sent") == "Sent"
        assert {name for _, _, name in imap.list_folders()} >= {"INBOX", "Work", "Work/雁"}
        assert imap.get_quota()[0].resource == "STORAGE"


def test_imapclient_appends_many_at_once(office: Office, owner: Owner) -> None:
    with imapclient.IMAPClient("localhost", office.port("imaps"), ssl_context=trust(office), timeout=20) as imap:
        imap.login(owner.address, owner.secret)
        messages = [MESSAGE % b"%d" % number for number in range(50)]
        imap.multiappend("INBOX", messages)
        imap.select_folder("INBOX")
        assert imap.search() == list(range(1, 51))
        imap.delete_messages(range(1, 51, 2))
        imap.expunge()
        assert imap.search() == list(range(2, 51, 2))


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_smtplib(office: Office, owner: Owner, service: str) -> None:
    if service == "submissions":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL("localhost", office.port(service), context=trust(office))
    else:
        smtp = smtplib.SMTP("localhost", office.port(service))
        smtp.starttls(context=trust(office))
    with smtp:
        smtp.login(owner.address, owner.secret)
        smtp.send_message(letter(owner), mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.send_message(letter(owner), to_addrs=["nobody@hongyan.test"])
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.send_message(letter(owner), from_addr="admin@hongyan.test")
    (message,) = office.wait_for(owner, 1)
    assert b"\r\nDate: " in message


def test_poplib(office: Office, owner: Owner) -> None:
    office.bring(owner, MESSAGE % b"one", MESSAGE % b"two")
    pop = poplib.POP3("localhost", office.port("pop3"), timeout=20)
    pop.stls(trust(office))
    pop.user(owner.address)
    pop.pass_(owner.secret)
    assert pop.stat()[0] == 2
    assert b"Subject: two" in pop.retr(2)[1]
    assert pop.top(1, 0)[1][-1] in (b"", b"Subject: one")
    assert len(pop.uidl()[1]) == 2
    pop.dele(1)
    pop.quit()
    assert [b"Subject: two" in octets for octets in office.messages(owner)] == [True]


async def test_aiosmtplib(office: Office, owner: Owner) -> None:
    async with aiosmtplib.SMTP(
        hostname="localhost", port=office.port("submission"), start_tls=True, tls_context=trust(office)
    ) as smtp:
        await smtp.login(owner.address, owner.secret)
        for number in range(20):
            await smtp.send_message(letter(owner, f"message {number}"))
    assert len(office.wait_for(owner, 20)) == 20


def test_imapclient_sorts_and_threads(office: Office, owner: Owner) -> None:
    with imapclient.IMAPClient("localhost", office.port("imaps"), ssl_context=trust(office), timeout=20) as imap:
        imap.login(owner.address, owner.secret)
        imap.create_folder("Ordered")
        for number, (subject, answers) in enumerate((("Pears", ""), ("Apples", ""), ("Re: pears", "<0@x.test>"))):
            answered = f"In-Reply-To: {answers}\r\n" if answers else ""
            imap.append("Ordered", f"Message-ID: <{number}@x.test>\r\nSubject: {subject}\r\n{answered}\r\nHi.\r\n")
        imap.select_folder("Ordered")
        assert imap.sort("SUBJECT") == [2, 1, 3]
        assert imap.sort("REVERSE SUBJECT", "NOT DELETED") == [1, 3, 2]
        assert imap.thread("REFERENCES") == ((1, 3), (2,))
        assert imap.thread("ORDEREDSUBJECT") == ((1, 3), (2,))
