"""Orders that go on with an earlier one: what they say of when the earlier one ended."""

from __future__ import annotations

import pytest

from precaution.values.interval import Interval
from support.fhir_builders import day, dispense, entries, request


def span(first: str, last: str) -> Interval:
    return Interval(day(first), day(last))


EARLIER = {"id": "a", "status": "completed", "authoredOn": "2024-01-10"}
LATER = {"id": "b", "status": "active", "authoredOn": "2024-12-01"}
TO_A = {"reference": "MedicationRequest/a"}


def ends(*resources: dict[str, object]) -> dict[str, Interval | None]:
    return {entry.source: entry.end for entry in entries(*resources)}


@pytest.mark.parametrize(
    "link", [{"priorPrescription": TO_A}, {"basedOn": [TO_A]}, {"basedOn": [{"reference": "CarePlan/1"}, TO_A]}]
)
def test_an_order_that_is_renewed_reached_up_to_the_next(link: dict[str, object]) -> None:
    found = ends(request(**EARLIER), request(**LATER, **link))
    assert found == {"MedicationRequest/a": span("2024-01-10", "2024-12-01"), "MedicationRequest/b": None}


def test_it_did_even_where_its_supply_ran_out_before() -> None:
    supplied = {"expectedSupplyDuration": {"value": 30, "unit": "d", "code": "d"}}
    for status in ("completed", "active"):
        earlier = request(**{**EARLIER, "status": status}, dispenseRequest=supplied)
        found = ends(earlier, request(**LATER, priorPrescription=TO_A))
        assert found["MedicationRequest/a"] == span("2024-02-09", "2024-12-01")


def test_a_supply_shows_that_what_was_ordered_went_on() -> None:
    filled = dispense(id="d", whenHandedOver="2024-06-01", authorizingPrescription=[TO_A])
    assert ends(request(**EARLIER), filled)["MedicationRequest/a"] == span("2024-01-10", "2024-06-01")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (EARLIER, {**LATER, "priorPrescription": {"reference": "MedicationRequest/none"}}),
        ({**EARLIER, "priorPrescription": TO_A}, LATER),  # of itself
        (EARLIER, {**LATER, "authoredOn": "2023-12-01", "priorPrescription": TO_A}),  # before it
        ({**EARLIER, "status": "active"}, {**LATER, "priorPrescription": TO_A}),  # it is open
        ({**EARLIER, "status": "on-hold"}, {**LATER, "priorPrescription": TO_A}),
        ({**EARLIER, "authoredOn": None}, {**LATER, "priorPrescription": TO_A}),
    ],
)
def test_what_tells_nothing_changes_nothing(earlier: dict[str, object], later: dict[str, object]) -> None:
    assert ends(request(**earlier), request(**later))["MedicationRequest/a"] is None


def test_of_several_that_go_on_with_it_the_last_counts() -> None:
    more = request(id="c", authoredOn="2024-08-01", status="completed", priorPrescription=TO_A)
    found = ends(request(**EARLIER), more, request(**LATER, priorPrescription=TO_A))
    assert found["MedicationRequest/a"] == span("2024-01-10", "2024-12-01")
