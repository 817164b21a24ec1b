-- How far the latest result is from a baseline. First the results that may be either of the two sides, with how those
-- that can't be told from each other are put together: `fold` for one day and for preliminary results, `across` for
-- days. The baseline is the last result up to the start of treatment, or the extreme of some days back from today.
CREATE TABLE precaution_change_results AS
WITH placed AS (
  SELECT
    f.*, t.baseline, t.far, NOT t.over_days IS NULL AS is_over, f.status = 'preliminary' AS is_preliminary,
    CASE WHEN f.start_high <= c.begun_low THEN TRUE WHEN f.start_low > c.begun_high THEN FALSE END AS up_to,
    CASE
      WHEN f.start_low >= f.today - t.over_days THEN TRUE
      WHEN f.start_high < f.today - t.over_days THEN FALSE
    END AS within_over,
    CASE
      WHEN COALESCE(f.days, t.over_days) IS NULL OR f.start_low >= f.today - COALESCE(f.days, t.over_days) THEN TRUE
      WHEN f.start_high < f.today - COALESCE(f.days, t.over_days) THEN FALSE
    END AS is_recent
  FROM precaution_figures AS f
  JOIN precaution_change_facts AS t ON t.fact = f.fact
  JOIN precaution_chart AS c ON c.person = f.person
),
sided AS (
  SELECT
    p.*, 'baseline' AS side, p.is_over AS is_extreme,
    CASE WHEN p.is_over THEN p.within_over ELSE p.up_to END AS here,
    CASE WHEN p.is_over THEN p.far ELSE p.baseline END AS fold
  FROM placed AS p
  UNION ALL
  SELECT
    p.*, 'latest' AS side, FALSE AS is_extreme,
    CASE
      WHEN p.is_over THEN p.is_recent
      WHEN COALESCE(p.up_to, FALSE) OR NOT COALESCE(p.is_recent, TRUE) THEN FALSE
      WHEN NOT p.up_to IS NULL AND NOT p.is_recent IS NULL THEN TRUE
    END AS here,
    p.worst AS fold
  FROM placed AS p
),
bounded AS (
  SELECT
    s.*,
    MAX(CASE WHEN s.here AND NOT s.is_preliminary THEN s.start_low END)
      OVER (PARTITION BY s.person, s.fact, s.side) AS newest,
    MIN(CASE WHEN s.here AND NOT s.is_preliminary THEN s.start_high END)
      OVER (PARTITION BY s.person, s.fact, s.side) AS oldest
  FROM sided AS s
)
SELECT
  b.person, b.fact, b.side, b.is_extreme, b.here, b.is_preliminary, b.fold, b.start_low, b.start_high, b.day_low,
  b.day_high, b.low, b.high, b.low_open, b.high_open, CASE WHEN b.is_extreme THEN b.fold ELSE 'hull' END AS across
FROM bounded AS b
WHERE COALESCE(b.here, TRUE) AND NOT b.newest IS NULL
  AND CASE WHEN b.is_extreme THEN b.newest > b.oldest ELSE b.start_low IS NULL OR b.start_high >= b.newest END;

