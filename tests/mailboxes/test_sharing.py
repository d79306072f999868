"""Shared mailboxes in a whole service: who reaches them when rights and accounts change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.audit.events import CLI
from hongyan.errors import NotFound
from hongyan.mailboxes import transfer
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.reach import Viewer
from hongyan.mailboxes.transfer import transfer_messages
from hongyan.store.shares import Access
from hongyan.types import AccountId, MailboxId
from tests.support.server import Server, start_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


async def share(server: Server, owner: AccountId, grantee: AccountId, rights: str, name: str = "INBOX") -> None:
    """Set what somebody may do."""
    mailbox = await server.app.services.mail.mailboxes.find_mailbox(owner, name)
    assert mailbox is not None
    access = Access(grantee, False, "=", rights)
    await server.app.services.shared.sharing.change(owner, mailbox.mailbox_id, name, access, CLI)


async def viewer(server: Server, name: str) -> Viewer:
    account = await server.account(name)
    return Viewer(account.account_id, account.address)


async def test_a_right_that_is_taken_back_while_the_view_opens_is_not_had(server: Server) -> None:
    shared, bob = server.app.services.shared, await viewer(server, "bob")
    ann = await server.account("ann")
    await share(server, ann.account_id, bob.account, "lrs")
    await server.app.services.mail.live.open(ann.account_id, await _inbox(server, ann.account_id))
    place = await shared.reach.require(bob, f"Other Users/{ann.address}/INBOX", "r")
    await share(server, ann.account_id, bob.account, "lr")
    viewed = await shared.views.open(bob, place)
    assert viewed.rights == frozenset("lr")
    await share(server, ann.account_id, bob.account, "l")
    assert viewed.is_closed


async def test_an_account_that_goes_out_of_use_while_the_view_opens_is_not_looked_at(server: Server) -> None:
    shared, bob = server.app.services.shared, await viewer(server, "bob")
    ann = await server.account("ann")
    await share(server, ann.account_id, bob.account, "lr")
    place = await shared.reach.require(bob, f"Other Users/{ann.address}/INBOX", "r")
    await server.app.services.directory.accounts.suspend(ann.account_id, CLI)
    with pytest.raises(NotFound):
        await shared.views.open(bob, place)


async def test_a_move_that_breaks_off_between_its_units_loses_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail, shared, bob = server.app.services.mail, server.app.services.shared, await viewer(server, "bob")
    ann = (await server.account("ann")).account_id
    inbox = await _inbox(server, ann)
    await append(mail, ann, inbox, [Incoming(b"Subject: kept\r\n\r\nHonk.\r\n")])
    source = await mail.live.open(ann, inbox)
    target = await shared.reach.require(bob, "Archive")
    theirs = await mail.live.open(bob.account, target.mailbox.mailbox_id)

    async def break_off(*_: object) -> None:
        raise RuntimeError("the power fails")

    async def move() -> None:
        uids = BitMap(source.uids)
        await transfer_messages(mail, shared, bob.account, (ann, source), uids, target, move=True)

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "expunge", break_off)
        with pytest.raises(RuntimeError):
            await move()
    assert (len(source), len(theirs)) == (1, 1)
    await move()
    assert (len(source), len(theirs)) == (0, 2)


async def test_an_account_that_is_removed_loses_what_it_was_granted(server: Server) -> None:
    services, bob = server.app.services, await viewer(server, "bob")
    ann = (await server.account("ann")).account_id
    await share(server, ann, bob.account, "lrs")
    inbox = await _inbox(server, ann)
    assert len(await services.shared.shares.list_grants(ann, inbox)) == 1
    await services.directory.provisioner.remove(bob.account, CLI)
    assert await services.shared.shares.list_grants(ann, inbox) == []
    assert await services.shared.shares.list_reached(bob.account, limit=10) == []


async def _inbox(server: Server, owner: AccountId) -> MailboxId:
    mailbox = await server.app.services.mail.mailboxes.find_mailbox(owner, "INBOX")
    assert mailbox is not None
    return mailbox.mailbox_id
