"""What return paths by recipient need, and indexes for what grows, in the words of `schema`.

`queue_messages.verp` holds two delimiters (`queue.verp`), or NULL: one reverse-path for all recipients. Slots and
bodies are deleted by age, many accounts' at once; the messages of an account are looked for when it is put on hold.
"""

from __future__ import annotations

__all__ = ["VERP"]

VERP = (
    "ALTER TABLE queue_messages ADD COLUMN verp TEXT",
    "CREATE INDEX queue_messages_by_account ON queue_messages (account_id) WHERE account_id IS NOT NULL",
    "CREATE INDEX sending_slots_by_time ON sending_slots (slot)",
    "CREATE INDEX sent_bodies_by_time ON sent_bodies (began_at)",
)
