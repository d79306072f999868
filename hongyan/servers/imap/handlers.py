"""Which handler answers which command."""

from __future__ import annotations

__all__ = ["HANDLERS"]

from collections.abc import Mapping

from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.servers.imap.commands import (
    acl,
    append,
    batches,
    compress,
    copy,
    esearch,
    expunge,
    fetch,
    folders,
    idle,
    login,
    metadata,
    notify,
    quota,
    search,
    select,
    sort,
    store,
    thread,
)
from hongyan.servers.imap.commands import list as listing
from hongyan.servers.imap.session import Handler
from hongyan.wire.imap import commands as wire

HANDLERS: Mapping[type, Handler] = {
    AppendReceived: append.append,
    wire.Authenticate: login.authenticate,
    wire.Capability: idle.capability,
    wire.Check: idle.check,
    wire.Close: expunge.close,
    wire.Compress: compress.compress,
    wire.Copy: copy.copy,
    wire.Create: folders.create,
    wire.Delete: folders.delete,
    wire.DeleteAcl: acl.delete_acl,
    wire.Enable: idle.enable,
    wire.Esearch: esearch.esearch,
    wire.Expunge: expunge.expunge,
    wire.Fetch: fetch.fetch,
    wire.GetAcl: acl.get_acl,
    wire.GetJmapAccess: idle.get_jmap_access,
    wire.GetMetadata: metadata.get_metadata,
    wire.GetQuota: quota.get_quota,
    wire.GetQuotaRoot: quota.get_quota_root,
    wire.Id: idle.id_,
    wire.Idle: idle.idle,
    wire.List: listing.list_,
    wire.ListRights: acl.list_rights,
    wire.Login: login.login,
    wire.Logout: idle.logout,
    wire.Lsub: listing.lsub,
    wire.Move: copy.move,
    wire.MyRights: acl.my_rights,
    wire.Namespace: idle.namespace,
    wire.Noop: idle.noop,
    wire.Notify: notify.notify,
    wire.Rename: folders.rename,
    wire.Search: search.search,
    wire.Select: select.select,
    wire.SetAcl: acl.set_acl,
    wire.SetMetadata: metadata.set_metadata,
    wire.SetQuota: quota.set_quota,
    wire.Sort: sort.sort,
    wire.StartTls: login.starttls,
    wire.Status: listing.status,
    wire.Store: store.store,
    wire.Subscribe: folders.subscribe,
    wire.Thread: thread.thread,
    wire.Unauthenticate: login.unauthenticate,
    wire.UidBatches: batches.uid_batches,
    wire.Unselect: select.unselect,
    wire.Unsubscribe: folders.unsubscribe,
}
