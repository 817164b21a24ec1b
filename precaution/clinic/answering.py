"""Answers given on a patient's page: checked, kept in a store, and heeded at once by the page and the list.

It is the store of `precaution serve`, so that cards, `assess --store` and `cohort --store` heed the same answers.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from precaution.assessment import find_ask
from precaution.engine.decision import decided
from precaution.errors import StoreError, UsageError
from precaution.service.clinician_answers import days_of, evidence_about, facts_with_answers, finished
from precaution.service.store import UNREADABLE, Answer, Kept, TrailEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from precaution.engine.answer import Decision
    from precaution.knowledge.model import Ask, Label
    from precaution.service.store import Store
    from precaution.values.record import Record

SERVER = "local"
"""Under which name patients are kept where no FHIR server is named."""
CLIENT = "clinic"
_WHO = re.compile(r"\w[\w .,'’/()-]{1,99}")
_ROLE = re.compile(r"[A-Za-z][A-Za-z -]{0,63}")
_REASON = 500


class KeptAnswerLine(NamedTuple):
    """An answer that is kept, as a page shows it."""

    number: str
    question: str
    kept: Answer


class ClinicAnswers:
    """The answers of the patients of one server, in a store; of one day."""

    def __init__(self, store: Store, server: str, label: Label, today: int, *, lasting: bool = True) -> None:
        """`today`: an ordinal; `lasting`: whether the store outlives the pages."""
        self._store, self._server, self._label, self._today = store, server, label, today
        self.lasting = lasting

    @property
    def day(self) -> date:
        """The day for which is decided and answered."""
        return date.fromordinal(self._today)

    def kept(self, person: str) -> Kept:
        """Return what is kept of a patient; UNREADABLE where the store can't say: nothing is milder then."""
        try:
            return self._store.kept(self._server, person, self.day.isoformat())
        except StoreError:
            return UNREADABLE

    def state(self) -> str:
        """Return a text that is another one after each answer. Raises StoreError."""
        return self._store.answers_state()

    def patients(self) -> frozenset[str]:
        """Return of whom anything is kept. Raises StoreError."""
        return self._store.patients(self._server)

    def decide(self, record: Record, kept: Kept) -> Decision:
        """Return the decision on a patient with what is kept."""
        facts = facts_with_answers(record, kept, self._label, self._today)
        return finished(decided(facts).decision, kept, self._label)

    def viewed(self, person: str) -> None:
        """Note in the audit trail that a patient's page was looked at. Where it can't be noted the page says so."""
        try:
            self._store.note(TrailEvent(kind="read", client=CLIENT, server=self._server, patient=person))
        except StoreError:
            return

    def lines(self, kept: Kept) -> Iterator[KeptAnswerLine]:
        """Yield what is kept as a page shows it."""
        for each in kept.answers:
            if each.ask in self._label.asks:
                ask = self._label.asks[each.ask]
                yield KeptAnswerLine(ask.number, ask.question, each)

    def latest_day(self, ask: Ask) -> str:
        """Return the last day on which an answer that makes something milder can count; nothing where none does."""
        most = max((self._days(ask, word) for word in ask.reassures), default=0)
        return (self.day + timedelta(days=most)).isoformat() if most else ""

    def keep(self, person: str, record: Record, fields: Mapping[str, Sequence[str]]) -> Answer:
        """Keep what a form says, and return it. Raises UsageError where it is no answer, StoreError if not kept."""
        made = self._answer(record, self.kept(person), fields)
        self._store.answer(self._server, person, [made], client=CLIENT)
        return made

    def take_back(self, person: str, fields: Mapping[str, Sequence[str]]) -> None:
        """Take an answer back, as given in error. Raises UsageError where there is none, StoreError if not kept."""
        number, who, reason = _one(fields, "id"), _who(fields), _reason(fields, needed=True)
        known = number.isascii() and number.isdigit() and len(number) < 18
        if not known or not self._store.withdraw(self._server, person, int(number), who, client=CLIENT, reason=reason):
            raise UsageError("there is no such answer, or it was taken back before")

    def _answer(self, record: Record, kept: Kept, fields: Mapping[str, Sequence[str]]) -> Answer:
        ask = find_ask(_one(fields, "ask"), self._label)
        word = _one(fields, "answer")
        if word not in ask.answers:
            raise UsageError(f"choose one answer: {', '.join(ask.answers)}")
        softens = word in ask.reassures
        facts = facts_with_answers(record, kept, self._label, self._today)
        return Answer(
            ask=ask.name,
            answer=word,
            day=self._day(ask, fields).isoformat(),
            who=_who(fields),
            role=_role(fields),
            statement=ask.of,
            reason=_reason(fields, needed=softens),
            expires=self._expiry(ask, word, _one(fields, "expires")) if softens else "",
            seen=evidence_about(facts, [ask.name])[ask.name],
        )

    def _days(self, ask: Ask, word: str) -> int:
        return days_of(ask, word, self._label, self._store.terms)

    def _day(self, ask: Ask, fields: Mapping[str, Sequence[str]]) -> date:
        """Return the day of which an answer is: today, or the one that the question asks for."""
        if not ask.day:
            return self.day
        day = _as_day(_one(fields, "day"), f"say the day: {ask.day}")
        if day > self.day:
            raise UsageError(f"the day must not be after {self.day}: {ask.day}")
        return day

    def _expiry(self, ask: Ask, word: str, wanted: str) -> str:
        latest = self.day + timedelta(days=self._days(ask, word))
        day = _as_day(wanted, "say until when the answer counts") if wanted else latest
        if not self.day <= day <= latest:
            raise UsageError(f"the answer can count from {self.day} to {latest}, not until {day}")
        return day.isoformat()


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the only value of a field. Raises UsageError where there are several, as yes and no at once."""
    values = fields.get(name, ())
    if len(values) > 1:
        raise UsageError(f"{name} is given more than once; give one")
    return values[0].strip() if values else ""


def _who(fields: Mapping[str, Sequence[str]]) -> str:
    who = _one(fields, "who")
    if not _WHO.fullmatch(who):
        raise UsageError("say who answers: a name, or as Practitioner/12")
    return who


def _role(fields: Mapping[str, Sequence[str]]) -> str:
    role = _one(fields, "role")
    if not _ROLE.fullmatch(role):
        raise UsageError("say in which role: a word or two, as rheumatologist")
    return role


def _reason(fields: Mapping[str, Sequence[str]], *, needed: bool) -> str:
    reason = _one(fields, "reason")
    if needed and not reason:
        raise UsageError("give a reason")
    if len(reason) > _REASON:
        raise UsageError(f"the reason is longer than {_REASON} characters")
    return reason


def _as_day(text: str, otherwise: str) -> date:
    """Return an ISO day. Raises UsageError, which says `otherwise`, where it is none."""
    try:
        if len(text) != len("2025-03-01"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(otherwise) from None
