"""Each duty as a query: whether it is the person's, done, upcoming, due or overdue, and on which day it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from precaution.sql.columns import latest
from precaution.sql.expressions import part
from precaution.sql.literals import PREFIX, case, cast, column, literal, nothing
from precaution.sql.macros import sql
from precaution.sql.needs import is_open

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precaution.definitions import Duty, Label
    from precaution.sql.expressions import Expressions


class Duties:
    """Writes the duties of a label over the table of facts `facts` and the step `last_done`."""

    def __init__(self, label: Label, written: Expressions, facts: str) -> None:
        self.label, self.written, self.facts = label, written, facts

    def query(self, duty: Duty, place: int) -> exp.Select:
        """Return the query for a duty: a row for each person whose duty it is."""
        inner = self._applying(duty)
        if duty.done_when is not None:
            made = self._once(duty, inner)
        elif is_open(duty):
            made = self._open(duty, inner)
        else:
            made = self._timed(duty, inner)
        state = case((sql("applies IS NULL"), literal("unknown")), otherwise=exp.column("found_state"))
        day = case((sql("applies IS NULL"), nothing("number")), otherwise=exp.column("found_day"))
        told = exp.select("person", exp.alias_(state, "state"), exp.alias_(day, "due")).from_(made.subquery("d"))
        grace = self._days(duty.grace)
        overdue = sql("due + :grace", grace=literal(grace)) if duty.grace else nothing("number")
        action = case((sql("state IN ('due', 'overdue', 'unknown')"), literal(duty.action)), otherwise=literal(""))
        return exp.select(
            "person", exp.alias_(literal(duty.name), "duty"), "state", "due", exp.alias_(overdue, "overdue_after"),
            exp.alias_(action, "action"), exp.alias_(cast(literal(float(place)), "number"), "place"),
        ).from_(told.subquery("d"))  # fmt: skip

    def _applying(self, duty: Duty) -> exp.Select:
        applies = self.written.truth(duty.when) if duty.when is not None else exp.true()
        last = exp.select("person", exp.alias_(exp.column("last_day"), "last_day")).from_(
            exp.to_table(f"{PREFIX}last_done")
        ).where(exp.EQ(this=exp.column("duty"), expression=literal(duty.name)))  # fmt: skip
        joined = (
            exp.select("k.*", "l.last_day")
            .from_(exp.alias_(exp.to_table(self.facts), "k", table=True))
            .join(last.subquery("l"), on=sql("l.person = k.person"), join_type="left")
            .where(exp.column("stage", table="k").isin(*map(literal, duty.stages)))
        )
        marked = exp.select("*", exp.alias_(applies, "applies")).from_(joined.subquery("d"))
        return exp.select("*").from_(marked.subquery("d")).where(sql("COALESCE(applies, TRUE)"))

    def _once(self, duty: Duty, inner: exp.Select) -> exp.Select:
        """A duty before the start: done, not done, or not to be told."""
        if duty.done_when is None:
            raise ValueError(duty.name)
        query = exp.select("*", exp.alias_(self.written.truth(duty.done_when), "done")).from_(inner.subquery("d"))
        state = sql("CASE WHEN done THEN 'done' WHEN NOT done THEN 'due' ELSE 'unknown' END")
        return exp.select(
            "*", exp.alias_(state, "found_state"),
            exp.alias_(sql("CASE WHEN COALESCE(NOT done, TRUE) THEN today END"), "found_day"),
        ).from_(query.subquery("d"))  # fmt: skip

    def _open(self, duty: Duty, inner: exp.Select) -> exp.Select:
        """A duty that is open for as long as its `when` holds, since the day that began where that is certain."""
        behind = list(self.written.behind(duty.when)) if duty.when is not None else []
        lows = [(each.where, column(part(each.name, "since_low"))) for each in behind]
        query = exp.select("*", exp.alias_(latest(lows), "latest_low")).from_(inner.subquery("d"))
        highs = [
            (exp.and_(each.where, exp.EQ(this=column(part(each.name, "since_low")), expression=exp.column("latest_low"))),
             column(part(each.name, "since_high")))
            for each in behind
        ]  # fmt: skip
        query = exp.select("*", exp.alias_(latest(highs), "latest_high")).from_(query.subquery("d"))
        day = sql("CASE WHEN latest_low = latest_high AND latest_high > :never THEN latest_low ELSE today END",
                  never=literal(float("-inf")))  # fmt: skip
        return exp.select("*", exp.alias_(literal("due"), "found_state"), exp.alias_(day, "found_day")).from_(
            query.subquery("d")
        )

    def _timed(self, duty: Duty, inner: exp.Select) -> exp.Select:
        """A duty with a schedule, worked out for the first and the last day on which treatment may have started."""
        query = exp.select(
            "*",
            exp.alias_(sql("CASE WHEN stage = 'before-start' THEN today WHEN begun_low IS NULL THEN :never "
                           "ELSE begun_low END", never=literal(float("-inf"))), "from_1"),
            exp.alias_(sql("CASE WHEN stage = 'before-start' OR begun_low IS NULL THEN today ELSE begun_high END"),
                       "from_2"),
            exp.alias_(sql("stage <> 'before-start' AND begun_low IS NULL AND last_day IS NULL"), "unstarted"),
            exp.alias_(self._interval(duty), "interval_days"),
        ).from_(inner.subquery("d"))  # fmt: skip
        for name, write in (("next", self._next), ("again", self._again), ("day", _sooner), ("state", self._state)):
            made = [exp.alias_(write(duty, each), f"{name}_{each}") for each in ("1", "2")]
            query = exp.select("*", *made).from_(query.subquery("d"))
        unsure = "unstarted OR state_1 <> state_2"
        return exp.select(
            "*", exp.alias_(sql(f"CASE WHEN {unsure} THEN 'unknown' ELSE state_1 END"), "found_state"),
            exp.alias_(sql(f"CASE WHEN {unsure} THEN NULL WHEN day_1 <= day_2 OR day_2 IS NULL THEN day_1 "
                           "ELSE day_2 END"), "found_day"),
        ).from_(query.subquery("d"))  # fmt: skip

    def _interval(self, duty: Duty) -> exp.Expr:
        """The interval of this person: the shorter one also where it can't be told whether it applies."""
        if not duty.every:
            return nothing("number")
        every = self._days(duty.every)
        shorter = sorted((self._days(name), fact) for fact, name in duty.every_if.items())
        branches = [(self.written.not_false(fact), literal(days)) for days, fact in shorter if days < every]
        return case(*branches, otherwise=literal(every)) if branches else literal(every)

    def _next(self, duty: Duty, which: str) -> exp.Expr:
        """The next of the days after the start that is not done; after those, the interval since the last time."""
        early = self._days(duty.early) if duty.early else 0.0
        branches = []
        for offset in map(self._days, duty.at):
            parts = {"begin": exp.column(f"from_{which}"), "offset": literal(offset), "early": literal(early)}
            open_still = sql("last_day IS NULL OR last_day < :begin + :offset - :early", **parts)
            branches.append((open_still, sql(":begin + :offset", **parts)))
        after = sql("COALESCE(last_day, :begin) + interval_days", begin=exp.column(f"from_{which}"))
        return case(*branches, otherwise=after) if branches else after

    def _again(self, duty: Duty, which: str) -> exp.Expr:
        """The first day on which something new since the last time makes it due again."""
        wait = self._days(duty.again_in) if duty.again_in else 0.0
        forever = literal(float("inf"))
        days = [
            case(
                (exp.and_(exp.func("COALESCE", self.written.value(name), exp.false()),
                          sql(":since > COALESCE(last_day, :begin)", since=column(part(name, "since_low")),
                              begin=exp.column(f"from_{which}"))),
                 sql(":since + :wait", since=column(part(name, "since_low")), wait=literal(wait))),
                otherwise=forever.copy(),
            )
            for name in duty.again_after if self.written.sort(name) == "truth"
        ]  # fmt: skip
        return exp.Least(this=days[0], expressions=days[1:]) if len(days) > 1 else days[0] if days else forever

    def _state(self, duty: Duty, which: str) -> exp.Expr:
        grace = self._days(duty.grace) if duty.grace else 0.0
        day = exp.column(f"day_{which}")
        # It is a repetition only where it was done before, and after the last of the days counted from the start.
        repeats = sql("NOT last_day IS NULL")
        early = self._days(duty.early) if duty.early else 0.0
        for offset in map(self._days, duty.at):
            repeats = exp.and_(repeats, sql("NOT last_day < :begin + :offset - :early",
                               begin=exp.column(f"from_{which}"), offset=literal(offset), early=literal(early)))  # fmt: skip
        never = sql("last_day IS NULL") if duty.never == "unknown" else exp.false()
        return sql(
            """CASE
              WHEN :day IS NULL THEN 'done'
              WHEN today < :day THEN CASE WHEN :repeats THEN 'done' ELSE 'upcoming' END
              WHEN :never THEN 'unknown'
              WHEN today <= :day + :grace THEN 'due'
              ELSE 'overdue'
            END""",
            day=day, repeats=repeats, never=never, grace=literal(grace),
        )  # fmt: skip

    def _days(self, parameter: str) -> float:
        return float(self.label.parameters[parameter].value) if parameter else 0.0


def _sooner(duty: Duty, which: str) -> exp.Expr:
    """The sooner of the two; nothing where there is neither."""
    return sql(
        "CASE WHEN :again = :forever THEN :next WHEN :next <= :again THEN :next ELSE :again END",
        again=exp.column(f"again_{which}"), next=exp.column(f"next_{which}"), forever=literal(float("inf")),
    )  # fmt: skip
