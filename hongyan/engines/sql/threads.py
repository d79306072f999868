"""Which thread a new email belongs to, and which emails a thread has (decision 0033).

A message joins the thread of those that it answers, of those that answer it, and of its own copies, as far as they
have its subject: of several threads the oldest. A thread has the number of the email that began it; no email ever
changes its thread. A message that answers none costs no statement: the row finds the thread as it is inserted.
"""

from __future__ import annotations

__all__ = ["THREAD_OF_EMAIL", "find_threads", "forget_threads", "threads_of"]

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from hongyan.engines.sql.units import Many, Statement, Unit, conditions
from hongyan.types import AccountId, EmailId

_KNOWN = (
    "COALESCE((SELECT l.thread_id FROM thread_links l WHERE l.account_id = $1 AND l.link = {link}),"
    # All emails with one link are of one thread, however many there are: the first will do.
    " (SELECT t.thread_id FROM email_texts t WHERE t.account_id = $1 AND t.thread_link = {link} LIMIT 1){other})"
)
_SIZES = (1, 4, 16)  # so many links are looked up by one statement

THREAD_OF_EMAIL = "COALESCE($4, " + _KNOWN.format(link="$3", other=", $2") + ")"
"""The thread of an email: `$1` is the account, `$2` the email, `$3` its link, `$4` the thread if that is known."""


def find_threads(
    account: AccountId, emails: Sequence[EmailId], links: Sequence[tuple[int, ...]]
) -> Unit[list[int | None]]:
    """Return the threads of new emails with these thread links; None where `THREAD_OF_EMAIL` is to find it.

    What they answer and nobody knows yet is noted, so that all who answer it come together.
    """
    if not any(len(of) > 1 for of in links):
        return [None] * len(emails)
    known = yield from _look_up(account, [link for of in links for link in of if link])
    threads: list[int | None] = []
    noted: dict[int, int] = {}
    for email, of in zip(emails, links, strict=True):
        mine = min((known[link] for link in of if link in known), default=int(email))
        threads.append(mine)
        if of[0]:
            known.setdefault(of[0], mine)
        for link in of[1:]:
            if link not in known:
                known[link] = noted[link] = mine
    if noted:
        sql = (
            "INSERT INTO thread_links (account_id, link, thread_id) VALUES ($1, $2, $3)"
            " ON CONFLICT (account_id, link) DO NOTHING"
        )
        rows = [(account, link, thread) for link, thread in noted.items()]
        yield Statement(sql, rows[0]) if len(rows) == 1 else Many(sql, rows)
    return threads


def _look_up(account: AccountId, links: Sequence[int]) -> Unit[dict[int, int]]:
    """Return the threads of those of the links that are known."""
    known: dict[int, int] = {}
    for part in _parts(list(dict.fromkeys(links))):
        size = next(size for size in _SIZES if size >= len(part))
        padded = (*part, *part[-1:] * (size - len(part)))
        (row,) = yield Statement(_query(size), (account, *padded))
        known.update((link, thread) for link, thread in zip(padded, row, strict=True) if thread is not None)
    return known


def _parts(links: list[int]) -> Iterator[list[int]]:
    for at in range(0, len(links), _SIZES[-1]):
        yield links[at : at + _SIZES[-1]]


@lru_cache
def _query(size: int) -> str:
    return "SELECT " + ", ".join(_KNOWN.format(link=f"${number}", other="") for number in range(2, size + 2))


def threads_of(account: AccountId, emails: Sequence[EmailId]) -> Unit[dict[EmailId, EmailId]]:
    """Return the thread of each of these emails that is there and has its thread."""
    found: dict[EmailId, EmailId] = {}
    for chosen, numbers in conditions("email_id", [(email, email) for email in emails], 2):
        rows = yield Statement(
            f"SELECT email_id, thread_id FROM email_texts WHERE account_id = $1 AND {chosen} AND thread_id IS NOT NULL",
            (account, *numbers),
        )
        found.update((EmailId(email), EmailId(thread)) for email, thread in rows)
    return found


def forget_threads(account: AccountId, threads: Collection[int]) -> Unit[None]:
    """Forget what was noted for those of the threads that have no email any more."""
    for chosen, numbers in conditions("thread_id", [(thread, thread) for thread in sorted(threads)], 2):
        yield Statement(
            f"DELETE FROM thread_links WHERE account_id = $1 AND {chosen} AND NOT EXISTS (SELECT 1 FROM email_texts t"
            " WHERE t.account_id = thread_links.account_id AND t.thread_id = thread_links.thread_id)",
            (account, *numbers),
        )
