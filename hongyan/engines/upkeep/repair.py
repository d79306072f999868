"""What the verification mends.

A message whose octets cannot be read is *set aside*: it leaves its mailbox as if expunged, its row is kept in
`damaged_messages`, and a message that says so comes in its place, with the old one's From, To, Subject and Date, its
flags and its internal date. It has a UID of its own, since what a UID names never changes (RFC 9051 §2.3.1.1). The
mailbox stays as usable as it was, and clients learn of the exchange as of any other. What is kept of the damaged
message (its email, and the place of its blob) stays until an administrator removes it.
"""

from __future__ import annotations

__all__ = ["Repair"]

from array import array
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace

from pyroaring import BitMap

from hongyan.clock import Clock
from hongyan.engines.sql.mailboxes import SqlMailboxes, log_change, next_modseq
from hongyan.engines.sql.messages import append, count_out
from hongyan.engines.sql.units import Many, Statement, Unit, unit_of
from hongyan.engines.storage import SqlStorage
from hongyan.errors import Corrupt, HongyanError, NotFound
from hongyan.mailboxes.state import MailboxState
from hongyan.message.analyze import analyze
from hongyan.message.headers import join_fields, split_fields
from hongyan.store.changes import Expunged, Flag, MailboxChanged
from hongyan.store.mailboxes import StoredState
from hongyan.store.messages import NewMessage
from hongyan.types import AccountId, BlobRef, EmailId, MailboxId, ModSeq

_KEPT_FIELDS = frozenset({b"from", b"to", b"cc", b"subject", b"date", b"in-reply-to", b"references"})
_BODY = """\
The server could not read this message back from its disk. Its content is lost \
unless your administrator can restore it from a backup; the header above is what was kept of it.

服务器无法从磁盘读回这封邮件。除非管理员能从备份中恢复，否则其内容已经丢失；以上信头是保留下来的部分。
"""


class Repair:
    """Mends one storage. Each method returns whether it is mended."""

    def __init__(self, storage: SqlStorage, clock: Clock) -> None:
        self._database = storage.database
        self._mailboxes = SqlMailboxes(storage.database)
        self._clock = clock

    async def recount(self, account: AccountId) -> bool:
        """Make the counts of an account agree with its rows."""
        return await _tried(self._database.write(unit_of(_recount, account)))

    async def drop_emails(self, account: AccountId, emails: Sequence[EmailId]) -> bool:
        """Leave emails that no message has to the sweep."""
        return await _tried(self._database.write(unit_of(_drop_emails, account, emails)))

    async def recover_mailbox(self, account: AccountId, mailbox: MailboxId) -> bool:
        """Make a mailbox again for messages that have none."""
        return await _tried(self._database.write(unit_of(_recover_mailbox, account, mailbox)))

    async def rebuild_state(self, account: AccountId, mailbox: MailboxId) -> bool:
        """Make a mailbox's snapshot anew from its rows, with what flags can still be read."""
        flags = await self._find_flags(account, mailbox)
        return await _tried(self._database.write(unit_of(_rebuild, account, mailbox, flags)))

    async def set_aside(self, account: AccountId, mailbox: MailboxId, uid: int, cause: str) -> bool:
        """Put a message that says so in the place of one that cannot be read."""
        fields, internal = await self._database.read(_what_is_kept(account, mailbox, uid))
        flags = (await self._find_flags(account, mailbox)).get(uid, ())
        now = int(self._clock.timestamp())
        octets = _stand_in(fields)
        message = NewMessage(octets, b"", analyze(b"", octets), tuple(flags), internal[0], internal[1], now)

        def make(refs: Sequence[BlobRef]) -> Unit[None]:
            return _set_aside(account, mailbox, uid, message, refs, now, cause)

        return await _tried(self._database.write(make, blobs=[octets]))

    async def _find_flags(self, account: AccountId, mailbox: MailboxId) -> Mapping[int, Sequence[Flag]]:
        """Return the flags of a mailbox's messages as far as its snapshot and its log can be read."""
        try:
            stored = await self._mailboxes.load_state(account, mailbox)
        except (NotFound, Corrupt):
            return {}
        lenient = replace(stored.mailbox, highestmodseq=ModSeq(0))
        for snapshot in (stored.snapshot, None):
            try:
                state = MailboxState(StoredState(lenient, snapshot, stored.changes))
            except Corrupt:
                continue
            return {uid: state.column.set_of(at) for at, uid in enumerate(state.uids)}
        return {}


async def _tried(work: Awaitable[object]) -> bool:
    try:
        await work
    except HongyanError:
        return False
    return True


# -- counts, emails, mailboxes


def _recount(account: AccountId) -> Unit[None]:
    yield from next_modseq(account)
    yield Statement(
        "UPDATE mailboxes SET messages = (SELECT COUNT(*) FROM messages r WHERE r.account_id = mailboxes.account_id"
        " AND r.mailbox_id = mailboxes.mailbox_id), octets = (SELECT COALESCE(SUM(r.size), 0) FROM messages r"
        " WHERE r.account_id = mailboxes.account_id AND r.mailbox_id = mailboxes.mailbox_id) WHERE account_id = $1",
        (account,),
    )
    greatest = "(SELECT MAX(r.uid) FROM messages r WHERE r.account_id = $1 AND r.mailbox_id = mailboxes.mailbox_id)"
    yield Statement(
        f"UPDATE mailboxes SET uidnext = {greatest} + 1 WHERE account_id = $1 AND uidnext <= {greatest}", (account,)
    )
    yield Statement(
        "UPDATE account_state SET used_messages = (SELECT COALESCE(SUM(m.messages), 0) FROM mailboxes m"
        " WHERE m.account_id = $1), used_octets = (SELECT COALESCE(SUM(m.octets), 0) FROM mailboxes m"
        " WHERE m.account_id = $1) WHERE account_id = $1",
        (account,),
    )


