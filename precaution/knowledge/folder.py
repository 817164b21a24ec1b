"""The files of a label's folder: which there are, their digest, and the code lists among them."""

from __future__ import annotations

import csv
from hashlib import sha256
from typing import TYPE_CHECKING

from precaution.errors import KnowledgeError, UsageError, did_you_mean
from precaution.knowledge import shared
from precaution.knowledge.check_digits import well_formed
from precaution.knowledge.formulas import file_of, formulas
from precaution.knowledge.terminology import HIERARCHICAL, IDS, Concept, read_concept_ids, read_lists
from precaution.knowledge.toml import Place, read_toml
from precaution.knowledge.unlisted import files as files_of_unlisted
from precaution.values.record import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import Path

SITE_FILE = "site.toml"
"""What a site's own folder begins with."""
SIGNATURES = "signatures.jsonl"
"""The file of a label's folder that holds what clinicians said of its readings, a line each."""
Lists = dict[str, list[tuple[str, str]]]

_SHAPELESS = ("RxNormExt", "HL7v3-ObservationInterpretation")
"""Code systems whose codes have neither a check digit nor a shape."""


def topic_files(folder: Path) -> tuple[Path, ...]:
    """Return the topic files, without the cases."""
    return tuple(path for path in sorted(folder.glob("topics/*.toml")) if not path.name.endswith(".cases.toml"))


