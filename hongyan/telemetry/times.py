"""A histogram that costs its user a tenth of Prometheus' own: for what is measured with each command.

Only the loop's thread may feed it, so that it needs no lock; it is put into Prometheus' form when somebody asks.
"""

from __future__ import annotations

__all__ = ["Times", "TimesOf"]

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class TimesOf:
    """The times of one set of labels."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count a time in the first bucket whose bound it does not exceed."""
        self.counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds


class Times(Collector):
    """A histogram with labels. `bounds` ascend, in seconds; the bucket above them all is its own."""

    def __init__(
        self, name: str, doc: str, labels: Sequence[str], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._doc, self._labels, self._bounds = name, doc, labels, bounds
        self._bound_names = [*map(floatToGoString, bounds), "+Inf"]
        self._children: dict[tuple[str, ...], TimesOf] = {}
        registry.register(self)

    def labels(self, *values: str) -> TimesOf:
        """Return what counts the times with these labels; whoever counts often keeps it."""
        child = self._children.get(values)
        if child is None:
            if len(values) != len(self._labels):
                raise ValueError(values)
            child = self._children[values] = TimesOf(self._bounds)
        return child

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Tell the registry which names are taken."""
        yield HistogramMetricFamily(self._name, self._doc, labels=self._labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Return all counts as Prometheus has them: each bucket holds those below it as well."""
        family = HistogramMetricFamily(self._name, self._doc, labels=self._labels)
        for values, child in list(self._children.items()):
            below, buckets = 0, []
            for name, count in zip(self._bound_names, child.counts, strict=True):
                below += count
                buckets.append((name, float(below)))
            family.add_metric(values, buckets, child.total)
        yield family
