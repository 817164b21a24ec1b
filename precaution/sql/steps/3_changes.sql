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
