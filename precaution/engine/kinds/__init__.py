"""What each kind of fact looks at, a group of kinds in each module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.kinds import changes, confirmed, doses, durations, estimates, figures, history, qualitative
from precaution.knowledge import computed_facts as computed
from precaution.knowledge import fact_kinds as kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from precaution.engine.chart import Look
    from precaution.knowledge.fact import Fact

LOOKS: Mapping[type[Fact], Callable[..., Look]] = {
    kinds.Latest: figures.latest,
    kinds.Extreme: figures.extreme,
    computed.Dose: doses.dose,
    computed.Estimated: estimates.estimate,
    kinds.Change: changes.change,
    kinds.Confirmed: confirmed.confirmed,
    kinds.Tested: qualitative.tested,
    kinds.Worded: qualitative.worded,
    kinds.Ever: history.ever,
    kinds.Active: history.active,
    kinds.Repeated: history.repeated,
    kinds.Planned: history.planned,
    kinds.DaysSince: durations.days_since,
    kinds.DaysOn: durations.days_on,
    kinds.ReachedAge: durations.reached_age,
    computed.OfSex: durations.of_sex,
}
"""Kind of fact -> what makes its look, from a fact and a setting; none for a fact that is made of others."""
