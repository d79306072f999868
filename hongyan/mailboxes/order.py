"""One mailbox in order: what SORT and THREAD need of its messages, read once and kept.

A column is read when something is first ordered by it; of new mail only the new rows are read. Messages are told by
their place here, which is not that in the mailbox: those that are gone stay until they are many. Whoever asks names
the UIDs that there are.
"""

from __future__ import annotations

__all__ = ["THREADED_BY", "MailboxOrder", "OrderBy", "Ordering", "Piece", "pieces_of"]

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import compress
from struct import unpack

from pyroaring import BitMap

from hongyan.mailboxes.order_columns import Numbers, Texts
from hongyan.mailboxes.thread_clusters import Clusters
from hongyan.mailboxes.thread_forest import Forest, GrowingForest
from hongyan.mailboxes.thread_links import Threadable, ThreadAlgorithm
from hongyan.store.messages import Column, Row

_KEPT_ORDERS = 4
_KEPT_FORESTS = 3
_FEW_NEW = 50  # messages that are put in order one by one
_MANY_GONE = 1000
_OCTETS_OF_ID = 120
_OCTETS_OF_AN_EMPTY_ONE = 4096
_DAY = 86_400


class OrderBy(Enum):
    """By what messages are ordered (RFC 5256 §2.2 and §3, RFC 5957 §3)."""

    ARRIVAL = "arrival"
    SENT = "sent"
    SIZE = "size"
    SUBJECT = "subject"
    FROM = "from"
    TO = "to"
    CC = "cc"
    FROM_NAME = "from-name"
    TO_NAME = "to-name"
    RELEVANCY = "relevancy"  # the highest score first (RFC 6203 §6)

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Ordering:
    """One criterion."""

    by: OrderBy
    reverse: bool = False


_TEXTS = (OrderBy.SUBJECT, OrderBy.FROM, OrderBy.TO, OrderBy.CC, OrderBy.FROM_NAME, OrderBy.TO_NAME)


class Piece(Enum):
    """What is read together: the columns of one statement. The first comes before all others."""

    DATES = (Column.UID, Column.INTERNAL_DATE, Column.INTERNAL_TEXT, Column.SIZE)
    SENT = (Column.UID, Column.SENT_DATE)
    SUBJECT = (Column.UID, Column.SUBJECT_KEY, Column.IS_REPLY)
    FROM = (Column.UID, Column.FROM_KEY)
    TO = (Column.UID, Column.TO_KEY)
    CC = (Column.UID, Column.CC_KEY)
    FROM_NAME = (Column.UID, Column.FROM_NAME_KEY)
    TO_NAME = (Column.UID, Column.TO_NAME_KEY)
    LINKS = (Column.UID, Column.LINKS)

    __hash__ = object.__hash__


THREADED_BY = (Piece.DATES, Piece.SENT, Piece.SUBJECT, Piece.LINKS)
_PIECES = {
    OrderBy.ARRIVAL: Piece.DATES,
    OrderBy.SIZE: Piece.DATES,
    OrderBy.SENT: Piece.SENT,
    OrderBy.SUBJECT: Piece.SUBJECT,
    OrderBy.FROM: Piece.FROM,
    OrderBy.TO: Piece.TO,
    OrderBy.CC: Piece.CC,
    OrderBy.FROM_NAME: Piece.FROM_NAME,
    OrderBy.TO_NAME: Piece.TO_NAME,
    OrderBy.RELEVANCY: Piece.DATES,  # which is read anyway
}


class _Links:
    """The ids of messages, by numbers of their own."""

    __slots__ = ("answered", "count", "numbers", "own")

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.own: array[int] = array("i")
        self.answered: list[tuple[int, ...]] = []
        self.count = 0

    def extend(self, packed: Sequence[bytes | None]) -> None:
        numbers = self.numbers
        for octets in packed:
            own, *answered = unpack(f"<{len(octets) // 8}q", octets) if octets else (0,)
            self.own.append(numbers.setdefault(own, len(numbers)) if own else -1)
            self.answered.append(tuple([numbers.setdefault(link, len(numbers)) for link in answered]))
            self.count += len(answered)

    def keep(self, chosen: Sequence[bool]) -> None:
        self.own = array("i", compress(self.own, chosen))
        self.answered = list(compress(self.answered, chosen))

    @property
    def weight(self) -> int:
        return _OCTETS_OF_ID * len(self.numbers) + 60 * len(self.own) + 8 * self.count


