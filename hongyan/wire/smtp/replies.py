"""Replies of SMTP (RFC 5321 §4.2): a code, an enhanced code (RFC 3463), and lines of ASCII text.

The catalogue below holds every reply that this server gives: one cause, one code, and a sentence
that says what to do. A reply never names a path, a setting or another account. What a peer said
is a `Reply` as well, once `wire.smtp.client` has made its text harmless.
"""

from __future__ import annotations

__all__ = ["MAX_TEXT", "CommandFault", "Reply"]  # and every constant below, by `from hongyan.wire.smtp import replies`

import re
from dataclasses import dataclass, field
from typing import Final

from hongyan.errors import PeerFault

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
MAX_TEXT: Final = 490
"""Characters of a line's text: with both codes and CRLF it stays within 512 octets (RFC 5321 §4.5.3.1.5)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `octets` is how it looks on the wire.

    >>> Reply(250, "2.1.5", ("Recipient OK",)).octets
    b'250 2.1.5 Recipient OK\\r\\n'
    """

    code: int
    enhanced_code: str
    lines: tuple[str, ...]
    octets: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"{self.code} is no reply code")
        if self.enhanced_code and not _is_enhanced_code(self.enhanced_code, self.code):
            raise ValueError(f"{self.enhanced_code} does not go with {self.code}")
        for line in self.lines:
            if not line.isascii() or not (line.isprintable() or not line) or len(line) > MAX_TEXT:
                raise ValueError("a line of a reply is short printable ASCII")
        object.__setattr__(self, "octets", self._encode())

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def is_positive(self) -> bool:
        """2yz or 3yz (RFC 5321 §4.2.1)."""
        return self.code < 400

    @property
    def is_transient(self) -> bool:
        """4yz: the same may succeed later."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5yz: the same will fail again."""
        return self.code >= 500

    @property
    def ends_the_session(self) -> bool:
        """The server closes after it (RFC 5321 §3.8 for 421, RFC 7504 §3 for 521)."""
        return self.code in (221, 421, 521)

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced_code, self.text) if part)

    def _encode(self) -> bytes:
        prefix = f"{self.enhanced_code} " if self.enhanced_code else ""
        *first, last = self.lines or ("",)
        lines = [f"{self.code}-{prefix}{line}\r\n" for line in first]
        lines.append(f"{self.code} {prefix}{last}\r\n")
        return "".join(lines).encode("ascii")


class CommandFault(PeerFault):
    """The line is no good command. `reply` says why; `fatal` wants the connection closed after it."""

    def __init__(self, reply: Reply, *, fatal: bool = False) -> None:
        super().__init__(reply.text)
        self.reply = reply
        self.fatal = fatal


def _is_enhanced_code(text: str, code: int) -> bool:
    return bool(_ENHANCED.fullmatch(text)) and int(text[0]) == code // 100


def _reply(code: int, enhanced_code: str, *lines: str) -> Reply:
    return Reply(code, enhanced_code, lines)


# The session.
BYE: Final = _reply(221, "2.0.0", "Bye")
READY_FOR_TLS: Final = _reply(220, "2.0.0", "Go ahead with TLS")
OK: Final = _reply(250, "2.0.0", "OK")
HELP: Final = _reply(214, "2.0.0", "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS AUTH QUIT: see RFC 5321")
TOO_MANY_FAULTS: Final = _reply(421, "4.7.0", "Too many errors on this connection; closing it")
TOO_MANY_REFUSED: Final = _reply(421, "4.7.0", "Too many recipients were refused on this connection; closing it")
TOO_MANY_IDLE_COMMANDS: Final = _reply(421, "4.7.0", "Too many commands without mail on this connection; closing it")
TOO_MANY_MESSAGES: Final = _reply(421, "4.7.0", "Enough messages on this connection; please open a new one")
TOO_MANY_CONNECTIONS: Final = _reply(421, "4.7.0", "Too many connections from your address; try again later")
BANNED: Final = _reply(421, "4.7.0", "Too many failures from your address; try again later")
IDLE_TOO_LONG: Final = _reply(421, "4.4.2", "Nothing was heard for too long; closing the connection")
TOO_SLOW: Final = _reply(421, "4.4.2", "The message comes too slowly; closing the connection")
SHUTTING_DOWN: Final = _reply(421, "4.3.2", "The service is restarting; try again in a minute")
SERVER_FAILED: Final = _reply(421, "4.3.0", "Something failed here; closing the connection")
SERVER_ERROR: Final = _reply(451, "4.3.0", "Something failed here; try again later")

