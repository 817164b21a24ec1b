"""A call and what was retrieved for it -> the decision, and the cards; or none, where the label has nothing to say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from precaution.engine.decision import decided
from precaution.errors import InputError, MixedPatients, NoPatient, WrongRelease
from precaution.knowledge.fact_kinds import Planned
from precaution.readers.prefetch import NOT_RETRIEVED, Prefetched, read_prefetch
from precaution.service.cards.build import BuiltCard, CardBuilder, unable
from precaution.service.cards.tiers import tier_of
from precaution.service.cards.vocabulary import workflow_reasons
from precaution.service.cards.wording import Words
from precaution.service.clinician_answers import facts_with_answers, finished, silenced
from precaution.service.content_digests import ContentDigests
from precaution.service.fhir.queries import PATIENT, PRESCRIBED, lists
from precaution.service.http.errors import Refused
from precaution.service.store.model import Kept
from precaution.values.record import UNREADABLE
from precaution.writers.layout import listed
from precaution.writers.text import readings_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precaution.engine.answer import Decision, Finding
    from precaution.engine.facts import Facts
    from precaution.engine.therapy import Therapy
    from precaution.knowledge.model import Label
    from precaution.readers.json_access import Json
    from precaution.readers.prefetch import Retrieved
    from precaution.service.cards.vocabulary import Vocabulary
    from precaution.service.fhir.queries import Query
    from precaution.service.http.calls import HookRequest
    from precaution.values.record import Entry, Record

NOTHING_KEPT = Kept()
_TOLD = {
    "not retrieved": "not retrieved, so not known: {}",
    "failed": "could not be retrieved, so not known: {}",
    "incomplete": "only a part was retrieved: {}",
    "none": "the sending system has none on file, which is not taken for none: {}",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call."""

    decision: Decision | None = None
    cards: tuple[BuiltCard, ...] = ()
    record: Record | None = None
    uuid: str = ""
    """The decision's own id, under which its page is found."""
    words: Words | None = None
    digests: ContentDigests | None = None
    why: str = ""
    """Where there is no decision: why, in one of our own words."""
    facts: Facts | None = None
    """What the decision was made of."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides calls by one label."""

    label: Label
    vocabulary: Vocabulary
    asked: tuple[Query, ...]
    page: Callable[[str], str]
    """Returns the address of a decision's page."""
    about: str = ""
    """Address of the page about the label."""

    def outcome(
        self,
        call: HookRequest,
        answers: Mapping[str, Retrieved],
        today: int,
        *,
        shared: Iterable[Json] = (),
        kept: Kept = NOTHING_KEPT,
        notes: tuple[str, ...] = (),
    ) -> Outcome:
        """Return what comes of a call on `today` (an ordinal).

        `shared`: medications that others refer to; `kept`: what clinicians have answered and overridden; `notes`: what
        else is not known. Raises Refused: 412 where the patient can't be had, 400 for another's record.
        """
        read = self._read(call, answers, shared, today)
        facts = facts_with_answers(read.record, kept, self.label, today)
        record, stage = facts.chart.record, facts.chart.therapy
        died = record.died
        concerned = self._concerned(read, record, stage, today)
        if died is not None and (died.high <= today or died.low < 1):
            note = "the record says that the patient has died"
            return Outcome(record=record, why="died", cards=self._unable(note) if read.drafted and concerned else ())
        states = self._states(answers)
        nameless = _NAMELESS if read.nameless else ""
        unread = _UNREAD if self._is_order_unread(call, read, stage) else ""
        if not concerned:
            unclear = unread or self._unclear(call, answers, record, stage)
            why = "can't tell" if unclear else "not concerned"
            return Outcome(record=record, why=why, cards=self._unable(unclear, *states) if unclear else ())
        decision = finished(decided(facts).decision, kept, self.label)
        uuid = str(uuid4())
        words = Words(self.label, self.vocabulary, record, read.drafted)
        digests = ContentDigests(record, answers, call.drafts)
        shown = self._without_silenced(decision, kept, call, words, digests)
        page = self.page(uuid)
        builder = CardBuilder(shown, self.label, self.vocabulary, words, record, call.patient, facts, page, self.about)
        cards = tuple(builder.cards((*filter(None, [unread, nameless, readings_note(decision)]), *states, *notes)))
        return Outcome(decision, cards, record, uuid, words=words, digests=digests, facts=facts)

    def late(self) -> Outcome:
        """Return what to say where the time was up before anything could be decided."""
        return Outcome(why="late", cards=self._unable("the time for it was up; look at the label's warnings yourself"))

    def _without_silenced(
        self, decision: Decision, kept: Kept, call: HookRequest, words: Words, digests: ContentDigests
    ) -> Decision:
        """Return the decision without what this user has overridden: the verdict stays, and so does the page."""
        if not (kept.overrides and call.user):
            return decision
        more: Any = {"content_of": digests.of, "discounted": workflow_reasons() if call.hook == _SIGNED else ()}

        def is_silenced(finding: Finding) -> bool:
            tier = tier_of(finding, drafted=words.is_drafted(finding))
            return tier is not None and silenced(finding, decision, kept, call.user, tier=tier, **more) is not None

        return replace(decision, findings=tuple(each for each in decision.findings if not is_silenced(each)))

    def _unable(self, *notes: str) -> tuple[BuiltCard, ...]:
        return (unable(self.label, notes),)

    def _read(
        self, call: HookRequest, answers: Mapping[str, Retrieved], shared: Iterable[Json], today: int
    ) -> Prefetched:
        known = {query.key: NOT_RETRIEVED for query in self.asked} | dict(answers)
        known[PATIENT] = _identified(known[PATIENT], call.patient)
        try:
            return read_prefetch(
                known,
                lists(self.asked),
                call.patient,
                call.drafts,
                self.label.terminology,
                self.label.asks,
                shared,
                today,
            )
        except NoPatient:
            raise Refused(412, _NO_PATIENT) from None
        except MixedPatients:
            raise Refused(400, "what was sent is of more than one patient, or not of context.patientId") from None
        except WrongRelease:
            raise Refused(400, "what was sent is FHIR of another release than R4") from None
        except InputError:
            raise Refused(400, "what was sent holds a number that is not finite") from None

    def _concerned(self, read: Prefetched, record: Record, stage: Therapy, today: int) -> bool:
        """Whether the drug is taken or ordered, or something is ordered that matters if it may be taken."""
        of_drug = record.entries.get(self.label.therapy.drug, ())
        if stage.stage != "before-start" or any(_is_ordered(entry, read, today) for entry in of_drug):
            return True
        if any(entry.certainty != "certain" or entry.status == "unknown" for entry in of_drug):
            return True
        matter = {name for fact in self.label.facts.values() if isinstance(fact, Planned) for name in fact.planned}
        return bool(stage.doubt) and any(entry.concept in matter for entry in read.drafted)

    def _unclear(self, call: HookRequest, answers: Mapping[str, Retrieved], record: Record, stage: Therapy) -> str:
        """Return why it can't be told whether the drug is taken, where a chart is opened; else nothing."""
        if call.hook != _OPENED or not stage.doubt:
            return ""
        if answers.get(PRESCRIBED, NOT_RETRIEVED).state not in ("whole", "none"):
            return "can't tell whether it is taken; the prescriptions were not retrieved, or not all of them"
        unreadable = record.entries.get(UNREADABLE["medication"], ())
        states = ("active", "held", "unknown")
        taken = any(entry.kind == "medication" and entry.status in states for entry in unreadable)
        return "can't tell whether it is taken; a medication on record can't be read" if taken else ""

    def _is_order_unread(self, call: HookRequest, read: Prefetched, stage: Therapy) -> bool:
        """Whether something is ordered of which nobody knows what it is, and which may be the drug or matter with it.

        A service is never the drug: what it is matters only where that is or may be taken.
        """
        if call.hook == _OPENED:
            return False
        unread = {entry.concept for entry in read.drafted}.intersection(UNREADABLE.values())
        taken = stage.stage != "before-start" or bool(stage.doubt)
        return bool(call.unreadable_drafts or unread - {UNREADABLE["order"]} or (unread and taken))

    def _states(self, answers: Mapping[str, Retrieved]) -> tuple[str, ...]:
        """Say of each query that is not whole in which state it is."""
        titles: dict[str, list[str]] = {}
        for query in self.asked:
            state = answers.get(query.key, NOT_RETRIEVED).state
            if query.key != PATIENT and state != "whole":
                titles.setdefault(state, []).append(query.title)
        return tuple(_TOLD[state].format(listed(titles[state])) for state in _TOLD if state in titles)


_NO_PATIENT = "the patient was neither sent (prefetch key 'patient') nor could be retrieved from fhirServer"
_UNREAD = "an order that is being written can't be read, and was not checked; look at the label's warnings yourself"
_NAMELESS = "a part of what was sent names no patient; it was taken for this one's, and its lists for not complete"
_OPENED, _SIGNED = "patient-view", "order-sign"
_LASTING = 365
"""Days after which an order that nobody carried out is forgotten."""


def _is_ordered(entry: Entry, read: Prefetched, today: int) -> bool:
    if entry.kind != "order":
        return False
    return entry in read.drafted or entry.start is None or entry.start.high >= today - _LASTING


def _identified(patient: Retrieved, name: str) -> Retrieved:
    """Return the Patient with the id it was asked for, where it came without one."""
    return patient._replace(entries=tuple(_named(entry, name) for entry in patient.entries))


def _named(entry: Json, name: str) -> Json:
    resource = entry.get("resource")
    if isinstance(resource, dict) and resource.get("resourceType") == "Patient" and "id" not in resource:
        return {**entry, "resource": {**resource, "id": name}}
    return entry
