"""The names that stand in a label's tables: what each refers to, and the stages of treatment they are given for."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

Stage = Literal["before-start", "on-treatment", "interrupted"]
STAGES: tuple[Stage, ...] = ("before-start", "on-treatment", "interrupted")
AFTER_START = "after-start"
"""What stands in a file for both stages after the start of treatment."""
STAGES_AFTER_START: tuple[Stage, ...] = ("on-treatment", "interrupted")
Absent = Literal["unknown", "no-if-list-complete", "no"]
"""What it means that the record holds nothing. `no` is only for what can't be asked of a list."""


class Refers(NamedTuple):
    """What a name in a field refers to; the loader refuses a name that stands for nothing."""

    to: Literal["concept", "parameter", "fact", "ask", "sentence", "action", "rule or duty", "measure"]
    measure: Literal["", "days", "number", "word"] = ""
    """For a parameter: what its value must be."""


ConceptName = Annotated[str, Refers("concept")]
DaysName = Annotated[str, Refers("parameter", "days")]
NumberName = Annotated[str, Refers("parameter", "number")]
WordName = Annotated[str, Refers("parameter", "word")]
FactName = Annotated[str, Refers("fact")]
AskName = Annotated[str, Refers("ask")]
ActionName = Annotated[str, Refers("action")]
MeasureName = Annotated[str, Refers("measure")]
RuleOrDuty = Annotated[str, Refers("rule or duty")]
Concepts = tuple[ConceptName, ...]
"""Names of code lists."""
Sentences = tuple[Annotated[str, Refers("sentence")], ...]
"""Ids of sentences of the label."""
