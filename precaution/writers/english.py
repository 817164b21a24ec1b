"""Writes expressions in plain English, from the same typed form that decides.

What clinicians read in the booklet and in `precaution explain` is therefore what runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from precaution.knowledge import model
from precaution.knowledge.expression import Among, And, Call, Compare, Expression, Literally, Name, Not, Or
from precaution.knowledge.fact import Fact
from precaution.knowledge.linking import named
from precaution.writers.layout import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.expression import Operator
    from precaution.knowledge.refers import Stage

_OPPOSITE: Mapping[Operator, Operator] = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_SPOKEN: Mapping[Operator, str] = {
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
    "==": "is",
    "!=": "is not",
}
_STAGES: Mapping[str, str] = {
    "before-start": "before a start",
    "on-treatment": "on treatment",
    "interrupted": "while interrupted",
}
_UNITS = {"10*9/L": "×10⁹/L", "10*12/L": "×10¹²/L", "Cel": "°C"}


def english(expression: Expression, label: model.Label) -> str:
    """Return `expression` in English, with the facts' titles: `Neutrophil count is below 1 ×10⁹/L`."""
    return capital(EnglishWriter(label).phrase(expression))


def opposite(expression: Expression) -> Expression:
    """Return what must be true for `expression` to be false, with `not` moved inwards."""
    match expression:
        case Not(operand):
            return operand
        case And(operands):
            return Or(tuple(map(opposite, operands)))
        case Or(operands):
            return And(tuple(map(opposite, operands)))
        case Compare(left, operator, right):
            return Compare(left, _OPPOSITE[operator], right)
        case _:
            return Not(expression)


def unit(ucum: str) -> str:
    """Return a UCUM unit as it is printed: `10*9/L` as `×10⁹/L`."""
    return _UNITS.get(ucum, ucum)


def capital(text: str) -> str:
    """Return `text` as the beginning of a sentence."""
    first = 1 if text.startswith("“") else 0
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :]


