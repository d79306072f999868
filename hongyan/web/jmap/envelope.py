"""The envelope of a submission: as the client gives it, or as the message's header tells (RFC 8621 §7, §7.5)."""

from __future__ import annotations

__all__ = ["Envelope", "envelope_of_message", "read_envelope"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hongyan.addresses import Address, AddressFault
from hongyan.message.address_list import parse_address_list
from hongyan.message.headers import find_body, iterate_fields, unfold
from hongyan.wire.jmap.faults import SetError, invalid_properties
from hongyan.wire.smtp.commands import MailFrom, RcptTo
from hongyan.wire.smtp.parameters import read_mail_parameters, read_rcpt_parameters
from hongyan.wire.smtp.replies import CommandFault

_OF_MAIL = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "REQUIRETLS", "HOLDFOR", "HOLDUNTIL"})
_OF_RCPT = frozenset({"NOTIFY", "ORCPT"})
_MAX_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends it to whom, as SMTP says it, and as the client is told it."""

    mail: MailFrom
    recipients: Sequence[RcptTo]
    shown: Mapping[str, object]


def read_envelope(value: object) -> Envelope:
    """Read an Envelope object. Raises `SetError`."""
    if not isinstance(value, Mapping) or set(value) != {"mailFrom", "rcptTo"} or not isinstance(value["rcptTo"], list):
        raise _wrong("An envelope has mailFrom and rcptTo.")
    path, words = _read_address(value["mailFrom"], null_too=True)
    try:
        mail = MailFrom(path, read_mail_parameters(words, _OF_MAIL))
    except CommandFault as fault:
        raise _wrong(fault.reply.text) from None
    recipients: dict[Address, RcptTo] = {}
    for one in value["rcptTo"]:
        address, words = _read_address(one)
        if address is None:
            raise _wrong("A recipient has an address.")
        try:
            recipients[address] = RcptTo(address, *read_rcpt_parameters(words, _OF_RCPT))
        except CommandFault as fault:
            raise _wrong(fault.reply.text) from None
    return Envelope(mail, list(recipients.values()), dict(value))


def _read_address(value: object, *, null_too: bool = False) -> tuple[Address | None, str]:
    """Return the address and the parameters as SMTP writes them; what is not allowed in one is refused there."""
    if (
        not isinstance(value, Mapping)
        or not isinstance(value.get("email"), str)
        or set(value) - {"email", "parameters"}
    ):
        raise _wrong("An address of the envelope has an email and parameters.")
    parameters = value.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise _wrong("parameters is an object.")
    words: list[str] = []
    for name, argument in parameters.items():
        word = name if argument is None else f"{name}={argument}"
        if not isinstance(argument, str | None) or not word.isprintable() or " " in word:
            raise _wrong("A parameter is a word, and its value a word or null.")
        words.append(word)
    email = value["email"]
    if not email and null_too:
        return None, " ".join(words)
    try:
        return Address.parse(email), " ".join(words)
    except AddressFault:
        raise (
            SetError("invalidRecipients", "This is no address.", invalidRecipients=[email[:320]])
            if not null_too
            else (_wrong("mailFrom is an address."))
        ) from None


def envelope_of_message(octets: bytes) -> Envelope:
    """Return the envelope that the header tells: Sender or else From, and To, Cc, Bcc (RFC 8621 §7.5).

    Raises `SetError` where an address cannot be read: nobody would know that it was left out.
    """
    block = octets[: min(find_body(octets, 0, len(octets)), _MAX_HEADER)]
    found: dict[bytes, list[str]] = {}
    for name, value in iterate_fields(block):
        key = name.lower()
        if key in (b"sender", b"from", b"to", b"cc", b"bcc"):
            found.setdefault(key, []).extend(_emails(value))
    senders = found.get(b"sender") or found.get(b"from") or []
    if not senders:
        raise SetError("invalidEmail", "The message names no sender.", properties=["from"])
    recipients = dict.fromkeys([*found.get(b"to", ()), *found.get(b"cc", ()), *found.get(b"bcc", ())])
    shown = {
        "mailFrom": {"email": senders[0], "parameters": None},
        "rcptTo": [{"email": email, "parameters": None} for email in recipients],
    }
    return read_envelope(shown)


def _emails(value: bytes) -> list[str]:
    return [
        b"@".join(filter(None, (one.local_part, one.domain))).decode("utf-8", "replace")
        for one in parse_address_list(unfold(value))
        if one.domain is not None
    ]


def _wrong(description: str) -> SetError:
    return invalid_properties(["envelope"], description)
