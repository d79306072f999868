"""NOOP, CHECK, IDLE, CAPABILITY, ID, LOGOUT, ENABLE, NAMESPACE: commands that are answered from what is known."""

from __future__ import annotations

__all__ = ["capability", "check", "enable", "get_jmap_access", "id_", "idle", "logout", "namespace", "noop"]

from hongyan import __version__
from hongyan.servers.imap.capabilities import ENABLED_BY_CLIENT, capabilities, opens_jmap
from hongyan.servers.imap.session import ImapSession
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import Capability, Check, Enable, GetJmapAccess, Id, Idle, Logout, Namespace, Noop
from hongyan.wire.imap.mailbox_name import DELIMITER, OTHERS

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
    names = (command.fields.get("name"), command.fields.get("version"))
    session.know_client(" ".join(filter(None, names))[:100])
    session.log.info("client", client=session.client_id)
    session.send(responses.id_({"name": "Hongyan", "version": __version__}))
    session.ok(command.tag, "Done.")


def enable(session: ImapSession, command: Enable) -> None:
    """Switch on what a client understands (RFC 9051 §6.3.1)."""
    known = ENABLED_BY_CLIENT - session.switched_off
    fresh = [name for name in command.capabilities if name in known and name not in session.enabled]
    session.enabled.update(fresh)
    if "IMAP4REV2" in session.enabled or "UTF8=ACCEPT" in session.enabled:
        session.utf8 = True
    if session.enabled & {"CONDSTORE", "QRESYNC"}:
        session.enable_condstore()  # RFC 7162 §3.2.3: QRESYNC is CONDSTORE and more
    if session.selected is not None:
        session.selected.view.qresync = session.qresync
        session.selected.view.uidonly = session.uidonly
    names = [_SPELLING.get(name, name).encode() for name in dict.fromkeys(fresh)]
    session.send(responses.enabled(names))
    session.ok(command.tag, "Done.")


_SPELLING = {"IMAP4REV2": "IMAP4rev2"}


def namespace(session: ImapSession, command: Namespace) -> None:
    """There are the account's own mailboxes and those of others (RFC 9051 §6.3.10, RFC 2342 §5)."""
    session.send(responses.namespace(others=OTHERS + DELIMITER))
    session.ok(command.tag, "Done.")


def get_jmap_access(session: ImapSession, command: GetJmapAccess) -> None:
    """Tell where the same mail is had by JMAP (RFC 9698 §4)."""
    if not opens_jmap(session):
        session.bad(command.tag, "JMAP is not open to this login.")
        return
    session.send(responses.jmap_access(session.services.jmap_url))
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
