"""What a message travels in (RFC 5321 §2.3.1), and what of it a given server can take.

An envelope is the very commands that the server will hear: `MailFrom` and one `RcptTo` for each
recipient. What the server did not offer is not sent to it; where that would change the message's
meaning, the recipient is refused here, with the reply that a server would have given.
"""

from __future__ import annotations

__all__ = ["Envelope", "local_refusals", "mail_line", "rcpt_line"]

from collections.abc import Sequence
from dataclasses import dataclass

from hongyan.wire.smtp import replies
from hongyan.wire.smtp.capabilities import Capabilities
from hongyan.wire.smtp.commands import MailFrom, Postmaster, RcptTo
from hongyan.wire.smtp.parameters import Body, write_notify, write_original_recipient, write_xtext
from hongyan.wire.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Envelope:
    """Reverse-path, forward-paths and their parameters. `parameters.size` is that of the content."""

    mail: MailFrom
    recipients: Sequence[RcptTo]

    @property
    def needs_smtputf8(self) -> bool:
        """Whether sender or content need SMTPUTF8; a recipient may need it besides."""
        sender = self.mail.reverse_path
        return self.mail.parameters.smtputf8 or not (sender is None or sender.is_ascii)


def local_refusals(envelope: Envelope, capabilities: Capabilities) -> list[Reply | None]:
    """Return for each recipient why this server cannot take the message for it, or None."""
    refusal = _refusal_for_all(envelope, capabilities)
    if refusal:
        return [refusal] * len(envelope.recipients)
    refusals: list[Reply | None] = []
    tried = 0
    for recipient in envelope.recipients:
        if not (capabilities.smtputf8 or _is_ascii(recipient)):
            refusals.append(replies.NEXT_HOP_LACKS_SMTPUTF8)
        elif capabilities.max_recipients is not None and tried >= capabilities.max_recipients:
            refusals.append(replies.TOO_MANY_RECIPIENTS)
        else:
            refusals.append(None)
            tried += 1
    return refusals


def mail_line(envelope: Envelope, capabilities: Capabilities, *, authenticated: bool) -> bytes:
    """Write MAIL with the parameters that the server knows."""
    given = envelope.mail.parameters
    words = [f"MAIL FROM:<{envelope.mail.reverse_path or ''}>"]
    if given.size and capabilities.size is not None:
        words.append(f"SIZE={given.size}")
    if given.body and capabilities.eight_bit:
        words.append(f"BODY={given.body.value}")
    if capabilities.smtputf8 and (envelope.needs_smtputf8 or not all(map(_is_ascii, envelope.recipients))):
        words.append("SMTPUTF8")
    if given.ret and capabilities.dsn:
        words.append(f"RET={given.ret.value}")
    if given.envid and capabilities.dsn:
        words.append(f"ENVID={write_xtext(given.envid)}")
    if given.auth and authenticated:
        words.append(f"AUTH={given.auth if given.auth == '<>' else write_xtext(given.auth)}")
    if given.requiretls and capabilities.requiretls:
        words.append("REQUIRETLS")
    return (" ".join(words) + "\r\n").encode()


def rcpt_line(recipient: RcptTo, capabilities: Capabilities) -> bytes:
    """Write RCPT with the parameters that the server knows."""
    path = recipient.forward_path
    words = [f"RCPT TO:<{path.value if isinstance(path, Postmaster) else path}>"]
    if capabilities.dsn:
        if recipient.notify is not None:
            words.append(f"NOTIFY={write_notify(recipient.notify)}")
        if recipient.orcpt:
            words.append(f"ORCPT={write_original_recipient(recipient.orcpt)}")
    return (" ".join(words) + "\r\n").encode()


def _refusal_for_all(envelope: Envelope, capabilities: Capabilities) -> Reply | None:
    parameters = envelope.mail.parameters
    if capabilities.size and parameters.size > capabilities.size:
        return replies.NEXT_HOP_TAKES_LESS  # RFC 1870
    if envelope.needs_smtputf8 and not capabilities.smtputf8:
        return replies.NEXT_HOP_LACKS_SMTPUTF8  # RFC 6531 §3.2
    if parameters.body is Body.EIGHT_BIT and not capabilities.eight_bit:
        return replies.NEXT_HOP_LACKS_8BITMIME  # RFC 6152 §3: no way to send it as it is
    # RFC 8689 §4.2.1; but §5: a notification is not lost for lack of it.
    if parameters.requiretls and not capabilities.requiretls and envelope.mail.reverse_path is not None:
        return replies.NEXT_HOP_LACKS_REQUIRETLS
    return None


def _is_ascii(recipient: RcptTo) -> bool:
    return isinstance(recipient.forward_path, Postmaster) or recipient.forward_path.is_ascii
