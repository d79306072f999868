"""Where dialogues are played: a whole service on free ports, with a clock that stands still, and what befalls it.

Each sentence of a script that is neither said nor heard is one of the acts below; README.md lists them.
"""

from __future__ import annotations

__all__ = ["Stage", "play"]

import asyncio
import os
import re
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from hongyan.accounts.settings import Deleted, Fetched
from hongyan.addresses import Address, Domain
from hongyan.app import App
from hongyan.audit.events import CLI
from hongyan.auth.passwords import PasswordOptions
from hongyan.config import Config
from hongyan.demonstration import Demonstration, bind_free_ports, configure
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.hierarchy import create_mailbox, delete_mailbox
from hongyan.provisioning.provision import AccountRequest
from hongyan.screening.origin import OriginOptions
from hongyan.secret import Secret
from hongyan.store.accounts import Role, Service
from hongyan.store.aliases import Alias
from hongyan.store.mailboxes import INBOX
from hongyan.types import AccountId
from tests.dialogues.client import PATIENCE, Client, Mismatch
from tests.dialogues.script import Act, Hear, Say, Scene, ScriptFault, Step
from tests.dialogues.words import Vocabulary
from tests.support.clock import FakeClock, FakeRandom
from tests.support.smtp_peer import SmtpPeer

SECRET = "wild goose chase"
DOMAIN = "hongyan.test"

_WISH = r'(?:greeted|(?:as|selecting|examining|enabling) (?:"[^"]*"|\S+))'

_Play = Callable[["Stage", Act, re.Match[str]], Awaitable[None]]
_ACTS: list[tuple[re.Pattern[str], _Play]] = []


def _act(sentence: str) -> Callable[[_Play], _Play]:
    """Make a method the act of a sentence: a regex whose spaces are any spaces."""

    def register(play: _Play) -> _Play:
        _ACTS.append((re.compile(sentence), play))
        return play

    return register


async def play(scene: Scene) -> None:
    """Act a scene out. Raises `AssertionError` with what was said when the server departs from it."""
    stage = Stage()
    async with stage:
        for step in sorted(scene.steps, key=_comes_later):
            try:
                await stage.take(step)
            except Mismatch as mismatch:
                raise AssertionError(_report(scene, stage, step, str(mismatch))) from None
            except ScriptFault as fault:
                raise ScriptFault(f"{scene.file}:{step.at}: {fault}") from None
        for client in stage.clients.values():
            unread = client.unread()
            if unread:
                last = scene.steps[-1]
                raise AssertionError(_report(scene, stage, last, f"and then, unasked: {unread}"))


def _comes_later(step: Step) -> bool:
    """Whether the service may run when it is this step's turn: what it is made from comes before."""
    return not (isinstance(step, Act) and step.sentence.startswith(("setting ", "a next hop")))


def _report(scene: Scene, stage: Stage, step: Step, got: str) -> str:
    wanted = f"S{step.connection}: {step.text}" if isinstance(step, Hear) else str(step)
    said = "\n    ".join(line for client in stage.clients.values() for line in client.transcript[-30:])
    return f"{scene.file}:{step.at}: {scene.title}\n  wanted {wanted}\n  got    {got}\n  so far:\n    {said}"


