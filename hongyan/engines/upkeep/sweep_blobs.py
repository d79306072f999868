"""The sweep's part for blobs: segments that are mostly dead are copied away, and dead ones deleted."""

from __future__ import annotations

__all__ = ["BlobSweep", "BlobsSwept", "LiveBlobs", "find_live_blobs"]

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.engines.segment_format import RECORD_HEADER_OCTETS, Place, place_of
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.catalog import BLOB_COLUMN, Table, page_of, read_tables
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, Value
from hongyan.engines.storage import SqlStorage
from hongyan.errors import Corrupt
from hongyan.types import BlobRef

log = telemetry.logger("store")

_PAGE = 500
_AT_ONCE = 32  # blobs that are copied at the same time: one group of the writer
_AT_ONCE_OCTETS = 4 << 20


@dataclass(slots=True)
class LiveBlobs:
    """The blobs of one segment to which rows refer: where they begin, and what they take."""

    offsets: BitMap = field(default_factory=BitMap)
    octets: int = 0

    def add(self, place: Place) -> None:
        """Count a blob, once however many rows refer to it."""
        if place.offset not in self.offsets:
            self.offsets.add(place.offset)
            self.octets += place.length + RECORD_HEADER_OCTETS


@dataclass(frozen=True, slots=True)
class Holder:
    """A row that refers to a blob."""

    table: Table
    key: tuple[Value, ...]
    ref: BlobRef


@dataclass(slots=True)
class BlobsSwept:
    """What was done."""

    blobs: int = 0
    octets: int = 0
    segments_deleted: int = 0
    octets_freed: int = 0


async def find_live_blobs(storage: SqlStorage) -> dict[int, LiveBlobs]:
    """Return, for each segment, what rows refer to. It reads every row that holds a blob, a page at a time."""
    live: dict[int, LiveBlobs] = {}
    async for holder in _holders(storage):
        try:
            place = place_of(holder.ref)
        except Corrupt:
            continue  # It lies elsewhere, or nowhere: the verification's business.
        live.setdefault(place.segment, LiveBlobs()).add(place)
    return live


async def _holders(storage: SqlStorage) -> AsyncIterator[Holder]:
    database = storage.database
    for table in await database.read(read_tables(storage.dialect)):
        if not table.holds_blobs:
            continue
        after: Sequence[Value] | None = None
        while rows := await database.read(page_of(table, (BLOB_COLUMN,), after, _PAGE)):
            after = rows[-1][:-1]
            for row in rows:
                yield Holder(table, row[:-1], BlobRef(row[-1]))


class BlobSweep:
    """Knows since when no row refers to a segment. What it does not know after a restart it learns again."""

    def __init__(
        self, storage: SqlStorage, clock: Clock, *, compact_below: float, compact_octets: int, grace: float
    ) -> None:
        self._storage = storage
        self._blobs: SegmentStore = storage.blobs
        self._clock = clock
        self._compact_below = compact_below
        self._compact_octets = compact_octets
        self._grace = grace
        self._dead_since: dict[int, float] = {}

    async def run(self) -> BlobsSwept:
        """Look at every row once, then delete and copy."""
        done = BlobsSwept()
        # The segments first: one that is sealed only while we look at the rows may hold blobs of rows we do not see.
        sizes = await asyncio.to_thread(self._blobs.sizes)
        sealed = {number: size for number, size in sizes.items() if self._blobs.is_sealed(number)}
        now = self._clock.monotonic()
        live = await find_live_blobs(self._storage)
        for number in self._dead_for_long(sealed, live, now):
            if await asyncio.to_thread(self._blobs.delete, number):
                self._dead_since.pop(number, None)
                done.segments_deleted += 1
                done.octets_freed += sealed[number]
        sparse = {
            number
            for number, size in sealed.items()
            if number in live and live[number].octets < size * self._compact_below
        }
        if sparse:
            await self._copy_away(sparse, done)
        return done

    def _dead_for_long(self, sealed: Iterable[int], live: Container[int], now: float) -> list[int]:
        """Return the segments that were dead at an earlier run already, and have been for the time of grace."""
        dead = [number for number in sealed if number not in live]
        self._dead_since = {number: self._dead_since.get(number, now) for number in dead}
        return [number for number in dead if now - self._dead_since[number] >= self._grace]

    async def _copy_away(self, segments: set[int], done: BlobsSwept) -> None:
        batch: list[tuple[Holder, bytes]] = []
        async for holder in _holders(self._storage):
            try:
                if place_of(holder.ref).segment not in segments:
                    continue
                octets = await self._blobs.read(holder.ref)
            except Corrupt as fault:
                log.warning("blob-unreadable", cause=fault.cause)  # Its segment stays, for what can be saved of it.
                continue
            batch.append((holder, octets))
            if len(batch) >= _AT_ONCE or sum(len(blob) for _, blob in batch) >= _AT_ONCE_OCTETS:
                await self._move(batch, done)
                batch = []
                if done.octets >= self._compact_octets:
                    return
        await self._move(batch, done)

    async def _move(self, batch: list[tuple[Holder, bytes]], done: BlobsSwept) -> None:
        """Store the blobs anew and let their rows refer to that, each row in a unit of its own."""
        database: SqlDatabase = self._storage.database
        await asyncio.gather(*[database.write(_refer_anew(holder), blobs=[octets]) for holder, octets in batch])
        done.blobs += len(batch)
        done.octets += sum(len(octets) for _, octets in batch)


def _refer_anew(holder: Holder) -> Callable[[Sequence[BlobRef]], Unit[None]]:
    key = " AND ".join(f"{column} = ${number}" for number, column in enumerate(holder.table.key, 3))

    def make(refs: Sequence[BlobRef]) -> Unit[None]:
        # Only where the row still says the same: it may have gone, and another may have come in its place.
        yield Statement(
            f"UPDATE {holder.table.name} SET {BLOB_COLUMN} = $1 WHERE {BLOB_COLUMN} = $2 AND {key}",
            (refs[0], holder.ref, *holder.key),
        )

    return make
