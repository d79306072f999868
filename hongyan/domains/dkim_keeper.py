"""Carries out the life of DKIM keys: makes the files, notes where each key stands, and tells which ones sign.

A file is there before the database speaks of it, and is removed after: whatever happens between, the key that signs has
its file. Where keys stand is in memory, and read anew when another process has changed it.
"""

from __future__ import annotations

__all__ = ["DkimKeeper"]

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hongyan import telemetry
from hongyan.addresses import Domain
from hongyan.audit.events import SERVER, Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock
from hongyan.domains.dkim_keys import (
    DkimRecord,
    KeyKind,
    list_selectors,
    load_key,
    make_key,
    make_selector,
    public_record,
    remove_key,
    save_key,
)
from hongyan.domains.dkim_rotation import Make, Move, Step, choose_signing, plan_steps
from hongyan.domains.dns_records import Kind
from hongyan.domains.options import DomainOptions
from hongyan.domains.survey import DnsView
from hongyan.errors import AlreadyExists, ConfigurationError
from hongyan.mailauth.dkim import SigningKey
from hongyan.mailauth.dkim_record import KeyFault, parse_key_record
from hongyan.mailauth.tags import TagListFault
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.store.domain_state import DkimKey, DomainStateStore, KeyState

_MOST_IN_A_MONTH = 100

log = telemetry.logger("domains")


class DkimKeeper:
    """The keys of all domains. `load` comes before all else."""

    def __init__(
        self, folder: Path, store: DomainStateStore, audit: AuditLog, clock: Clock, options: DomainOptions
    ) -> None:
        self.folder = folder
        self._store = store
        self._audit = audit
        self._clock = clock
        self._rotate = timedelta(days=options.dkim_rotate) if options.dkim_rotate else None
        self._retire = timedelta(days=options.dkim_retire)
        self._keys: Sequence[DkimKey] = ()

    async def load(self) -> None:
        """Read where keys stand."""
        self._keys = await self._store.list_keys()

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None or any(change.topic is DirectoryTopic.DOMAIN for change in changes):
            await self.load()

    def list_keys(self, domain: Domain) -> Sequence[DkimKey]:
        """Return where the keys of a domain stand, by selector."""
        return [key for key in self._keys if key.domain == domain]

    def signing_keys(self, domain: Domain) -> Sequence[SigningKey]:
        """Return the keys that sign for a domain, RSA first. Reads their files; raises `ConfigurationError`."""
        loaded = {selector: load_key(self.folder, domain, selector) for selector in list_selectors(self.folder, domain)}
        kinds = {selector: _kind_of(key) for selector, key in loaded.items()}
        return tuple(loaded[selector] for selector in choose_signing(self.list_keys(domain), kinds))

    async def records(self, domain: Domain) -> Mapping[KeyState, Sequence[DkimRecord]]:
        """Return the records of a domain's keys by their states; of one that nobody took note of: active."""
        files = await asyncio.to_thread(self._read_files, domain)
        states = {key.selector: key.state for key in self.list_keys(domain)}
        found: dict[KeyState, list[DkimRecord]] = {state: [] for state in KeyState}
        for selector, key in files.items():
            found[states.get(selector, KeyState.ACTIVE)].append(public_record(key))
        return found

    async def begin(self, domain: Domain, actor: Actor) -> None:
        """Make the first keys of a domain, and note them."""
        await self.step(domain, None, actor)

    async def step(
        self, domain: Domain, view: DnsView | None, actor: Actor = SERVER, *, is_asked: bool = False
    ) -> Sequence[Step]:
        """Carry out what is due for a domain, and return it. `view` is what its name servers show of pending keys."""
        files = await asyncio.to_thread(self._read_files, domain)
        await self._remove_retired(domain, files)
        steps = plan_steps(
            self.list_keys(domain),
            {selector: _kind_of(key) for selector, key in files.items()},
            [] if view is None else self._shown(domain, files, view),
            self._clock.now(),
            rotate=self._rotate,
            retire=self._retire,
            is_asked=is_asked,
        )
        for together in steps:
            await self._carry_out(domain, together, actor)
        return [step for together in steps for step in together]

    def _shown(self, domain: Domain, files: Mapping[str, SigningKey], view: DnsView) -> Sequence[str]:
        """Return the pending selectors whose records every name server of the zone shows as they are."""
        shown = []
        for key in self.list_keys(domain):
            if key.state is KeyState.PENDING and key.selector in files:
                record = public_record(files[key.selector])
                answers = view.is_shown_by_all(record.name, Kind.TXT)
                if answers and all(any(_is_same(value, record.text) for value in values) for values in answers):
                    shown.append(key.selector)
        return shown

    async def _carry_out(self, domain: Domain, steps: Sequence[Step], actor: Actor) -> None:
        now = self._clock.now().replace(microsecond=0)
        known = {key.selector: key for key in self.list_keys(domain)}
        changed = []
        for step in steps:
            match step:
                case Make(kind, state):
                    selector = await asyncio.to_thread(self._make, domain, kind)
                    changed.append(DkimKey(domain, selector, kind.value, state, now, now))
                case Move(selector, kind, state):
                    key = known.get(selector) or DkimKey(domain, selector, kind.value, state, now, now)
                    changed.append(replace(key, state=state, since=now))
        entries = [
            self._audit.entry(
                AuditEvent.DKIM_KEY_CHANGED if key.selector in known else AuditEvent.DKIM_KEY_MADE,
                actor,
                domain=domain.text,
                selector=key.selector,
                state=key.state.value,
            )
            for key in changed
        ]
        await self._store.put_keys(changed, audit=entries)
        await self.load()
        for key in changed:
            log.info("dkim-key", domain=domain.text, selector=key.selector, state=key.state.value)
            if key.state is KeyState.RETIRED:
                await asyncio.to_thread(remove_key, self.folder, domain, key.selector)

    async def _remove_retired(self, domain: Domain, files: Mapping[str, SigningKey]) -> None:
        """Remove files that outlived their keys by a crash."""
        for key in self.list_keys(domain):
            if key.state is KeyState.RETIRED and key.selector in files:
                await asyncio.to_thread(remove_key, self.folder, domain, key.selector)

    def _make(self, domain: Domain, kind: KeyKind) -> str:
        """Make a key under a selector of its own. Blocks."""
        first = make_selector(kind, self._clock.now())
        taken = {key.selector for key in self.list_keys(domain)}
        for number in range(1, _MOST_IN_A_MONTH):
            selector = first if number == 1 else f"{first}{number}"
            if selector not in taken:
                try:
                    save_key(self.folder, make_key(domain, selector, kind))
                except AlreadyExists:
                    continue
                return selector
        raise ConfigurationError(f"{domain} has had {_MOST_IN_A_MONTH} DKIM keys this month; make no more")

    def _read_files(self, domain: Domain) -> Mapping[str, SigningKey]:
        """Read the keys of a domain. Blocks; raises `ConfigurationError`."""
        return {selector: load_key(self.folder, domain, selector) for selector in list_selectors(self.folder, domain)}


def _kind_of(key: SigningKey) -> KeyKind:
    return KeyKind.RSA if key.algorithm.startswith(KeyKind.RSA) else KeyKind.ED25519


def _is_same(found: str, wanted: str) -> bool:
    """Whether a record holds the key that another holds."""
    try:
        return parse_key_record(found.encode()).public == parse_key_record(wanted.encode()).public
    except (KeyFault, TagListFault):
        return False
