"""Loads a label's folder, and refuses what is wrong with it.

    label.toml              name, version, title, [about...], [actions], [therapy], [records]
    concepts.toml           [concept.x]: what is known of a code list besides its codes
    topics/<topic>.toml     sentences, parameters, facts, asks, rules, duties, measures
    topics/<topic>.cases.toml   see `precaution.cases.load`; not read here
    codes/<concept>.csv     system,code,...
    codes/omop/concept_ids.csv  system,code,concept_id,...

`folder` reads the files, `expansion` writes out what they say once, `assembly` makes of it the dataclasses of
`precaution.knowledge.model`, `linking` checks what they say of each other. The first thing that is wrong is a
KnowledgeError with file, table and key.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from precaution.errors import UsageError, did_you_mean
from precaution.knowledge import folder as files
from precaution.knowledge.assembly import Gathered, gather
from precaution.knowledge.computed_facts import Dose
from precaution.knowledge.linking import linked
from precaution.knowledge.model import Label
from precaution.knowledge.policy import applied, read_policy
from precaution.knowledge.sections import SITE
from precaution.knowledge.shared_codes import unlisted_of
from precaution.knowledge.signatures import contents, read_signatures, sign_offs
from precaution.knowledge.site import (
    LocalCodes,
    SiteFolder,
    check_lists,
    check_outcome,
    local_codes,
    site_folder,
    site_tables,
)
from precaution.knowledge.source_settings import NOTHING_SAID
from precaution.knowledge.terminology import Concept, build
from precaution.knowledge.toml import Place
from precaution.labels import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from precaution.knowledge.policy import Policy

LABELS = Path(__file__).parent.parent / "labels"
"""The labels that come with the package."""

__all__ = ["LABELS", "find_label", "labels", "load_label", "read_label"]


def load_label(name_or_path: str | Path = DEFAULT, *, policy: Path | None = None, codes: Iterable[Path] = ()) -> Label:
    """Return a label, with a site's `policy` and its further code lists (folders) where given.

    `name_or_path` is the name of a label of the package, or a label's folder. Read once, and anew where a file that
    is not the package's has changed since. Raises UsageError where there is no such label, file or folder, and
    KnowledgeError where something in it is wrong.
    """
    where = find_label(name_or_path).absolute(), policy and policy.absolute(), tuple(each.absolute() for each in codes)
    return _read_once(*where, _stamps(*where))


def _stamps(folder: Path, policy: Path | None, codes: tuple[Path, ...]) -> tuple[tuple[str, int, int], ...]:
    """Return name, time of change and size of each file, which tell one state of the files from another.

    Those of a label of the package are left out: they don't change while it runs, and there are many.
    """
    packaged = folder.parent == LABELS
    parts = files.site_parts(folder, policy, codes) if packaged else files.parts(folder, policy, codes)
    states = [(name, path.stat()) for name, path in parts]
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)


def labels() -> tuple[str, ...]:
    """Return the names of the labels that come with the package."""
    return tuple(sorted(path.parent.name for path in LABELS.glob("*/label.toml")))


def find_label(name_or_path: str | Path) -> Path:
    """Return the folder of a label. Raises UsageError where there is none."""
    known = labels()
    if name_or_path in known:
        return LABELS / name_or_path
    path = Path(name_or_path)
    if (path / "label.toml").is_file():
        return path
    raise UsageError(
        f"there is no label '{name_or_path}'; labels here: {', '.join(known) or 'none'}; a folder "
        f"needs a label.toml.{did_you_mean(str(name_or_path), known)}"
    )


def read_label(folder: Path, policy: Path | None = None, codes: tuple[Path, ...] = ()) -> Label:
    """Return the label of `folder` as it is now; for what is raised see `load_label`."""
    choices = read_policy(policy) if policy else None
    sites = [site_folder(each) for each in codes if files.is_site(each)]
    gathered = _with_sites(folder, sites)
    lists = files.read_codes(folder, *codes)
    concepts = _with_doses(gathered)
    beside, local = _of_sites(sites, lists, concepts)
    parameters = applied(choices, gathered.parameters) if choices else gathered.parameters
    for topic in gathered.head["reasons"]:
        if topic not in gathered.topics:
            hint = did_you_mean(topic, gathered.topics)
            raise Place("label.toml", "actions.reasons").error(f"no topic is called '{topic}'.{hint}")
    label = Label(
        **gathered.head,
        digest=files.digest(folder, policy, codes),
        says=gathered.says,
        parameters=parameters,
        facts=gathered.facts,
        asks=gathered.asks,
        rules=gathered.rules,
        duties=gathered.duties,
        measures=gathered.measures,
        concepts=files.all_concepts(concepts, {**beside, **lists}),
        topics=_in_order(gathered),
        terminology=build(
            lists,
            concepts,
            files.read_ids(folder, *codes),
            unlisted_of(folder, lists, {name: each for name, each in gathered.concepts.items() if name in lists}),
            choices.source if choices else NOTHING_SAID,
            build(beside, {name: Concept(name=name) for name in beside if name not in lists}) if sites else None,
            local,
        ),
        policy=_changes(choices, codes, sites),
        limits=gathered.limits,
        complete_lists=choices.complete if choices else frozenset(),
    )
    return _signed(linked(label), folder, policy, codes, only=bool(choices and choices.signed_only))


def _with_sites(folder: Path, sites: Iterable[SiteFolder]) -> Gathered:
    """Return the tables of a label's folder, and of sites' folders beside it, of which nothing can soften the label."""
    topics = {name: tables for site in sites for name, tables in site_tables(site)}
    gathered = gather(folder, topics)
    for section, outcomes in (("rule", gathered.rules), ("duty", gathered.duties)):
        for each in outcomes.values():
            if each.topic.startswith(SITE):
                check_outcome(each, section)
    return gathered


def _of_sites(
    sites: Iterable[SiteFolder], lists: files.Lists, concepts: Mapping[str, Concept]
) -> tuple[files.Lists, LocalCodes]:
    """Return the code lists and the local codes of sites' folders. Raises KnowledgeError for a wrong one."""
    found: files.Lists = {}
    local: LocalCodes = {}
    for site in sites:
        own = files.read_site_lists(site.path)
        described = {name for name, each in concepts.items() if each.topic.startswith(SITE)}
        check_lists(site, own, lists, described)
        for name, rows in own.items():
            found.setdefault(name, []).extend(rows)
        for name in described:
            found.setdefault(name, [])
        for pair, names in local_codes(site, {*lists, *found}).items():
            local[pair] = tuple(dict.fromkeys((*local.get(pair, ()), *names)))
    return found, local


