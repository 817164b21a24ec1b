-- Whether a limit was crossed in a row: each exact day with settled results, the worst of it, and beside them each other
-- result; with whether it crosses the limit, and is surely of the time that is looked at.
CREATE TABLE precaution_crossings AS
WITH recent AS (
  SELECT
    f.*, f.status <> 'preliminary' AND COALESCE(f.start_low = f.start_high, FALSE) AS is_exact,
    NOT f.start_low IS NULL AND (f.days IS NULL OR f.start_low >= f.today - f.days) AS is_recent
  FROM precaution_figures AS f
  WHERE f.fact_kind = 'confirmed' AND (f.days IS NULL OR f.start_low IS NULL OR f.start_high >= f.today - f.days)
),
exact_ones AS (
  SELECT person, fact, start_low, worst, low, high, low_open, high_open FROM recent WHERE is_exact
),
days AS (
  SELECT * FROM WORST_OF(exact_ones, person, fact, start_low)
),
every_one AS (
  SELECT
    d.person, d.fact, TRUE AS is_exact, TRUE AS is_settled, TRUE AS is_recent, d.start_low AS first_day, d.start_low AS last_day,
    d.low, d.high, d.low_open, d.high_open
  FROM days AS d
  UNION ALL
  SELECT
    r.person, r.fact, FALSE AS is_exact, r.status <> 'preliminary' AS is_settled, r.is_recent,
    COALESCE(r.start_low, CAST('-Infinity' AS DOUBLE)) AS first_day,
    COALESCE(r.start_high, CAST('Infinity' AS DOUBLE)) AS last_day,
    r.low, r.high, r.low_open, r.high_open
  FROM recent AS r
  WHERE NOT r.is_exact
)
SELECT
  e.person, e.fact, e.is_exact, e.is_settled, e.is_settled AND e.is_recent AS is_sure, e.first_day, e.last_day, t.times, t.apart,
  CASE t.crossing
    WHEN '<' THEN CASE
      WHEN e.high < t.bound OR (e.high = t.bound AND e.high_open) THEN TRUE
      WHEN e.low >= t.bound THEN FALSE
    END
    WHEN '>=' THEN CASE
      WHEN e.high < t.bound OR (e.high = t.bound AND e.high_open) THEN FALSE
      WHEN e.low >= t.bound THEN TRUE
    END
    WHEN '>' THEN CASE
      WHEN e.low > t.bound OR (e.low = t.bound AND e.low_open) THEN TRUE
      WHEN e.high <= t.bound THEN FALSE
    END
    ELSE CASE
      WHEN e.low > t.bound OR (e.low = t.bound AND e.low_open) THEN FALSE
      WHEN e.high <= t.bound THEN TRUE
    END
  END AS crosses
FROM every_one AS e
JOIN precaution_confirmed_facts AS t ON t.fact = e.fact;

-- The fewest and the most results in a row. What may not cross breaks the row of the fewest on the last day that it may be
-- of. What does not cross breaks the row of the most on the first such day, unless another that may cross may be of the
-- same day; and each of no exact day that may cross may be one more.
CREATE TABLE precaution_of_confirmed AS
WITH may_cross AS (
  SELECT person, fact, is_exact, first_day, last_day FROM precaution_crossings WHERE COALESCE(crosses, TRUE)
),
met AS (
  SELECT DISTINCT d.person, d.fact, d.first_day, d.last_day
  FROM precaution_crossings AS d
  JOIN may_cross AS o ON o.person = d.person AND o.fact = d.fact
    AND o.first_day <= d.last_day AND o.last_day >= d.first_day
  WHERE NOT COALESCE(d.crosses, TRUE)
),
breaks AS (
  SELECT
    c.person, c.fact, MAX(c.times) AS times, BOOL_OR(c.is_sure) AS is_sure,
    COALESCE(MAX(CASE WHEN NOT COALESCE(c.crosses, FALSE) AND c.is_settled THEN c.last_day END),
      CAST('-Infinity' AS DOUBLE)) AS least_after,
    COALESCE(MAX(CASE WHEN NOT COALESCE(c.crosses, TRUE) AND c.is_settled AND m.person IS NULL THEN c.first_day END),
      CAST('-Infinity' AS DOUBLE)) AS most_after
  FROM precaution_crossings AS c
  LEFT JOIN met AS m ON m.person = c.person AND m.fact = c.fact AND m.first_day = c.first_day
    AND m.last_day = c.last_day
  GROUP BY c.person, c.fact
),
in_a_row AS (
  SELECT c.person, c.fact, 'least' AS bound, c.first_day AS day_low, c.last_day AS day_high, c.apart
  FROM precaution_crossings AS c
  JOIN breaks AS b ON b.person = c.person AND b.fact = c.fact
  WHERE c.is_sure AND c.first_day > b.least_after
  UNION ALL
  SELECT c.person, c.fact, 'most' AS bound, c.first_day AS day_low, c.last_day AS day_high, c.apart
  FROM precaution_crossings AS c
  JOIN breaks AS b ON b.person = c.person AND b.fact = c.fact
  WHERE c.is_exact AND COALESCE(c.crosses, TRUE) AND c.first_day > b.most_after
),
counted AS (
  SELECT
    e.person, e.fact,
    SUM(CASE WHEN e.bound = 'least' THEN 1 ELSE 0 END) AS least,
    SUM(CASE WHEN e.bound = 'most' THEN 1 ELSE 0 END) AS most
  FROM EPISODES(in_a_row, person, fact, bound) AS e
  GROUP BY e.person, e.fact
),
perhaps AS (
  SELECT o.person, o.fact, COUNT(*) AS more
  FROM may_cross AS o
  JOIN breaks AS b ON b.person = o.person AND b.fact = o.fact
  WHERE NOT o.is_exact AND o.last_day >= b.most_after
  GROUP BY o.person, o.fact
),
bounds AS (
  SELECT
    b.*, COALESCE(c.least, 0) AS least, COALESCE(c.most, 0) + COALESCE(p.more, 0) AS most
  FROM breaks AS b
  LEFT JOIN counted AS c ON c.person = b.person AND c.fact = b.fact
  LEFT JOIN perhaps AS p ON p.person = b.person AND p.fact = b.fact
),
worded AS (
  SELECT
    b.*,
    CASE WHEN b.least = 0 THEN 'no' WHEN b.least >= b.times THEN 'confirmed' ELSE 'repeat' END AS mildest,
    CASE WHEN b.most = 0 THEN 'no' WHEN b.most >= b.times THEN 'confirmed' ELSE 'repeat' END AS gravest
  FROM bounds AS b
),
looked AS (
  SELECT
    person, fact,
    MAX(CASE WHEN days IS NULL OR start_low IS NULL OR start_high >= today - days THEN day_low END) AS since_low,
    MAX(CASE WHEN days IS NULL OR start_low IS NULL OR start_high >= today - days THEN day_high END) AS since_high
  FROM precaution_figures
  WHERE fact_kind = 'confirmed'
  GROUP BY person, fact
)
SELECT
  l.person, l.fact, TRUE AS settled, TRUE AS recorded, NOT w.person IS NULL AS evidence,
  CASE WHEN w.is_sure THEN l.since_low END AS since_low,
  CASE WHEN w.is_sure THEN l.since_high END AS since_high,
  CASE WHEN w.is_sure AND w.mildest = w.gravest THEN w.mildest END AS word
FROM looked AS l
LEFT JOIN worded AS w ON w.person = l.person AND w.fact = l.fact;