def _drop_emails(account: AccountId, emails: Sequence[EmailId]) -> Unit[None]:
    yield Many(
        "INSERT INTO dropped_emails (account_id, email_id) VALUES ($1, $2)"
        " ON CONFLICT (account_id, email_id) DO NOTHING",
        [(account, email) for email in emails],
    )


def _recover_mailbox(account: AccountId, mailbox: MailboxId) -> Unit[None]:
    modseq = yield from next_modseq(account)
    name = f"Recovered {mailbox}"
    yield Statement(
        "INSERT INTO mailboxes (account_id, mailbox_id, name, special_use, uidvalidity, uidnext, highestmodseq,"
        " messages, octets) SELECT a.account_id, CAST($1 AS BIGINT), $2, '', a.uidvalidity_base + CAST($1 AS BIGINT),"
        " (SELECT MAX(r.uid) + 1 FROM messages r WHERE r.account_id = a.account_id AND r.mailbox_id = $1), $3, 0, 0"
        " FROM account_state a WHERE a.account_id = $4",
        (mailbox, name, modseq, account),
    )
    yield from log_change(account, modseq, mailbox, MailboxChanged("created", name))


# -- the state of a mailbox


def _rebuild(account: AccountId, mailbox: MailboxId, flags: Mapping[int, Sequence[Flag]]) -> Unit[None]:
    """Begin the mailbox's log anew: whoever follows it starts over."""
    modseq = yield from next_modseq(account)
    rows = yield Statement(
        "SELECT uid FROM messages WHERE account_id = $1 AND mailbox_id = $2 ORDER BY uid", (account, mailbox)
    )
    boxes = yield Statement(
        "UPDATE mailboxes SET highestmodseq = $1 WHERE account_id = $2 AND mailbox_id = $3 RETURNING uidnext",
        (modseq, account, mailbox),
    )
    if not boxes:
        raise NotFound("There is no such mailbox.")
    uids = array("I", [row[0] for row in rows])
    state = MailboxState.of_uids(mailbox, uids, boxes[0][0], modseq, flags)
    _position, pack = state.snapshot()
    yield Statement("DELETE FROM changes WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox))
    yield Statement("DELETE FROM snapshots WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox))
    yield Statement(
        "INSERT INTO snapshots (account_id, mailbox_id, modseq, snapshot) VALUES ($1, $2, $3, $4)",
        (account, mailbox, modseq, pack()),
    )
    yield Statement(
        "UPDATE account_state SET changes_floor = $1, expunges_floor = $1 WHERE account_id = $2", (modseq, account)
    )


# -- damaged messages


def _what_is_kept(account: AccountId, mailbox: MailboxId, uid: int) -> Unit[tuple[bytes, tuple[int, bytes]]]:
    """Return the kept fields of a message, and its internal date as a number and as a text."""
    rows = yield Statement(
        "SELECT r.internal_date, r.internal_text, e.fields FROM messages r LEFT JOIN emails e"
        " ON e.account_id = r.account_id AND e.email_id = r.email_id"
        " WHERE r.account_id = $1 AND r.mailbox_id = $2 AND r.uid = $3",
        (account, mailbox, uid),
    )
    if not rows:
        raise NotFound("There is no such message.")
    date, text, fields = rows[0]
    return bytes(fields or b""), (date, bytes(text))


def _stand_in(fields: bytes) -> bytes:
    """Return the message that is shown in the place of a damaged one."""
    kept: dict[bytes, bytes] = {}
    for line in split_fields(fields):
        name = line.partition(b":")[0].strip().lower()
        if name in _KEPT_FIELDS:
            kept.setdefault(name, line)
    kept.setdefault(b"from", b"From: MAILER-DAEMON:;")
    kept.setdefault(b"subject", b"Subject: (damaged message)")
    own = (b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8bit")
    return join_fields([*kept.values(), *own]) + b"\r\n" + _BODY.replace("\n", "\r\n").encode()


def _set_aside(
    account: AccountId,
    mailbox: MailboxId,
    uid: int,
    message: NewMessage,
    refs: Sequence[BlobRef],
    now: int,
    cause: str,
) -> Unit[None]:
    arrived = yield from append(account, mailbox, [message], refs, within_quota=False)
    modseq = yield from next_modseq(account)
    key = (account, mailbox, uid)
    gone = yield Statement(
        "DELETE FROM messages WHERE account_id = $1 AND mailbox_id = $2 AND uid = $3"
        " RETURNING email_id, internal_date, size",
        key,
    )
    if not gone:
        raise NotFound("There is no such message.")
    email, date, size = gone[0]
    yield Statement(
        "INSERT INTO damaged_messages (account_id, mailbox_id, uid, email_id, internal_date, size, stand_in, found_at,"
        " cause) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (*key, email, date, size, arrived.first_uid, now, cause),
    )
    yield from count_out(account, mailbox, modseq, 1, size)
    yield from log_change(account, modseq, mailbox, Expunged(BitMap([uid])))
