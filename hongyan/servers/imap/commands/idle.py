"""NOOP, CHECK, IDLE, CAPABILITY, ID, LOGOUT, ENABLE, NAMESPACE: commands that are answered from what is known."""

from __future__ import annotations

__all__ = ["capability", "check", "enable", "id_", "idle", "logout", "namespace", "noop"]

from hongyan import __version__
from hongyan.servers.imap.capabilities import ENABLED_BY_CLIENT, capabilities
from hongyan.servers.imap.session import ImapSession
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import Capability, Check, Enable, Id, Idle, Logout, Namespace, Noop

_MAX_DONE = 1024


def noop(session: ImapSession, command: Noop) -> None:
    """Tell the news (RFC 9051 §6.1.2)."""
    session.done(command.tag, "Done.")


def check(session: ImapSession, command: Check) -> None:
    """Everything is on stable storage already (RFC 3501 §6.4.1)."""
    session.done(command.tag, "Done.")


def capability(session: ImapSession, command: Capability) -> None:
    """Tell what the server can do (RFC 9051 §6.1.1)."""
    session.send(responses.capability(capabilities(session)))
    session.ok(command.tag, "Done.")


def logout(session: ImapSession, command: Logout) -> None:
    """Say goodbye (RFC 9051 §6.1.3)."""
    session.send(responses.bye("Goodbye."))
    session.ok(command.tag, "Done.")
    session.closing = True


def id_(session: ImapSession, command: Id) -> None:
    """Exchange names (RFC 2971); what a client says of itself goes to the log and the list of devices."""
    session.client_id = " ".join(filter(None, (command.fields.get("name"), command.fields.get("version"))))[:100]
    session.log.info("client", client=session.client_id)
    session.send(responses.id_({"name": "Hongyan", "version": __version__}))
    session.ok(command.tag, "Done.")


def enable(session: ImapSession, command: Enable) -> None:
    """Switch on what a client understands (RFC 9051 §6.3.1)."""
    fresh = [name for name in command.capabilities if name in ENABLED_BY_CLIENT and name not in session.enabled]
    session.enabled.update(fresh)
    if "IMAP4REV2" in session.enabled or "UTF8=ACCEPT" in session.enabled:
        session.utf8 = True
    if "CONDSTORE" in session.enabled:
        session.enable_condstore()
    names = [_SPELLING.get(name, name).encode() for name in dict.fromkeys(fresh)]
    session.send(responses.enabled(names))
    session.ok(command.tag, "Done.")


_SPELLING = {"IMAP4REV2": "IMAP4rev2"}


def namespace(session: ImapSession, command: Namespace) -> None:
    """There is one namespace, the account's own (RFC 9051 §6.3.10)."""
    session.send(responses.namespace())
    session.ok(command.tag, "Done.")


def idle(session: ImapSession, command: Idle) -> None:
    """Wait for news (RFC 9051 §6.3.13). It is a state of the session: the hub wakes it, the wheel keeps it alive.

    News that wait already come after the continuation: clients such as IMAPClient look for nothing else in its place.
    """
    session.send(responses.continuation(b"idling"))
    session.tell_news()
    session.begin_idle(command.tag)
    session.expect_line(lambda line: _end_idle(session, command.tag, line), _MAX_DONE)


def _end_idle(session: ImapSession, tag: bytes, line: bytes) -> None:
    session.end_idle()
    if line.upper() == b"DONE":
        session.done(tag, "Done.")
    else:
        session.bad(tag, "While IDLE waits, only DONE may be said.")
