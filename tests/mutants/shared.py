"""Mutants of shared mailboxes: each right, and what is answered to who may not know."""

from __future__ import annotations

__all__ = ["MUTANTS"]

from tests.mutants import Change, Mutant

_ROW = "another account's mail"
_ACL = "tests/dialogues/test_dialogues.py::test_dialogue[imap/acl: "
_EACH = f"{_ACL}Each command needs its right]"
_HIDDEN = f"{_ACL}What may not be looked up is answered as what is not there]"
_REVOKED = f"{_ACL}What is taken back while it is selected is felt at once]"
_OUT_OF_USE = f"{_ACL}Who looks at the mailbox of an account that goes out of use is sent away]"
_OPENING = "tests/mailboxes/test_sharing.py::test_an_account_that_goes_out_of_use_while_the_view_opens_is_not_looked_at"
_COMMANDS = "hongyan.servers.imap.commands."
_FLAG = "hongyan.mailboxes.rights:right_for_flag"
_ADMINISTER = "command.mailbox, Right.ADMINISTER"


def _right(title: str) -> str:
    return f"tests/dialogues/test_dialogues.py::test_dialogue[imap/rights: {title}]"


_SEARCHED = "tests/servers/test_imap_multisearch.py::"
_BY_RIGHTS = (
    "[imap/multisearch: Mailboxes of others are searched by their rights, and what was seen is the viewer's own]"
)
_SEVERAL = f"tests/dialogues/test_dialogues.py::test_dialogue{_BY_RIGHTS}"
_SOURCES = "hongyan.servers.imap.sources:"
_DELETE = _right("x: to rename and delete")
_CHANGE = _right("a: to see and change who may do what")


def _mutant(name: str, target: str, before: str, after: str, *tests: str) -> Mutant:
    return Mutant(name, _ROW, (Change(target, before, after),), tests)


