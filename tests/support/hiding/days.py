"""Ways of writing when something was: other forms, less precise, elsewhere, a day that can't be, nothing."""

from __future__ import annotations

from support.hiding.kit import Changed, Json, Shown, masked, way, without

DATES = {
    "Observation": ("effectiveDateTime",),
    "Condition": ("onsetDateTime",),
    "Procedure": ("performedDateTime",),
    "Immunization": ("occurrenceDateTime",),
    "ServiceRequest": ("occurrenceDateTime",),
    "MedicationRequest": ("authoredOn",),
    "MedicationDispense": ("whenHandedOver",),
    "MedicationAdministration": ("effectiveDateTime",),
    "QuestionnaireResponse": ("authored",),
}
PLACEHOLDERS = ("1900-01-01", "0001-01-01", "9999-12-31")


def _dated(entry: Json, shown: Shown) -> tuple[str, str]:
    """Return the element and the day of an entry whose day is known, and not to come; else nothing."""
    for name in DATES.get(shown.kind, ()):
        written = str(entry.get(name) or "")[:10]
        if len(written) == 10 and written <= shown.patient.today.isoformat():
            return name, str(entry[name])[:10]
    return "", ""


def _redated(entry: Json, shown: Shown, written: str) -> Changed:
    name, _ = _dated(entry, shown)
    return shown.put({**entry, name: written}) if name else None


@way("servers whose clock is in UTC", leaves="undated")
def instant_in_utc(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, f"{_dated(entry, shown)[1]}T12:00:00Z")


@way("servers that keep the place's own clock", leaves="undated")
def instant_with_an_offset(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, f"{_dated(entry, shown)[1]}T10:15:30.123-05:00")


@way("systems that leave the offset out", leaves="undated")
def time_without_an_offset(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, f"{_dated(entry, shown)[1]}T08:00:00")


@way("databases that write dates without dashes", leaves="undated")
def day_without_dashes(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, _dated(entry, shown)[1].replace("-", ""))


@way("patients who remember the month", leaves="undated")
def only_the_month(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, _dated(entry, shown)[1][:7])


@way("patients who remember the year", leaves="undated")
def only_the_year(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, _dated(entry, shown)[1][:4])


@way("old databases, where a day must be there", leaves="undated")
def placeholder_of_1900(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, PLACEHOLDERS[0])


@way("programs whose empty day is the first one of all", leaves="undated")
def placeholder_of_the_year_1(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, PLACEHOLDERS[1])


@way("databases whose open end is the last day of all", leaves="undated")
def placeholder_of_the_year_9999(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, PLACEHOLDERS[2])


@way("an American form read by another program", leaves="undated")
def day_in_another_order(entry: Json, shown: Shown) -> Changed:
    year, month, day = _dated(entry, shown)[1].split("-") if _dated(entry, shown)[1] else ("", "", "")
    return _redated(entry, shown, f"{month}/{day}/{year}")


@way("consent rules that mask days", leaves="undated")
def day_masked(entry: Json, shown: Shown) -> Changed:
    name, _ = _dated(entry, shown)
    return shown.put({**without(entry, name), f"_{name}": masked()}) if name else None


@way("resources cut down by `_elements`", leaves="undated")
def day_left_out(entry: Json, shown: Shown) -> Changed:
    name, _ = _dated(entry, shown)
    return shown.put(without(entry, name)) if name else None


@way("laboratories that say when a result was issued, and no more", leaves="undated")
def issued_alone(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "issued": f"{day}T18:00:00+01:00"})


@way("collections over some hours", leaves="undated")
def result_of_a_period(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "effectivePeriod": {"start": day, "end": f"{day}T23:00:00Z"}})


@way("instruments that write instants", leaves="undated")
def result_of_an_instant(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "effectiveInstant": f"{day}T12:00:00.5Z"})


@way("schedules", leaves="undated")
def result_of_a_timing(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "effectiveTiming": {"event": [day]}})


@way("records that say in words when a disease began", leaves="undated")
def onset_in_words(entry: Json, shown: Shown) -> Changed:
    if shown.kind != "Condition":
        return None
    return shown.put({**without(entry, "onset", "recorded"), "onsetString": "some time ago"})


@way("eCQM patients, whose diseases last for a period", leaves="undated")
def onset_as_a_period(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Condition" or not name or "abatementDateTime" in entry:
        return None
    return shown.put({**without(entry, "onset"), "onsetPeriod": {"start": day}})


@way("problem lists that say when something was written down", leaves="undated")
def recorded_alone(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Condition" or not name:
        return None
    return shown.put({**without(entry, "onset", "recorded"), "recordedDate": day})


@way("problem lists that know that a disease is over, and not since when", leaves="undated")
def end_left_out(entry: Json, shown: Shown) -> Changed:
    return shown.put(without(entry, "abatement")) if "abatementDateTime" in entry else None


@way("problem lists that say in words when a disease was over", leaves="undated")
def end_in_words(entry: Json, shown: Shown) -> Changed:
    if "abatementDateTime" not in entry:
        return None
    return shown.put({**without(entry, "abatement"), "abatementString": "resolved"})


@way("a slip of the pen: an end before the start", leaves="undated")
def end_before_the_start(entry: Json, shown: Shown) -> Changed:
    name, _ = _dated(entry, shown)
    if shown.kind != "Condition" or not name or "abatementDateTime" not in entry:
        return None
    return shown.put({**entry, "onsetDateTime": entry["abatementDateTime"], "abatementDateTime": entry[name][:10]})


@way("reports that have the day, while their results have none", leaves="undated")
def day_of_the_report(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    report = {
        "resourceType": "DiagnosticReport",
        "id": "way-report",
        "status": "final",
        "subject": entry.get("subject"),
        "effectiveDateTime": day,
        "result": [{"reference": shown.source}],
    }
    return shown.put(without(entry, "effective"), report)


@way("panels that have the day, while their members have none", leaves="undated")
def day_of_the_panel(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    panel = {
        "resourceType": "Observation",
        "id": "way-panel",
        "status": "final",
        "code": {"text": "Panel of the day"},
        "subject": entry.get("subject"),
        "effectiveDateTime": day,
        "hasMember": [{"reference": shown.source}],
    }
    return shown.put(without(entry, "effective"), panel)


@way("procedures that last", leaves="undated")
def done_in_a_period(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Procedure" or not name:
        return None
    return shown.put({**without(entry, "performed"), "performedPeriod": {"start": day, "end": day}})


@way("procedures and vaccinations that a patient told of", leaves="undated")
def done_in_words(entry: Json, shown: Shown) -> Changed:
    stem = {"Procedure": "performed", "Immunization": "occurrence"}.get(shown.kind)
    return shown.put({**without(entry, stem), f"{stem}String": "last year"}) if stem else None
