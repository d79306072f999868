"""The commands of IMAP as values: one dataclass for each, made by the parser and carried out by a session.

Names are text, decoded and canonical; what is only compared or told back (tags, flags, object ids, the
names of header fields) stays octets. `uid` says that numbers in a command, and in its answer,
are UIDs. Search keys are in `search`, fetch items in `fetch`.
"""

from __future__ import annotations

__all__ = [
    "Append",
    "AppendMessage",
    "Authenticate",
    "Capability",
    "Check",
    "Close",
    "Command",
    "Compress",
    "Copy",
    "Create",
    "Delete",
    "DeleteAcl",
    "Depth",
    "Enable",
    "Esearch",
    "EventGroup",
    "EventName",
    "Expunge",
    "Fetch",
    "FlagChange",
    "GetAcl",
    "GetJmapAccess",
    "GetMetadata",
    "GetQuota",
    "GetQuotaRoot",
    "Id",
    "Idle",
    "List",
    "ListReturn",
    "ListRights",
    "ListSelect",
    "Login",
    "Logout",
    "Lsub",
    "MailboxFilter",
    "MetadataWish",
    "Move",
    "MyRights",
    "Namespace",
    "Noop",
    "Notify",
    "Qresync",
    "Rename",
    "Replaced",
    "Search",
    "Select",
    "SetAcl",
    "SetMetadata",
    "SetQuota",
    "Sort",
    "SortKey",
    "SortOrder",
    "Source",
    "StartTls",
    "Status",
    "StatusItem",
    "Store",
    "Subscribe",
    "Thread",
    "UidBatches",
    "Unauthenticate",
    "Unselect",
    "Unsubscribe",
]

from hongyan.wire.imap.commands.mailboxes import (
    Check,
    Close,
    Create,
    Delete,
    GetJmapAccess,
    GetQuota,
    GetQuotaRoot,
    List,
    ListReturn,
    ListSelect,
    Lsub,
    Namespace,
    Qresync,
    Rename,
    Select,
    Status,
    StatusItem,
    Subscribe,
    Unselect,
    Unsubscribe,
)
from hongyan.wire.imap.commands.messages import (
    Append,
    AppendMessage,
    Copy,
    Esearch,
    Expunge,
    Fetch,
    FlagChange,
    Move,
    Replaced,
    Search,
    Sort,
    SortKey,
    SortOrder,
    Source,
    Store,
    Thread,
    UidBatches,
)
from hongyan.wire.imap.commands.notify import EventGroup, EventName, MailboxFilter, Notify
from hongyan.wire.imap.commands.session import (
    Authenticate,
    Capability,
    Compress,
    Enable,
    Id,
    Idle,
    Login,
    Logout,
    Noop,
    StartTls,
    Unauthenticate,
)
from hongyan.wire.imap.commands.sharing import (
    DeleteAcl,
    Depth,
    GetAcl,
    GetMetadata,
    ListRights,
    MetadataWish,
    MyRights,
    SetAcl,
    SetMetadata,
    SetQuota,
)

Command = (
    Append
    | Authenticate
    | Capability
    | Check
    | Close
    | Compress
    | Copy
    | Create
    | Delete
    | DeleteAcl
    | Enable
    | Esearch
    | Expunge
    | Fetch
    | GetAcl
    | GetMetadata
    | GetQuota
    | GetQuotaRoot
    | Id
    | Idle
    | List
    | ListRights
    | Login
    | Logout
    | Lsub
    | Move
    | MyRights
    | GetJmapAccess
    | Namespace
    | Noop
    | Notify
    | Rename
    | Search
    | Select
    | SetAcl
    | SetMetadata
    | SetQuota
    | Sort
    | StartTls
    | Status
    | Store
    | Subscribe
    | Thread
    | Unauthenticate
    | UidBatches
    | Unselect
    | Unsubscribe
)
"""Any command; match on it."""