MUTANTS = (
    _mutant(
        "every-right-granted",
        "hongyan.mailboxes.reach:Place.require",
        "self.rights.issuperset(rights)",
        "True",
        _EACH,
        _HIDDEN,
    ),
    _mutant(
        "hidden-mailboxes-admitted",
        "hongyan.mailboxes.reach:Place.require",
        "Right.LOOKUP not in self.rights",
        "False",
        _HIDDEN,
    ),
    _mutant(
        "created-anywhere",
        "hongyan.mailboxes.shared_tree:create_anywhere",
        "await _require_creating(shared, viewer, name)",
        "pass",
        _EACH,
        _HIDDEN,
    ),
    _mutant(
        "expunged-without-right",
        f"{_COMMANDS}expunge:expunge",
        "selected.require(Right.EXPUNGE)",
        "pass",
        _EACH,
    ),
    _mutant(
        "closed-with-expunge",
        f"{_COMMANDS}expunge:close",
        "selected.read_only or Right.EXPUNGE not in selected.rights",
        "selected.read_only",
        _EACH,
    ),
    _mutant(
        "flags-without-right",
        "hongyan.mailboxes.rights:keepable_flags",
        "right_for_flag(flag) in rights",
        "True",
        _EACH,
    ),
    _mutant(
        "moved-without-right",
        f"{_COMMANDS}copy:move",
        "selected.require(Right.DELETE_MESSAGES, Right.EXPUNGE)",
        "pass",
        _EACH,
    ),
    _mutant(
        "revocation-unfelt",
        "hongyan.mailboxes.viewed:Viewed._take_access",
        "Right.READ not in self.rights",
        "False",
        _REVOKED,
    ),
    _mutant(
        "suspended-owner-unfelt",
        "hongyan.mailboxes.viewed:ViewedMailboxes.refresh",
        "not await self._is_in_use(owner)",
        "False",
        _OUT_OF_USE,
    ),
    _mutant(
        "suspended-owner-reached",
        "hongyan.mailboxes.reach:_is_in_use",
        "owner.state is AccountState.ACTIVE",
        "True",
        _OUT_OF_USE,
    ),
    _mutant(
        "suspended-owner-looked-at",
        "hongyan.mailboxes.viewed:ViewedMailboxes.open",
        "not await self._is_in_use(place.account)",
        "False",
        _OPENING,
    ),
    _mutant(
        "right-l-not-needed",
        "hongyan.mailboxes.reach:Reach.list_others",
        "Right.LOOKUP in place.rights",
        "True",
        _right("l: to be listed and subscribed to"),
    ),
    _mutant(
        "right-r-not-needed",
        f"{_COMMANDS}list:_status",
        "command.mailbox, Right.READ",
        "command.mailbox",
        _right("r: to be opened and asked how it stands"),
    ),
    Mutant(
        "right-r-not-needed-to-search",
        _ROW,
        (
            Change(f"{_SOURCES}find_sources", "Right.READ in place.rights", "True"),
            Change(f"{_SOURCES}_open", "place.name, Right.READ", "place.name"),
        ),
        (_SEVERAL,),
    ),
    _mutant(
        "right-l-not-needed-to-search",
        "hongyan.mailboxes.reach:Reach.list_others",
        "Right.LOOKUP in place.rights",
        "True",
        _SEVERAL,
    ),
    _mutant(
        "search-goes-on-without-right-r",
        "hongyan.servers.imap.commands.esearch:_search_all",
        "if found and not selected.is_gone and",
        "if found and",
        f"{_SEARCHED}test_a_right_that_is_taken_back_meanwhile_is_felt",
    ),
    _mutant("right-s-not-needed", _FLAG, "Right.SEEN", "Right.READ", _right("s: to mark what was read")),
    _mutant("right-w-not-needed", _FLAG, "Right.WRITE", "Right.READ", _right("w: to set flags and labels")),
    _mutant("right-t-not-needed", _FLAG, "Right.DELETE_MESSAGES", "Right.READ", _right("t: to mark as deleted")),
    _mutant(
        "right-e-not-needed",
        f"{_COMMANDS}expunge:expunge",
        "selected.require(Right.EXPUNGE)",
        "pass",
        _right("e: to remove what is marked"),
    ),
    _mutant(
        "right-i-not-needed",
        "hongyan.servers.imap.places:find_target",
        "place.require(Right.INSERT)",
        "pass",
        _right("i: to put messages in"),
    ),
    _mutant(
        "right-k-not-needed",
        "hongyan.mailboxes.shared_tree:_require_creating",
        "Right.CREATE in place.rights",
        "True",
        _right("k: to make mailboxes below"),
    ),
    _mutant(
        "right-x-not-needed-to-delete",
        "hongyan.mailboxes.shared_tree:delete_anywhere",
        "viewer, name, Right.DELETE_MAILBOX",
        "viewer, name",
        _DELETE,
    ),
    _mutant(
        "right-x-not-needed-to-rename",
        "hongyan.mailboxes.shared_tree:rename_anywhere",
        "viewer, name, Right.DELETE_MAILBOX",
        "viewer, name",
        _DELETE,
    ),
    _mutant(
        "right-x-not-needed-below",
        "hongyan.mailboxes.shared_tree:_require_renaming",
        "Right.DELETE_MAILBOX not in found.rights",
        "False",
        _right("RENAME needs x on all that is below"),
    ),
    _mutant("right-a-not-needed-to-grant", f"{_COMMANDS}acl:_set_acl", _ADMINISTER, "command.mailbox", _CHANGE),
    _mutant("right-a-not-needed-to-take-back", f"{_COMMANDS}acl:_delete_acl", _ADMINISTER, "command.mailbox", _CHANGE),
    _mutant("right-a-not-needed-to-see", f"{_COMMANDS}acl:_get_acl", _ADMINISTER, "command.mailbox", _CHANGE),
    _mutant("right-a-not-needed-to-list", f"{_COMMANDS}acl:_list_rights", _ADMINISTER, "command.mailbox", _CHANGE),
    _mutant(
        "anyone-of-any-domain",
        "hongyan.mailboxes.reach:_reached",
        "grant.grantee != ANYONE or is_neighbour",
        "True",
        _right("anyone means the accounts of the owner's domain, where it is allowed"),
    ),
    _mutant(
        "domains-unlimited",
        "hongyan.mailboxes.sharing:Sharing._may_meet",
        "self._options.between_domains or",
        "True or",
        _right("Other domains are others' business"),
    ),
)
