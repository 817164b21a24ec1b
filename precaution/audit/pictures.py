"""Draws the pictures of the report as SVG; a table beside each says the same, and no picture needs its colours."""

from __future__ import annotations

from base64 import b64encode
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

from precaution.errors import UsageError

try:
    import altair
    import vl_convert
    from scipy.stats import binom  # type: ignore[import-untyped]
except ImportError:  # pragma: no cover - tested where it is not installed
    raise UsageError("reports need altair: install it with `pip install '.[audit]'` in its folder") from None

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precaution.audit import Deciles, MeasureLine, MeasureResult

INK, OURS, THEIRS, BAND = "#1a1a1a", "#1f4e79", "#a34000", "#9db8d2"
WIDTH = 620
KNOWN = "of all counted those of whom it is known"
US, THEM = "this cohort", "published"
LABELS = altair.Axis(labelLimit=400, labelExpr="split(datum.label, '\\n')", labelLineHeight=14)
ROOM = {"left": 24, "right": 12, "top": 4, "bottom": 4}
"""Around a picture, in pixels: a browser's letters may be wider than those it was measured with."""
_Z = {0.95: 0.025, 0.998: 0.001}


class Picture(NamedTuple):
    """A picture, and what it shows in a sentence."""

    title: str
    says: str
    """The text for readers who do not see it; the numbers stand in the table beside it."""
    address: str
    """The SVG as a `data:` address."""


def shares(group: str, measures: Sequence[MeasureResult]) -> Picture | None:
    """Draw the shares of a group with their intervals, and published figures beside them; None without any share."""
    rows: list[dict[str, Any]] = []
    for each in measures:
        estimate, name = each.whole.share, _in_lines(each.measure.title)
        if estimate is not None:
            rows.append(
                {"measure": name, "share": estimate.value, "low": estimate.low, "high": estimate.high, "whose": US}
            )
            rows += [{"measure": name, "share": figure.share, "whose": THEM} for figure in each.measure.published]
    if not rows:
        return None
    order = list(dict.fromkeys(str(row["measure"]) for row in rows))
    base = _chart(rows).encode(y=altair.Y("measure:N", sort=order, title=None, axis=LABELS))
    scale = altair.Scale(domain=[0, 1])
    line = (
        base.transform_filter(altair.datum.whose == US)
        .mark_rule(color=OURS, strokeWidth=2)
        .encode(x=altair.X("low:Q", scale=scale, title="Share of new users", axis=altair.Axis(format="%")), x2="high:Q")
    )
    beside = any(row["whose"] == THEM for row in rows)
    says = f"{group}: shares with 95 % intervals" + ("; published figures beside them" if beside else "")
    return Picture(group, says, _svg(line + _points(base, scale, beside=beside), 36 * len(order) + 10, 330))


def _points(base: Any, scale: Any, *, beside: bool) -> Any:
    whose = [US, THEM]
    if not beside:
        return base.mark_point(size=70, filled=True, opacity=1, color=OURS).encode(x=altair.X("share:Q", scale=scale))
    return base.mark_point(size=70, filled=True, opacity=1).encode(
        x=altair.X("share:Q", scale=scale),
        shape=altair.Shape("whose:N", scale=altair.Scale(domain=whose, range=["circle", "diamond"]), title=None),
        color=altair.Color("whose:N", scale=altair.Scale(domain=whose, range=[OURS, THEIRS]), title=None),
    )


def months(counted: MeasureResult) -> Picture | None:
    """Draw a share by month of the start, with intervals; hidden months leave a gap. None for less than two months."""
    rows = [
        {"month": line.value, "share": line.least.value, "low": line.least.low, "high": line.least.high}
        for line in counted.of("month")
        if line.least is not None
    ]
    if len(rows) < 2:
        return None
    base = _chart(rows).encode(
        x=altair.X(
            "month:T",
            timeUnit="utcyearmonth",
            title="Month of the start",
            axis=altair.Axis(format="%Y-%m", labelAngle=-45),
        )
    )
    scale = altair.Scale(domain=[0, 1])
    bars = base.mark_rule(color=OURS, strokeWidth=2).encode(
        y=altair.Y("low:Q", scale=scale, title="Share", axis=altair.Axis(format="%")), y2="high:Q"
    )
    points = base.mark_point(color=OURS, filled=True, size=50, opacity=1).encode(y=altair.Y("share:Q", scale=scale))
    says = f"{counted.measure.title}: share by month of the start, {KNOWN}, with 95 % intervals"
    return Picture(counted.measure.title, says, _svg(bars + points, 170, WIDTH))


