"""Values as an author may write them, and what they stand for.

    "S01 S05"                      a list of names
    { after-start = "caution" }    both stages after the start of treatment
    "anc < anc-limit"              the number of a limit, in an expression ...
    "below {anc-limit}"            ... and with its unit, in a text
    limit = "anc-limit"            ... and as the value of a key that is a number

Names are written with `-` in all files; `_` is refused, with the name to write. Facts are called with `_` in answers,
and so from here on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from precaution.errors import did_you_mean
from precaution.knowledge.expression import spoken, written
from precaution.knowledge.refers import AFTER_START, STAGES, STAGES_AFTER_START, Refers, Stage
from precaution.knowledge.toml import Parsed, Place

PROSE = ("title", "tell", "resume", "reading", "question", "why", "means", "ours")
"""Keys whose texts are for people, and may name limits in braces."""
BRACES = re.compile(r"\{([^{}]*)\}")
_OURS = ("parameter", "fact", "ask", "rule or duty", "measure")
"""What is called as we like; a code list is called as its file, a sentence and an action as the label calls it."""
_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_][\w-]*""")


class Limit(NamedTuple):
    """A number that a sentence of the label states, with the name by which rules speak of it."""

    number: str
    """As an expression writes it: `0.5`."""
    written: str
    """With its unit, as people read it: `0.5 ×10⁹/L`."""


class Shorthand:
    """Writes out one value of a table, by the type of its field; what has no rule here stays as it is."""

    def __init__(self, limits: Mapping[str, Limit], key: str) -> None:
        self.limits = limits
        self.prose = key in PROSE
        self.shows = key == "tell"
        """Whether braces may also stand for the value of a fact."""

    def of(self, hint: Any, value: Any, place: Place) -> Any:
        """Return the plain form of a value that stands where a `hint` belongs."""
        if not isinstance(value, (str, list, dict)):
            return value
        if hint is float and isinstance(value, str):
            return self._number(value, place)
        if hint is str:
            return self._text(value, place) if self.prose and isinstance(value, str) else value
        origin, parts = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return _reference(parts[1], value, place)
        if origin in (Union, UnionType):
            wanted = [part for part in parts if part is not NoneType]
            return self.of(wanted[0], value, place) if len(wanted) == 1 else value
        if origin is tuple and isinstance(value, list):
            return [each for one in value for each in self._one(parts[0], one, place)]
        if origin is tuple:
            # Names have no spaces, so that a list of them needs no brackets.
            each = value.split() if isinstance(value, str) and _is_name(parts[0]) else [value]
            return self.of(hint, each, place)
        if origin is Mapping:
            return self._mapping(parts[0], parts[1], value, place)
        return self._expression(value, place) if isinstance(value, str) and hint is Parsed else value

    def _number(self, name: str, place: Place) -> float:
        if name in self.limits:
            return float(self.limits[name].number)
        raise place.error(f"must be a number, or the name of a limit.{did_you_mean(name, self.limits)}")

    def _one(self, hint: Any, value: Any, place: Place) -> list[Any]:
        """Return a member of a list; `after-start` is two."""
        return list(_stages(value, place)) if hint == Stage else [self.of(hint, value, place)]

    def _mapping(self, key: Any, hint: Any, value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            return self.of(hint, value, place)
        plain: dict[str, object] = {}
        for name, each in value.items():
            rewritten = self.of(hint, each, place.at(name))
            for one in _stages(name, place) if key == Stage else (_key(key, name, place),):
                if one in plain:
                    raise place.at(name).error(f"'{one}' stands there twice")
                plain[one] = rewritten
        return plain

    def _expression(self, text: str, place: Place) -> str:
        def token(found: re.Match[str]) -> str:
            if found[0][0] in "'\"":
                return found[0]
            refuse_underscores(found[0], place)
            return self.limits[found[0]].number if found[0] in self.limits else found[0]

        return _TOKEN.sub(token, text)

    def _text(self, text: str, place: Place) -> str:
        def word(found: re.Match[str]) -> str:
            name = found[1]
            if name in self.limits:
                return self.limits[name].written
            if not self.shows:
                raise place.error(f"no limit is called '{name}'.{did_you_mean(name, self.limits)}")
            refuse_underscores(name, place)
            return f"{{{spoken(name)}}}"

        return BRACES.sub(word, text)


def _is_name(hint: Any) -> bool:
    return get_origin(hint) in (Annotated, Literal)


def _reference(refers: Refers, value: Any, place: Place) -> Any:
    if refers.to not in _OURS or not isinstance(value, str):
        return value
    refuse_underscores(value, place)
    return spoken(value) if refers.to == "fact" else value


def _key(hint: Any, name: str, place: Place) -> Any:
    return _reference(get_args(hint)[1], name, place) if get_origin(hint) is Annotated else name


def _stages(value: Any, place: Place) -> tuple[Any, ...]:
    if value == AFTER_START:
        return STAGES_AFTER_START
    if value in STAGES:
        return (value,)
    words = (*STAGES, AFTER_START)
    hint = did_you_mean(value, words) if isinstance(value, str) else ""
    raise place.error(f"must be one of {', '.join(words)}.{hint}")


def refuse_underscores(name: str, place: Place) -> None:
    """Raise KnowledgeError for a name with `_`, which says how it is written now."""
    if "_" in name:
        raise place.error(f"'{name}' is now '{written(name)}'")
