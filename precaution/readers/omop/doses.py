"""A row of drugs -> the dose that its quantity, its days of supply and the strength of the drug come to."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from precaution.readers.dosages import shown
from precaution.readers.lengths import LONGEST
from precaution.readers.strengths import known_strength
from precaution.values.interval import exactly
from precaution.values.record import DOSE

if TYPE_CHECKING:
    from precaution.knowledge.terminology import Concept
    from precaution.readers.omop.rows import MappedRow
    from precaution.values.record import Entry

GIVEN = frozenset({32818, 38000179, 38000180, 43542356, 43542357, 43542358, 581373, 581452})
"""Drug types of something administered: it is taken on its day."""
_TOLD_BY = {
    **dict.fromkeys((38000177, 32833, 32838, 32839), "ordered"),
    **dict.fromkeys((38000178, 32830, 44787730, 32865), "reported"),
}
"""Drug types of an order, and of what is reported; what is neither given nor one of these is a supply."""


def dosed(row: MappedRow, entry: Entry, concept: Concept) -> Entry:
    """Return the dose of a drug: of something given the amount, else the quantity over the days that it supplies."""
    piece = row.strength or known_strength(concept, [(row.system, row.code)]).piece
    sort = "given" if row.type_id in GIVEN else _TOLD_BY.get(row.type_id or 0, "dispensed")
    days = 1.0 if sort == "given" else row.days_supply
    value = None
    if piece and row.quantity and days and row.quantity > 0 and 0 < days <= LONGEST and isfinite(row.quantity):
        value = exactly(row.quantity * piece / days)
    return entry._replace(concept=DOSE + row.concept, value=value, result=sort, says=shown(value, sort), note=row.note)
