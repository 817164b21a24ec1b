"""Checks of the measures: that each says what it counts, whose use it measures, and where other figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.checks.problem import problem, whole_expressions
from precaution.knowledge.expression import names
from precaution.knowledge.fact import Fact
from precaution.knowledge.fact_kinds import Derived, ReachedAge
from precaution.knowledge.linking import place_of
from precaution.knowledge.model import Ask
from precaution.knowledge.toml import expressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precaution.checks.problem import Folder, LabelProblem
    from precaution.knowledge.model import Measure


def measures_without_sentence(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a measure cites a sentence of the label."""
    for measure in folder.label.measures.values():
        if not measure.cites:
            yield problem(place_of(measure).at("cites"), "must not be empty: name the sentence whose use is measured")


def measures_without_reading(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a measure says in words how it is counted: reports are made of that."""
    for measure in folder.label.measures.values():
        if not measure.reading.strip():
            yield problem(place_of(measure).at("reading"), "must not be empty: say how it is counted, for the report")


def measures_of_nothing(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a measure has what its kind needs, and nothing that its kind does not look at."""
    for measure in folder.label.measures.values():
        for key, message in (*_wrong_parts(measure), *_wrong_whole(measure, folder)):
            yield problem(place_of(measure).at(key), message)


def _wrong_whole(measure: Measure, folder: Folder) -> Iterator[tuple[str, str]]:
    if not measure.of:
        return
    whole = folder.label.measures[measure.of]
    if (whole.kind, whole.of, measure.kind) != ("share", "", "share"):
        yield "of", f"a share of '{whole.name}' can't be taken: both must be shares, and that one of all new users"
    elif (whole.look, whole.after, whole.stage) != (measure.look, measure.after, measure.stage):
        yield "of", f"'{whole.name}' looks at another day; give both the same look, after and stage"
    if measure.exclude is not None or measure.denominator is not None:
        yield "of", "says already who is counted; leave out 'exclude' and 'denominator'"


def _wrong_parts(measure: Measure) -> Iterator[tuple[str, str]]:
    given = {key for key, _ in expressions(measure)} | ({"action"} if measure.action else set())
    if measure.kind == "share":
        if len(given & {"numerator", "action"}) != 1:
            yield "numerator", "a share needs either this or 'action'"
        if "event" in given:
            yield "event", "is for a rate or a delay; a share has a 'numerator'"
    else:
        if "event" not in given:
            yield "event", f"a {measure.kind} needs it: what happens on treatment"
        for key in sorted(given & {"numerator", "action", "denominator"}):
            yield key, f"is for a share; a {measure.kind} has an 'event'"
        if measure.look != "start":
            yield "look", f"is for a share; a {measure.kind} looks at all days of treatment"
    if (measure.look == "after") != bool(measure.after):
        yield "after", 'goes with look = "after", and is needed there'


def measures_of_age_alone(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that no measure looks at nothing but the age: beside bands of ages it would give small numbers away."""
    known = folder.named()
    for measure in folder.label.measures.values():
        found = [known[name] for each in whole_expressions(measure, known) for name in names(each) if name in known]
        basic = [each for each in found if isinstance(each, (Fact, Ask)) and not isinstance(each, Derived)]
        if basic and all(isinstance(each, ReachedAge) for each in basic):
            yield problem(place_of(measure), "looks at the age alone; that is a band of ages, which the audit has")


def published_without_source(folder: Folder) -> Iterator[LabelProblem]:
    """Ask that a published figure is a share, of some patients, and says where it stands."""
    for measure in folder.label.measures.values():
        for figure in measure.published:
            if not (figure.who.strip() and figure.source.strip() and 0 <= figure.share <= 1 and figure.of > 0):
                yield problem(
                    place_of(measure).at("published"),
                    "needs 'who' and 'source', a 'share' from 0 to 1 and 'of', how many patients",
                )
