"""What a site says of its own source, so that its records are read rightly: `[reading]` of the policy.

[reading]
zone = "America/Chicago"
standing-notes = ["Results are limited to those released to the patient"]
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """`[reading]` of a policy."""

    zone: str = ""
    """The site's time zone, as `Europe/Berlin`: a time with an offset is of the day that it was there. Where left out a
    time is of the day on which it is written."""
    standing_notes: tuple[str, ...] = ()
    """Texts of messages (`processing`) that the source sends with each answer, whatever is in it: they say nothing of
    the answer that they come with."""


NOTHING_SAID = SourceSettings()
