"""Which handler answers which command."""

from __future__ import annotations

__all__ = ["HANDLERS"]

from collections.abc import Mapping

from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.servers.imap.commands import (
    append,
    copy,
    expunge,
    fetch,
    folders,
    idle,
    login,
    quota,
    search,
    select,
    store,
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
    wire.Copy: copy.copy,
    wire.Create: folders.create,
    wire.Delete: folders.delete,
    wire.Enable: idle.enable,
    wire.Expunge: expunge.expunge,
    wire.Fetch: fetch.fetch,
    wire.GetQuota: quota.get_quota,
    wire.GetQuotaRoot: quota.get_quota_root,
    wire.Id: idle.id_,
    wire.Idle: idle.idle,
    wire.List: listing.list_,
    wire.Login: login.login,
    wire.Logout: idle.logout,
    wire.Lsub: listing.lsub,
    wire.Move: copy.move,
    wire.Namespace: idle.namespace,
    wire.Noop: idle.noop,
    wire.Rename: folders.rename,
    wire.Search: search.search,
    wire.Select: select.select,
    wire.StartTls: login.starttls,
    wire.Status: listing.status,
    wire.Store: store.store,
    wire.Subscribe: folders.subscribe,
    wire.Unselect: select.unselect,
    wire.Unsubscribe: folders.unsubscribe,
}
"""SORT and THREAD are read by the parser, and not offered."""