# Syntax and order.
UNKNOWN_COMMAND: Final = _reply(500, "5.5.2", "Command not recognized")
NOT_SMTP: Final = _reply(500, "5.5.2", "This is an SMTP service; closing the connection")
ODD_CHARACTERS: Final = _reply(500, "5.5.2", "Control characters and invalid UTF-8 are not allowed in commands")
LINE_TOO_LONG: Final = _reply(500, "5.5.2", "Line too long")
AUTH_LINE_TOO_LONG: Final = _reply(500, "5.5.6", "Authentication line too long")
BARE_NEWLINE_IN_COMMAND: Final = _reply(500, "5.5.2", "Lines must end with CRLF; closing the connection")
NOT_IMPLEMENTED: Final = _reply(502, "5.5.1", "Command not implemented")
NO_PARAMETERS_ALLOWED: Final = _reply(501, "5.5.4", "This command takes no parameters")
NEEDS_PARAMETER: Final = _reply(501, "5.5.4", "This command needs a parameter")
NEEDS_DOMAIN: Final = _reply(501, "5.5.4", "Say EHLO with the name of your host")
MAIL_SYNTAX: Final = _reply(501, "5.5.4", "The form is MAIL FROM:<address>")
RCPT_SYNTAX: Final = _reply(501, "5.5.4", "The form is RCPT TO:<address>")
BDAT_SYNTAX: Final = _reply(501, "5.5.4", "The form is BDAT size [LAST]; closing the connection")
AUTH_SYNTAX: Final = _reply(501, "5.5.4", "The form is AUTH mechanism [initial-response]")
PARAMETER_SYNTAX: Final = _reply(501, "5.5.4", "A parameter is not well formed")
PARAMETER_TWICE: Final = _reply(501, "5.5.4", "A parameter is given twice")
UNKNOWN_PARAMETER: Final = _reply(555, "5.5.4", "A parameter is not recognized or was not offered")
HELLO_FIRST: Final = _reply(503, "5.5.1", "Say EHLO first")
MAIL_FIRST: Final = _reply(503, "5.5.1", "Say MAIL first")
RCPT_FIRST: Final = _reply(503, "5.5.1", "Say RCPT first")
NESTED_MAIL: Final = _reply(503, "5.5.1", "A mail transaction is already open; say RSET to give it up")
NOT_DURING_MAIL: Final = _reply(503, "5.5.1", "This is not allowed during a mail transaction")
BDAT_OPEN: Final = _reply(503, "5.5.1", "BDAT has begun; only BDAT or RSET may follow")
TLS_NOT_OFFERED: Final = _reply(502, "5.5.1", "STARTTLS is not offered here")
TLS_ALREADY: Final = _reply(503, "5.5.1", "TLS is already in use")
OUT_OF_STEP: Final = _reply(554, "5.5.0", "Commands came before they were due (RFC 2920); closing the connection")
CANNOT_VERIFY: Final = _reply(252, "2.5.0", "Cannot verify; send mail and see")

# Authentication.
AUTHENTICATED: Final = _reply(235, "2.7.0", "Authentication succeeded")
AUTHENTICATION_FAILED: Final = _reply(535, "5.7.8", "Name or password is wrong; mail programs need an app password")
AUTHENTICATION_UNAVAILABLE: Final = _reply(454, "4.7.0", "Logging in is not possible just now; try again later")
AUTHENTICATION_CANCELLED: Final = _reply(501, "5.7.0", "Authentication cancelled")
AUTHENTICATION_MALFORMED: Final = _reply(501, "5.5.2", "The authentication response is not well formed")
AUTHENTICATION_REQUIRED: Final = _reply(530, "5.7.0", "Log in first")
AUTH_NOT_OFFERED: Final = _reply(502, "5.5.1", "Logging in is not offered here; use the submission service")
AUTH_NEEDS_TLS: Final = _reply(538, "5.7.11", "Say STARTTLS before logging in")
AUTH_MECHANISM_UNKNOWN: Final = _reply(504, "5.5.4", "This authentication mechanism is not offered")
LOGIN_REVOKED: Final = _reply(421, "4.7.0", "This login is not valid any more; please log in again")
AUTH_ALREADY: Final = _reply(503, "5.5.1", "Already logged in")
TLS_REQUIRED: Final = _reply(530, "5.7.0", "Say STARTTLS first")
SERVICE_OFF: Final = _reply(535, "5.7.13", "Sending by mail programs is switched off in the settings of this account")
ACCOUNT_SUSPENDED: Final = _reply(535, "5.7.13", "This account is suspended; ask your administrator")