def rates(group: str, measures: Sequence[MeasureResult]) -> Picture | None:
    """Draw the rates of a group with their intervals; None without any rate."""
    rows = [
        {"event": _in_lines(each.measure.title), "rate": rate.value, "low": rate.low, "high": rate.high}
        for each in measures
        if (rate := each.whole.rate) is not None
    ]
    if not rows:
        return None
    base = _chart(rows).encode(y=altair.Y("event:N", sort=[str(row["event"]) for row in rows], title=None, axis=LABELS))
    rules = base.mark_rule(color=OURS, strokeWidth=2).encode(
        x=altair.X("low:Q", title="Events in 100 years of treatment", scale=altair.Scale(zero=True)), x2="high:Q"
    )
    points = base.mark_point(color=OURS, filled=True, size=70, opacity=1).encode(x="rate:Q")
    return Picture(
        group,
        f"{group}: events in 100 years of treatment, with exact 95 % intervals",
        _svg(rules + points, 36 * len(rows) + 10, 330),
    )


def funnel(counted: MeasureResult) -> Picture | None:
    """Draw a funnel plot: the sites' shares by their size, within limits of chance. None for less than three sites."""
    rows = [
        {"site": line.value, "share": line.least.value, "patients": patients_counted(line)}
        for line in counted.of("site")
        if line.least is not None
    ]
    whole = counted.whole.least
    if len(rows) < 3 or whole is None:
        return None
    most = max(patients_counted(line) for line in counted.of("site"))
    x = altair.X("patients:Q", title="Patients counted", scale=altair.Scale(domain=[0, round(most * 1.1) + 1]))
    y = altair.Y("share:Q", scale=altair.Scale(domain=[0, 1]), title="Share", axis=altair.Axis(format="%"))
    limits = _chart(control_limits(whole.value, most)).encode(x=x)
    lines = [
        limits.mark_line(color=INK, strokeDash=dash, strokeWidth=1).encode(y=altair.Y(f"{end}{name}:Q"))
        for name, dash in (("95", [5, 3]), ("998", [1, 2]))
        for end in ("low", "high")
    ]
    centre = _chart([{"share": whole.value}]).mark_rule(color=INK).encode(y=y)
    points = _chart(rows).mark_point(color=OURS, filled=True, size=60, opacity=1).encode(x=x, y=y)
    says = (
        f"{counted.measure.title}: each site's share, {KNOWN}, by its number of patients; dashed 95 %, "
        "dotted 99.8 % limits of chance around the share of all"
    )
    return Picture(counted.measure.title, says, _svg(altair.layer(centre, *lines, points), 230, WIDTH))


def patients_counted(line: MeasureLine) -> int:
    """Return how many patients a line counts; 0 where that is hidden."""
    return line.people - line.apart if line.people is not None and isinstance(line.apart, int) else 0


def control_limits(share: float, most: int) -> list[dict[str, float]]:
    """Return the exact binomial limits around a share (0 to 1) for numbers of patients up to `most`."""
    steps = sorted({max(1, round((most * 1.1) * (part / 40) ** 2)) for part in range(1, 41)} | {round(most * 1.1) + 1})
    return [
        {"patients": patients}
        | {
            f"{end}{name}": float(binom.ppf(at, patients, share)) / patients
            for level, name in ((0.95, "95"), (0.998, "998"))
            for end, at in (("low", _Z[level]), ("high", 1 - _Z[level]))
        }
        for patients in steps
    ]


def spread(counted: MeasureResult, found: Sequence[Deciles]) -> Picture | None:
    """Draw the deciles of the sites' shares by quarter as a band; None for less than two quarters."""
    if len(found) < 2:
        return None
    rows = [
        {"quarter": each.quarter, **{f"d{place}": value for place, value in enumerate(each.deciles, 1)}}
        for each in found
    ]
    base = _chart(rows).encode(x=altair.X("quarter:O", title="Quarter of the start", axis=altair.Axis(labelAngle=-45)))
    scale = altair.Scale(domain=[0, 1])
    bands = [
        base.mark_area(color=BAND, opacity=0.45).encode(
            y=altair.Y(f"d{low}:Q", scale=scale, title="Share", axis=altair.Axis(format="%")), y2=f"d{10 - low}:Q"
        )
        for low in range(1, 5)
    ]
    middle = base.mark_line(color=OURS, strokeWidth=2, point=True).encode(y=altair.Y("d5:Q", scale=scale))
    says = f"{counted.measure.title}: deciles over the sites by quarter; the line is the median"
    return Picture(counted.measure.title, says, _svg(altair.layer(*bands, middle), 200, WIDTH))


def _in_lines(title: str) -> str:
    return "\n".join(wrap(title, 40))


def _chart(rows: Sequence[Mapping[str, object]]) -> Any:
    return altair.Chart(altair.Data(values=list(rows)))  # type: ignore[no-untyped-call]


def _svg(chart: Any, height: float, width: float) -> str:
    """Return a chart as the `data:` address of an SVG that needs nothing else; height and width in pixels."""
    whole = (
        chart.properties(width=width, height=height)
        .configure(font="sans-serif", background="white")
        .configure_axis(labelColor=INK, titleColor=INK, labelFontSize=12, titleFontSize=12, gridColor="#dddddd")
        .configure_legend(labelColor=INK, labelFontSize=12, orient="top")
        .configure_view(stroke="#bbbbbb")
        .properties(padding=ROOM)
    )
    svg: str = vl_convert.vegalite_to_svg(whole.to_dict(), allowed_base_urls=[])
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
