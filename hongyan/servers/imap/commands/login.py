"""LOGIN, AUTHENTICATE and STARTTLS (RFC 9051 §6.2), UNAUTHENTICATE (RFC 8437)."""

from __future__ import annotations

__all__ = ["authenticate", "login", "starttls", "unauthenticate"]

from hongyan.auth.principal import LoginReason, LoginRefused, Principal
from hongyan.servers.imap.capabilities import capabilities
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.servers.sasl import MAX_SASL_LINE, Dialogue
from hongyan.store.accounts import Service
from hongyan.wire import sasl
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Authenticate, Login, StartTls, Unauthenticate

_CODES = {
    LoginReason.WRONG_SECRET: codes.AUTHENTICATIONFAILED,
    LoginReason.TLS_REQUIRED: codes.PRIVACYREQUIRED,
    LoginReason.TOO_MANY_FAILURES: codes.UNAVAILABLE,
    LoginReason.BUSY: codes.UNAVAILABLE,
    LoginReason.UNAVAILABLE: codes.UNAVAILABLE,
    LoginReason.SERVICE_OFF: codes.CONTACTADMIN,
    LoginReason.SCOPE: codes.AUTHORIZATIONFAILED,
    LoginReason.SUSPENDED: codes.CONTACTADMIN,
    LoginReason.CLASS: codes.CONTACTADMIN,
    LoginReason.DEVICE_LIMIT: codes.LIMIT,
}


def starttls(session: ImapSession, command: StartTls) -> None:
    """Begin TLS (RFC 9051 §6.2.1)."""
    if not session.connection.tls_offered or session.is_compressed:
        session.bad(command.tag, "TLS is active already, or not offered here.")
        return
    session.ok(command.tag, "Begin TLS now.")
    session.start_tls()


def unauthenticate(session: ImapSession, command: Unauthenticate) -> None:
    """Leave the account and keep the connection, with its TLS and its compression (RFC 8437 §2)."""
    session.logged_out()
    session.ok(command.tag, "Log in again.", code=codes.capability(capabilities(session)))


def login(session: ImapSession, command: Login) -> Work | None:
    """Log in by name and secret."""
    if not session.services.door.is_open(session.connection):
        session.no(command.tag, "Log in only under TLS: say STARTTLS first.", code=codes.PRIVACYREQUIRED)
        return None
    return _login(session, command)


async def _login(session: ImapSession, command: Login) -> None:
    door = session.services.door
    try:
        principal = await door.check(
            command.userid,
            command.password,
            Service.IMAP,
            session.connection,
            mechanism="LOGIN",
            client=session.client_id,
        )
    except LoginRefused as refused:
        _refuse(session, command.tag, refused)
        return
    await _welcome(session, command.tag, principal)


def authenticate(session: ImapSession, command: Authenticate) -> Work | None:
    """Log in by a SASL mechanism (RFC 9051 §6.2.2)."""
    door = session.services.door
    if not door.is_open(session.connection):
        session.no(command.tag, "Log in only under TLS: say STARTTLS first.", code=codes.PRIVACYREQUIRED)
        return None
    if command.mechanism not in door.mechanisms_for(session.connection):
        session.no(command.tag, "That mechanism is not offered.", code=codes.CANNOT)
        return None
    dialogue = door.begin(command.mechanism, Service.IMAP, session.connection, session.client_id)
    if dialogue is None:
        session.no(command.tag, "That mechanism is not offered.", code=codes.CANNOT)
        return None
    try:
        initial = None if command.initial_response is None else sasl.decode_initial_response(command.initial_response)
    except sasl.SaslFault as fault:
        session.bad(command.tag, fault.sentence)
        return None
    return _step(session, command.tag, dialogue, initial, is_first=True)


async def _step(
    session: ImapSession, tag: bytes, dialogue: Dialogue, response: bytes | None, *, is_first: bool
) -> None:
    try:
        result = await (dialogue.start(response) if is_first else dialogue.respond(response or b""))
    except LoginRefused as refused:
        _refuse(session, tag, refused)
        return
    except sasl.SaslFault as fault:
        session.no(tag, fault.sentence or "The exchange failed.", code=codes.AUTHENTICATIONFAILED)
        return
    if isinstance(result, Principal):
        await _welcome(session, tag, result)
        return
    session.send(responses.continuation(sasl.encode_challenge(result)))
    session.expect_line(lambda line: _take_line(session, tag, dialogue, line), MAX_SASL_LINE)


def _take_line(session: ImapSession, tag: bytes, dialogue: Dialogue, line: bytes) -> Work | None:
    try:
        response = sasl.decode_response(line)
    except sasl.SaslFault as fault:
        session.bad(tag, fault.sentence or "The exchange was cancelled.")
        return None
    return _step(session, tag, dialogue, response, is_first=False)


def _refuse(session: ImapSession, tag: bytes, refused: LoginRefused) -> None:
    session.no(tag, refused.sentence, code=_CODES.get(refused.told, codes.AUTHENTICATIONFAILED))
    if refused.reason is LoginReason.TOO_MANY_FAILURES:
        session.say_bye("Too many failed logins from your address.", code=codes.UNAVAILABLE)


async def _welcome(session: ImapSession, tag: bytes, principal: Principal) -> None:
    settings = await session.services.settings.find(principal.account)
    if not session.logged_in(principal):
        session.no(tag, "That credential was revoked just now.", code=codes.AUTHENTICATIONFAILED)
        return
    session.switch_off(settings.switched_off)
    if notice := session.connection.arrival.notice:  # RFC 9051 §7.1: to be shown to the user
        session.send(responses.ok(f"{notice}.", code=codes.ALERT))
    session.ok(tag, "Welcome.", code=codes.capability(capabilities(session)))