class Stage:
    """The service, its accounts, the clients, and the next hop where one is wanted."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.words = Vocabulary(secret=SECRET)
        self.clock = FakeClock()
        self.peer: SmtpPeer | None = None
        self._settings: list[tuple[str, str, str]] = []
        self._accounts: dict[str, AccountId] = {}
        self._stack = AsyncExitStack()
        self._app: App | None = None
        self._draining: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        for client in self.clients.values():
            client.abort()
        if self._draining is not None:
            await self._draining
        await self._stack.aclose()

    async def take(self, step: Step) -> None:
        """Do what one step says."""
        match step:
            case Say(connection=connection, lines=lines, raw=raw):
                end = b"" if raw else b"\r\n"
                octets = b"".join(self.words.speak(line, raw=raw) + end for line in lines)
                self.client(connection).say(octets)
                await self.client(connection).drained()
            case Hear(connection=connection, text=text, is_regex=True, times=times):
                for _ in range(times):
                    self.words.remember(await self.client(connection).hear(re.compile(text.encode())))
            case Hear(connection=connection, text=text, times=times):
                for _ in range(times):
                    self.words.remember(await self.client(connection).hear(*self.words.pattern(text)))
            case Act(sentence=sentence):
                for pattern, act in _ACTS:
                    match = pattern.fullmatch(sentence)
                    if match is not None:
                        await act(self, step, match)
                        return
                raise ScriptFault(f"nobody knows how to act: {sentence}")

    def client(self, name: str) -> Client:
        if name not in self.clients:
            raise ScriptFault(f"there is no connection {name or 'yet'}")
        return self.clients[name]

    # -- the service

    async def app(self) -> App:
        """Return the service; it starts when it is first needed."""
        if self._app is None:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hongyan-dialogue-")))
            relay = f"127.0.0.1:{self.peer.port}" if self.peer is not None else ""
            wanted = Demonstration(data=folder, ports={}, plaintext_auth=True, limits=False, relay=relay)
            config, certificate = configure(wanted)
            config = replace(config, passwords=PasswordOptions(passes=1, memory=8, min_length=1))
            # What is said on the wire is looked at; who sent a message has tests of its own, in tests/inbound.
            config = self._configured(replace(config, origin=OriginOptions(check=False)))
            self._tls = ssl.create_default_context(cafile=str(certificate.authority))
            app = App(config, sockets=bind_free_ports(), clock=self.clock, random=FakeRandom())
            # The system's many authorities take longer to read than all else together.
            with patch.dict(os.environ, SSL_CERT_FILE=str(certificate.authority)):
                self._app = await self._stack.enter_async_context(app)
            await self._app.services.directory.domains.add(Domain.parse(DOMAIN), CLI)
        return self._app

    def _configured(self, config: Config) -> Config:
        for section, name, value in self._settings:
            options = getattr(config, section)
            kinds = {field.name: type(getattr(options, field.name)) for field in fields(options)}
            if name not in kinds:
                raise ScriptFault(f"there is no setting {section}.{name}")
            known: Any = (value,) if kinds[name] is tuple else kinds[name](value)
            known = value == "on" if kinds[name] is bool else known
            config = replace(config, **{section: replace(options, **{name: known})})
        return config

    def account(self, name: str) -> AccountId:
        if name not in self._accounts:
            raise ScriptFault(f"there is no account {name}")
        return self._accounts[name]

    @_act(r"setting (\w+)\.(\w+) (.+)")
    async def _set(self, act: Act, match: re.Match[str]) -> None:
        if self._app is not None:
            raise ScriptFault("settings come before all else")
        self._settings.append((match[1], match[2], match[3]))

    @_act(r"(?:(\d+) (seconds|minutes|hours|days)) pass")
    async def _pass_time(self, act: Act, match: re.Match[str]) -> None:
        wheel = (await self.app()).services.imap.heart._wheel
        unit = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}[match[2]]
        for _ in range(int(match[1]) * unit):
            self.clock.advance(1)
            wheel.turn()
        (await self.app()).services.outgoing.worker.wake()  # it sleeps by the loop's clock

    @_act(r"(\d+) days pass in one")
    async def _leap(self, act: Act, match: re.Match[str]) -> None:
        """Move the clock alone: nothing that waits is told."""
        await self.app()
        self.clock.advance(int(match[1]) * 86400)

    @_act(r"the server stops")
    async def _stop(self, act: Act, match: re.Match[str]) -> None:
        self._draining = asyncio.create_task((await self.app()).front.drain(PATIENCE))
        await asyncio.sleep(0)

    # -- who is there

    @_act(r"domain (\S+)")
    async def _add_domain(self, act: Act, match: re.Match[str]) -> None:
        await (await self.app()).services.directory.domains.add(Domain.parse(match[1]), CLI)

    @_act(r"account (\S+?)(?: without ([a-z0-9 ]+))?(?: of (\d+) octets)?")
    async def _add_account(self, act: Act, match: re.Match[str]) -> None:
        name = match[1]
        without = {Service(word) for word in (match[2] or "").split()}
        request = AccountRequest(
            address=_address(name),
            role=Role.ADMIN if name == "admin" else Role.USER,
            services=frozenset(Service) - without,
            app_password=Secret(SECRET),
            quota_octets=int(match[3]) if match[3] else None,
        )
        made = await (await self.app()).services.directory.provisioner.create(request, CLI)
        self._accounts[name] = made.account.account_id

    @_act(r"alias (\S+) for ([^,]+(?:, [^,]+)*?)(, who may write from it)?")
    async def _add_alias(self, act: Act, match: re.Match[str]) -> None:
        alias = Alias(_address(match[1]), tuple(map(_address, match[2].split(", "))), bool(match[3]))
        await (await self.app()).services.directory.aliases.put(alias, CLI)

    @_act(r"catch-all (\S+)")
    async def _set_catch_all(self, act: Act, match: re.Match[str]) -> None:
        domains = (await self.app()).services.directory.domains
        await domains.set_catch_all(Domain.parse(DOMAIN), _address(match[1]), CLI)

    @_act(r"identity (\S+) for (\S+)")
    async def _grant(self, act: Act, match: re.Match[str]) -> None:
        identities = (await self.app()).services.directory.identities
        await identities.grant(self.account(match[2]), _address(match[1]), CLI)

    @_act(r"(\S+) may store (\d+) (octets|messages)")
    async def _limit(self, act: Act, match: re.Match[str]) -> None:
        limits = {"octets": 0, "messages": 0, match[3]: int(match[2])}
        await (await self.app()).services.directory.quotas.set_limits(
            self.account(match[1]), limit_octets=limits["octets"], limit_messages=limits["messages"], actor=CLI
        )

    @_act(r"(\S+) is suspended")
    async def _suspend(self, act: Act, match: re.Match[str]) -> None:
        await (await self.app()).services.directory.accounts.suspend(self.account(match[1]), CLI)

    @_act(r"(\S+) is in use again")
    async def _activate(self, act: Act, match: re.Match[str]) -> None:
        await (await self.app()).services.directory.accounts.activate(self.account(match[1]), CLI)

    @_act(r"(\S+) is removed")
    async def _remove(self, act: Act, match: re.Match[str]) -> None:
        await (await self.app()).services.directory.provisioner.remove(self.account(match[1]), CLI)

    @_act(r"(imap|pop3|smtp) of (\S+) is switched (on|off)")
    async def _switch(self, act: Act, match: re.Match[str]) -> None:
        accounts = (await self.app()).services.directory.accounts
        await accounts.switch_service(self.account(match[2]), Service(match[1]), on=match[3] == "on", actor=CLI)

    @_act(r"([A-Z=]+) is switched off for (\S+)")
    async def _switch_off(self, act: Act, match: re.Match[str]) -> None:
        settings = (await self.app()).services.directory.settings
        await settings.switch_off(self.account(match[2]), frozenset({match[1]}), CLI)

    @_act(r"pop3 of (\S+): (?:(\d+) days, )?fetched (\w+)(?: for (\d+) days)?, deleted (\w+)")
    async def _set_pop3(self, act: Act, match: re.Match[str]) -> None:
        await (await self.app()).services.directory.settings.set_pop3(
            self.account(match[1]),
            days=int(match[2] or 0),
            fetched=Fetched(match[3]),
            keep_days=int(match[4] or 0),
            deleted=Deleted(match[5]),
            actor=CLI,
        )

    @_act(r"imap of (\S+): deleted (\w+)")
    async def _set_imap(self, act: Act, match: re.Match[str]) -> None:
        settings = (await self.app()).services.directory.settings
        await settings.set_imap(self.account(match[1]), Deleted(match[2]), CLI)

    @_act(r"the app passwords of (\S+) are revoked")
    async def _revoke(self, act: Act, match: re.Match[str]) -> None:
        await (await self.app()).services.directory.app_passwords.revoke(self.account(match[1]), None, CLI)

    # -- what is there

    @_act(r"message (\S+)")
    async def _define(self, act: Act, match: re.Match[str]) -> None:
        octets = b"".join(self.words.speak(line, raw=True) + b"\r\n" for line in act.block)
        self.words.define(match[1], octets)

    @_act(r"mailbox (\S.*?) of (\S+?)(?: used as (\\\w+))?")
    async def _make_mailbox(self, act: Act, match: re.Match[str]) -> None:
        mail = (await self.app()).services.mail
        await create_mailbox(mail, self.account(match[2]), match[1], special_use=match[3] or "")

    @_act(r"only INBOX for (\S+)")
    async def _clear_mailboxes(self, act: Act, match: re.Match[str]) -> None:
        mail, account = (await self.app()).services.mail, self.account(match[1])
        for mailbox in await mail.mailboxes.list_mailboxes(account):
            if mailbox.name != INBOX:
                await delete_mailbox(mail, account, mailbox.name)
                await mail.mailboxes.subscribe(account, mailbox.name, subscribed=False)

    @_act(r"(\S+) has ([^ ,]+(?:, [^ ,]+)*)(?: (\d+) times)?(?: in (\S+))?(?: flagged ([^,]+?))?(?: dated (\S+))?")
    async def _file(self, act: Act, match: re.Match[str]) -> None:
        mail, account = (await self.app()).services.mail, self.account(match[1])
        mailbox = await mail.mailboxes.find_mailbox(account, match[4] or INBOX)
        if mailbox is None:
            raise ScriptFault(f"there is no mailbox {match[4]}")
        flags = tuple(flag.encode() for flag in (match[5] or "").split())
        date = datetime.fromisoformat(match[6]) if match[6] else None
        messages = [
            Incoming(self.words.get(name), flags=flags, internal_date=date)
            for _ in range(int(match[3] or 1))
            for name in match[2].split(", ")
        ]
        await append(mail, account, mailbox.mailbox_id, messages)

    @_act(r"(\S+) holds (\d+) messages? in (\S+)")
    async def _await_messages(self, act: Act, match: re.Match[str]) -> None:
        """Wait until that is so: hints say when to look again."""
        mail, account = (await self.app()).services.mail, self.account(match[1])
        mailbox = await mail.mailboxes.find_mailbox(account, match[3])
        if mailbox is None:
            raise ScriptFault(f"there is no mailbox {match[3]}")
        waiter = _Waiter()
        hub = (await self.app()).services.hub
        hub.join(account, waiter)
        try:
            async with asyncio.timeout(PATIENCE):
                while len(state := await mail.live.open(account, mailbox.mailbox_id)) != int(match[2]):
                    await waiter.wait()
        except TimeoutError:
            raise Mismatch(f"{len(state)} messages") from None
        finally:
            hub.leave(account, waiter)

    # -- clients

    @_act(rf"connect (?:(\d) )?(smtp|submissions?|imaps?|pop3s?)((?: {_WISH})*)")
    async def _connect(self, act: Act, match: re.Match[str]) -> None:
        endpoint = (await self.app()).endpoints[match[2]]  # type: ignore[index]
        tls = self._tls if match[2].endswith("s") else None
        host = DOMAIN if tls else None
        reader, writer = await asyncio.open_connection(
            endpoint.host, endpoint.port, ssl=tls, server_hostname=host, limit=1 << 26
        )
        client = self.clients[match[1] or ""] = Client(match[1] or "", reader, writer)
        wishes = re.findall(r'"[^"]*"|\S+', match[3])
        if wishes:
            await _PRELUDES[match[2].rstrip("s")](client, wishes)

    @_act(r"starttls(?: (\d))?")
    async def _start_tls(self, act: Act, match: re.Match[str]) -> None:
        client = self.client(match[1] or "")
        assert self._tls is not None
        await client.start_tls(self._tls)

    @_act(r"compression begins(?: (\d))?")
    async def _compress(self, act: Act, match: re.Match[str]) -> None:
        self.client(match[1] or "").start_compression()

    @_act(r"closed(?: (\d))?")
    async def _expect_end(self, act: Act, match: re.Match[str]) -> None:
        await self.client(match[1] or "").closed()

    @_act(r"a reply of (\d{3}|\+OK|-ERR)(?: on (\d))?")
    async def _expect_reply(self, act: Act, match: re.Match[str]) -> None:
        await self.client(match[2] or "").reply(match[1].encode())

    @_act(r"the client ends(?: (\d))?")
    async def _end(self, act: Act, match: re.Match[str]) -> None:
        self.client(match[1] or "").end()

    @_act(r"the client is gone(?: (\d))?")
    async def _lose(self, act: Act, match: re.Match[str]) -> None:
        self.clients.pop(match[1] or "").abort()

    # -- the next hop

    @_act(r"a next hop")
    async def _add_peer(self, act: Act, match: re.Match[str]) -> None:
        if self._app is not None:
            raise ScriptFault("the next hop comes before all else")
        self.peer = await self._stack.enter_async_context(SmtpPeer())

    @_act(r"the next hop answers ([A-Z]+) with (.+)")
    async def _script_peer(self, act: Act, match: re.Match[str]) -> None:
        if self.peer is None:
            raise ScriptFault("there is no next hop")
        self.peer.script(match[1], match[2])

    @_act(r"the next hop offers (.+)")
    async def _extend_peer(self, act: Act, match: re.Match[str]) -> None:
        if self.peer is None:
            raise ScriptFault("there is no next hop")
        self.peer.extensions = tuple(match[1].split(", "))

    @_act(r"the next hop hears")
    async def _expect_commands(self, act: Act, match: re.Match[str]) -> None:
        """Wait until it has heard as many commands as are listed, EHLO and QUIT left out, and compare them."""
        peer = self.peer
        if peer is None:
            raise ScriptFault("there is no next hop")
        heard: Sequence[str] = ()
        try:
            async with asyncio.timeout(PATIENCE):
                while len(heard := [line for line in peer.commands if line[:4] not in _UNTOLD]) < len(act.block):
                    await asyncio.sleep(0.002)
        except TimeoutError:
            pass
        for wanted, got in zip(act.block, [*heard, *["(nothing)"] * len(act.block)], strict=False):
            found = self.words.pattern(wanted)[0].fullmatch(got.encode())
            if found is None:
                raise Mismatch(f"{got!r} instead of {wanted!r}")
            self.words.remember(found)

    @_act(r"the next hop has taken")
    async def _expect_message(self, act: Act, match: re.Match[str]) -> None:
        """Wait for its first message that was not looked at yet, and compare it line by line."""
        peer = self.peer
        if peer is None:
            raise ScriptFault("there is no next hop")
        try:
            async with asyncio.timeout(PATIENCE):
                while not peer.messages:
                    await asyncio.sleep(0.002)
        except TimeoutError:
            raise Mismatch("(no message)") from None
        got = peer.messages.pop(0).octets.decode("utf-8", "backslashreplace").split("\r\n")
        for wanted, line in zip([*act.block, ""], [*got, *["(nothing)"] * len(act.block)], strict=False):
            found = self.words.pattern(wanted)[0].fullmatch(line.encode())
            if found is None:
                shown = "\n      ".join(got)
                raise Mismatch(f"{line!r} instead of {wanted!r} in\n      {shown}")
            self.words.remember(found)


_UNTOLD = ("EHLO", "QUIT", "NOOP", "RSET")


class _Waiter:
    """Waits for hints."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def account_changed(self, modseq: int) -> None:
        self._changed.set()

    async def wait(self) -> None:
        await self._changed.wait()
        self._changed.clear()