class EnglishWriter:
    """Writes the expressions of one label: it knows what each name in them stands for."""

    def __init__(self, label: model.Label) -> None:
        self.label = label
        self.named = named(label)

    def phrase(self, expression: Expression) -> str:
        """Return an expression for the middle of a sentence; `and` in `or`, and the reverse, in parentheses."""
        match expression:
            case And(operands):
                said = self._guarded(operands)
                return self.phrase(said) if said else " and ".join(map(self._part, operands))
            case Or(operands):
                return " or ".join(map(self._part, operands))
            case Not(operand):
                return self._negated(operand)
            case Compare():
                return self._comparison(expression)
            case Among(Name(name), words):
                return f"{self.title(name)} is {listed(map(_quoted, words), last='or')}"
            case Call(function, operand):
                return self._asked(function, operand)
            case Name(name):
                return self._asserted(name)
            case Literally(value):
                return _value(value)
            case _:
                assert_never(expression)

    def title(self, name: str) -> str:
        """Return what a name in an expression is called, for the middle of a sentence."""
        match self.named.get(name):
            case Fact(title=title):
                return _lower(title)
            case model.Ask(number=number):
                return f"the answer to {number}"
            case model.Parameter(name=parameter):
                return self.parameter(parameter)
            case _:
                return name

    def parameter(self, name: str) -> str:
        """Return a parameter's value, and that it is not the label's: `28 days (count-max-age, local policy)`."""
        parameter = self.label.parameters[name]
        whose = "the site's policy" if parameter.overridden else "local policy"
        return f"{parameter.written} ({name}, {whose})"

    def _part(self, operand: Expression) -> str:
        phrase = self.phrase(operand)
        if isinstance(operand, (And, Or)):
            return f"({phrase})"
        return _set_off(phrase) if isinstance(operand, Name) else phrase

    def _negated(self, operand: Expression) -> str:
        match operand:
            case Name(name):
                return self._denied(name)
            case And(operands) if said := self._guarded(operands):
                return self.phrase(said).replace(" is ", " is not ", 1)
            case Call("known" | "recorded", Name(name)) if isinstance(ask := self.named.get(name), model.Ask):
                return f"{ask.number} is not answered"
            case Call("known", Name(name)):
                return f"{self.title(name)} can't be told"
            case Call("recorded", Name(name)):
                return f"the record holds nothing on {self.title(name)}"
            case Compare() | Not():
                return self.phrase(opposite(operand))
            case Among(Name(name), words):
                return f"{self.title(name)} is neither {listed(map(_quoted, words), last='nor')}"
            case _:
                return f"it is not so that ({self.phrase(operand)})"

    def _guarded(self, operands: tuple[Expression, ...]) -> Expression | None:
        """Return the answer in `recorded(ask) and ask`: it is answered, and so; None for any other form."""
        match operands:
            case (Call("known" | "recorded", Name(name)), (Name(same) | Not(Name(same))) as answer) if name == same:
                return answer if isinstance(self.named.get(name), model.Ask) else None
            case _:
                return None

    def _asserted(self, name: str) -> str:
        match self.named.get(name):
            case model.Ask(number=number):
                return f"{number} is answered yes"
            case model.Parameter(name=parameter):
                return f"{parameter} is yes (local policy)"
            case _:
                return self.title(name)

    def _denied(self, name: str) -> str:
        match self.named.get(name):
            case model.Ask(number=number):
                return f"{number} is answered no"
            case model.Parameter(name=parameter):
                return f"{parameter} is no (local policy)"
            case _:
                return f"not “{self.title(name)}”"

    def _asked(self, function: str, operand: Expression) -> str:
        if function == "possible":
            said = _quoted(self.phrase(operand)) if isinstance(operand, Name) else self._part(operand)
            return f"possibly {said} (a question only)"
        name = operand.name if isinstance(operand, Name) else ""
        if isinstance(ask := self.named.get(name), model.Ask):
            return f"{ask.number} is answered"
        return (
            f"{self.title(name)} can be told"
            if function == "known"
            else f"the record holds something on {self.title(name)}"
        )

    def _comparison(self, expression: Compare) -> str:
        name, right = expression.left.name, expression.right
        start = f"{_set_off(self.title(name))} {_SPOKEN[expression.operator]}"
        if isinstance(right, Name):
            return f"{start} {_set_off(self.title(right.name))}"
        if isinstance(right.value, (str, bool)):
            return f"{start} {_value(right.value)}"
        return f"{start} {right.value:g}{self._unit_of(name)}"

    def _unit_of(self, name: str) -> str:
        """Return the unit of a name's numbers, with the space before it."""
        thing = self.named.get(name)
        return self.unit(thing) if isinstance(thing, Fact) else ""

    def unit(self, fact: Fact) -> str:
        """Return the unit in which a fact's numbers are compared, with the space before it; empty where it has none."""
        if getattr(fact, "times_upper_limit", False):
            return " × the upper limit of normal"
        if getattr(fact, "percent", False):
            return " %"
        if not hasattr(fact, "unit"):
            return ""
        known = self.label.concepts
        ucum = fact.unit or next((known[each].unit for each in fact.concepts() if each in known), "")
        return f" {unit(ucum)}" if ucum else ""

    def either(self, names: Iterable[str]) -> str:
        """Return names as `a, b or c`."""
        return listed(names, last="or")

    def listed(self, names: Iterable[str]) -> str:
        """Return names as `a, b and c`."""
        return listed(names)

    def ages(self, within: Mapping[Stage, str]) -> str:
        """Return how old a result may be, stages of one limit together."""
        stages: dict[str, list[str]] = {}
        for stage, parameter in within.items():
            stages.setdefault(parameter, []).append(_STAGES[stage])
        every = [
            f"not older than {self.parameter(parameter)}{'' if len(each) == len(_STAGES) else ' ' + listed(each)}"
            for parameter, each in stages.items()
        ]
        return listed(every) if every else ""


def _value(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _quoted(value) if isinstance(value, str) else f"{value:g}"


def _set_off(title: str) -> str:
    """Return a title in quotes where it would read as several operands: “age 65 or older”."""
    return _quoted(title) if "," in title.split(" (", maxsplit=1)[0] or {"and", "or"} & set(title.split()) else title


def _quoted(word: str) -> str:
    return f"“{word}”"


def _lower(text: str) -> str:
    """Return `text` for the middle of a sentence; abbreviations (`ALT`, `HBsAg`) stay as they are."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
