"""Email/set: drafts are made, keywords and mailboxes changed, emails destroyed (RFC 8621 §4.6).

What is changed alike is changed together: five hundred messages that are read or moved are one step for each mailbox
that holds them, as IMAP's STORE and MOVE would make it. A copy is safe before its source lets go.
"""

from __future__ import annotations

__all__ = ["EmailSetter", "read_keywords", "read_mailbox_ids"]

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from hongyan.errors import HongyanError, NotFound
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.flag_column import TooManyKeywords
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.move import copy_messages
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Flag
from hongyan.types import AccountId, EmailId, MailboxId
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_draft import compose_draft, read_draft
from hongyan.web.jmap.email_filter import flag_of
from hongyan.web.jmap.email_services import EmailServices, Located, email_state, keywords_of, locate, open_one
from hongyan.web.jmap.ids import email_blob_id, email_id, mailbox_id, read_email_id, read_mailbox_id, thread_id
from hongyan.web.jmap.mail_blobs import MailBlobs
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.states import require_state
from hongyan.wire.jmap.faults import MethodError, SetError, invalid_properties
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.standard import read_set
from hongyan.wire.jmap.values import parse_utc_date

_MAX_MAILBOXES = 100
_CHANGEABLE = frozenset({"keywords", "mailboxIds"})


@dataclass(frozen=True, slots=True)
class _Step:
    """What is changed of emails alike."""

    adds: tuple[Flag, ...]
    removes: tuple[Flag, ...]
    joins: tuple[MailboxId, ...]
    leaves: frozenset[MailboxId]


