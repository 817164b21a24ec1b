"""What `precaution cohort --compare` prints of two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precaution.cohort.comparison import Because, Comparison, OtherAnswer

FEW = 20
"""How many patients are shown; JSON has all."""


def comparison_in_text(found: Comparison) -> str:
    """Return who gets another answer: how many from what to what, by which sentence, and the first patients."""
    other = sum(each.before != each.now for each in found.answers)
    same = len(found.answers) - other
    lines = [
        f"compared: {other} of {found.people} patients get another answer, {same} the same one for other reasons",
        f"the runs differ in: {', '.join(found.differ) or 'nothing'}",
        "",
        *(
            f"{number:>10}  {before or 'not decided'} -> {now or 'not decided'}"
            for (before, now), number in found.moves().items()
        ),
        *(f"{number:>10}  by {says}" for says, number in found.sentences().items()),
        "",
        *(_line(each) for each in found.answers[:FEW]),
    ]
    if found.answers[FEW:]:
        lines.append(f"and {len(found.answers) - FEW} more; --json lists all")
    return "\n".join(lines).rstrip("\n") + "\n"


def _line(each: OtherAnswer) -> str:
    moved = each.now if each.before == each.now else _moved(each.before, each.now)
    person = "".join(letter if letter.isprintable() else "?" for letter in each.person)
    return f"{person}  {moved}  ({'; '.join(map(_because, each.because)) or 'other patient data'})"


def _moved(before: str, now: str) -> str:
    return f"{before or 'not decided'} -> {now or 'not decided'}"


def _because(each: Because) -> str:
    return f"{each.name} {each.before or 'not there'} -> {each.now or 'not there'}, {' '.join(each.cites)}"


def comparison_as_dict(found: Comparison) -> dict[str, object]:
    """Return the comparison as plain data for JSON."""
    return {
        "people": found.people,
        "differ": list(found.differ),
        "moves": [{"before": a, "now": b, "patients": number} for (a, b), number in found.moves().items()],
        "sentences": found.sentences(),
        "answers": [
            {**each._asdict(), "because": [{**b._asdict(), "cites": list(b.cites)} for b in each.because]}
            for each in found.answers
        ],
    }
