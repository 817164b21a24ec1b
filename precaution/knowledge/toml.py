"""Reads a TOML table into the dataclass that describes it; the type of a field says what may stand there.

A key is the field's name with `-` for `_`. An unknown key, a missing one or a value of the wrong type is a
KnowledgeError that names file, table and key. Nothing here knows what the tables mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from math import isfinite
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import tomli

from precaution.errors import KnowledgeError, did_you_mean
from precaution.knowledge.expression import parse
from precaution.knowledge.refers import STAGES, Refers, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.knowledge.expression import Expression

T = TypeVar("T")
Table = Mapping[str, object]


class Place(NamedTuple):
    """Where in a label's folder something stands."""

    file: str
    table: str = ""
    key: str = ""

    def __str__(self) -> str:
        """Return `topics/counts.toml [rule.low] when`."""
        return " ".join(part for part in (self.file, self.table and f"[{self.table}]", self.key) if part)

    def error(self, message: str) -> KnowledgeError:
        """Return the error that says what is wrong here."""
        return KnowledgeError(f"{self}: {message}")

    def at(self, key: str) -> Place:
        """Return the place of a key of this table."""
        return Place(self.file, self.table, f"{self.key}.{key}" if self.key else key)


class Parsed:
    """Stands for `Expression` while annotations are resolved: a union says nothing of how it is written."""


class Key(NamedTuple):
    """A field of a dataclass, as a key of its table."""

    field: str
    hint: Any
    required: bool


Convert = Callable[[object, Place], Any]
FILLED = frozenset({"uses", "overridden", "questionnaire", "dosed"})
"""Fields that the loader works out; no file may give them."""
_KEYS = {"expression": "is"}
"""Fields whose key is a word that Python keeps for itself."""
_NAMES = {"Mapping": Mapping, "Expression": Parsed}


