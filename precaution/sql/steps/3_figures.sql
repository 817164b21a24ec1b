-- Numbers measured on a day. First the results that each fact looks at, with counts made of another count and a
-- percentage of one day for which there is no direct result; then as multiples of the upper limit where a fact asks so.
CREATE TABLE precaution_figures AS
WITH direct AS (
  SELECT
    p.person, f.fact, p.status, p.start_low, p.start_high, p.day_low, p.day_high, p.low, p.high, p.low_open,
    p.high_open, p.upper
  FROM precaution_figure_looks AS l
  JOIN precaution_figure_facts AS f ON f.fact = l.fact
  JOIN precaution_past AS p ON p.concept = l.concept
  WHERE l.role = 'counts'
),
pairs AS (
  SELECT
    w.person, l.fact, w.start_low, w.day_low, w.day_high,
    CASE WHEN w.status = 'preliminary' OR p.status = 'preliminary' THEN 'preliminary' ELSE 'final' END AS status,
    CASE WHEN w.low IS NULL OR p.low IS NULL THEN NULL WHEN w.low = 0 OR p.low = 0 THEN 0 ELSE w.low * p.low / 100 END
      AS low,
    CASE
      WHEN w.high IS NULL OR p.high IS NULL THEN NULL
      WHEN w.high = 0 OR p.high = 0 THEN 0
      ELSE w.high * p.high / 100
    END AS high,
    w.low_open OR p.low_open AS low_open,
    w.high_open OR p.high_open AS high_open
  FROM precaution_figure_looks AS l
  JOIN precaution_past AS w ON w.concept = l.concept AND w.start_low = w.start_high
  JOIN precaution_figure_looks AS m ON m.fact = l.fact AND m.role = 'percentage'
  JOIN precaution_past AS p ON p.concept = m.concept AND p.person = w.person
    AND p.start_low = p.start_high AND p.start_low = w.start_low
  WHERE l.role = 'whole'
),
settled_days AS (
  SELECT DISTINCT person, fact, start_low FROM direct
  WHERE status <> 'preliminary' AND NOT low IS NULL AND start_low = start_high
),
every_result AS (
  SELECT person, fact, status, start_low, start_high, day_low, day_high, low, high, low_open, high_open, upper
  FROM direct
  UNION ALL
  SELECT
    p.person, p.fact, p.status, p.start_low, p.start_low AS start_high, p.day_low, p.day_high,
    CASE WHEN p.low_rounded < 0 THEN 0 ELSE p.low_rounded END AS low,
    CASE WHEN p.high_rounded < 0 THEN 0 ELSE p.high_rounded END AS high,
    p.low_open, p.high_open, CAST(NULL AS DOUBLE) AS upper
  FROM ROUNDED_OF(pairs, low, high) AS p
  LEFT JOIN settled_days AS s ON s.person = p.person AND s.fact = p.fact AND s.start_low = p.start_low
  WHERE s.person IS NULL
  UNION ALL
  -- What was estimated for a day on which nothing was surely measured.
  SELECT
    p.person, p.fact, p.status, p.start_low, p.start_high, p.day_low, p.day_high, p.low, p.high, p.low_open,
    p.high_open, CAST(NULL AS DOUBLE) AS upper
  FROM precaution_estimates AS p
  LEFT JOIN settled_days AS s ON s.person = p.person AND s.fact = p.fact AND s.start_low = p.start_low
    AND p.start_low = p.start_high
  WHERE s.person IS NULL
),
limited AS (
  SELECT
    r.*, f.fact_kind, f.worst, f.times_upper, f.last_results, c.today, c.begun_low, w.days,
    CASE WHEN f.times_upper THEN COALESCE(r.upper, f.upper_limit, 0) ELSE 1 END AS divisor
  FROM every_result AS r
  JOIN precaution_figure_facts AS f ON f.fact = r.fact
  JOIN precaution_chart AS c ON c.person = r.person
  LEFT JOIN precaution_windows AS w ON w.fact = r.fact AND w.stage = c.stage
),
divided AS (
  SELECT
    l.*,
    CASE WHEN l.divisor > 0 THEN QUOTIENT(l.low, l.divisor) END AS low_times,
    CASE WHEN l.divisor > 0 THEN QUOTIENT(l.high, l.divisor) END AS high_times
  FROM limited AS l
),
scaled AS (
  SELECT
    d.*,
    CASE WHEN d.times_upper THEN d.low_times_rounded ELSE d.low END AS scaled_low,
    CASE WHEN d.times_upper THEN d.high_times_rounded ELSE d.high END AS scaled_high
  FROM ROUNDED_OF(divided, low_times, high_times) AS d
)
SELECT
  s.person, s.fact, s.fact_kind, s.worst, s.last_results, s.today, s.begun_low, s.days, s.status, s.start_low,
  s.start_high,
  COALESCE(s.day_low, CAST('-Infinity' AS DOUBLE)) AS day_low,
  COALESCE(s.day_high, CAST('Infinity' AS DOUBLE)) AS day_high,
  -- A result that can't be used stands for any value, so that it hides nothing.
  NOT s.scaled_low IS NULL AS usable,
  COALESCE(s.scaled_low, CAST('-Infinity' AS DOUBLE)) AS low,
  COALESCE(s.scaled_high, CAST('Infinity' AS DOUBLE)) AS high,
  CASE WHEN s.scaled_low IS NULL THEN TRUE ELSE s.low_open END AS low_open,
  CASE WHEN s.scaled_low IS NULL THEN TRUE ELSE s.high_open END AS high_open