def _with_doses(gathered: Gathered) -> dict[str, Concept]:
    """Return the described concepts, with those marked of which a fact asks for the dose."""
    dosed = {name for fact in gathered.facts.values() if isinstance(fact, Dose) for name in fact.dose}
    return gathered.concepts | {
        name: replace(gathered.concepts.get(name) or Concept(name=name), dosed=True) for name in sorted(dosed)
    }


def _signed(label: Label, folder: Path, policy: Path | None, codes: tuple[Path, ...], *, only: bool) -> Label:
    """Return the label with what clinicians said of its readings; without a file of it nothing is worked out."""
    path = files.signature_file(folder, policy)
    if path is None:
        return replace(label, signed_only=only) if only else label
    now = contents(label, folder, codes)
    return replace(label, signed=sign_offs(label, read_signatures(path), now), signed_only=only)


@lru_cache(maxsize=32)
def _read_once(folder: Path, policy: Path | None, codes: tuple[Path, ...], stamps: object) -> Label:  # noqa: ARG001
    return read_label(folder, policy, codes)


def _in_order(gathered: Gathered) -> tuple[str, ...]:
    """Return the topics in the order in which the label's text comes to them."""
    first = {
        topic: min((says.start for says in gathered.says.values() if says.topic == topic), default=10**9)
        for topic in gathered.topics
    }
    return tuple(sorted(gathered.topics, key=lambda topic: (first[topic], topic)))


def _changes(policy: Policy | None, codes: tuple[Path, ...], sites: Iterable[SiteFolder] = ()) -> Mapping[str, object]:
    changes: dict[str, object] = dict(policy.parameter) if policy else {}
    if names := ", ".join(site.name for site in sites):
        changes["site"] = names
    if policy and policy.signed_only:
        changes["signed-only"] = True
    if policy and policy.complete:
        changes["lists"] = tuple(sorted(policy.complete))
    if policy and policy.source.zone:
        changes["zone"] = policy.source.zone
    if policy and policy.source.standing_notes:
        changes["standing-notes"] = len(policy.source.standing_notes)
    if more := sorted({name for folder in codes for name in files.names_of_lists(folder)}):
        changes["codes"] = tuple(more)
    return changes