CREATE TABLE precaution_of_changes AS
WITH sides AS (
  SELECT
    person, fact, side, MAX(fold) AS fold, MAX(across) AS across, MAX(day_low) AS since_low, MAX(day_high) AS since_high
  FROM precaution_change_results
  GROUP BY person, fact, side
),
-- Of the extreme of some days: what it is of the results that are surely of them, and with those that may be. Results of
-- no exact day need not be of the same one.
settled AS (
  SELECT
    person, fact, side, 'with all' AS variant, start_low, start_high, low, high, low_open, high_open,
    CASE WHEN is_extreme OR COALESCE(start_low = start_high, FALSE) THEN fold ELSE 'hull' END AS worst
  FROM precaution_change_results
  WHERE NOT is_preliminary
  UNION ALL
  SELECT
    person, fact, side, 'sure' AS variant, start_low, start_high, low, high, low_open, high_open, fold AS worst
  FROM precaution_change_results
  WHERE NOT is_preliminary AND is_extreme AND here
),
of_days AS (
  SELECT * FROM WORST_OF(settled, person, fact, side, variant, start_low, start_high)
),
day_values AS (
  SELECT d.person, d.fact, d.side, d.variant, s.across AS worst, d.low, d.high, d.low_open, d.high_open
  FROM of_days AS d
  JOIN sides AS s ON s.person = d.person AND s.fact = d.fact AND s.side = d.side
),
variants AS (
  SELECT * FROM WORST_OF(day_values, person, fact, side, variant)
),
contended AS (
  SELECT person, fact, side, 'hull' AS worst, low, high, low_open, high_open FROM variants
),
certain AS (
  SELECT * FROM WORST_OF(contended, person, fact, side)
),
parts AS (
  SELECT c.person, c.fact, c.side, s.fold AS worst, c.low, c.high, c.low_open, c.high_open
  FROM certain AS c
  JOIN sides AS s ON s.person = c.person AND s.fact = c.fact AND s.side = c.side
  UNION ALL
  SELECT person, fact, side, fold AS worst, low, high, low_open, high_open
  FROM precaution_change_results
  WHERE is_preliminary
),
summed AS (
  SELECT * FROM WORST_OF(parts, person, fact, side)
),
-- The latest result and the baseline; and the one by the other where that is surely above 0: the larger the baseline, the
-- nearer the ratio is to 0.
pairs AS (
  SELECT
    l.person, l.fact, s.since_low, s.since_high, t.percent, t.far = 'high' AS is_fall,
    l.low, l.high, l.low_open, l.high_open,
    b.low AS base_low, b.high AS base_high, b.low_open AS base_low_open, b.high_open AS base_high_open,
    CASE
      WHEN b.low > 0 AND l.low >= 0 THEN 100 * QUOTIENT(l.low, b.high)
      WHEN b.low > 0 THEN 100 * QUOTIENT(l.low, b.low)
    END AS ratio_low,
    CASE
      WHEN b.low > 0 AND l.high >= 0 THEN 100 * QUOTIENT(l.high, b.low)
      WHEN b.low > 0 THEN 100 * QUOTIENT(l.high, b.high)
    END AS ratio_high,
    l.low_open OR CASE WHEN l.low >= 0 THEN b.high_open AND l.low <> 0 ELSE b.low_open END AS ratio_low_open,
    l.high_open OR CASE WHEN l.high >= 0 THEN b.low_open AND l.high <> 0 ELSE b.high_open END AS ratio_high_open
  FROM summed AS l
  JOIN summed AS b ON b.person = l.person AND b.fact = l.fact AND b.side = 'baseline'
  JOIN sides AS s ON s.person = l.person AND s.fact = l.fact AND s.side = 'latest'
  JOIN precaution_change_facts AS t ON t.fact = l.fact
  WHERE l.side = 'latest'
),
changed AS (
  SELECT
    p.person, p.fact, p.since_low, p.since_high,
    CASE
      WHEN p.percent THEN CASE WHEN p.is_fall THEN 100 - p.ratio_high ELSE p.ratio_low - 100 END
      WHEN p.is_fall THEN p.base_low - p.high
      ELSE p.low - p.base_high
    END AS change_low,
    CASE
      WHEN p.percent THEN CASE WHEN p.is_fall THEN 100 - p.ratio_low ELSE p.ratio_high - 100 END
      WHEN p.is_fall THEN p.base_high - p.low
      ELSE p.high - p.base_low
    END AS change_high,
    CASE
      WHEN p.percent THEN CASE WHEN p.is_fall THEN p.ratio_high_open ELSE p.ratio_low_open END
      WHEN p.is_fall THEN p.base_low_open OR p.high_open
      ELSE p.low_open OR p.base_high_open
    END AS low_open,
    CASE
      WHEN p.percent THEN CASE WHEN p.is_fall THEN p.ratio_low_open ELSE p.ratio_high_open END
      WHEN p.is_fall THEN p.base_high_open OR p.low_open
      ELSE p.high_open OR p.base_low_open
    END AS high_open
  FROM pairs AS p
),
known AS (
  SELECT
    r.*,
    COALESCE(r.change_low_rounded > CAST('-Infinity' AS DOUBLE) OR r.change_high_rounded < CAST('Infinity' AS DOUBLE)
      OR (NOT r.change_low_rounded IS NULL AND (NOT r.low_open OR NOT r.high_open)), FALSE) AS is_known
  FROM ROUNDED_OF(changed, change_low, change_high) AS r
),
looked AS (
  SELECT DISTINCT person, fact FROM precaution_figures WHERE fact_kind = 'change'
)
SELECT
  l.person, l.fact, TRUE AS settled, TRUE AS recorded, NOT k.person IS NULL AS evidence, k.since_low, k.since_high,
  CASE WHEN k.is_known THEN k.change_low_rounded END AS low,
  CASE WHEN k.is_known THEN k.change_high_rounded END AS high,
  CASE WHEN k.is_known THEN k.low_open END AS low_open,
  CASE WHEN k.is_known THEN k.high_open END AS high_open
FROM looked AS l
LEFT JOIN known AS k ON k.person = l.person AND k.fact = l.fact;

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