FROM scaled AS s;

-- `latest`: the results that may be the latest, each marked with how it counts. `day`: settled results, the worst of
-- each day and what any of these days may be; `loose`: preliminary results, and results without a day beside the last
-- few days, which can only make it worse.
CREATE TABLE precaution_recent AS
WITH recent AS (
  SELECT f.*, f.status = 'preliminary' OR NOT f.usable AS is_preliminary
  FROM precaution_figures AS f
  WHERE f.fact_kind = 'latest' AND (f.days IS NULL OR f.start_low IS NULL OR f.start_high >= f.today - f.days)
),
newest AS (
  SELECT
    r.*,
    MAX(CASE WHEN NOT r.is_preliminary THEN r.start_low END) OVER (PARTITION BY r.person, r.fact) AS newest,
    DENSE_RANK() OVER (
      PARTITION BY r.person, r.fact, r.is_preliminary OR r.start_low IS NULL ORDER BY r.start_low DESC, r.start_high DESC
    ) AS nth_day
  FROM recent AS r
),
ranked AS (
  SELECT
    n.*,
    COALESCE(MAX(CASE WHEN NOT n.is_preliminary AND NOT n.start_low IS NULL THEN n.nth_day END)
      OVER (PARTITION BY n.person, n.fact), 0) AS of_days,
    MIN(CASE WHEN NOT n.is_preliminary AND n.nth_day <= n.last_results THEN n.start_low END)
      OVER (PARTITION BY n.person, n.fact) AS first_low,
    n.newest IS NULL OR n.start_low IS NULL OR n.start_high >= n.newest AS is_late
  FROM newest AS n
)
SELECT
  r.*,
  CASE
    WHEN r.last_results <= 1 THEN CASE WHEN r.is_late THEN CASE WHEN r.is_preliminary THEN 'loose' ELSE 'day' END END
    WHEN r.of_days < r.last_results THEN
      CASE WHEN NOT r.is_preliminary AND NOT r.start_low IS NULL THEN 'too few' END
    WHEN NOT r.is_preliminary AND NOT r.start_low IS NULL THEN CASE WHEN r.nth_day <= r.last_results THEN 'day' END
    WHEN r.start_low IS NULL OR r.start_high >= r.first_low THEN 'loose'
  END AS part
FROM ranked AS r;

-- Whether a result that counts is surely of the fact's window: where only a preliminary one is, the preliminary ones
-- alone count, for a settled result that may be too old reassures no more than none.
CREATE TABLE precaution_reach AS
WITH summed AS (
  SELECT
    person, fact,
    MAX(days) AS days,
    MAX(worst) AS worst,
    MAX(last_results) AS last_results,
    BOOL_OR(last_results > 1 AND of_days < last_results) AS too_few,
    BOOL_OR(COALESCE(part = 'day', FALSE)) AS contended,
    BOOL_OR(NOT part IS NULL) AS evidence,
    BOOL_OR(NOT part IS NULL AND NOT is_preliminary AND COALESCE(start_low >= today - days, FALSE)) AS settled_reaches,
    BOOL_OR(NOT part IS NULL AND is_preliminary AND COALESCE(start_low >= today - days, FALSE)) AS preliminary_reaches,
    MAX(CASE WHEN NOT part IS NULL THEN day_low END) AS since_low,
    MAX(CASE WHEN NOT part IS NULL THEN day_high END) AS since_high,
    MAX(CASE WHEN is_preliminary THEN day_low END) AS preliminary_low,
    MAX(CASE WHEN is_preliminary THEN day_high END) AS preliminary_high
  FROM precaution_recent
  GROUP BY person, fact
)
SELECT
  s.*,
  NOT s.days IS NULL AND s.preliminary_reaches AND NOT s.settled_reaches AS only_preliminary,
  s.too_few OR (NOT s.days IS NULL AND NOT s.preliminary_reaches AND NOT s.settled_reaches) AS not_told
FROM summed AS s;