# Senders.
SENDER_OK: Final = _reply(250, "2.1.0", "Sender OK")
BAD_SENDER_ADDRESS: Final = _reply(501, "5.1.7", "The sender's address is not well formed")
SENDER_NEEDS_SMTPUTF8: Final = _reply(553, "5.6.7", "A non-ASCII sender needs the SMTPUTF8 parameter")
SENDER_DOMAIN_UNKNOWN: Final = _reply(550, "5.1.8", "The sender's domain does not exist or takes no mail")
SENDER_DOMAIN_UNCHECKED: Final = _reply(451, "4.1.8", "The sender's domain could not be looked up; try again later")
SENDER_NOT_YOURS: Final = _reply(553, "5.7.1", "You may not send as this address")
VERP_DELIMITERS: Final = _reply(501, "5.5.4", "XVERP takes two delimiters, each one of - + =")
VERP_LEADS_NOWHERE: Final = _reply(501, "5.5.4", "With XVERP from this address, bounces would not find you")
VERP_TOO_LONG: Final = _reply(553, "5.1.7", "The return path for this recipient would be too long")
HELD_TOO_LONG: Final = _reply(501, "5.5.4", "Messages are not kept back for so long")
SENDING_TOO_FAST: Final = _reply(450, "4.7.1", "You are sending too much; try again later")

# Recipients.
RECIPIENT_OK: Final = _reply(250, "2.1.5", "Recipient OK")
BAD_RECIPIENT_ADDRESS: Final = _reply(501, "5.1.3", "The recipient's address is not well formed")
RECIPIENT_NEEDS_SMTPUTF8: Final = _reply(553, "5.6.7", "A non-ASCII recipient needs SMTPUTF8 with MAIL")
UNKNOWN_RECIPIENT: Final = _reply(550, "5.1.1", "There is no such recipient here")
RECIPIENT_DISABLED: Final = _reply(550, "5.2.1", "This mailbox does not take mail")
RECIPIENT_REFUSES: Final = _reply(550, "5.7.1", "The recipient does not take mail from this sender")
RECIPIENT_OVER_QUOTA: Final = _reply(452, "4.2.2", "The recipient's mailbox is full; try again later")
RELAY_DENIED: Final = _reply(550, "5.7.1", "No mail for this domain is taken here; relaying is not allowed")
TOO_MANY_RECIPIENTS: Final = _reply(452, "4.5.3", "Too many recipients; send to the others in another transaction")
NO_VALID_RECIPIENTS: Final = _reply(554, "5.5.1", "No valid recipients")

# The message.
START_MAIL: Final = _reply(354, "", "Send the message; end it with CRLF.CRLF")
MESSAGE_ACCEPTED: Final = _reply(250, "2.0.0", "Message accepted")
MESSAGE_TOO_LARGE: Final = _reply(552, "5.3.4", "The message is larger than the size announced with EHLO")
MESSAGE_TOO_LARGE_CLOSING: Final = _reply(552, "5.3.4", "The message is far too large; closing the connection")
BARE_NEWLINE_IN_MESSAGE: Final = _reply(554, "5.6.0", "The message holds a bare CR or LF; lines must end with CRLF")
NUL_IN_MESSAGE: Final = _reply(554, "5.6.0", "The message holds a NUL octet; encode binary content")
MESSAGE_MALFORMED: Final = _reply(554, "5.6.0", "The message has no sound header section; see RFC 5322")
MESSAGE_REFUSED: Final = _reply(550, "5.7.1", "The message is refused by policy")
MESSAGE_LOOPS: Final = _reply(554, "5.4.6", "The message has passed too many servers; it goes round in circles")
FROM_NOT_YOURS: Final = _reply(550, "5.7.1", "The From field must be an address that you may send as")
FROM_NOT_SINGLE: Final = _reply(550, "5.6.0", "The message must have one From field with a valid address")
SUBMISSION_UNJUDGED: Final = _reply(
    451, "4.4.3", "What has to be asked about the message was not answered in time; try again later"
)
STORAGE_FULL: Final = _reply(452, "4.3.1", "There is no room for the message just now; try again later")
STORAGE_FAILED: Final = _reply(451, "4.3.0", "The message could not be stored; try again later")

# What the client finds by itself, in the words of a reply.
NEXT_HOP_TAKES_LESS: Final = _reply(552, "5.3.4", "The message is larger than the receiving server takes")
NEXT_HOP_LACKS_SMTPUTF8: Final = _reply(553, "5.6.7", "The receiving server does not take non-ASCII addresses")
NEXT_HOP_LACKS_8BITMIME: Final = _reply(554, "5.6.3", "The receiving server does not take 8-bit content")
NEXT_HOP_LACKS_REQUIRETLS: Final = _reply(550, "5.7.30", "The receiving server does not promise REQUIRETLS")
NEXT_HOP_SILENT: Final = _reply(451, "4.4.2", "The receiving server did not answer in time")
NEXT_HOP_LOST: Final = _reply(451, "4.4.2", "The receiving server closed the connection")
NEXT_HOP_BABBLES: Final = _reply(451, "4.5.0", "The receiving server does not speak SMTP as it should")
CONTENT_NOT_CLEAN: Final = _reply(554, "5.6.0", "The content holds a NUL, or a bare CR or LF, and was not sent")
