"""Commands of SMTP: from a line to a frozen value (RFC 5321 §4.1.1 and extensions).

A line that is no command, or not a well-formed one, is a `CommandFault` that holds the reply.
ESMTP parameters are known only where the server offered them: the caller says which
(RFC 5321 §4.1.1.11).

Source routes are read and forgotten (RFC 5321 Appendix C): only the mailbox behind them counts.
"""

from __future__ import annotations

__all__ = [
    "NULL_PATH",
    "POSTMASTER",
    "Auth",
    "Bdat",
    "Command",
    "Data",
    "Expn",
    "ForwardPath",
    "Hello",
    "Help",
    "MailFrom",
    "Noop",
    "Postmaster",
    "Quit",
    "RcptTo",
    "Rset",
    "StartTls",
    "Vrfy",
    "parse_command",
]

import enum
import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.parameters import (
    MailParameters,
    Notify,
    OriginalRecipient,
    read_mail_parameters,
    read_rcpt_parameters,
)
from hongyan.wire.smtp.replies import CommandFault, Reply

NULL_PATH: Final = None
"""The reverse-path of a notification: nobody is told of its failure (RFC 5321 §4.5.5)."""


class Postmaster(enum.Enum):
    """The one forward-path without a domain (RFC 5321 §4.5.1)."""

    POSTMASTER = "postmaster"


POSTMASTER: Final = Postmaster.POSTMASTER

ForwardPath = Address | Postmaster


_NO_PARAMETERS: Final = MailParameters()


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO, or HELO if not `extended`. Whatever transaction was open is void (RFC 5321 §4.1.4).

    `name` is fit for a header line; `domain` is None where the name is no domain and no address
    literal: mail programs send what their machine is called, and are not refused for it.
    """

    name: str
    domain: Domain | None
    extended: bool = True


@dataclass(frozen=True, slots=True)
class MailFrom:
    """MAIL FROM: a transaction begins."""

    reverse_path: Address | None
    parameters: MailParameters = _NO_PARAMETERS


@dataclass(frozen=True, slots=True)
class RcptTo:
    """RCPT TO: one more recipient is wished for."""

    forward_path: ForwardPath
    notify: Notify | None = None
    orcpt: OriginalRecipient | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """DATA."""


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT: so many octets follow (RFC 3030 §2)."""

    size: int
    last: bool


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP; its argument means nothing."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


@dataclass(frozen=True, slots=True)
class Help:
    """HELP; its argument is not looked at."""


@dataclass(frozen=True, slots=True)
class Vrfy:
    """VRFY; whom it asks for is not looked at."""


