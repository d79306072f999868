"""The text index: what each email of an account says, so that a search need not read it all again.

The index knows emails, which copies in several mailboxes share, by their number within the account; which of them lie
in a mailbox is not its business. It is filled behind delivery and says how far it has come, it may be lost at any time
and is then filled anew, and what it answers is never more than it is sure of: the rest is for the reader of messages.
"""

from __future__ import annotations

__all__ = [
    "Clause",
    "Document",
    "IndexField",
    "IndexRoom",
    "IndexSize",
    "TextIndex",
    "TextMatch",
    "TokenStart",
    "email_of",
    "number_of",
]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from pyroaring import BitMap

from hongyan.types import AccountId, EmailId

_NUMBER_BITS = 32


class IndexField(Enum):
    """Where in a message a text stands."""

    FROM = "sender"
    TO = "recipient"
    CC = "cc"
    BCC = "bcc"
    SUBJECT = "subject"
    HEADER = "header"  # every field with its name
    BODY = "body"  # texts and file names

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Document:
    """The folded texts of an email. One that is not whole is never answered for: it has to be read.

    By its `mark`, 32 bits, an email is told from another that has its number in another history of the database.
    """

    number: int
    texts: Mapping[IndexField, Sequence[str]]
    is_whole: bool = True
    mark: int = 0


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Numbers of emails: the sure hold the needle, the doubtful may, others up to `covered` do not."""

    sure: BitMap
    doubtful: BitMap
    covered: int


@dataclass(frozen=True, slots=True)
class IndexSize:
    """How much is indexed of an account: emails, those not whole among them, and octets that the index takes."""

    covered: int
    emails: int
    partial: int
    octets: int


@dataclass(frozen=True, slots=True)
class IndexRoom:
    """Octets that are free on the disk, and those from which on something is indexed; the others are for mail."""

    free: int
    needed: int

    @property
    def is_short(self) -> bool:
        """Whether nothing is indexed."""
        return self.free < self.needed


class TokenStart(NamedTuple):
    """A token, or any that begins so."""

    text: str
    is_open: bool = False


Clause = tuple[TokenStart, ...]
"""Tokens of which one at least has to be there."""


class TextIndex(Protocol):
    """Keeps the index. Raises `ServerFault`; a `Corrupt` one is to be dropped and filled anew."""

    async def put(self, account: AccountId, documents: Sequence[Document], after: int, covered: int) -> float:
        """Index the emails behind `after`, and remember in the same step that all up to `covered` are done.

        Returns the seconds of CPU that it took. Raises `Corrupt` also if the index has not come to `after`, which
        means that somebody took it away, and `StorageFull` before it touches what is reserved for mail. Cancelled, it
        gives the batch up.
        """
        ...

    async def delete(self, account: AccountId, numbers: BitMap) -> None:
        """Forget emails."""
        ...

    async def match(self, account: AccountId, fields: Sequence[IndexField], needle: str) -> TextMatch | None:
        """Return where a folded needle stands in one of the fields; None if the index is of no help."""
        ...

    async def match_words(
        self, account: AccountId, fields: Sequence[IndexField], clauses: Sequence[Clause]
    ) -> TextMatch | None:
        """Return where each clause is met, one here and one there in these fields; None if the index is of no help."""
        ...

    async def find_covered(self, account: AccountId) -> int:
        """Return the number up to which all emails are indexed; 0 if none."""
        ...

    async def numbers(self, account: AccountId) -> BitMap:
        """Return the emails that are indexed."""
        ...

    async def newest_marks(self, account: AccountId, limit: int) -> Mapping[int, int]:
        """Return the marks of the emails that were indexed last, by number."""
        ...

    async def measure(self, account: AccountId) -> IndexSize:
        """Return how much is indexed."""
        ...

    async def check(self, account: AccountId) -> None:
        """Read all of an account's index. Raises `Corrupt` where something is wrong with it."""
        ...

    async def room(self) -> IndexRoom:
        """Return how much room there is to index."""
        ...

    async def list_accounts(self) -> Sequence[AccountId]:
        """Return the accounts that have an index."""
        ...

    async def drop(self, account: AccountId) -> None:
        """Forget all of an account."""
        ...


def number_of(email: int) -> int:
    """Return the number of an email within its account."""
    return email & (1 << _NUMBER_BITS) - 1


def email_of(account: AccountId, number: int) -> EmailId:
    """Return the id of an email for its number."""
    return EmailId(account << _NUMBER_BITS | number)
