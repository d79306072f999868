"""Our client's end of SMTP and our server's, put together: what one sends, the other gets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Address
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.client import ClientConnection
from hongyan.wire.smtp.client_events import Answer, Authenticated, ContentWanted, HandshakeDue, Ready, Sent, Stage
from hongyan.wire.smtp.commands import MailFrom, RcptTo
from hongyan.wire.smtp.envelope import Envelope
from hongyan.wire.smtp.events import AuthStart, MessageChunk, MessageEnd, Question
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.parameters import Body, MailParameters, Notify, OriginalRecipient
from hongyan.wire.smtp.server import ServerConnection

OFFER = Offer("mx.b.example", max_message=10_000, starttls=True, auth=("PLAIN",), dsn=True, requiretls=True)
SENDER = Address.parse("s+1@a.example")
ANN = RcptTo(Address.parse("ann@b.example"), Notify.FAILURE | Notify.DELAY, OriginalRecipient("utf-8", "安@b.example"))
NOBODY = RcptTo(Address.parse("nobody@b.example"))


@dataclass
class Wire:
    """A client and a server, and between them octets in pieces of `step`."""

    step: int
    offer: Offer = OFFER
    uses_chunking: bool = True
    messages: list[tuple[MailFrom, list[RcptTo], bytes]] = field(default_factory=list)
    answers: list[tuple[Answer, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = ClientConnection("mail.a.example", uses_chunking=self.uses_chunking)
        self.server = ServerConnection(self.offer)
        self.server.greet()
        self.mail: MailFrom | None = None
        self.recipients: list[RcptTo] = []
        self.content = b""

    def send(self, envelope: Envelope, content: bytes) -> None:
        """Run until the message has gone through; the client upgrades and logs in where it can."""
        if self.client.is_idle:
            self.client.send(envelope)
        while True:
            before = len(self.answers)
            said = self.server.data_to_send()
            for start in range(0, len(said), self.step):
                self.client.receive_data(said[start : start + self.step])
                self.run_client(envelope, content)
            self.run_client(envelope, content)
            if len(self.answers) > before:
                return
            asked = self.client.data_to_send()
            assert asked or said, "both wait for the other"
            if self.client.starttls:
                self.server.tls_started()
                self.client.tls_started()
                continue
            for start in range(0, len(asked), self.step):
                self.server.receive_data(asked[start : start + self.step])
                # RFC 2920: the server acts on a whole read, not on each octet of it.
            self.run_server()

    def run_client(self, envelope: Envelope, content: bytes) -> None:
        for event in self.client.events():
            match event:
                case Ready(capabilities) if capabilities.starttls:
                    self.client.start_tls()
                case Ready(capabilities) if "PLAIN" in capabilities.auth:
                    self.client.log_in("ann", "secret")
                case Ready() | Authenticated():
                    self.client.send(envelope)
                case ContentWanted():
                    for start in range(0, len(content), self.step):
                        self.client.content(content[start : start + self.step])
                    self.client.end_content()
                case Sent(answers):
                    self.answers.append(answers)
                case HandshakeDue():
                    return

    def run_server(self) -> None:
        for event in self.server.events():
            match event:
                case MailFrom():
                    self.mail, self.recipients, self.content = event, [], b""
                case RcptTo() if event.forward_path == NOBODY.forward_path:
                    self.server.reply(replies.UNKNOWN_RECIPIENT)
                    continue
                case RcptTo():
                    self.recipients.append(event)
                case MessageChunk(octets):
                    self.content += octets
                case MessageEnd():
                    assert self.mail
                    self.messages.append((self.mail, self.recipients, self.content))
                case AuthStart(initial_response=initial):
                    assert initial == b"\0ann\0secret"
            if isinstance(event, Question):
                self.server.accept()


TEXT = st.lists(st.sampled_from([b"\r\n", b".", b"x", b"\r\n.", b"..", b"\r\n\r\n", b"\xe9", b"y" * 99]), max_size=20)
TAKEN = Answer(Stage.END, replies.MESSAGE_ACCEPTED)


@given(TEXT, st.sampled_from([1, 2, 3, 7, 64, 9999]), st.booleans())
def test_a_message_comes_through_as_it_was(parts: list[bytes], step: int, uses_chunking: bool) -> None:
    content = b"".join(parts) + b"\r\n"
    wire = Wire(step, uses_chunking=uses_chunking)
    mail = MailFrom(SENDER, MailParameters(len(content), Body.EIGHT_BIT, envid="q+1", requiretls=True))
    for recipients in ((ANN,), (ANN, NOBODY), (NOBODY,), (NOBODY, ANN)):
        wire.send(Envelope(mail, recipients), content)
    assert wire.messages == [(mail, [ANN], content)] * 3
    refused = Answer(Stage.RECIPIENT, replies.UNKNOWN_RECIPIENT)
    assert wire.answers == [(TAKEN,), (TAKEN, refused), (refused,), (refused, TAKEN)]
    assert wire.server.tls
    assert wire.server.authenticated


@pytest.mark.parametrize("uses_chunking", [False, True])
@pytest.mark.parametrize("content", [b"a\nb\r\n", b"\r\n.\n", b"a\0b"])
def test_unclean_content_is_never_taken(content: bytes, uses_chunking: bool) -> None:
    wire = Wire(9999, replace(OFFER, starttls=False, auth=()), uses_chunking)
    wire.send(Envelope(MailFrom(SENDER), (ANN,)), content)
    assert wire.answers == [(Answer(Stage.LOCAL, replies.CONTENT_NOT_CLEAN),)]
    assert wire.messages == []


@pytest.mark.parametrize("uses_chunking", [False, True])
def test_a_message_that_turns_out_too_large_is_refused(uses_chunking: bool) -> None:
    wire = Wire(4096, replace(OFFER, starttls=False, auth=()), uses_chunking)
    wire.send(Envelope(MailFrom(SENDER), (ANN,)), b"x" * 20_000)
    assert wire.answers == [(Answer(Stage.END, replies.MESSAGE_TOO_LARGE),)]
    wire.send(Envelope(MailFrom(SENDER), (ANN,)), b"short\r\n")
    assert wire.answers[1:] == [(TAKEN,)]
    assert [message[2] for message in wire.messages] == [b"short\r\n"]