@dataclass(frozen=True, slots=True)
class Expn:
    """EXPN; whom it asks for is not looked at."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS (RFC 3207)."""

    had_more: bool = False
    """Octets came behind it in the clear. They were thrown away."""


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (RFC 4954 §4). The initial response is still in base64."""

    mechanism: str
    initial_response: bytes | None = field(repr=False)


Command = (
    Hello | MailFrom | RcptTo | Data | Bdat | Rset | Noop | Quit | Help | Vrfy | Expn | StartTls | Auth
)  # fmt: skip


_Parser = Callable[[str, AbstractSet[str]], Command]

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# "<" [ A-d-l ":" ] Mailbox ">" [ SP parameters ] of RFC 5321 §4.1.1.2, with the space after the colon that many send.
_PATH = re.compile(r' *<((?:"(?:[^"\\]|\\.)*+"|[^"<>])*+)>(?: +(.*))?')
# A-d-l = At-domain *( "," At-domain )
_SOURCE_ROUTE = re.compile(r"(@(?:\[[^\[\]]*+\]|[^@,:\[\]]++)(?:,@(?:\[[^\[\]]*+\]|[^@,:\[\]]++))*+):")
_ROUTE_DOMAIN = re.compile(r"@(\[[^\[\]]*+\]|[^@,:\[\]]++)")
_NAME_UNFIT = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_MECHANISM = re.compile(r"[A-Za-z0-9_-]{1,20}")  # RFC 4422 §3.1
_BDAT = re.compile(r"([0-9]{1,18})(?: +(LAST))?", re.IGNORECASE | re.ASCII)

_MAX_NAME: Final = 255

# What programs of another protocol say first: a browser made to post to our port must not get further.
_NOT_SMTP = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "TRACE", "PATCH", "HOST:", "PRI"})
_NOT_IMPLEMENTED = frozenset({"TURN", "ETRN", "ATRN", "SEND", "SOML", "SAML"})


def parse_command(line: bytes, offered: AbstractSet[str]) -> Command:
    """Return the command that a line holds. `offered`: the keywords of parameters. Raises CommandFault."""
    command = _WHOLE_LINES.get(line)  # The words that every session says cost nothing.
    if command:
        return command
    text = _decode(line)
    verb, _, rest = text.partition(" ")
    if verb not in _PARSERS and verb.isascii():
        verb = verb.upper()
    parser = _PARSERS.get(verb)
    if parser is None:
        if verb in _NOT_SMTP:
            raise CommandFault(replies.NOT_SMTP, fatal=True)
        raise CommandFault(replies.NOT_IMPLEMENTED if verb in _NOT_IMPLEMENTED else replies.UNKNOWN_COMMAND)
    return parser(rest, offered)


def _decode(line: bytes) -> str:
    # RFC 5321 §4.1.1: trailing white space is to be tolerated.
    text = line.decode("utf-8", "replace").rstrip(" \t")
    sound = text.isprintable() if line.isascii() else "\ufffd" not in text and not _CONTROLS.search(text)
    if not sound:
        # Behind a BDAT that cannot be read comes a chunk of nobody knows how many octets.
        raise CommandFault(replies.ODD_CHARACTERS, fatal=line[:4].upper() == b"BDAT")
    return text


def _mail(rest: str, offered: AbstractSet[str]) -> MailFrom:
    # "MAIL FROM:" Reverse-path [SP Mail-parameters]
    if rest[:5].upper() != "FROM:":
        raise CommandFault(replies.MAIL_SYNTAX)
    path, tail = _split_path(rest[5:], replies.MAIL_SYNTAX)
    reverse_path = _mailbox(path, replies.BAD_SENDER_ADDRESS) if path else NULL_PATH
    parameters = read_mail_parameters(tail, offered) if tail else _NO_PARAMETERS
    if not rest.isascii() and not parameters.smtputf8:
        raise CommandFault(replies.SENDER_NEEDS_SMTPUTF8)  # RFC 6531 §3.5
    return MailFrom(reverse_path, parameters)


def _rcpt(rest: str, offered: AbstractSet[str]) -> RcptTo:
    # "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters]
    if rest[:3].upper() != "TO:":
        raise CommandFault(replies.RCPT_SYNTAX)
    path, tail = _split_path(rest[3:], replies.RCPT_SYNTAX)
    bare_postmaster = path.lower() == "postmaster"
    forward_path = POSTMASTER if bare_postmaster else _mailbox(path, replies.BAD_RECIPIENT_ADDRESS)
    return RcptTo(forward_path, *read_rcpt_parameters(tail, offered)) if tail else RcptTo(forward_path)


def _split_path(text: str, syntax: Reply) -> tuple[str, str | None]:
    match = _PATH.fullmatch(text)
    if not match:
        raise CommandFault(syntax)
    return match[1], match[2]


def _mailbox(path: str, bad_address: Reply) -> Address:
    try:
        if path.startswith("@"):
            route = _SOURCE_ROUTE.match(path)
            if not route:
                raise CommandFault(bad_address)
            for domain in _ROUTE_DOMAIN.findall(route[1]):
                Domain.parse(domain)
            path = path[route.end() :]
        return Address.parse(path)
    except AddressFault as fault:
        sentence = fault.sentence or bad_address.text
        raise CommandFault(Reply(bad_address.code, bad_address.enhanced_code, (sentence,))) from None


def _hello(*, extended: bool) -> _Parser:
    def parse(rest: str, _: AbstractSet[str]) -> Hello:
        if not rest or len(rest) > _MAX_NAME:
            raise CommandFault(replies.NEEDS_DOMAIN)
        try:
            domain = Domain.parse(rest)
        except AddressFault:
            # RFC 5321 §4.1.4 lets no mail be refused for the name alone. What a header could misread is blotted out.
            return Hello(_NAME_UNFIT.sub("-", rest), None, extended)
        return Hello(domain.text, domain, extended)

    return parse


def _bdat(rest: str, _: AbstractSet[str]) -> Bdat:
    # bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF
    match = _BDAT.fullmatch(rest)
    if not match:
        raise CommandFault(replies.BDAT_SYNTAX, fatal=True)  # How many octets to skip, nobody knows.
    return Bdat(int(match[1]), match[2] is not None)


def _auth(rest: str, _: AbstractSet[str]) -> Auth:
    # "AUTH" SP sasl-mech [SP initial-response]
    mechanism, _space, initial_response = rest.partition(" ")
    if not _MECHANISM.fullmatch(mechanism) or not initial_response.isascii():
        raise CommandFault(replies.AUTH_SYNTAX)
    return Auth(mechanism.upper(), initial_response.encode("ascii") or None)


def _bare(command: Command) -> _Parser:
    def parse(rest: str, _: AbstractSet[str]) -> Command:
        if rest:
            raise CommandFault(replies.NO_PARAMETERS_ALLOWED)
        return command

    return parse


def _with_text(command: Command, *, needed: bool) -> _Parser:
    def parse(rest: str, _: AbstractSet[str]) -> Command:
        if needed and not rest:
            raise CommandFault(replies.NEEDS_PARAMETER)
        return command

    return parse


_WHOLE_LINES: dict[bytes, Command] = {b"DATA": Data(), b"RSET": Rset(), b"NOOP": Noop(), b"QUIT": Quit()}

_PARSERS: dict[str, _Parser] = {
    "EHLO": _hello(extended=True),
    "HELO": _hello(extended=False),
    "MAIL": _mail,
    "RCPT": _rcpt,
    "DATA": _bare(Data()),
    "BDAT": _bdat,
    "RSET": _bare(Rset()),
    "NOOP": _with_text(Noop(), needed=False),
    "QUIT": _bare(Quit()),
    "HELP": _with_text(Help(), needed=False),
    "VRFY": _with_text(Vrfy(), needed=True),
    "EXPN": _with_text(Expn(), needed=True),
    "STARTTLS": _bare(StartTls()),
    "AUTH": _auth,
}
