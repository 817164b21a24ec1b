"""Lists labels: of which drug, text, region and date each is, how much of its text is read, and how much is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precaution.writers.layout import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precaution.knowledge.model import Label

NOT_TOLD = "not told"


def label_in_short(label: Label) -> dict[str, Any]:
    """Return what one line about a label says: names, source, coverage of its text and signed readings as counts."""
    says = label.says.values()
    told: Any = label.about.get("provenance", {})
    return {
        "name": label.name,
        "title": label.title,
        "version": label.version,
        "text": str(told.get("text", NOT_TOLD)),
        "region": str(told.get("region", NOT_TOLD)),
        "date": str(told.get("date", NOT_TOLD)),
        "digest": label.digest,
        "sentences": len(label.says),
        "read": sum(each.role != "unread" and not each.suspect for each in says),
        "suspect": sum(bool(each.suspect) for each in says),
        "rules": len(label.rules),
        "duties": len(label.duties),
        "signed": sum(each.state == "signed" for each in label.signed.values()),
    }


def labels_in_text(labels: Sequence[Label]) -> str:
    """Return two lines or more for each label: what it is, and how far it is read and signed."""
    return "\n".join("\n".join(_lines(label_in_short(each))) for each in labels) + "\n"


def _lines(told: dict[str, Any]) -> list[str]:
    readings = told["rules"] + told["duties"]
    suspect = f", {told['suspect']} suspect" if told["suspect"] else ""
    return [
        *columns(told["name"], f"{told['title']}, version {told['version']}", "", left=_NAME),
        *columns("", f"Region: {told['region']}. Date: {told['date']}. Text: {told['text']}.", "", left=_NAME),
        *columns(
            "",
            f"{told['read']} of {told['sentences']} sentences are read{suspect}; {told['rules']} rules and "
            f"{told['duties']} duties, {told['signed']} of {readings} readings are signed.",
            "",
            left=_NAME,
        ),
    ]


_NAME = 16
"""Columns for a label's name."""
