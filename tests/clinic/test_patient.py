"""A patient's page: the decision with its sources, the timeline as pictures and as tables, the checklist."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")

from precaution.clinic.settings import ClinicSettings, EventMark, ResultChart, load_clinic
from precaution.clinic.trends import FOOT, HEIGHT, LEFT, RIGHT, TOP, WIDTH, TimelineMaker
from precaution.errors import KnowledgeError
from precaution.service.cards.vocabulary import load_vocabulary
from precaution.values.interval import Interval, exactly
from precaution.values.record import Entry, Record
from support.clinic_pages import FOLDER, TODAY, Visitor, clinic_of, order, people, person, result
from support.ndjson_sources import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precaution.clinic.trends import TimelineView, TrendChart

DAY = date.fromisoformat(TODAY).toordinal()
SETTINGS = load_clinic(FOLDER, LABEL)
VOCABULARY = load_vocabulary(FOLDER, LABEL)


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    made = Visitor(clinic_of(tmp_path_factory.mktemp("clinic"), people(), "everybody"))
    yield made
    made.close()


def test_the_verdict_comes_first_with_why_and_next(visitor: Visitor) -> None:
    text = visitor.patient("followed").text
    places = [text.index(each) for each in ("followed", "■ interrupt", "Neutrophils 0.8, below 1", "To do", "Timeline")]
    assert places == sorted(places)


def test_a_reason_has_its_sentence_and_its_entry(visitor: Visitor) -> None:
    """Two steps from the list: the patient's page holds the reference of the entry."""
    page = visitor.patient("followed")
    reasons = page.html.split('id="reasons"')[1].split('id="due"')[0]
    assert "S19" in reasons
    assert "Observation/followed-3" in reasons
    assert "0.8 ×10⁹/L, 2025-02-24" in reasons


def test_what_is_not_known_says_what_settles_it(visitor: Visitor) -> None:
    text = visitor.patient("ordered").text
    unknown = text.split("Not known", 2)[2]
    assert "To settle it: order neutrophils" in unknown
    assert "And not found" in text


def test_a_hold_is_shown_with_its_release(visitor: Visitor) -> None:
    page = visitor.patient("paused")
    assert "Before treatment may resume" in page.text
    assert "May resume when: Neutrophils 1 ×10⁹/L or more" in page.text


@pytest.mark.parametrize("span", ["6", "12", "all", "", "no-such"])
def test_the_timeline_goes_back_as_far_as_asked(visitor: Visitor, span: str) -> None:
    page = visitor.patient("followed", f"?span={span}")
    chosen = [each["href"] for each in page.all("a") if each.get("aria-current") == "page"]
    assert [str(each).partition("span=")[2].partition("#")[0] for each in chosen] == [
        span if span in ("6", "12", "all") else "12"
    ]


def test_every_picture_says_what_it_shows_and_stands_in_a_table(visitor: Visitor) -> None:
    page = visitor.patient("followed", "?span=all")
    labels = [str(each["aria-label"]) for each in page.all("svg")]
    assert len(labels) == 1 + len(SETTINGS.charts)
    assert "Neutrophils: 3 results, the latest 0.8 ×10⁹/L, 2025-02-24. The table below holds them all." in labels
    table = page.html.split("<caption>Results</caption>")[1].split("</table>")[0]
    rows = re.findall(r"<tr><th.*?</tr>", table)
    cells = {re.sub(r"<.*?>", "", row.split("</th>")[0]): re.findall(r'number">(.*?)</td>', row) for row in rows}
    assert cells["2025-02-24"] == ["0.8", "", "&lt;9", "2", "no usable value", ""]
    assert cells["2025-01"][0] == "1.25"


# The pictures


def made(*entries: Entry, span: str = "12", settings: ClinicSettings = SETTINGS) -> TimelineView:
    found: dict[str, tuple[Entry, ...]] = {}
    for each in entries:
        found[each.concept] = (*found.get(each.concept, ()), each)
    return TimelineMaker(Record(entries=found), LABEL, settings, VOCABULARY, DAY, span).made(())


