"""THREAD and UID THREAD (RFC 5256 §3)."""

from __future__ import annotations

__all__ = ["thread"]

from pyroaring import BitMap

from hongyan.mailboxes.thread_links import ThreadAlgorithm
from hongyan.servers.imap.found import names_modseq, numbers_of
from hongyan.servers.imap.message_limit import find_message_limit
from hongyan.servers.imap.searching import Searcher
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Thread
from hongyan.wire.imap.search import names_seqs


def thread(session: ImapSession, command: Thread) -> Work | None:
    """Tell which messages meet the keys, as conversations."""
    selected = session.require_selected()
    if command.algorithm not in ThreadAlgorithm.__members__:
        session.bad(command.tag, "THREAD does not know that algorithm.")
        return None
    limit = find_message_limit(session)
    if limit and selected.view.exists > limit:  # RFC 9738 §3.3: a thread of some of its messages is another one
        session.no(command.tag, f"THREAD takes mailboxes of {limit} messages.", code=codes.messagelimit(limit))
        return None
    if names_modseq(command.key):
        session.enable_condstore()
    return _thread(session, selected, command, ThreadAlgorithm[command.algorithm])


async def _thread(session: ImapSession, selected: Selected, command: Thread, algorithm: ThreadAlgorithm) -> None:
    services = session.services
    found = await Searcher(services, selected, progress=session.working.progress).run(command.key)
    there = BitMap(selected.state.uids)
    forest, uids = await services.orderings.thread(selected.account, selected.state.mailbox_id, there, algorithm, found)
    session.send(responses.thread(forest.encode(numbers_of(selected, uids, uid=command.uid))))
    session.done(command.tag, "Done.", expunge=command.uid and not names_seqs(command.key))
