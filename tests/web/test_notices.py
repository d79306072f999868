"""Letters about security, in the language of their reader: what changed, a browser that is new, and who logged in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI, DEMONSTRATION
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES
from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"


class Letters:
    """What was sent, to whom."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    async def send_to(self, recipient: object, subject: str, text: str) -> None:
        self.sent.append((str(recipient), subject, text))

    def take(self, recipient: str = ANN) -> list[tuple[str, str]]:
        taken = [(subject, text) for whose, subject, text in self.sent if whose == recipient]
        self.sent.clear()
        return taken


@pytest.fixture
async def server(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path, clock=clock) as server:
        yield server


@pytest.fixture
def letters(server: Server) -> Letters:
    """What the running server would send."""
    letters = Letters()
    server.app.services.notices.mail = letters
    return letters


async def entered(server: Server, agent: str | None = None) -> Browser:
    endpoint = server.app.endpoints["https"]
    web = Browser(endpoint.host, endpoint.port, server.tls)
    web.agent = agent or web.agent
    assert (await web.log_in(ANN, SECRET)).status == 201
    return web


async def test_what_changes_is_told_in_the_owners_language_and_zone_once(
    server: Server, letters: Letters, clock: FakeClock
) -> None:
    notices = server.app.services.notices
    web = await entered(server)
    await notices.run_once()
    letters.take()
    await web.ask("PATCH", "/api/v1/profile", {"locale": "zh", "time_zone": "Asia/Shanghai"})
    await web.ask("POST", "/api/v1/app-passwords", {"label": "手机"})
    await notices.run_once()
    ((subject, text),) = letters.take()
    assert subject == f"已创建新的授权码: {ANN}"
    assert "手机" in text
    assert "127.0.0.1" in text
    here = clock.now().astimezone(UTC) + timedelta(hours=8)
    assert here.strftime("%Y-%m-%d %H:") in text
    assert "CST" in text
    assert "https://mail.hongyan.test" in text
    await notices.run_once()
    assert letters.take() == []
    await web.ask("PUT", "/api/v1/password", {"password": "another goose"})
    await notices.run_once()
    ((subject, _),) = letters.take()
    assert subject == f"您的密码已更改: {ANN}"


async def test_a_browser_is_news_when_there_was_another_before(server: Server, letters: Letters) -> None:
    notices = server.app.services.notices
    await entered(server)
    await entered(server)
    await notices.run_once()
    assert letters.take() == [], "the first one is its owner's, and the second the same"
    await entered(server, CHROME)
    await notices.run_once()
    ((subject, text),) = letters.take()
    assert subject == f"A new browser logged in: {ANN}"
    assert "Chrome on Windows" in text


async def test_once_a_month_the_owner_reads_who_logged_in(server: Server, letters: Letters, clock: FakeClock) -> None:
    notices = server.app.services.notices
    await entered(server)
    await server.app.services.entrance.logins.flush()
    await notices.send_digests()
    assert letters.take() == [], "the account is not a month old"
    clock.advance(32 * 86_400)
    await notices.send_digests()
    ((subject, text),) = letters.take()
    assert subject == f"Who logged in to {ANN} lately"
    assert "1 x web, succeeded, from 127.0.0.1 Firefox on Linux" in text
    await notices.send_digests()
    assert letters.take() == []


async def test_a_letter_of_the_running_server_reaches_the_mailbox(server: Server) -> None:
    web = await entered(server)
    imap = await server.imap("ann")
    await imap.command("s", "SELECT INBOX")
    imap.say("i IDLE")
    assert (await imap.line()).startswith(b"+")
    await web.ask("POST", "/api/v1/app-passwords", {"label": "phone"})
    await server.app.services.notices.run_once()
    while b"EXISTS" not in await imap.line():
        pass
    imap.say("DONE")
    while not (await imap.line()).startswith(b"i OK"):
        pass
    fetched = b"\n".join(await imap.command("f", "FETCH 1 BODY.PEEK[]"))
    assert b"Subject: An app password was made" in fetched
    assert b"Auto-Submitted: auto-generated" in fetched


async def test_a_demonstration_that_gives_its_accounts_secrets_anew_tells_nobody(
    server: Server, letters: Letters, clock: FakeClock
) -> None:
    notices, directory = server.app.services.notices, server.app.services.directory
    await notices.run_once()
    letters.take()
    account = await directory.accounts.find(Address.parse(ANN))
    assert account is not None
    for actor, told in ((DEMONSTRATION, 0), (CLI, 1)):
        await directory.app_passwords.create(account.account_id, "again", APP_PASSWORD_SCOPES, actor)
        await notices.run_once()
        assert len(letters.take()) == told
