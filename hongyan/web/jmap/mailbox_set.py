"""Mailbox/set (RFC 8621 §2.5): make, change and delete mailboxes, each for itself."""

from __future__ import annotations

__all__ = ["set_mailboxes"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from hongyan.errors import AlreadyExists, NotFound, OverLimit, Refused
from hongyan.mailboxes.hierarchy import create_mailbox, delete_mailbox, rename_mailbox
from hongyan.mailboxes.rights import ALL_RIGHTS
from hongyan.store.mailboxes import INBOX_ID, Mailbox, MailboxProperties
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.mailbox_counts import MailboxCounts
from hongyan.web.jmap.mailbox_view import COUNTS, PROPERTIES, ROLES, MailboxTree, mailbox_id_of, rights_of, role_of
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.states import require_state, write_state
from hongyan.wire.imap.mailbox_name import DELIMITER
from hongyan.wire.jmap.faults import SetError, invalid_properties
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.standard import read_set
from hongyan.wire.jmap.values import is_id, is_unsigned

_DEFAULTS: Mapping[str, object] = {"parentId": None, "role": None, "sortOrder": 0, "isSubscribed": True}
_MAX_SORT_ORDER = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A mailbox as the client wants it, checked."""

    name: str
    parent: str | None
    role: str | None
    sort_order: int
    subscribed: bool


async def set_mailboxes(services: JmapServices, counts: MailboxCounts, call: Call) -> Mapping[str, object]:
    """Make, change and delete mailboxes."""
    removes_emails = call.arguments.boolean("onDestroyRemoveEmails")
    asked = read_set(call.arguments, services.options.max_objects_in_set)
    old = write_state(await services.mail.mailboxes.highestmodseq(call.account))
    require_state(asked.if_in_state, old)
    result = SetResult(call, old)
    setting = _Setting(services, counts, call)
    for key in _creation_order(asked.create):
        await result.create(key, lambda key=key: setting.create(asked.create[key]))  # type: ignore[misc]  # bound here
    for key, patch in asked.update.items():
        await result.update(key, lambda found, patch=patch: setting.update(found, patch))  # type: ignore[misc]
    for key in await setting.destruction_order(asked.destroy):
        await result.destroy(key, lambda found: setting.destroy(found, removes_emails=removes_emails))
    return result.tell(write_state(await services.mail.mailboxes.highestmodseq(call.account)))


def _differing(fixed: Mapping[str, object], given: Mapping[str, object]) -> set[str]:
    """Return which of the properties that only the server sets are given otherwise than they are (RFC 8620 §5.3).

    Members of an object are named by their paths.
    """
    found = set[str]()
    for name in fixed.keys() & given.keys():
        is_, asked = fixed[name], given[name]
        if isinstance(is_, dict) and isinstance(asked, dict):
            found |= {f"{name}/{key}" for key in is_.keys() | asked.keys() if is_.get(key) is not asked.get(key)}
        elif is_ != asked or type(is_) is not type(asked):
            found.add(name)
    return found


def _creation_order(create: Mapping[str, Mapping[str, object]]) -> Sequence[str]:
    """Return the keys, parents before their children (RFC 8620 §5.3); what hangs on itself comes last and fails."""
    left, ordered = dict(create), list[str]()
    while left:
        ready = [key for key, record in left.items() if _referred(record) not in left] or list(left)
        ordered += ready
        for key in ready:
            del left[key]
    return ordered


def _referred(record: Mapping[str, object]) -> str | None:
    parent = record.get("parentId")
    return parent[1:] if isinstance(parent, str) and parent.startswith("#") else None


class _Setting:
    """The mailboxes of one account, read anew after each change."""

    def __init__(self, services: JmapServices, counts: MailboxCounts, call: Call) -> None:
        self._mail = services.mail
        self._counts = counts
        self._account = call.account
        self._call = call

    async def _tree(self) -> MailboxTree:
        return MailboxTree(await self._mail.mailboxes.list_mailboxes(self._account))

    async def create(self, record: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """Make a mailbox; return its id, and what the client does not know yet. Raises `SetError`."""
        fixed = {**dict.fromkeys(COUNTS, 0), "myRights": rights_of(ALL_RIGHTS)}
        unknown = (set(record) - (set(PROPERTIES) - {"id"})) | _differing(fixed, record)
        if unknown:
            raise invalid_properties(unknown)
        tree = await self._tree()
        wanted = self._read({**_DEFAULTS, **record}, tree)
        path = self._path(tree, wanted)
        _require_role_free(tree, wanted.role, None)
        try:
            made = await create_mailbox(self._mail, self._account, path, special_use=ROLES.get(wanted.role or "", ""))
        except AlreadyExists:
            raise invalid_properties(["name"], "There is a mailbox of that name.") from None
        except OverLimit as fault:
            raise SetError("overQuota", fault.sentence) from None
        except Refused as fault:
            raise invalid_properties(["name"], fault.sentence) from None
        if wanted.sort_order or not wanted.subscribed:
            await self._change(made, MailboxProperties(sort_order=wanted.sort_order, subscribed=wanted.subscribed))
        tree = await self._tree()
        described = tree.describe(tree.by_id[mailbox_id_of(made.mailbox_id)]) | dict.fromkeys(COUNTS, 0)
        news = {name: value for name, value in described.items() if name not in record or record[name] != value}
        return mailbox_id_of(made.mailbox_id), news

    async def update(self, mailbox_id: str, patch: Mapping[str, object]) -> Mapping[str, object] | None:
        """Change a mailbox. Raises `SetError`."""
        tree = await self._tree()
        mailbox = tree.find(mailbox_id)
        if mailbox is None:
            raise SetError("notFound")
        before = tree.describe(mailbox)
        after = apply_patch(before, patch, _DEFAULTS)
        unknown = {name for name in after if name not in PROPERTIES}
        fixed = {name: before[name] for name in ("id", "myRights")}
        wrong = unknown | _differing(fixed, {**dict.fromkeys(fixed), **after})
        if wrong:
            raise invalid_properties(wrong)
        for name in COUNTS:  # A whole object may be sent back; its counts are not compared with what came meanwhile.
            after.pop(name, None)
        wanted = self._read(after, tree)
        moves = wanted.name != before["name"] or wanted.parent != before["parentId"]
        _require_role_free(tree, wanted.role, mailbox)
        if moves:
            await self._move(tree, mailbox, wanted)
        await self._change(mailbox, _difference(mailbox, wanted))
        return None

    async def _move(self, tree: MailboxTree, mailbox: Mailbox, wanted: _Wanted) -> None:
        if mailbox.mailbox_id == INBOX_ID:
            raise SetError("forbidden", "INBOX is neither renamed nor moved.")
        path = self._path(tree, wanted)
        if path == mailbox.name:
            return
        if path.startswith(mailbox.name + DELIMITER):
            raise invalid_properties(["parentId"], "A mailbox cannot hang below itself.")
        try:
            await rename_mailbox(self._mail, self._account, mailbox.name, path)
        except AlreadyExists:
            raise invalid_properties(["name"], "There is a mailbox of that name.") from None
        except NotFound:
            raise SetError("notFound") from None
        except Refused as fault:
            raise invalid_properties(["name"], fault.sentence) from None

    async def _change(self, mailbox: Mailbox, wanted: MailboxProperties) -> None:
        if wanted == MailboxProperties():
            return
        try:
            done = await self._mail.mailboxes.change_properties(self._account, mailbox.mailbox_id, wanted)
        except AlreadyExists as fault:
            raise invalid_properties(["role"], fault.sentence) from None
        except NotFound:
            raise SetError("notFound") from None
        await self._mail.live.follow(self._account, [done])

    async def destroy(self, mailbox_id: str, *, removes_emails: bool) -> None:
        """Delete a mailbox. Raises `SetError`."""
        tree = await self._tree()
        mailbox = tree.find(mailbox_id)
        if mailbox is None:
            raise SetError("notFound")
        if mailbox.mailbox_id == INBOX_ID:
            raise SetError("forbidden", "INBOX stays.")
        if tree.children_of(mailbox):
            raise SetError("mailboxHasChild")
        try:
            # What is flagged \Deleted is no email to JMAP, and goes with the mailbox (RFC 8621 §4.1.1).
            counts = await self._counts.count(self._account, mailbox.mailbox_id, threads=False)
            if counts["totalEmails"] and not removes_emails:
                raise SetError("mailboxHasEmail")
            await delete_mailbox(self._mail, self._account, mailbox.name)
        except NotFound:
            raise SetError("notFound") from None

    async def destruction_order(self, destroy: Sequence[str]) -> Sequence[str]:
        """Return the ids, children before their parents."""
        if not destroy:
            return ()
        tree = await self._tree()

        def depth(key: str) -> int:
            mailbox = tree.find(self._call.created.resolve(key) or "")
            return 0 if mailbox is None else -mailbox.name.count(DELIMITER)

        return sorted(destroy, key=depth)

    # -- what the client wants

    def _read(self, record: Mapping[str, object], tree: MailboxTree) -> _Wanted:
        """Return the record, checked. Raises `SetError` with all properties that are wrong."""
        name, role, order = record.get("name"), record.get("role"), record.get("sortOrder")
        subscribed, parent = record.get("isSubscribed"), self._parent(record.get("parentId"), tree)
        wrong = set[str]()
        if not isinstance(name, str) or not name or name != name.strip(DELIMITER):
            wrong.add("name")
        if not (role is None or (isinstance(role, str) and (role in ROLES or role == "inbox"))):
            wrong.add("role")
        if not is_unsigned(order) or order > _MAX_SORT_ORDER:
            wrong.add("sortOrder")
        if not isinstance(subscribed, bool):
            wrong.add("isSubscribed")
        if parent is False:
            wrong.add("parentId")
        if wrong:
            raise invalid_properties(wrong)
        return _Wanted(
            cast(str, name), cast("str | None", parent), cast("str | None", role), cast(int, order), subscribed is True
        )

    def _parent(self, value: object, tree: MailboxTree) -> str | bool | None:
        """Return the id of the parent, None for none, False for what is no mailbox."""
        if value is None:
            return None
        if not isinstance(value, str) or not is_id(value.removeprefix("#")):
            return False
        resolved = self._call.created.resolve(value)
        return resolved if resolved is not None and tree.find(resolved) is not None else False

    @staticmethod
    def _path(tree: MailboxTree, wanted: _Wanted) -> str:
        if DELIMITER in wanted.name:
            raise invalid_properties(["name"], "A name has no slash.")
        return tree.path_of(wanted.name, None if wanted.parent is None else tree.by_id[wanted.parent])


def _require_role_free(tree: MailboxTree, role: str | None, mailbox: Mailbox | None) -> None:
    """RFC 8621 §2: no two mailboxes have the same role; that of INBOX stays where it is."""
    mine = None if mailbox is None else role_of(mailbox)
    if role == mine:
        return
    if "inbox" in (role, mine) or any(role_of(box) == role for box in tree.by_id.values() if role is not None):
        raise invalid_properties(["role"], "Another mailbox has that role.")


def _difference(mailbox: Mailbox, wanted: _Wanted) -> MailboxProperties:
    use = mailbox.special_use if wanted.role == "inbox" else ROLES.get(wanted.role or "", "")
    return MailboxProperties(
        special_use=use if use != mailbox.special_use else None,
        sort_order=wanted.sort_order if wanted.sort_order != mailbox.sort_order else None,
        subscribed=wanted.subscribed if wanted.subscribed != mailbox.subscribed else None,
    )
