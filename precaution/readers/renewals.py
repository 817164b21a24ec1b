"""Orders that go on with an earlier one: a renewal, a change of dose, a supply of what was ordered.

A resource says so by `priorPrescription`, `basedOn`, `authorizingPrescription` or `request`. An order that is over and
that another goes on with reached up to that one: no gap lies between them, whatever its own supply would tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.json_access import child, children, text
from precaution.values.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.readers.json_access import Json
    from precaution.readers.record_builder import PatientResource
    from precaution.readers.references import Resolver
    from precaution.values.record import Entry

_ONE = ("priorPrescription", "request")
_SEVERAL = ("basedOn", "authorizingPrescription")
_ORDER = "MedicationRequest"


class Renewals:
    """What goes on with which order, noted while resources are read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sources: dict[int, str] = {}
        self._later: list[tuple[int, str]] = []

    def note(self, item: PatientResource, resolver: Resolver) -> None:
        """Note a resource about a drug, and the orders that it goes on with."""
        self._sources[id(item.resource)] = item.source
        for reference in _earlier(item.resource):
            order = resolver.resolve(item.resource, reference, _ORDER)
            if order is not None and order is not item.resource:
                self._later.append((id(order), item.source))

    def joined(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return the entries of one drug, each order that is over reaching to what goes on with it."""
        if not self._later:
            return entries
        starts = {entry.source: entry.start for entry in entries if entry.start is not None}
        reached: dict[str, Interval] = {}
        for order, later in self._later:
            source, start = self._sources.get(order, ""), starts.get(later)
            if start is not None and (source not in reached or reached[source].high < start.high):
                reached[source] = start
        return [_reaching(entry, reached.get(entry.source)) for entry in entries]


def _earlier(resource: Json) -> list[str]:
    found = [child(resource, name) for name in _ONE]
    found += [each for name in _SEVERAL for each in children(resource, name)]
    return [reference for each in found if (reference := text(each, "reference"))]


def _reaching(entry: Entry, later: Interval | None) -> Entry:
    """Return an order that is over as one that ended when what goes on with it began, at the latest."""
    begun, end = entry.start, entry.end
    over = entry.status == "ended" or (entry.status == "active" and end is not None)
    if later is None or begun is None or not over or later.high <= (begun.high if end is None else end.high):
        return entry
    least = begun.low if end is None else end.low
    return entry._replace(end=Interval(min(least, later.low), later.high), status="ended")