def chart(view: TimelineView, name: str) -> TrendChart:
    return next(each for each in view.charts if each.name == name)


def count(day: Interval | None, value: Interval | None, **more: object) -> Entry:
    return Entry("lab_anc", "result", "Observation/a", day, value=value, **more)  # type: ignore[arg-type]


def test_an_exact_result_is_a_point_and_the_limit_a_line_at_its_value() -> None:
    view = made(count(exactly(DAY - 10), exactly(1)), count(exactly(DAY), exactly(3)))
    first, last = chart(view, "neutrophils").points
    assert first.exact
    assert last.x1 == WIDTH - RIGHT
    assert first.x1 < last.x1
    assert first.y1 > last.y1
    assert [each.text for each in chart(view, "neutrophils").limits] == ["limit 1 ×10⁹/L"]
    assert chart(view, "neutrophils").limits[0].y == first.y1


@pytest.mark.parametrize(
    ("value", "foot", "top"),
    [
        (Interval(float("-inf"), 2, low_open=True, high_open=True), True, False),
        (Interval(2, float("inf"), high_open=True), False, True),
        (Interval(float("-inf"), float("inf"), low_open=True, high_open=True), True, True),
        (Interval(1.5, 2.5), False, False),
    ],
)
def test_an_uncertain_value_is_a_range_up_to_the_edge(value: Interval, foot: bool, top: bool) -> None:
    (point,) = chart(made(count(exactly(DAY - 10), value)), "neutrophils").points
    assert not point.exact
    assert point.usable
    assert (point.y1 == HEIGHT - FOOT) is foot
    assert (point.y2 == TOP) is top
    assert point.y2 < point.y1


def test_an_uncertain_day_is_a_range_of_days() -> None:
    (point,) = chart(made(count(Interval(DAY - 60, DAY - 30), exactly(2))), "neutrophils").points
    assert not point.exact
    assert point.x2 - point.x1 > 10


def test_a_result_without_a_usable_value_is_shown_and_joins_no_line() -> None:
    view = made(count(exactly(DAY - 10), None, note="the unit can't be read"))
    (point,) = chart(view, "neutrophils").points
    assert not point.usable
    assert view.days[0][1][0] == "no usable value"


def test_transaminases_are_drawn_as_multiples_of_their_own_upper_limit() -> None:
    entry = Entry("lab_alt", "result", "Observation/a", exactly(DAY), value=exactly(80))
    assert not chart(made(entry), "alt").points[0].usable, "no upper limit, no multiple"
    assert chart(made(entry._replace(upper=40)), "alt").points[0].text.startswith("2 × upper limit")


def test_what_is_planned_or_of_the_future_is_not_drawn() -> None:
    later, planned = count(exactly(DAY + 3), exactly(2)), count(exactly(DAY), None)._replace(kind="order")
    assert chart(made(later, planned), "neutrophils").points == []


def test_treatment_is_a_band_and_events_are_marks() -> None:
    taken = Entry("drug_baricitinib", "medication", "m", exactly(DAY - 100), status="active")
    ill = Entry("herpes_zoster", "condition", "c", exactly(DAY - 50), exactly(DAY - 40), status="ended")
    jab = Entry("vaccine_live", "immunization", "i", exactly(DAY - 200))
    view = made(taken, ill, jab)
    lanes = {lane.title: lane.bars for lane in view.lanes}
    assert list(lanes) == ["Baricitinib", "Reasons to interrupt", "Infections", "Vaccines"]
    (band,) = lanes["Baricitinib"]
    assert band.sure
    assert round(band.x + band.width) == WIDTH - RIGHT
    assert view.treatment == [band]
    assert lanes["Vaccines"][0].x < band.x < lanes["Infections"][0].x
    assert [row[2] for row in view.events] == ["Herpes zoster", "Baricitinib", "Live vaccine"]


