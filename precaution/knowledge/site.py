"""A site's own folder, beside a label: more rules and duties, code lists, and a table of its local codes.

    site.toml                 name = "Example clinic"
    topics/site-<topic>.toml  sentences of the site's own source, parameters, concepts, facts, rules, duties
    topics/site-<topic>.cases.toml
    codes/<concept>.csv       more codes of a concept of the label, or the codes of a concept of the site's
    local.csv                 system,code,concept: codes of systems of the site's own

What is the site's is called so everywhere: its topics, rules and duties begin with `site-`, its sentences with `SITE`.
It only adds. Nothing of the label can be changed here: a name of the label's can't be used again, a code of its lists
can't be moved, and a site's rule can't be a reason to resume. So no decision is milder than without the folder; a code
that the label does not know still raises what doubts it raised.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from precaution.errors import KnowledgeError, UsageError, did_you_mean
from precaution.knowledge.folder import SITE_FILE, is_site
from precaution.knowledge.sections import SITE
from precaution.knowledge.terminology import SYSTEMS
from precaution.knowledge.toml import Place, Table, as_table, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from precaution.knowledge.model import Duty, Rule

LOCAL_CODES = "local.csv"
SENTENCES = "SITE"
"""How the ids of a site's sentences begin."""
_SECTIONS = ("says", "parameter", "concept", "fact", "rule", "duty")
_OF_A_CONCEPT = ("unit", "plausible", "factors", "strengths", "why")
"""What a site may say of a concept of its own. Words are not among it: they could hide what the label's words mean."""
_COLUMNS = ["system", "code", "concept"]
LocalCodes = dict[tuple[str, str], tuple[str, ...]]


class SiteFolder(NamedTuple):
    """A site's folder, with the site's name."""

    path: Path
    name: str

    def topics(self) -> tuple[Path, ...]:
        """Return the topic files, without the cases."""
        found = sorted(self.path.glob("topics/*.toml"))
        return tuple(each for each in found if not each.name.endswith(".cases.toml"))


def site_folder(path: Path) -> SiteFolder:
    """Return a site's folder. Raises UsageError where it is none, KnowledgeError where site.toml is wrong."""
    if not is_site(path):
        raise UsageError(f'{path} holds no {SITE_FILE}; a site\'s folder begins with one: name = "Example clinic"')
    tables, place = read_toml(path / SITE_FILE, SITE_FILE), Place(SITE_FILE)
    refuse_unknown(tables, ("name",), place)
    name = tables.get("name")
    if not isinstance(name, str) or not name.strip():
        raise place.at("name").error("must be the name of the site, as answers show it")
    return SiteFolder(path, name.strip())


def site_tables(site: SiteFolder) -> Iterator[tuple[str, Table]]:
    """Yield name and tables of each topic file of a site. Raises KnowledgeError for one that is wrong."""
    for path in site.topics():
        name = f"topics/{path.name}"
        if not path.name.startswith(SITE):
            raise Place(name).error(f"a topic of a site begins with '{SITE}': call the file {SITE}{path.name}")
        tables = read_toml(path, name)
        refuse_unknown(tables, _SECTIONS, Place(name))
        _check_ids(tables, name)
        yield name, tables


def _check_ids(tables: Table, file: str) -> None:
    for name in as_table(tables.get("says", {}), Place(file, "says")):
        if not name.startswith(SENTENCES):
            raise Place(file, f"says.{name}").error(f"a sentence of a site begins with '{SENTENCES}', as {SENTENCES}1")
    for name, table in as_table(tables.get("concept", {}), Place(file, "concept")).items():
        place = Place(file, f"concept.{name}")
        refuse_unknown(as_table(table, place), _OF_A_CONCEPT, place)


def check_outcome(each: Rule | Duty, section: str) -> None:
    """Raise KnowledgeError for a rule or duty of a site that is not marked as such, or that could soften."""
    place = Place(f"topics/{each.topic}.toml", f"{section}.{each.name}")
    if not each.name.startswith(SITE):
        raise place.error(f"a {section} of a site begins with '{SITE}': call it {SITE}{each.name}")
    if foreign := next((name for name in each.cites if not name.startswith(SENTENCES)), ""):
        raise place.at("cites").error(
            f"'{foreign}' is a sentence of the label; a site's {section} cites its own source"
        )
    for key in ("release", "held"):
        if getattr(each, key, None) is not None:
            raise place.at(key).error("a site's rule interrupts while it holds; it can't be a reason to resume")


def check_lists(
    site: SiteFolder,
    added: Mapping[str, list[tuple[str, str]]],
    known: Mapping[str, Collection[object]],
    described: Collection[str],
) -> None:
    """Raise KnowledgeError for lists of a site of a concept that is not there, or that move a code of the label's.

    `known`: the label's lists by concept; `described`: concepts that topics of the site say something of.
    """
    for name, rows in added.items():
        place = Place(f"{site.path.name}/codes/{name}.csv")
        if name not in known and name not in described:
            hint = did_you_mean(name, {*known, *described})
            raise place.error(f"neither the label nor a topic of the site has a concept of this name.{hint}")
        for row in rows:
            if other := next((each for each, own in known.items() if each != name and row in own), ""):
                raise place.error(f"{row[0]} '{row[1]}' is on the label's list '{other}'; a site can't move it")


def local_codes(site: SiteFolder, concepts: Collection[str]) -> LocalCodes:
    """Return (system, code) -> concepts of a site's table of local codes; nothing where it has none.

    Raises KnowledgeError for a table that can't be read, a concept that is not there, and a code system that code lists
    are of: its codes belong into `codes/`.
    """
    path, name = site.path / LOCAL_CODES, f"{site.path.name}/{LOCAL_CODES}"
    found: LocalCodes = {}
    if not path.is_file():
        return found
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise KnowledgeError(f"{name}: it can't be read as UTF-8 with comma-separated columns") from None
    if not rows or rows[0][:3] != _COLUMNS:
        raise KnowledgeError(f"{name}: its first line must be {','.join(_COLUMNS)}")
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) < 3 or not all(each.strip() for each in row[:3]):
            raise KnowledgeError(f"{name}: line {line} must have a system, a code and a concept")
        system, code, concept = (each.strip() for each in row[:3])
        if system in SYSTEMS:
            raise KnowledgeError(f"{name}: line {line}: codes of {system} belong into codes/<concept>.csv")
        if concept not in concepts:
            hint = did_you_mean(concept, concepts)
            raise KnowledgeError(f"{name}: line {line}: no concept is called '{concept}'.{hint}")
        found[system, code] = tuple(dict.fromkeys((*found.get((system, code), ()), concept)))
    return found
