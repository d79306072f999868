"""Whatever a server says, the client's end of SMTP ends each transaction with one answer for each recipient.

An answer is positive only where a reply to the complete content was; nothing raises; nothing but
printable ASCII of the server's words gets through. The octet 0xFF stands for a pause in which the
driver does its part.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.addresses import Address
from hongyan.wire.smtp.client import ClientConnection
from hongyan.wire.smtp.client_events import ContentWanted, Ended, HandshakeDue, Ready, Sent
from hongyan.wire.smtp.commands import MailFrom, RcptTo
from hongyan.wire.smtp.envelope import Envelope

_GROUP = b"220 b\r\n\xff250-b\r\n250-PIPELINING\r\n250 SIZE 1000\r\n\xff"

CORPUS: list[bytes] = [
    _GROUP + b"250 OK\r\n250 OK\r\n550 no\r\n354 go\r\n\xff250 2.0.0 done\r\n",
    _GROUP.replace(b"SIZE 1000", b"CHUNKING") + b"250 OK\r\n250 OK\r\n250 OK\r\n\xff250 OK\r\n250 OK\r\n\xff221\r\n",
    _GROUP.replace(b"PIPELINING", b"STARTTLS") + b"220 go\r\n250 evil\r\n\xff250 b\r\n\xff250 OK\r\n\xff354 go\r\n",
    b"220 b\r\n\xff502 what\r\n\xff250 b\r\n\xff250 OK\r\n\xff421 4.3.2 bye\r\n",
    b"554 5.7.1 go away\r\n",
    _GROUP + b"250 OK\r\n550 no\r\n550 no\r\n354 go\r\n\xff250 OK\r\n",
]
_ENVELOPE = Envelope(
    MailFrom(Address.parse("s@a.example")),
    (RcptTo(Address.parse("ann@b.example")), RcptTo(Address.parse("ben@b.example"))),
)


def target(octets: bytes) -> None:
    connection = ClientConnection("me.example")
    complete = False
    for chunk in octets.split(b"\xff"):
        connection.receive_data(chunk)
        for event in connection.events():
            match event:
                case Ready(capabilities):
                    if not connection.is_idle:
                        continue
                    complete = False
                    connection.start_tls() if capabilities.starttls else connection.send(_ENVELOPE)
                case HandshakeDue():
                    connection.tls_started()
                case ContentWanted():
                    connection.content(b"Subject: x\r\n")
                    connection.content(b"\r\n.\r\n")
                    connection.end_content()
                    complete = True
                case Sent(answers):
                    assert len(answers) == 2
                    for answer in answers:
                        assert complete or not answer.delivered
                        assert answer.reply.text.isascii()
                        assert answer.reply.text.isprintable() or not answer.reply.text
                        assert answer.delivered or not answer.reply.is_positive
                    if connection.can_send_another:
                        complete = False
                        connection.send(_ENVELOPE)
                case Ended():
                    assert connection.closing
        connection.data_to_send()
    connection.receive_eof()
    list(connection.events())
    assert connection.closing
