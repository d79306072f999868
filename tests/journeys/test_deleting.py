"""What becomes of mail that programs delete, by IMAP and by POP3, for each wish of an account."""

from __future__ import annotations

import imaplib
import poplib

import pytest

from hongyan.accounts.settings import Deleted
from hongyan.audit.events import CLI
from tests.support.server import SECRET, Server, in_thread

_BY_IMAP = {Deleted.EXPUNGE: (0, 0, 0), Deleted.TRASH: (0, 0, 1), Deleted.KEEP: (0, 1, 0)}
_BY_POP3 = {Deleted.EXPUNGE: (0, 0, 0), Deleted.TRASH: (0, 0, 1), Deleted.KEEP: (1, 0, 0)}
"""Messages in INBOX, Archive and Trash afterwards."""


def _login(server: Server) -> imaplib.IMAP4_SSL:
    imap = imaplib.IMAP4_SSL("localhost", server.app.endpoints["imaps"].port, ssl_context=server.tls)
    imap.login("ann@hongyan.test", SECRET)
    return imap


def _by_imap(server: Server) -> None:
    with _login(server) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", r"(\Deleted)")
        imap.expunge()


def _by_pop3(server: Server) -> None:
    pop3 = poplib.POP3_SSL("localhost", server.app.endpoints["pop3s"].port, context=server.tls)
    pop3.user("ann@hongyan.test")
    pop3.pass_(SECRET)
    pop3.dele(1)
    pop3.quit()


def _counts(server: Server) -> tuple[int, ...]:
    with _login(server) as imap:
        return tuple(int(imap.select(name, readonly=True)[1][0] or b"0") for name in ("INBOX", "Archive", "Trash"))


@pytest.mark.parametrize("way", list(Deleted))
async def test_a_deleted_message_goes_where_its_owner_wishes(server: Server, way: Deleted) -> None:
    account = (await server.account("ann")).account_id
    settings = server.app.services.directory.settings
    await settings.set_imap(account, way, CLI)
    await settings.set_pop3(account, deleted=way, actor=CLI)
    await server.bring("ann@hongyan.test", "one")
    await in_thread(lambda: _by_imap(server))
    assert await in_thread(lambda: _counts(server)) == _BY_IMAP[way]
    await server.bring("ann@hongyan.test", "two")
    await in_thread(lambda: _by_pop3(server))
    by_imap, by_pop3 = _BY_IMAP[way], _BY_POP3[way]
    assert await in_thread(lambda: _counts(server)) == tuple(a + b for a, b in zip(by_imap, by_pop3, strict=True))
