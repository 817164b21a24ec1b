"""What is kept from one patient to the next: what a record without entries comes to, and nothing of anyone.

Most of what a label asks for is absent from a record, and absence is the same for all whose record is of the same
day, at the same stage and with the same complete lists. So it is worked out once, on a record made here that holds
no entry; a patient's facts begin as a copy of it, less what the patient's own record says anything to. Since what
is kept never saw a patient, nothing of one can show up in the answer of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precaution.engine.chart import Chart, Known
from precaution.engine.therapy import Therapy
from precaution.values.record import Record

if TYPE_CHECKING:
    from precaution.engine.chart import Look
    from precaution.engine.compiled import Prepared
    from precaution.knowledge.expression import Value

UNANSWERED = Known(None, why="not answered")
_MOST = 256
"""Most blank records that are kept: one for each label, stage, day and set of lists that is met."""
_KEPT: dict[tuple[Prepared, int, frozenset[str], frozenset[str]], Blank] = {}


class Blank:
    """A record without entries, of one day, stage and set of lists, and what was worked out on it so far."""

    __slots__ = ("chart", "complete", "judged", "known", "scheduled", "values")

    def __init__(self, chart: Chart, ready: Prepared) -> None:
        """Begin with what no record changes: the parameters, and asks that nobody answered."""
        self.chart = chart
        self.known: dict[str, Known] = dict.fromkeys(ready.asks, UNANSWERED)
        """By name; of asks and basic facts alone, for one made of others may depend on the date of birth."""
        self.values: dict[str, Value] = dict.fromkeys(ready.asks)
        self.values |= {name: each.value for name, each in ready.parameters.items()}
        self.judged: dict[object, dict[object, Any]] = {}
        """What rules come to."""
        self.scheduled: dict[object, Any] = {}
        """What duties come to, by the start of treatment."""
        self.complete = False
        """Whether every fact is worked out: done for the second record of the sort, for most days see but one."""

    def worked_out(self, name: str, look: Look) -> Known:
        """Return what a basic fact is for a record that has nothing for it."""
        known = self.known.get(name)
        if known is None:
            known = self.known[name] = look(self.chart)
            self.values[name] = known.value
        return known

    def completed(self, ready: Prepared) -> None:
        """Work out every basic fact."""
        for name, look in ready.looks.items():
            if name in ready.places:
                self.worked_out(name, look)
        self.complete = True


def blank_of(chart: Chart, ready: Prepared) -> Blank:
    """Return the blank record of a chart's day, stage and lists."""
    record = chart.record
    key = (ready, chart.today, record.lists, record.attested)
    kept = _KEPT.get(key)
    if kept is None:
        if len(_KEPT) >= _MOST:
            _KEPT.clear()
        empty = Record(lists=record.lists, attested=record.attested)
        kept = _KEPT[key] = Blank(Chart(empty, chart.label, chart.today, Therapy(ready.stage, "")), ready)
    elif not kept.complete:
        kept.completed(ready)
    return kept
