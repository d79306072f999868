"""Any octets lead the server's end of SMTP through its states without an exception.

What it says is well-formed replies; a message is taken only after MAIL and RCPT were; nothing is
said or told after the session is over.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import re

from hongyan.wire.smtp.events import AuthResponse, AuthStart, MailFrom, MessageEnd, Question, RcptTo
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.replies import AUTHENTICATION_FAILED
from hongyan.wire.smtp.server import ServerConnection

_OFFER = Offer("mx.example", max_message=500, starttls=True, auth=("PLAIN", "LOGIN"), auth_without_tls=True, dsn=True)

CORPUS: list[bytes] = [
    b"EHLO a.example\r\n\xffMAIL FROM:<a@b.c> SIZE=20\r\nRCPT TO:<d@e.f>\r\nDATA\r\n\xffx: y\r\n\r\ny\r\n.\r\nQUIT\r\n",
    b"EHLO a\r\n\xffMAIL FROM:<>\r\nRCPT TO:<Postmaster> NOTIFY=NEVER\r\nBDAT 5\r\nabc\r\nBDAT 3 LAST\r\ny\r\n",
    b"EHLO a\r\n\xffMAIL FROM:<a@b.c> BODY=8BITMIME\r\nRCPT TO:<d@e.f> ORCPT=rfc822;a+2Bb\r\nDATA\r\n\xff\0\r\n.\r\n",
    b"HELO x\r\n\xffVRFY a\r\nEXPN b\r\nHELP\r\nNOOP\r\nRSET\r\nBDAT x\r\n",
    b"EHLO [127.0.0.1]\r\n\xffAUTH LOGIN\r\n\xffYW5u\r\n\xffc2VjcmV0\r\n\xffAUTH PLAIN AGEAYg==\r\n",
    b"EHLO a\r\n\xffSTARTTLS\r\n\xffEHLO b\r\n\xffMAIL FROM:<@a,@b:c@d> RET=HDRS ENVID=x+2By SMTPUTF8\r\n",
    b"EHLO a\r\n\xffMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\xffx\n.\nMAIL FROM:<e@f>\r\n.\r\n",
    'EHLO a\r\nMAIL FROM:<用@例子.中国> SMTPUTF8\r\nRCPT TO:<"a b"@[IPv6:::1]>\r\n'.encode(),
]
_REPLY = re.compile(rb"(?:[2-5][0-9][0-9]-[ -~]*\r\n)*[2-5][0-9][0-9] [ -~]*\r\n")


def target(octets: bytes) -> None:
    connection = ServerConnection(_OFFER)
    connection.greet()
    mail = recipients = 0
    for chunk in octets.split(b"\xff"):  # The client waits for an answer here.
        connection.receive_data(chunk)
        for event in connection.events():
            match event:
                case MailFrom():
                    mail, recipients = 1, 0
                case RcptTo():
                    recipients += 1
                    assert mail
                case MessageEnd():
                    assert mail
                    assert recipients
                    mail = 0
            if isinstance(event, AuthStart | AuthResponse):
                connection.challenge(b"?") if len(chunk) % 2 else connection.reply(AUTHENTICATION_FAILED)
            elif isinstance(event, Question):
                connection.accept()
        said = connection.data_to_send()
        assert _REPLY.sub(b"", said) == b"", said
        if connection.starttls:
            connection.tls_started()
            assert not connection.buffered
            mail = 0
        if connection.closing:
            connection.receive_data(b"NOOP\r\n")
            assert connection.next_event() is None
            return