def digest(folder: Path, policy: Path | None = None, codes: tuple[Path, ...] = ()) -> str:
    """Return the SHA-256 (hex) of everything that can change an answer; it does not depend on where files are."""
    whole = sha256()
    for name, path in parts(folder, policy, codes):
        content = path.read_bytes()
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def parts(folder: Path, policy: Path | None, codes: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Yield every file that can change an answer, with a name that does not depend on where it is."""
    yield from own_parts(folder)
    yield from shared_parts(folder)
    yield from formula_parts(folder)
    yield from site_parts(folder, policy, codes)


def own_parts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a label's folder that can change an answer, as `parts` does."""
    own = [
        folder / "label.toml",
        folder / "concepts.toml",
        *topic_files(folder),
        *folder.glob("codes/*.csv"),
        folder / "codes" / IDS,
        *files_of_unlisted(folder / "codes"),
    ]
    yield from sorted((path.relative_to(folder).as_posix(), path) for path in own if path.is_file())


def shared_parts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that a label takes of what labels share and that can change an answer, as `parts` does."""
    chapters = shared.chapters_of(read_toml(folder / "label.toml", "label.toml"))
    if not chapters:
        return
    concepts = shared.concepts_of(folder)
    taken = [
        *map(shared.file_of, chapters),
        *(path for path in shared.CODES.glob("*.csv") if path.name.split(".")[0] in concepts),
        shared.CODES / IDS,
        *files_of_unlisted(shared.CODES),
    ]
    names = ((path.relative_to(shared.FOLDER).as_posix(), path) for path in taken if path.is_file())
    yield from sorted((f"{shared.SECTION}/{name}", path) for name, path in names)


def formula_parts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of the formulas whose names stand in the label's topics, as `parts` does."""
    chapters = shared.chapters_of(read_toml(folder / "label.toml", "label.toml"))
    texts = [path.read_bytes() for path in (*topic_files(folder), *map(shared.file_of, chapters))]
    for name in formulas():
        if any(f'"{name}"'.encode() in text for text in texts):
            yield f"{shared.SECTION}/formulas/{name}.toml", file_of(name)


def site_parts(folder: Path, policy: Path | None, codes: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the files of a site that can change an answer, as `parts` does."""
    for more in codes:
        if is_site(more):
            every = [path for path in more.rglob("*") if path.suffix in (".toml", ".csv") and path.is_file()]
            kept = [path for path in every if not path.name.endswith(".cases.toml")]
            yield from sorted((f"site/{path.relative_to(more).as_posix()}", path) for path in kept)
            continue
        yield from ((f"more/{path.name}", path) for path in sorted(more.glob("*.csv")))
        if (more / IDS).is_file():
            yield f"more/{IDS}", more / IDS
    if policy:
        yield "policy", policy
    if signatures := signature_file(folder, policy):
        yield "signatures", signatures


def signature_file(folder: Path, policy: Path | None) -> Path | None:
    """Return the file of signatures that a site's policy names, or the one in the label's folder; None without one."""
    named = ""
    if policy and policy.is_file():
        named = str(read_toml(policy, policy.name).get("signatures", ""))
    found = policy.parent / named if policy and named else folder / SIGNATURES
    return found if found.is_file() else None


def read_codes(label: Path, *more: Path) -> Lists:
    """Return concept -> (system, code) rows of the lists of a label's folder, with what it takes and a site adds.

    Raises KnowledgeError for a list that can't be read or that adds to a concept the label does not have.
    """
    taken = shared.concepts_of(label)
    lists = _lists(shared.CODES, taken) if taken else {}
    for name, rows in _lists(label / "codes").items():
        lists.setdefault(name, []).extend(rows)
    known = frozenset(lists)
    for folder in more:
        if not folder.is_dir():
            raise UsageError(f"there is no folder of code lists {folder}")
        if is_site(folder):
            continue  # its lists stand beside the label's
        if not names_of_lists(folder) and not (folder / IDS).is_file():
            raise KnowledgeError(
                f"{folder.name}: there is no code list in this folder; name one with <concept>.csv files"
            )
        for name, rows in _lists(folder).items():
            if name not in known:
                raise Place(f"{folder.name}/{name}.csv").error(
                    f"the label has no code list of this name to add to.{did_you_mean(name, known)}"
                )
            _check_shapes(Place(f"{folder.name}/{name}.csv"), rows)
            lists[name].extend(rows)
    return lists


def list_files(label: Path) -> list[Path]:
    """Return the files of the code lists of a label's folder: its own, then those that it takes."""
    taken = shared.concepts_of(label)
    common = (path for path in shared.CODES.glob("*.csv") if path.name.split(".")[0] in taken)
    return [*sorted(label.glob("codes/*.csv")), *sorted(common)]


def badly_formed(system: str, code: str) -> bool:
    """Whether the shape or the check digit of a code, perhaps a prefix with a star, is wrong for its system."""
    plain = code.removesuffix("*").removesuffix(".") if system in HIERARCHICAL else code
    return system not in _SHAPELESS and not well_formed(system, plain)


def _check_shapes(place: Place, rows: Iterable[tuple[str, str]]) -> None:
    """Raise KnowledgeError that names every code of a site's list whose shape or check digit is wrong."""
    wrong = dict.fromkeys(f"{system} '{code}'" for system, code in rows if badly_formed(system, code))
    if wrong:
        raise place.error(f"the shape or the check digit of {', '.join(wrong)} is wrong; look it up anew")


def _lists(folder: Path, only: Container[str] | None = None) -> Lists:
    try:
        return read_lists(folder, only)
    except KnowledgeError as error:
        raise KnowledgeError(f"{folder.name}/{error}") from None
    except (OSError, UnicodeDecodeError, csv.Error, IndexError):
        raise KnowledgeError(f"{folder.name}: a list can't be read as UTF-8 with comma-separated columns") from None


def read_ids(label: Path, *more: Path) -> dict[int, tuple[str, str]]:
    """Return the OMOP concept ids that labels share, of a label's folder, and of a site's lists; the later go before.

    Raises KnowledgeError for a table that can't be read.
    """
    found: dict[int, tuple[str, str]] = {}
    for folder in (shared.CODES, label / "codes", *(each / "codes" if is_site(each) else each for each in more)):
        try:
            found |= read_concept_ids(folder)
        except KnowledgeError as error:
            raise KnowledgeError(f"{folder.name}/{error}") from None
        except (OSError, UnicodeDecodeError, csv.Error):
            raise KnowledgeError(
                f"{folder.name}/{IDS}: it can't be read as UTF-8 with comma-separated columns"
            ) from None
    return found


def read_site_lists(site: Path) -> Lists:
    """Return the code lists of a site's own folder. Raises KnowledgeError for one that can't be read."""
    found = _lists(site / "codes")
    for name, rows in found.items():
        _check_shapes(Place(f"{site.name}/codes/{name}.csv"), rows)
    return found


def is_site(folder: Path) -> bool:
    """Whether a folder is a site's own, and not only one of code lists."""
    return (folder / SITE_FILE).is_file()


def names_of_lists(folder: Path) -> set[str]:
    """Return the concepts that the lists of a folder are of."""
    folder = folder / "codes" if is_site(folder) else folder
    return {path.name.split(".")[0] for path in folder.glob("*.csv")}


def all_concepts(described: Mapping[str, Concept], lists: Lists) -> dict[str, Concept]:
    """Return every concept that has a code list, with what concepts.toml or a topic says of it.

    Raises KnowledgeError for a concept that is described and has no list.
    """
    for name, concept in described.items():
        if name not in lists and name not in UNREADABLE.values():
            file = f"topics/{concept.topic}.toml" if concept.topic else "concepts.toml"
            raise Place(file, f"concept.{name}").error(f"there is no codes/{name}.csv.{did_you_mean(name, lists)}")
    return {name: described.get(name) or Concept(name=name) for name in sorted({*lists, *described})}
