"""The rows of an email: what is written of a message once, however many mailboxes it is in."""

from __future__ import annotations

__all__ = ["INSERT_TEXTS", "insert_emails", "insert_rows", "order_values"]

from collections.abc import Sequence

from hongyan.engines.sql.threads import THREAD_OF_EMAIL, find_threads
from hongyan.engines.sql.units import Many, Statement, Unit, Value
from hongyan.message.order_keys import OrderKeys
from hongyan.store.messages import NewMessage
from hongyan.types import AccountId, BlobRef, EmailId

_INSERT_EMAIL = (
    "INSERT INTO emails (account_id, email_id, blob_ref, prefix, skipped, envelope, envelope_utf8, bodystructure,"
    " bodystructure_utf8, outline, fields, preview, has_attachment)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
)
INSERT_TEXTS = (
    "INSERT INTO email_texts (account_id, email_id, thread_link, thread_id, sent_date, message_id, reference_ids,"
    " from_text, to_text, cc_text, bcc_text, subject_text, subject_key, is_reply, from_key, to_key, cc_key,"
    f" from_name_key, to_name_key, links) VALUES ($1, $2, $3, {THREAD_OF_EMAIL}, $5, $6, $7, $8, $9, $10, $11, $12,"
    " $13, $14, $15, $16, $17, $18, $19, $20)"
)


def insert_emails(
    account: AccountId, ids: Sequence[EmailId], messages: Sequence[NewMessage], refs: Sequence[BlobRef]
) -> Unit[None]:
    """Write the rows of new emails, each with its thread."""
    threads = yield from find_threads(account, ids, [message.analysis.order.thread_links for message in messages])
    yield from insert_rows(_INSERT_EMAIL, [_email_row(account, *of) for of in zip(ids, messages, refs, strict=True)])
    yield from insert_rows(INSERT_TEXTS, [_texts_row(account, *of) for of in zip(ids, messages, threads, strict=True)])


def insert_rows(sql: str, rows: list[tuple[Value, ...]]) -> Unit[None]:
    """Insert one row or many."""
    yield Statement(sql, rows[0]) if len(rows) == 1 else Many(sql, rows)


def order_values(order: OrderKeys) -> tuple[Value, ...]:
    """Return subject_key, is_reply, from_key, to_key, cc_key, from_name_key, to_name_key and links."""
    return (
        _storable(order.subject),
        int(order.is_reply),
        *map(_storable, (order.from_, order.to, order.cc, order.from_name, order.to_name)),
        order.packed_links(),
    )


def _email_row(account: AccountId, email: EmailId, message: NewMessage, ref: BlobRef) -> tuple[Value, ...]:
    of = message.analysis
    return (
        account,
        email,
        ref,
        message.prefix,
        message.skipped,
        of.envelope,
        of.envelope_utf8,
        of.bodystructure,
        of.bodystructure_utf8,
        of.outline,
        of.fields,
        _storable(of.preview),
        int(of.has_attachment),
    )


def _texts_row(account: AccountId, email: EmailId, message: NewMessage, thread: int | None) -> tuple[Value, ...]:
    of = message.analysis
    texts = (of.message_id, " ".join(of.references), of.from_text, of.to_text, of.cc_text, of.bcc_text, of.subject_text)
    own = of.order.thread_links[0] or None
    return (account, email, own, thread, of.sent_date, *map(_storable, texts), *order_values(of.order))


def _storable(text: str) -> str:
    """Return the text without what no database holds: NUL, and halves of surrogate pairs."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