def test_treatment_that_may_have_been_is_not_drawn_as_sure() -> None:
    stopped = Entry("drug_baricitinib", "medication", "m", exactly(DAY - 100), status="ended")
    bars = {lane.title: lane.bars for lane in made(stopped).lanes}["Baricitinib"]
    assert [bar.sure for bar in bars] == [False, True]


@pytest.mark.parametrize("back", [1, 30, 400, 4000, 30000, 700000])
def test_all_of_a_record_fits(back: int) -> None:
    view = made(count(exactly(DAY - back), exactly(2)), count(exactly(DAY), exactly(1e9)), span="all")
    assert 0 < len(view.months) <= 6 or back < 40
    assert all(LEFT <= each.at <= WIDTH - RIGHT for each in view.months)
    points = chart(view, "neutrophils").points
    assert points[0].x1 >= LEFT
    assert len(points) == 2
    assert all(TOP <= each.y1 <= HEIGHT - FOOT for each in points)


def test_values_and_days_of_any_size_are_drawn() -> None:
    for value in (0.0, 1e-9, -5.0, 1e300):
        view = made(count(exactly(DAY), exactly(value)), count(Interval(float("-inf"), float("inf")), exactly(2)))
        assert len(chart(view, "neutrophils").points) == 2
        assert chart(view, "neutrophils").ticks


# The checklist


def test_the_checklist_has_a_line_for_each_topic_that_asks_before_a_start(visitor: Visitor) -> None:
    text = visitor.patient("ordered", "/checklist").text
    for topic in ("Tuberculosis", "Hepatitis", "Blood counts", "Vaccines"):
        assert topic in text
    assert "ordered" in text
    assert "? screen" in text
    assert "Checked by" in text


def test_a_topic_without_anything_against_it_shows_what_was_looked_at(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    counts = [
        result(*each, "2025-02-24") for each in (("751-8", 4, "10*9/L"), ("731-0", 2, "10*9/L"), ("718-7", 13, "g/dL"))
    ]
    made = Visitor(
        clinic_of(tmp_path_factory.mktemp("clear"), person("p", order("2025-02-20", intent="plan"), *counts))
    )
    line = made.patient("p", "/checklist").text.split("Blood counts")[1].split("Hepatitis")[0]
    assert "● nothing found against it" in line
    assert "Neutrophils 4 ×10⁹/L, 2025-02-24" in line
    made.close()


def test_after_a_start_the_checklist_says_so(visitor: Visitor) -> None:
    assert "treatment has begun" in visitor.patient("followed", "/checklist").text
    assert "treatment has begun" not in visitor.patient("never", "/checklist").text


def test_a_patient_who_is_not_there_is_not_found(visitor: Visitor) -> None:
    for path in ("/patients/none", "/patients/none/checklist", "/patients/", "/patients/a/b/c"):
        assert visitor.get(path).status_code == 404


# clinic.toml


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[chart]\nx = { concept = "lab_ann" }', "has no code list 'lab_ann'. Did you mean 'lab_anc'"),
        ('[chart]\nx = { concept = "lab_anc", limits = ["x"] }', "has no limit or parameter 'x'"),
        ('[chart]\nx = { concept = "lab_anc", upper-limit = "x" }', "has no parameter 'x'"),
        ('[mark]\nx = { title = "X", concepts = ["x"] }', "has no code list 'x'"),
        ("[charts]", "charts"),
    ],
)
def test_what_is_wrong_in_clinic_toml_is_said(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "clinic.toml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="clinic.toml") as error:
        load_clinic(tmp_path, LABEL)
    assert says in str(error.value)


def test_a_label_without_clinic_toml_has_pages_all_the_same(tmp_path: Path) -> None:
    settings = load_clinic(tmp_path, LABEL)
    assert settings == ClinicSettings()
    assert made(settings=settings).charts == []


def test_what_clinic_toml_says_is_read() -> None:
    assert SETTINGS.charts["neutrophils"] == ResultChart(concept="lab_anc", limits=("anc-limit",))
    assert isinstance(SETTINGS.marks["infections"], EventMark)