def read_toml(path: Path, name: str) -> Table:
    """Return the tables of a file; `name` is what errors call it.

    Raises KnowledgeError where the file is not there, is not UTF-8 or is no TOML.
    """
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KnowledgeError(f"{name}: there is no such file") from None
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        raise KnowledgeError(f"{name}: can't be read as TOML: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return "its tables are nested too deeply" if isinstance(error, RecursionError) else str(error)


def read(kind: type[T], table: object, place: Place, **given: object) -> T:
    """Return `table` as a `kind`; `given` are the fields that the file does not say (its name, its topic).

    Raises KnowledgeError for what is unknown, missing or of the wrong type.
    """
    whole: Any = kind
    known = {key: column for key, column in columns(whole).items() if column.field not in given}
    rows = as_table(table, place)
    refuse_unknown(rows, known, place)
    for key, column in known.items():
        if column.required and key not in rows:
            raise place.error(f"'{key}' is missing")
    values = {known[key].field: _converter(known[key].hint)(value, place.at(key)) for key, value in rows.items()}
    return kind(**given, **values)


def refuse_unknown(table: Table, known: Mapping[str, object] | tuple[str, ...], place: Place) -> None:
    """Raise KnowledgeError for the first key of `table` that is not `known`."""
    for key in table:
        if key not in known:
            raise place.error(f"'{key}' is not known here.{did_you_mean(key, known)}")


def as_table(value: object, place: Place) -> Table:
    """Return `value` where it is a table; raise KnowledgeError where it is not."""
    if isinstance(value, dict):
        return value
    raise place.error("must be a table")


@cache
def columns(kind: Any) -> Mapping[str, Key]:
    """Return key -> field of a dataclass, for the keys that a file may give."""
    hints = get_type_hints(kind, localns=_NAMES, include_extras=True)
    return {
        _KEYS.get(each.name, each.name.replace("_", "-")): Key(
            each.name, hints[each.name], each.default is MISSING and each.default_factory is MISSING
        )
        for each in fields(kind)
        if each.name not in FILLED
    }


def references(thing: Any) -> Iterator[tuple[str, Refers, str]]:
    """Yield key, what it refers to and the name given, for every name that a field of `thing` holds."""
    kind: Any = type(thing)
    for key, field, hint in _referring(kind):
        for refers, name in _names(hint, getattr(thing, field)):
            yield key, refers, name


def expressions(thing: Any) -> Iterator[tuple[str, Expression]]:
    """Yield key and expression of every field of `thing` that holds one; of those by stage, each."""
    kind: Any = type(thing)
    for key, field, by_stage in _expressive(kind):
        value = getattr(thing, field)
        for each in value.values() if by_stage else (value,):
            if each is not None:
                yield key, each


@cache
def _referring(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    return tuple(
        (key, column.field, column.hint) for key, column in columns(kind).items() if _holds(column.hint, Refers)
    )


@cache
def _expressive(kind: Any) -> tuple[tuple[str, str, bool], ...]:
    return tuple(
        (key, column.field, get_origin(column.hint) is Mapping)
        for key, column in columns(kind).items()
        if _holds(column.hint, Parsed)
    )


def _holds(hint: Any, wanted: type) -> bool:
    return hint is wanted or isinstance(hint, wanted) or any(_holds(part, wanted) for part in get_args(hint))


def _names(hint: Any, value: Any) -> Iterator[tuple[Refers, str]]:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if value:
            yield parts[1], value
    elif origin is tuple:
        for each in value:
            yield from _names(parts[0], each)
    elif origin is Mapping:
        for key, each in value.items():
            yield from _names(parts[0], key)
            yield from _names(parts[1], each)


@cache
def _converter(hint: Any) -> Convert:
    """Return the function that makes a TOML value a value of this type, or raises KnowledgeError."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _converter(parts[0])
    if origin is Literal:
        return partial(_one_of, parts)
    if origin is tuple:
        return partial(_each, _converter(parts[0]))
    if origin is Mapping:
        return partial(_by_stage if parts[0] is Stage else _mapping, _converter(parts[0]), _converter(parts[1]))
    if origin in (Union, UnionType):
        wanted = tuple(part for part in parts if part is not NoneType)
        return _converter(wanted[0]) if len(wanted) == 1 else _scalar
    if is_dataclass(hint):
        return partial(_inner, hint)
    return _PLAIN[hint]


def _inner(kind: Any, value: object, place: Place) -> Any:
    """Return a table within a table."""
    return read(kind, value, place)


def _text(value: object, place: Place) -> str:
    if isinstance(value, str):
        return value
    raise place.error("must be a text in quotes")


def _truth(value: object, place: Place) -> bool:
    if isinstance(value, bool):
        return value
    raise place.error("must be true or false")


def _number(value: object, place: Place) -> float:
    # A whole number of TOML may have any size; no limit or unit here is near 10^15.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 and isfinite(value):
        return float(value)
    raise place.error("must be a number")


def _whole(value: object, place: Place) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return value
    raise place.error("must be a whole number, 0 or more")


def _scalar(value: object, place: Place) -> float | bool | str:
    return value if isinstance(value, (bool, str)) else _number(value, place)


def _expression(value: object, place: Place) -> Expression:
    text = " ".join(_text(value, place).split())
    try:
        return parse(text)
    except KnowledgeError as error:
        raise place.error(str(error)) from None


def _one_of(words: tuple[str, ...], value: object, place: Place) -> str:
    if isinstance(value, str) and value in words:
        return value
    hint = did_you_mean(value, words) if isinstance(value, str) else ""
    raise place.error(f"must be one of {', '.join(words)}.{hint}")


def _each(convert: Convert, value: object, place: Place) -> tuple[object, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(convert(each, place) for each in values)


def _mapping(key: Convert, convert: Convert, value: object, place: Place) -> dict[str, object]:
    return {key(name, place): convert(each, place.at(name)) for name, each in as_table(value, place).items()}


def _by_stage(stage: Convert, convert: Convert, value: object, place: Place) -> dict[str, object]:
    """Return a value by stage; one value alone stands for every stage."""
    if isinstance(value, dict):
        return _mapping(stage, convert, value, place)
    alone = convert(value, place)
    return dict.fromkeys(STAGES, alone)


_PLAIN: Mapping[Any, Convert] = {
    str: _text,
    bool: _truth,
    float: _number,
    int: _whole,
    object: lambda value, _: value,
    Parsed: _expression,
}