class EmailSetter:
    """Changes emails."""

    def __init__(self, services: EmailServices, blobs: MailBlobs) -> None:
        self._services = services
        self._blobs = blobs

    async def set(self, call: Call) -> Mapping[str, object]:
        """RFC 8621 §4.6."""
        asked = read_set(call.arguments, self._services.jmap.options.max_objects_in_set)
        account = call.account
        state = await email_state(self._services, account)
        require_state(asked.if_in_state, state)
        result = SetResult(call, state)
        for key, record in asked.create.items():
            await result.create(key, lambda record=record: self._create(call, record))  # type: ignore[misc]  # bound
        outcomes = await self._update_all(call, asked.update)
        for key in asked.update:
            await result.update(key, _teller(outcomes[key]))
        outcomes = await self._destroy_all(call, asked.destroy)
        for key in asked.destroy:
            await result.destroy(key, _destroyer(outcomes[key]))
        return result.tell(await email_state(self._services, account))

    # -- create

    async def _create(self, call: Call, record: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        boxes = await read_mailbox_ids(self._services, call, record.get("mailboxIds"))
        flags = read_keywords(record.get("keywords"))
        received = parse_utc_date(record.get("receivedAt"))
        if record.get("receivedAt") is not None and received is None:
            raise invalid_properties(["receivedAt"], "A UTCDate.")
        draft = read_draft(record)
        blobs: dict[str, bytes] = {}
        missing: list[str] = []
        limit = self._services.jmap.options.max_size_upload
        for blob_id in dict.fromkeys(draft.blob_ids()):
            found = await self._blobs.find(call.account, blob_id)
            if found is None:
                missing.append(blob_id)
            else:
                blobs[blob_id] = found
        if missing:
            raise SetError("blobNotFound", notFound=missing)
        if sum(len(blobs[blob_id]) for blob_id in draft.blob_ids()) > limit:
            raise SetError("tooLarge", "The message is too large.", maxSize=limit)
        domain = call.visitor.principal.address.domain.text
        octets = compose_draft(draft, blobs, domain, self._services.jmap.clock, self._services.jmap.random)
        message = Incoming(octets, flags=flags, internal_date=received)
        return await self.store(call.account, message, boxes)

    async def store(
        self, account: AccountId, message: Incoming, boxes: Sequence[MailboxId]
    ) -> tuple[str, Mapping[str, object]]:
        """Store a message in mailboxes; return its id and what the client does not know of it."""
        mail = self._services.mail
        first, *others = boxes
        try:
            done = await append(mail, account, first, [message])
            state = await mail.live.open(account, first)
            for box in others:
                await copy_messages(mail, account, state, BitMap([done.first_uid]), box)
        except TooManyKeywords as fault:
            raise SetError("tooManyKeywords", fault.sentence) from None
        email = done.email_ids[0]
        return email_id(email), await self.tell_of(account, email)

    async def tell_of(self, account: AccountId, email: EmailId) -> Mapping[str, object]:
        """Return what a client is told of an email that was made."""
        for record in await self._services.placements.read_emails(account, [email]):
            return {"blobId": email_blob_id(email), "threadId": thread_id(record.thread), "size": record.size}
        raise NotFound("The message is gone again.")

    # -- update

    async def _update_all(
        self, call: Call, updates: Mapping[str, Mapping[str, object]]
    ) -> Mapping[str, SetError | None]:
        outcomes: dict[str, SetError | None] = {}
        named = {key: self._email(call, key) for key in updates}
        located = await locate(self._services, call.account, [email for email in named.values() if email is not None])
        groups: dict[_Step, dict[str, Located]] = {}
        for key, patch in updates.items():
            at = located.get(named[key])  # type: ignore[arg-type]  # None is no key
            try:
                if at is None:
                    raise SetError("notFound")
                groups.setdefault(await self._plan(call, at, patch), {})[key] = at
            except SetError as fault:
                outcomes[key] = fault
        for step, emails in groups.items():
            outcome: SetError | None = None
            try:
                await self._carry_out(call.account, step, list(emails.values()))
            except HongyanError as fault:
                outcome = _as_set_error(fault)
            outcomes.update(dict.fromkeys(emails, outcome))
        return outcomes

    def _email(self, call: Call, key: str) -> EmailId | None:
        return read_email_id(call.created.resolve(key) or "", call.account)

    async def _plan(self, call: Call, at: Located, patch: Mapping[str, object]) -> _Step:
        unknown = sorted({path.split("/")[0] for path in patch} - _CHANGEABLE)
        if unknown:
            raise invalid_properties(unknown, "It cannot be changed.")
        before: dict[str, object] = {
            "keywords": keywords_of(at.flags),
            "mailboxIds": {mailbox_id(state.mailbox_id): True for state, _uid in at.messages},
        }
        after = apply_patch(before, _fold_keywords(patch), {"keywords": {}})
        had = set(read_keywords(before["keywords"]))
        has = set(read_keywords(after.get("keywords")))
        if any(path.split("/")[0] == "keywords" for path in patch):
            # A keyword that is named comes to all copies, or leaves all (decision 0042).
            common = set(map(flag_of, keywords_of(at.common_flags)))
        else:
            common = has
        here = {state.mailbox_id for state, _uid in at.messages}
        wanted = here
        if after.get("mailboxIds") != before["mailboxIds"]:
            wanted = set(await read_mailbox_ids(self._services, call, after.get("mailboxIds")))
        return _Step(
            tuple(sorted(has - common)),
            tuple(sorted(had - has)),
            tuple(sorted(wanted - here)),
            frozenset(here - wanted),
        )

    async def _carry_out(self, account: AccountId, step: _Step, emails: Sequence[Located]) -> None:
        mail = self._services.mail
        try:
            for state, uids in _by_mailbox(emails):
                if step.adds:
                    await mark(mail, account, state, uids, FlagAction.ADD, step.adds)
                if step.removes:
                    await mark(mail, account, state, uids, FlagAction.REMOVE, step.removes)
            if step.joins or step.leaves:
                await self._move(account, step, emails)
        except TooManyKeywords as fault:
            raise SetError("tooManyKeywords", fault.sentence) from None

    async def _move(self, account: AccountId, step: _Step, emails: Sequence[Located]) -> None:
        mail = self._services.mail
        carried: dict[MailboxId, BitMap] = {}
        states: dict[MailboxId, MailboxState] = {}
        for at in emails:
            leaving = [(state, uid) for state, uid in at.messages if state.mailbox_id in step.leaves]
            state, uid = (leaving or at.messages)[0]
            states[state.mailbox_id] = state
            carried.setdefault(state.mailbox_id, BitMap()).add(uid)
        for box, uids in carried.items():
            for n, target in enumerate(step.joins):
                is_last = n == len(step.joins) - 1
                is_move = is_last and box in step.leaves
                done = await copy_messages(mail, account, states[box], uids, target, move=is_move)
                if done is None:
                    raise SetError("notFound")
        for state, uids in _by_mailbox(emails):
            if state.mailbox_id in step.leaves:
                await expunge(mail, account, state.mailbox_id, uids)

    # -- destroy

    async def _destroy_all(self, call: Call, ids: Sequence[str]) -> Mapping[str, SetError | None]:
        named = {key: self._email(call, key) for key in ids}
        emails = [email for email in named.values() if email is not None]
        located = await locate(self._services, call.account, emails, hidden_too=True)
        found = {
            key: located[email]
            for key, email in named.items()
            if email is not None and email in located and located[email].messages
        }
        for state, uids in _by_mailbox(list(found.values()), hidden_too=True):
            await expunge(self._services.mail, call.account, state.mailbox_id, uids)
        return {key: None if key in found else SetError("notFound") for key in ids}


def _by_mailbox(emails: Sequence[Located], *, hidden_too: bool = False) -> Sequence[tuple[MailboxState, BitMap]]:
    """Return the messages that emails are, mailbox by mailbox."""
    found: dict[MailboxId, tuple[MailboxState, BitMap]] = {}
    for at in emails:
        for state, uid in (*at.messages, *at.hidden) if hidden_too else at.messages:
            found.setdefault(state.mailbox_id, (state, BitMap()))[1].add(uid)
    return list(found.values())


def read_keywords(value: object) -> tuple[Flag, ...]:
    """Return the flags of keywords. Raises `SetError`."""
    if value is None:
        return ()
    if not isinstance(value, dict) or not all(is_set is True for is_set in value.values()):
        raise invalid_properties(["keywords"], "An object of keywords, each true.")
    try:
        return tuple(dict.fromkeys(flag_of(keyword) for keyword in value))
    except MethodError as fault:
        raise invalid_properties(["keywords"], str(fault)) from None


async def read_mailbox_ids(services: EmailServices, call: Call, value: object) -> Sequence[MailboxId]:
    """Return the mailboxes that are named, one at least. Raises `SetError`."""
    if not isinstance(value, dict) or not value or not all(is_set is True for is_set in value.values()):
        raise invalid_properties(["mailboxIds"], "An object of one mailbox at least, each true.")
    if len(value) > _MAX_MAILBOXES:
        raise SetError("tooManyMailboxes")
    found: list[MailboxId] = []
    for key in value:
        mailbox = read_mailbox_id(call.created.resolve(key) or "")
        if mailbox is None or await open_one(services, call.account, mailbox) is None:
            raise invalid_properties(["mailboxIds"], "There is no such mailbox.")
        found.append(mailbox)
    return list(dict.fromkeys(found))


def _fold_keywords(patch: Mapping[str, object]) -> Mapping[str, object]:
    """A keyword is the same in any letter case (RFC 8621 §4.1.1)."""
    return {path.lower() if path.startswith("keywords/") else path: value for path, value in patch.items()}


def _as_set_error(fault: HongyanError) -> SetError:
    if isinstance(fault, SetError):
        return fault
    if isinstance(fault, NotFound):
        return SetError("notFound", fault.sentence)
    return SetError("forbidden", fault.sentence)


def _teller(outcome: SetError | None) -> Callable[[str], Awaitable[Mapping[str, object] | None]]:
    async def tell(_id: str) -> Mapping[str, object] | None:
        if outcome is not None:
            raise outcome
        return None

    return tell


def _destroyer(outcome: SetError | None) -> Callable[[str], Awaitable[None]]:
    async def tell(_id: str) -> None:
        if outcome is not None:
            raise outcome

    return tell