class MailboxOrder:
    """The columns of one mailbox."""

    def __init__(self) -> None:
        self.uids: array[int] = array("I")
        self._arrived = Numbers()
        self._days = Numbers()
        self._sizes = Numbers()
        self._sent = Numbers()
        self._texts = {by: Texts() for by in _TEXTS}
        self._replies = bytearray()
        self._links = _Links()
        self._read: dict[Piece, int] = {}
        self._orders: OrderedDict[tuple[Ordering, ...], list[int]] = OrderedDict()
        self._forests: list[tuple[ThreadAlgorithm, GrowingForest]] = []  # those used last at the end
        self._clusters: dict[ThreadAlgorithm, Clusters] = {}
        self._everything = BitMap()

    # -- reading

    def next_uid(self, piece: Piece) -> int:
        """Return the UID from which rows of the piece are to be read."""
        count = self._read.get(piece, 0)
        return self.uids[count - 1] + 1 if count else 1

    def is_read(self, piece: Piece) -> bool:
        """Whether the piece is there for all messages that are known."""
        return self._read.get(piece, 0) == len(self.uids)

    def take(self, piece: Piece, rows: Sequence[Row]) -> None:
        """Take in rows, by ascending UIDs from `next_uid` on; of any piece but the first of known messages only."""
        if piece is Piece.DATES:
            self._take_dates(rows)
            return
        first = self._read.get(piece, 0)
        stop = first + len(rows)
        if self.uids[first:stop] != array("I", [row[0] for row in rows]):
            stop, rows = self._fit(piece, first, rows)
        match piece:
            case Piece.SENT:
                arrived = self._arrived.values[first:stop]
                self._sent.extend([a if row[1] is None else row[1] for row, a in zip(rows, arrived, strict=True)])
            case Piece.LINKS:
                self._links.extend([row[1] for row in rows])
            case _:
                by = OrderBy[piece.name]
                self._texts[by].extend([row[1] or "" for row in rows])
                if piece is Piece.SUBJECT:
                    self._replies += bytes([row[2] or 0 for row in rows])
        self._read[piece] = stop

    def _take_dates(self, rows: Sequence[Row]) -> None:
        self.uids.extend([row[0] for row in rows])
        self._arrived.extend([row[1] for row in rows])
        self._days.extend([_written_day(row[1], row[2]) for row in rows])
        self._sizes.extend([row[3] for row in rows])
        self._everything |= BitMap([row[0] for row in rows])
        self._read[Piece.DATES] = len(self.uids)

    def _fit(self, piece: Piece, first: int, rows: Sequence[Row]) -> tuple[int, list[Row]]:
        """Put an empty row where a message has left since its dates were read."""
        by_uid = {row[0]: row for row in rows}
        stop = first
        last = rows[-1][0] if rows else 0
        while stop < len(self.uids) and self.uids[stop] <= last:
            stop += 1
        empty = (None,) * (len(piece.value) - 1)
        return stop, [by_uid.get(uid) or (uid, *empty) for uid in self.uids[first:stop]]

    def end(self, piece: Piece) -> None:
        """Say that there are no more rows: messages without one are gone."""
        first = self._read.get(piece, 0)
        if first < len(self.uids):
            empty = (None,) * (len(piece.value) - 1)
            self.take(piece, [(uid, *empty) for uid in self.uids[first:]])

    def drop_gone(self, there: BitMap) -> None:
        """Leave out messages that are not there any more, once they are many."""
        gone = len(self._everything) - len(self._everything & there)
        if gone <= _MANY_GONE or gone * 4 < len(self.uids):
            return
        chosen = [uid in there for uid in self.uids]
        for column in self._columns():
            column.keep(chosen)
        self._replies = bytearray(compress(self._replies, chosen))
        self._read = {piece: sum(chosen[:count]) for piece, count in self._read.items()}
        self.uids = array("I", compress(self.uids, chosen))
        self._everything = BitMap(self.uids)
        self._orders.clear()
        self._forests.clear()
        self._clusters.clear()

    @property
    def weight(self) -> int:
        """About how many octets this takes."""
        kept = 16 * len(self.uids) * len(self._orders) + sum(forest.weight for _, forest in self._forests)
        kept += sum(clusters.weight for clusters in self._clusters.values())
        return _OCTETS_OF_AN_EMPTY_ONE + 4 * len(self.uids) + sum(column.weight for column in self._columns()) + kept

    def _columns(self) -> list[Numbers | Texts | _Links]:
        return [self._arrived, self._days, self._sizes, self._sent, *self._texts.values(), self._links]

    # -- asking

    def sort(
        self, orderings: tuple[Ordering, ...], among: BitMap, scores: Mapping[int, int] | None = None
    ) -> list[int]:
        """Return the UIDs in order; those that are equal by their numbers. `scores` are for `OrderBy.RELEVANCY`."""
        uids = self.uids
        among = among & self._everything
        if not among:
            return []
        if scores is not None and any(ordering.by is OrderBy.RELEVANCY for ordering in orderings):
            keys = self._keys(orderings, scores)
            return [uids[place] for place in sorted(self._places(among), key=keys.__getitem__)]
        order = self._order(orderings)
        if len(among) == len(uids):
            return [uids[place] for place in order]
        if len(among) * 8 < len(uids):
            return self._sort_few(orderings, among)
        return [uid for place in order if (uid := uids[place]) in among]

    def _sort_few(self, orderings: tuple[Ordering, ...], among: BitMap) -> list[int]:
        rank = array("I", bytes(4 * len(self.uids)))
        for at, place in enumerate(self._order(orderings)):
            rank[place] = at
        places = self._places(among)
        return [self.uids[place] for place in sorted(places, key=rank.__getitem__)]

    def _places(self, among: BitMap) -> list[int]:
        return [place for place, uid in enumerate(self.uids) if uid in among]

    def _order(self, orderings: tuple[Ordering, ...]) -> list[int]:
        """Return all places in order."""
        known = self._orders.pop(orderings, [])
        if known and len(self.uids) - len(known) <= _FEW_NEW:
            self._insert(known, orderings)
        elif len(known) < len(self.uids):
            keys = self._keys(orderings)
            # Places that are new come last and so behind their equals.
            known = sorted([*known, *range(len(known), len(self.uids))], key=keys.__getitem__)
        self._orders[orderings] = known
        while len(self._orders) > _KEPT_ORDERS:
            self._orders.popitem(last=False)
        return known

    def _insert(self, known: list[int], orderings: tuple[Ordering, ...]) -> None:
        """Put the places that are new where they belong among those in order."""
        criteria = [(self._column(ordering.by).comparing(), ordering.reverse) for ordering in orderings]

        def precedes(place: int, other: int) -> bool:
            for compare, is_reverse in criteria:
                if difference := compare(place, other):
                    return (difference > 0) is is_reverse
            return False  # It comes behind its equals.

        for place in range(len(known), len(self.uids)):
            low, high = 0, len(known)
            while low < high:
                middle = (low + high) // 2
                if precedes(place, known[middle]):
                    high = middle
                else:
                    low = middle + 1
            known.insert(low, place)

    def _keys(self, orderings: tuple[Ordering, ...], scores: Mapping[int, int] | None = None) -> Sequence[int]:
        """Return one number for each place that orders by all criteria."""
        keys: Sequence[int] = ()
        ranks: Sequence[int]
        for ordering in orderings:
            if ordering.by is OrderBy.RELEVANCY:
                ranks = [-(scores or {}).get(uid, 0) for uid in self.uids]
            else:
                ranks = self._column(ordering.by).ranks()
            low, high = min(ranks), max(ranks)
            ranks = [high - rank for rank in ranks] if ordering.reverse else [rank - low for rank in ranks]
            bits = (high - low).bit_length()
            keys = [key << bits | rank for key, rank in zip(keys, ranks, strict=True)] if keys else ranks
        return keys

    def _column(self, by: OrderBy) -> Numbers | Texts:
        match by:
            case OrderBy.ARRIVAL:
                return self._arrived
            case OrderBy.SIZE:
                return self._sizes
            case OrderBy.SENT:
                return self._sent
            case _:
                return self._texts[by]

    def forest(self, algorithm: ThreadAlgorithm, among: BitMap) -> Forest:
        """Return the threads of these messages, by places. Those of nearly the same messages are changed into them."""
        subjects = self._texts[OrderBy.SUBJECT]
        of = Threadable(
            len(self._links.numbers),
            self._links.own,
            self._links.answered,
            self._sent.values,
            self._arrived.values,
            subjects.values,
            self._replies,
            subjects.number_of(""),
        )
        places = self._places_of(among)
        nearest = self._find_nearest(algorithm, places)
        if nearest is not None and self._change(nearest[1], algorithm, of, places):
            self._forests.remove(nearest)
        else:
            nearest = algorithm, GrowingForest(algorithm, of, list(places))
        self._forests.append(nearest)
        del self._forests[:-_KEPT_FORESTS]
        return nearest[1].forest

    def _find_nearest(self, algorithm: ThreadAlgorithm, places: BitMap) -> tuple[ThreadAlgorithm, GrowingForest] | None:
        """Return the forest whose messages differ least from these."""
        alike = [entry for entry in self._forests if entry[0] is algorithm]
        return min(alike, key=lambda entry: len(entry[1].members ^ places), default=None)

    def _change(self, forest: GrowingForest, algorithm: ThreadAlgorithm, of: Threadable, places: BitMap) -> bool:
        """Make a forest that of other messages, if it is not already; return whether it could be changed."""
        if forest.members == places:
            return True
        clusters = self._clusters.setdefault(algorithm, Clusters(algorithm))
        clusters.extend(of)
        return forest.change(of, clusters, places)

    def _places_of(self, among: BitMap) -> BitMap:
        """Return the places of messages."""
        if len(among) == len(self.uids) and among == self._everything:
            return BitMap(range(len(self.uids)))
        return BitMap(self._places(among))

    def arrived(self, start: int | None, stop: int | None) -> BitMap:
        """Return the messages that arrived in [start, stop), in seconds since 1970."""
        return self._between(self._arrived, start, stop)

    def arrived_on(self, start: int | None, stop: int | None) -> BitMap:
        """Return the messages that arrived on a day in [start, stop), as it is written, in days since 1970."""
        return self._between(self._days, start, stop)

    def sized(self, start: int | None, stop: int | None) -> BitMap:
        """Return the messages of so many octets, in [start, stop)."""
        return self._between(self._sizes, start, stop)

    def _between(self, column: Numbers, start: int | None, stop: int | None) -> BitMap:
        values = column.values
        chosen: Iterable[bool]
        if stop is None:
            chosen = map((start or 0).__le__, values)
        elif start is None:
            chosen = map(stop.__gt__, values)
        else:
            chosen = (start <= value < stop for value in values)
        return BitMap(array("I", compress(self.uids, chosen)))


def pieces_of(orderings: Sequence[Ordering]) -> tuple[Piece, ...]:
    """Return what is to be read before messages are ordered so."""
    return tuple(dict.fromkeys((Piece.DATES, *[_PIECES[ordering.by] for ordering in orderings])))


def _written_day(seconds: int, text: bytes) -> int:
    """Return the day of a moment as it is written: `"17-Jul-1996 02:44:25 -0700"`."""
    zone = bytes(text)[-6:-1]
    if zone == b"+0000" or len(zone) < 5:
        return seconds // _DAY
    offset = (int(zone[1:3]) * 60 + int(zone[3:5])) * 60
    return (seconds - offset if zone[:1] == b"-" else seconds + offset) // _DAY
