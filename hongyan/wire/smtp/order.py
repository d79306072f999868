"""Which command of SMTP may come when (RFC 5321 §4.1.4), and what has been said so far.

    EHLO -> [STARTTLS -> EHLO] -> [AUTH] -> MAIL -> RCPT … -> DATA, or BDAT … BDAT LAST -> MAIL …

A command out of order is a CommandFault with the reply that says what is missing.
"""

from __future__ import annotations

__all__ = ["CommandOrder"]

from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import Auth, Hello, MailFrom
from hongyan.wire.smtp.offer import Offer, offered_parameters
from hongyan.wire.smtp.replies import CommandFault, Reply


class CommandOrder:
    """What the client has said and been granted: the session, and in it the mail transaction."""

    __slots__ = (
        "authenticated",
        "chunking",
        "hello",
        "mail",
        "messages",
        "offer",
        "parameters",
        "recipients",
        "recipients_tried",
        "tls",
    )

    def __init__(self, offer: Offer, *, tls: bool) -> None:
        self.offer = offer
        self.messages = 0
        self.start_session(tls=tls)

    def start_session(self, *, tls: bool) -> None:
        """Forget everything that was said: before TLS, anybody may have said it (RFC 3207 §4.2)."""
        self.tls = tls
        self.parameters = offered_parameters(self.offer, tls=tls)
        self.authenticated = False
        self.hello: Hello | None = None
        self.start_transaction()

    def start_transaction(self) -> None:
        """Forget the mail transaction."""
        self.mail: MailFrom | None = None
        self.recipients = self.recipients_tried = 0
        self.chunking = False

    def tried_recipient(self, *, accepted: bool) -> None:
        self.recipients_tried += 1
        self.recipients += accepted

    def check_start_tls(self) -> None:
        if self.tls:
            raise CommandFault(replies.TLS_ALREADY)
        if not self.offer.starttls:
            raise CommandFault(replies.TLS_NOT_OFFERED)

    def check_auth(self, command: Auth) -> None:
        # RFC 4954 §4
        if not self.offer.auth:
            raise CommandFault(replies.AUTH_NOT_OFFERED)
        if not self.offer.offers_auth(tls=self.tls):
            raise CommandFault(replies.AUTH_NEEDS_TLS)
        if not self.hello:
            raise CommandFault(replies.HELLO_FIRST)
        if self.authenticated:
            raise CommandFault(replies.AUTH_ALREADY)
        if self.mail:
            raise CommandFault(replies.NOT_DURING_MAIL)
        if command.mechanism not in self.offer.auth:
            raise CommandFault(replies.AUTH_MECHANISM_UNKNOWN)

    def check_mail(self, command: MailFrom) -> None:
        if self.offer.requires_tls and not self.tls:
            raise CommandFault(replies.TLS_REQUIRED)  # RFC 3207 §4
        if not self.hello:
            raise CommandFault(replies.HELLO_FIRST)
        if self.offer.requires_auth and not self.authenticated:
            raise CommandFault(replies.AUTHENTICATION_REQUIRED)  # RFC 4954 §6
        if self.mail:
            raise CommandFault(replies.NESTED_MAIL)
        if command.parameters.size > self.offer.max_message:
            raise CommandFault(replies.MESSAGE_TOO_LARGE)  # RFC 1870 §6.1
        if self.messages >= self.offer.max_messages:
            raise CommandFault(replies.TOO_MANY_MESSAGES, fatal=True)

    def check_rcpt(self, *, is_ascii: bool) -> None:
        if not self.mail:
            raise CommandFault(replies.MAIL_FIRST if self.hello else replies.HELLO_FIRST)
        if self.chunking:
            raise CommandFault(replies.BDAT_OPEN)
        if not is_ascii and not self.mail.parameters.smtputf8:
            raise CommandFault(replies.RECIPIENT_NEEDS_SMTPUTF8)  # RFC 6531 §3.5

    def check_data(self) -> None:
        missing = replies.BDAT_OPEN if self.chunking else self.what_a_message_lacks()  # RFC 3030 §2: not after BDAT
        if missing:
            raise CommandFault(missing)

    def what_a_message_lacks(self) -> Reply | None:
        """Return the reply to DATA or BDAT that comes too early."""
        if not self.mail:
            return replies.MAIL_FIRST if self.hello else replies.HELLO_FIRST
        if not self.recipients:
            return replies.NO_VALID_RECIPIENTS if self.recipients_tried else replies.RCPT_FIRST
        return None
