"""Ways of writing when something was: other forms, less precise, elsewhere, a day that can't be, nothing."""

from __future__ import annotations

from support.hiding.kit import Changed, Json, Shown, masked, named_by_others, way, without

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
_MORE_DAYS = ("issued", "recorded", "dateAsserted")
_LENGTHS = frozenset({"dosageInstruction", "dispenseRequest", "daysSupply", "contained"})
"""What may say of its own when something began, or was."""
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


def _hidden(entry: Json, shown: Shown, **written: object) -> Changed:
    """Return the patient with the day of the entry hidden, wherever it stands; `written` in place of it.

    None where the day is not known, or where a report or a panel tells it all the same.
    """
    name, _ = _dated(entry, shown)
    if not name or named_by_others(shown) or not _LENGTHS.isdisjoint(entry) or "valueDate" in str(entry):
        return None
    return shown.put({**without(entry, name, *_MORE_DAYS), **written})


@way("servers whose clock is in UTC", leaves="dated")
def instant_in_utc(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, f"{_dated(entry, shown)[1]}T12:00:00Z")


@way("servers that keep the place's own clock", leaves="dated")
def instant_with_an_offset(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, f"{_dated(entry, shown)[1]}T10:15:30.123-05:00")


@way("systems that leave the offset out", leaves="dated")
def time_without_an_offset(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, f"{_dated(entry, shown)[1]}T08:00:00")


@way("databases that write dates without dashes", leaves="undated")
def day_without_dashes(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    return _hidden(entry, shown, **{name: day.replace("-", "")})


@way("patients who remember the month", leaves="dated")
def only_the_month(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, _dated(entry, shown)[1][:7])


@way("patients who remember the year", leaves="dated")
def only_the_year(entry: Json, shown: Shown) -> Changed:
    return _redated(entry, shown, _dated(entry, shown)[1][:4])


@way("old databases, where a day must be there", leaves="undated")
def placeholder_of_1900(entry: Json, shown: Shown) -> Changed:
    return _hidden(entry, shown, **{_dated(entry, shown)[0]: PLACEHOLDERS[0]})


@way("programs whose empty day is the first one of all", leaves="undated")
def placeholder_of_the_year_1(entry: Json, shown: Shown) -> Changed:
    return _hidden(entry, shown, **{_dated(entry, shown)[0]: PLACEHOLDERS[1]})


@way("databases whose open end is the last day of all", leaves="undated")
def placeholder_of_the_year_9999(entry: Json, shown: Shown) -> Changed:
    return _hidden(entry, shown, **{_dated(entry, shown)[0]: PLACEHOLDERS[2]})


@way("an American form read by another program", leaves="undated")
def day_in_another_order(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    return _hidden(entry, shown, **{name: f"{day[5:7]}/{day[8:]}/{day[:4]}"})


@way("consent rules that mask days", leaves="undated")
def day_masked(entry: Json, shown: Shown) -> Changed:
    return _hidden(entry, shown, **{f"_{_dated(entry, shown)[0]}": masked()})


@way("resources cut down by `_elements`", leaves="undated")
def day_left_out(entry: Json, shown: Shown) -> Changed:
    return _hidden(entry, shown)


@way("laboratories that say when a result was issued, and no more", leaves="dated")
def issued_alone(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "issued": f"{day}T18:00:00+01:00"})


@way("collections over some hours", leaves="dated")
def result_of_a_period(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "effectivePeriod": {"start": day, "end": f"{day}T23:00:00Z"}})


@way("instruments that write instants", leaves="dated")
def result_of_an_instant(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Observation" or not name:
        return None
    return shown.put({**without(entry, "effective"), "effectiveInstant": f"{day}T12:00:00.5Z"})


@way("schedules", leaves="dated")
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


@way("eCQM patients, whose diseases last for a period", leaves="dated")
def onset_as_a_period(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Condition" or not name or "abatementDateTime" in entry:
        return None
    return shown.put({**without(entry, "onset"), "onsetPeriod": {"start": day}})


@way("problem lists that say when something was written down", leaves="dated")
def recorded_alone(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Condition" or not name:
        return None
    return shown.put({**without(entry, "onset", "recorded"), "recordedDate": day})


def _ends_another(shown: Shown) -> bool:
    """Whether an entry may end what a visit tells of: by its day alone is it known that it does not."""
    return any("encounter-diagnosis" in str(each.get("category")) for each in shown.put())


@way("problem lists that know that a disease is over, and not since when", leaves="dated")
def end_left_out(entry: Json, shown: Shown) -> Changed:
    return shown.put(without(entry, "abatement")) if "abatementDateTime" in entry and not _ends_another(shown) else None


@way("problem lists that say in words when a disease was over", leaves="dated")
def end_in_words(entry: Json, shown: Shown) -> Changed:
    if "abatementDateTime" not in entry or _ends_another(shown):
        return None
    return shown.put({**without(entry, "abatement"), "abatementString": "resolved"})


@way("a slip of the pen: an end before the start", leaves="dated")
def end_before_the_start(entry: Json, shown: Shown) -> Changed:
    name, _ = _dated(entry, shown)
    if shown.kind != "Condition" or not name or "abatementDateTime" not in entry or _ends_another(shown):
        return None
    return shown.put({**entry, "onsetDateTime": entry["abatementDateTime"], "abatementDateTime": entry[name][:10]})


@way("reports that have the day, while their results have none", leaves="dated")
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


@way("panels that have the day, while their members have none", leaves="dated")
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


@way("procedures that last", leaves="dated")
def done_in_a_period(entry: Json, shown: Shown) -> Changed:
    name, day = _dated(entry, shown)
    if shown.kind != "Procedure" or not name:
        return None
    return shown.put({**without(entry, "performed"), "performedPeriod": {"start": day, "end": day}})


@way("procedures and vaccinations that a patient told of", leaves="undated")
def done_in_words(entry: Json, shown: Shown) -> Changed:
    stem = {"Procedure": "performed", "Immunization": "occurrence"}.get(shown.kind)
    return shown.put({**without(entry, stem), f"{stem}String": "last year"}) if stem else None
