"""A site's own choices: other values for a label's parameters, which lists are complete, how its source is read.

    name = "Example clinic"
    [parameter]
    count-max-age = "14 days"
    [lists]
    complete = ["condition", "medication"]
    [reading]
    zone = "Europe/Berlin"

A choice must be of the same sort as the label's default: days for days, one of `choices` where there are any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from precaution.errors import UsageError, did_you_mean
from precaution.knowledge.source_settings import SourceSettings
from precaution.knowledge.toml import Place, Table, as_table, read, read_toml

if TYPE_CHECKING:
    from pathlib import Path

    from precaution.knowledge.model import Label, Parameter

Listed = Literal["condition", "result", "procedure", "immunization", "medication", "order"]
"""The kinds of entries of which a record holds a list."""

_FILE = re.compile(r"\w[\w.-]*")
_DAYS = re.compile(r"([0-9]{1,5}) days?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """`[lists]`: what the site says of its records."""

    complete: tuple[Listed, ...] = ()
    """Lists that hold everything for every patient: what is not in them is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A site's policy file."""

    file: str
    name: str = ""
    """Who made these choices."""
    parameter: Mapping[str, object] = field(default_factory=dict[str, object])
    """parameter = value."""
    signed_only: bool = False
    """Whether only signed readings count: a rule or duty that is not signed is shown as not reviewed, and the answer is
    then never milder than that something is to be obtained."""
    signatures: str = ""
    """The name of the file of signatures, beside the policy; where left out, that of the label's folder."""
    lists: Table = field(default_factory=dict[str, object])
    """See `[lists]`."""
    reading: Table = field(default_factory=dict[str, object])
    """See `source_settings`."""

    @property
    def source(self) -> SourceSettings:
        """What the site says of its own source."""
        return _source(self.reading, Place(self.file, "reading"))

    @property
    def complete(self) -> frozenset[str]:
        """The lists that the site says are complete."""
        return frozenset(read(Lists, self.lists, Place(self.file, "lists")).complete)


def read_policy(path: Path) -> Policy:
    """Return a site's policy. Raises UsageError where there is no file, KnowledgeError where it is wrong."""
    if not path.is_file():
        raise UsageError(f"there is no policy file {path}")
    policy = read(Policy, read_toml(path, path.name), Place(path.name), file=path.name)
    as_table(policy.parameter, Place(path.name, "parameter"))
    if policy.signatures and not _FILE.fullmatch(policy.signatures):
        raise Place(path.name, key="signatures").error("must be the name of a file beside the policy, without folders")
    return policy


def _source(table: Table, place: Place) -> SourceSettings:
    """Return what `[reading]` says. Raises KnowledgeError where it is wrong."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # takes some milliseconds that most runs need not spend

    found = read(SourceSettings, table, place)
    try:
        _ = ZoneInfo(found.zone) if found.zone else None
    except (KeyError, OSError, ValueError):
        raise place.at("zone").error(f"'{found.zone}' is no time zone; write it as Europe/Berlin") from None
    if not all(note.strip() for note in found.standing_notes):
        raise place.at("standing-notes").error("must hold the whole text of each note; an empty one is no note")
    return found


def applied(policy: Policy, parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Return the parameters with the site's values in place of the defaults.

    Raises KnowledgeError for a parameter that the label does not have, or a value of another sort.
    """
    changed = dict(parameters)
    for name, written in policy.parameter.items():
        place = Place(policy.file, "parameter", name)
        if name not in parameters:
            raise place.error(f"the label has no such parameter.{did_you_mean(name, parameters)}")
        changed[name] = _overridden(parameters[name], written, place)
    return changed


def with_policy(label: Label, policy: Policy) -> Label:
    """Return a new label that has the site's values for its parameters; for what is raised see `applied`."""
    # What is kept of one label must not serve another: the digest tells them apart.
    digest = f"{label.digest} {sorted(policy.parameter.items())}"
    return replace(label, parameters=applied(policy, label.parameters), digest=digest)


def measured(written: object, place: Place) -> float | bool | str:
    """Return what a parameter's `value` means: "28 days" is 28.0; numbers, true, false and words stay.

    Raises KnowledgeError for a text that begins like a number and isn't one of days.
    """
    if not isinstance(written, str):
        return written if isinstance(written, bool) else _number(written, place)
    if found := _DAYS.fullmatch(written):
        return float(found[1])
    if not written or not written[0].isalpha():
        raise place.error('must be a number, true, false, a word, or days as in "28 days"')
    return written


def _number(written: object, place: Place) -> float:
    if isinstance(written, (int, float)) and 0 <= written < 1e15:
        return float(written)
    raise place.error("must be a number, 0 or more")


def sort(written: str, value: float | bool | str) -> Literal["days", "number", "word", "true or false"]:
    """Return what sort of value a parameter has."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "word"
    return "days" if _DAYS.fullmatch(written) else "number"


def as_written(value: object) -> str:
    """Return a parameter's value as a TOML file writes it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _overridden(default: Parameter, raw: object, place: Place) -> Parameter:
    value, written = measured(raw, place), as_written(raw)
    wanted = sort(default.written, default.value)
    if sort(written, value) != wanted:
        raise place.error(f"must be {_ARTICLES[wanted]}, as the default {default.written} is")
    if default.choices and written not in default.choices:
        raise place.error(f"must be one of {', '.join(default.choices)}.{did_you_mean(written, default.choices)}")
    return replace(default, value=value, written=written, overridden=True)


_ARTICLES = {"days": "a number of days", "number": "a number", "word": "a word", "true or false": "true or false"}
