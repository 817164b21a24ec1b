"""Follows references inside the input: to a medication's code, and from a report's date to its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.readers.dates import read_dates, spanned
from precaution.readers.json_access import Json, child, children, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from precaution.readers.contents import Contents, Located
    from precaution.values.interval import Interval


_TAKEN_BACK = ("entered-in-error", "cancelled")


class Resolver:
    """Finds resources by any form of reference; an index of each type is made when first asked for."""

    def __init__(self, contents: Contents) -> None:
        """Look in `contents`."""
        self._contents = contents
        self._found: dict[str, dict[str, Json]] = {}
        self._reported: dict[str, Interval | None] | None = None
        self._in_error: frozenset[str] | None = None

    def resolve(self, holder: Json, reference: str, kind: str) -> Json | None:
        """Return the resource of type `kind` that `reference` in `holder` names_of_resource, or None."""
        if reference.startswith("#"):
            return next((inner for inner in children(holder, "contained") if text(inner, "id") == reference[1:]), None)
        table = self._table(kind)
        return table.get(reference) or table.get(_tail(reference))

    def is_there(self, reference: str, kinds: Iterable[str]) -> bool:
        """Whether the source has the resource that a reference names, of one of these types."""
        if _tail(reference) in self._contents.passed_over:
            return True
        return any(self.resolve({}, reference, kind) is not None for kind in kinds)

    def _table(self, kind: str) -> dict[str, Json]:
        if kind not in self._found:
            found: dict[str, Json] = {}
            for located in self._contents.of(kind):
                for name in names_of_resource(located):
                    found[name] = located[0]
            self._found[kind] = found
        return self._found[kind]

    def report_day(self, observation: Located) -> Interval | None:
        """Return the days of the DiagnosticReport that lists an Observation; None where none does or it has no date."""
        if self._reported is None:
            self._reported = self._days_of_reports()
        return next(
            (day for name in names_of_resource(observation) if (day := self._reported.get(name)) is not None), None
        )

    def withdrawn(self, resource: Json, url: str) -> bool:
        """Whether a report that lists a resource was entered in error, and no other one lists it."""
        if self._in_error is None:
            listed = {True: set[str](), False: set[str]()}
            for report, _ in self._contents.of("DiagnosticReport"):
                these = listed[text(report, "status") in _TAKEN_BACK]
                for result in children(report, "result"):
                    these |= {text(result, "reference"), _tail(text(result, "reference"))}
            self._in_error = frozenset(listed[True] - listed[False] - {""})
        return bool(self._in_error) and self.named_in(resource, url, self._in_error)

    def named_in(self, resource: Json, url: str, found: AbstractSet[str]) -> bool:
        """Whether a resource is one of those that references name."""
        return not found.isdisjoint(names_of_resource((resource, url)))

    def _days_of_reports(self) -> dict[str, Interval | None]:
        days: dict[str, Interval | None] = {}
        panels = [each for each in self._contents.of("Observation") if "hasMember" in each[0]]
        for report, _ in [*self._contents.of("DiagnosticReport"), *panels]:
            found = read_dates(report, "effective")
            day = spanned(found.start, found.end)
            for result in [*children(report, "result"), *children(report, "hasMember")]:
                reference = text(result, "reference")
                for name in {reference, _tail(reference)}:
                    days[name] = _same(days[name], day) if name in days else day
        return days


def names_of_resource(located: Located) -> list[str]:
    """Return the references that name a resource: `Type/id`, its `fullUrl`, and its id as a urn."""
    resource, url = located
    name = text(resource, "id")
    found = [f"{text(resource, 'resourceType')}/{name}", "urn:uuid:" + name] if name else []
    return [*found, url, _tail(url)] if url else found


def _same(first: Interval | None, second: Interval | None) -> Interval | None:
    """Return the days from one report's to the other's; None where one of them has none."""
    return spanned(first, second) if first is not None and second is not None else None


def _tail(reference: str) -> str:
    return "/".join(reference.partition("/_history")[0].split("/")[-2:])


def target(resource: Json, key: str) -> tuple[str, str]:
    """Return the reference under `key`, and its display."""
    reference = child(resource, key)
    return text(reference, "reference"), text(reference, "display")