def _address(text: str) -> Address:
    return Address.parse(text if "@" in text else f"{text}@{DOMAIN}")


async def _begin_imap(client: Client, wishes: list[str]) -> None:
    """Greeting and login, then what else is wished for, in order."""
    await client.hear(re.compile(rb"\* OK .*"))
    for number, (verb, what) in enumerate(zip(wishes[::2], wishes[1::2], strict=True)):
        tag = f"b{number}"
        command = {
            "as": f'LOGIN {_address(what) if verb == "as" else what} "{SECRET}"',
            "selecting": f"SELECT {what}",
            "examining": f"EXAMINE {what}",
            "enabling": f"ENABLE {what}",
        }[verb]
        client.say(f"{tag} {command}\r\n".encode())
        await client.tagged(tag)


async def _begin_smtp(client: Client, wishes: list[str]) -> None:
    """Greeting and EHLO; with `as` also AUTH."""
    await client.reply(b"220")
    client.say(b"EHLO client.example\r\n")
    await client.reply(b"250")
    if wishes[0] == "as":
        words = Vocabulary()
        client.say(words.speak(f"AUTH PLAIN {{base64 \\0{_address(wishes[1])}\\0{SECRET}}}\r\n"))
        await client.reply(b"235")


async def _begin_pop3(client: Client, wishes: list[str]) -> None:
    await client.reply(b"+OK")
    client.say(f"USER {_address(wishes[1])}\r\n".encode())
    await client.reply(b"+OK")
    client.say(f"PASS {SECRET}\r\n".encode())
    await client.reply(b"+OK")


_PRELUDES: dict[str, Callable[[Client, list[str]], Awaitable[None]]] = {
    "imap": _begin_imap,
    "smtp": _begin_smtp,
    "submission": _begin_smtp,
    "pop3": _begin_pop3,
}