CREATE TABLE precaution_of_figures AS
WITH day_rows AS (
  SELECT r.person, r.fact, r.start_low, r.start_high, r.worst, r.low, r.high, r.low_open, r.high_open
  FROM precaution_recent AS r
  JOIN precaution_reach AS a ON a.person = r.person AND a.fact = r.fact
  WHERE r.part = 'day' AND NOT a.only_preliminary
),
of_days AS (
  SELECT * FROM WORST_OF(day_rows, person, fact, start_low, start_high)
),
day_values AS (
  SELECT
    d.person, d.fact, d.low, d.high, d.low_open, d.high_open,
    CASE WHEN a.last_results > 1 THEN a.worst ELSE 'hull' END AS worst
  FROM of_days AS d
  JOIN precaution_reach AS a ON a.person = d.person AND a.fact = d.fact
),
contended AS (
  SELECT * FROM WORST_OF(day_values, person, fact)
),
parts AS (
  SELECT c.person, c.fact, a.worst, c.low, c.high, c.low_open, c.high_open
  FROM contended AS c
  JOIN precaution_reach AS a ON a.person = c.person AND a.fact = c.fact
  UNION ALL
  SELECT r.person, r.fact, r.worst, r.low, r.high, r.low_open, r.high_open
  FROM precaution_recent AS r
  JOIN precaution_reach AS a ON a.person = r.person AND a.fact = r.fact
  WHERE CASE WHEN a.only_preliminary THEN r.is_preliminary ELSE r.part = 'loose' END
  UNION ALL
  SELECT
    a.person, a.fact, a.worst, CAST('-Infinity' AS DOUBLE) AS low, CAST('Infinity' AS DOUBLE) AS high,
    TRUE AS low_open, TRUE AS high_open
  FROM precaution_reach AS a
  WHERE a.only_preliminary OR NOT a.contended
),
summed AS (
  SELECT * FROM WORST_OF(parts, person, fact)
),
latest AS (
  SELECT
    a.person, a.fact,
    CASE WHEN NOT a.not_told THEN s.low END AS low,
    CASE WHEN NOT a.not_told THEN s.high END AS high,
    CASE WHEN NOT a.not_told THEN s.low_open END AS low_open,
    CASE WHEN NOT a.not_told THEN s.high_open END AS high_open,
    a.evidence,
    CASE WHEN a.only_preliminary THEN a.preliminary_low WHEN NOT a.too_few THEN a.since_low END AS since_low,
    CASE WHEN a.only_preliminary THEN a.preliminary_high WHEN NOT a.too_few THEN a.since_high END AS since_high
  FROM precaution_reach AS a
  LEFT JOIN summed AS s ON s.person = a.person AND s.fact = a.fact
),
since_start AS (
  -- A result that may be of before the start may say nothing of the time since.
  SELECT
    person, fact, worst, usable, day_low, day_high,
    CASE WHEN worst = 'high' AND NOT COALESCE(begun_low IS NULL OR start_low >= begun_low, FALSE)
      THEN CAST('-Infinity' AS DOUBLE) ELSE low END AS low,
    CASE WHEN worst = 'low' AND NOT COALESCE(begun_low IS NULL OR start_low >= begun_low, FALSE)
      THEN CAST('Infinity' AS DOUBLE) ELSE high END AS high,
    low_open OR (worst = 'high' AND NOT COALESCE(begun_low IS NULL OR start_low >= begun_low, FALSE)) AS low_open,
    high_open OR (worst = 'low' AND NOT COALESCE(begun_low IS NULL OR start_low >= begun_low, FALSE)) AS high_open
  FROM precaution_figures
  WHERE fact_kind = 'extreme' AND (begun_low IS NULL OR start_low IS NULL OR start_high >= begun_low)
),
worst_since AS (
  SELECT * FROM WORST_OF(since_start, person, fact)
),
extreme AS (
  SELECT
    w.person, w.fact, w.low, w.high, w.low_open, w.high_open, TRUE AS evidence,
    MAX(CASE WHEN NOT f.usable OR CASE WHEN f.worst = 'low' THEN f.low = w.low ELSE f.high = w.high END
      THEN f.day_low END) AS since_low,
    MAX(CASE WHEN NOT f.usable OR CASE WHEN f.worst = 'low' THEN f.low = w.low ELSE f.high = w.high END
      THEN f.day_high END) AS since_high
  FROM worst_since AS w
  JOIN since_start AS f ON f.person = w.person AND f.fact = w.fact
  GROUP BY w.person, w.fact, w.low, w.high, w.low_open, w.high_open
),
both_kinds AS (
  SELECT person, fact, low, high, low_open, high_open, evidence, since_low, since_high FROM latest
  UNION ALL
  SELECT person, fact, low, high, low_open, high_open, evidence, since_low, since_high FROM extreme
),
known AS (
  SELECT
    b.*,
    COALESCE(b.low > CAST('-Infinity' AS DOUBLE) OR b.high < CAST('Infinity' AS DOUBLE)
      OR NOT b.low_open OR NOT b.high_open, FALSE) AS is_known
  FROM both_kinds AS b
)
SELECT
  person, fact, TRUE AS settled, TRUE AS recorded, evidence, since_low, since_high,
  CASE WHEN is_known THEN low END AS low,
  CASE WHEN is_known THEN high END AS high,
  CASE WHEN is_known THEN low_open END AS low_open,
  CASE WHEN is_known THEN high_open END AS high_open
FROM known;
