-- `estimate`: what a formula makes of each result that goes into it, with age, sex and weight. First the years and the
-- days of the year (which begins in March) of births and results, from their ordinals.
CREATE TABLE precaution_estimate_calendar AS
WITH days AS (
  SELECT p.start_low AS day
  FROM precaution_past AS p
  JOIN precaution_estimate_facts AS f ON f.input = p.concept
  UNION
  SELECT p.start_high AS day
  FROM precaution_past AS p
  JOIN precaution_estimate_facts AS f ON f.input = p.concept
  UNION
  SELECT birth_low AS day FROM precaution_chart
  UNION
  SELECT birth_high AS day FROM precaution_chart
),
eras AS (
  SELECT day, FLOOR((day + 305) / 146097) AS era, day + 305 - FLOOR((day + 305) / 146097) * 146097 AS of_era
  FROM days
  WHERE day >= 1 AND day <= 3652059
),
years AS (
  SELECT
    e.*,
    FLOOR((e.of_era - FLOOR(e.of_era / 1460) + FLOOR(e.of_era / 36524) - FLOOR(e.of_era / 146096)) / 365) AS year_of_era
  FROM eras AS e
)
SELECT
  y.day, y.year_of_era + y.era * 400 AS of_year,
  y.of_era - (365 * y.year_of_era + FLOOR(y.year_of_era / 4) - FLOOR(y.year_of_era / 100)) AS of_day
FROM years AS y;

-- What the last weight may be.
CREATE TABLE precaution_estimate_weights AS
WITH usable AS (
  SELECT
    f.fact, p.person, p.start_low, p.start_high, p.low, p.high, p.low_open, p.high_open, 'hull' AS worst,
    MAX(p.start_low) OVER (PARTITION BY f.fact, p.person) AS newest
  FROM precaution_estimate_facts AS f
  JOIN precaution_past AS p ON p.concept = f.weight
  JOIN precaution_chart AS c ON c.person = p.person
  WHERE p.status <> 'preliminary' AND NOT p.low IS NULL
    AND (p.start_low IS NULL OR f.weight_days IS NULL OR p.start_high >= c.today - f.weight_days)
),
latest AS (
  SELECT * FROM usable WHERE newest IS NULL OR start_low IS NULL OR start_high >= newest
)
SELECT * FROM WORST_OF(latest, person, fact);

CREATE TABLE precaution_estimates AS
WITH given AS (
  SELECT
    ROW_NUMBER() OVER (ORDER BY p.person, f.fact, p.place) AS number,
    p.person, f.fact, p.status, p.start_low, p.start_high, p.day_low, p.day_high,
    p.low / f.factor AS given_low, p.high / f.factor AS given_high, p.low_open AS given_low_open,
    p.high_open AS given_high_open, f.from_age, f.age_from, f.per_year, c.sex, c.birth_low, c.birth_high,
    CASE WHEN f.weight IS NULL THEN 1 ELSE w.low END AS light,
    CASE WHEN f.weight IS NULL THEN 1 ELSE w.high END AS heavy,
    NOT f.weight IS NULL AND w.low_open AS light_open,
    NOT f.weight IS NULL AND w.high_open AS heavy_open
  FROM precaution_estimate_facts AS f
  JOIN precaution_past AS p ON p.concept = f.input
  JOIN precaution_chart AS c ON c.person = p.person
  LEFT JOIN precaution_estimate_weights AS w ON w.person = p.person AND w.fact = f.fact
),
aged AS (
  SELECT
    g.*,
    dl.of_year - bh.of_year - CASE WHEN dl.of_day < bh.of_day THEN 1 ELSE 0 END AS youngest,
    dh.of_year - bl.of_year - CASE WHEN dh.of_day < bl.of_day THEN 1 ELSE 0 END AS oldest
  FROM given AS g
  LEFT JOIN precaution_estimate_calendar AS bl ON bl.day = g.birth_low
  LEFT JOIN precaution_estimate_calendar AS bh ON bh.day = g.birth_high
  LEFT JOIN precaution_estimate_calendar AS dl ON dl.day = g.start_low
  LEFT JOIN precaution_estimate_calendar AS dh ON dh.day = g.start_high
),
-- Both ends, with what makes each: the least is of the largest result, the oldest and the lightest.
ends AS (
  SELECT
    a.number, 'low' AS which, s.sex, s.scale, s.below, s.above, a.given_high / s.knee AS ratio, a.oldest AS years,
    a.light AS weight, a.age_from, a.per_year
  FROM aged AS a
  JOIN precaution_estimate_sexes AS s ON s.fact = a.fact AND (s.sex = a.sex OR NOT a.sex IN ('female', 'male'))
  WHERE a.youngest >= a.from_age
  UNION ALL
  SELECT
    a.number, 'high' AS which, s.sex, s.scale, s.below, s.above, a.given_low / s.knee AS ratio, a.youngest AS years,
    a.heavy AS weight, a.age_from, a.per_year
  FROM aged AS a
  JOIN precaution_estimate_sexes AS s ON s.fact = a.fact AND (s.sex = a.sex OR NOT a.sex IN ('female', 'male'))
  WHERE a.youngest >= a.from_age
),
figured AS (
  SELECT
    e.number, e.which, e.sex,
    CASE
      WHEN e.ratio IS NULL OR e.weight IS NULL OR e.years IS NULL THEN NULL
      WHEN e.ratio >= 1E100 OR e.weight <= 0 OR COALESCE(e.years >= e.age_from, FALSE) THEN 0
      WHEN e.ratio <= 1E-100 OR e.weight = CAST('Infinity' AS DOUBLE) THEN CAST('Infinity' AS DOUBLE)
      ELSE e.scale * POWER(e.ratio, CASE WHEN e.ratio < 1 THEN e.below ELSE e.above END) * POWER(e.per_year, e.years)
        * CASE WHEN e.age_from IS NULL THEN 1 ELSE e.age_from - e.years END * e.weight
    END AS value
  FROM ends AS e
),
valued AS (
  SELECT f.number, f.which, f.sex, f.value_rounded FROM ROUNDED_OF(figured, value) AS f
),
by_sex AS (
  SELECT
    v.number, v.sex, 'hull' AS worst,
    MAX(CASE WHEN v.which = 'low' THEN v.value_rounded END) AS low,
    MAX(CASE WHEN v.which = 'high' THEN v.value_rounded END) AS high
  FROM valued AS v
  GROUP BY v.number, v.sex
),
opened AS (
  SELECT
    b.number, b.worst, b.low, b.high, a.given_high_open OR a.light_open AS low_open,
    a.given_low_open OR a.heavy_open OR b.high = CAST('Infinity' AS DOUBLE) AS high_open
  FROM by_sex AS b
  JOIN aged AS a ON a.number = b.number
  WHERE NOT b.low IS NULL AND NOT b.high IS NULL
),
either_sex AS (
  SELECT * FROM WORST_OF(opened, number)
)
SELECT
  a.person, a.fact, a.status, a.start_low, a.start_high, a.day_low, a.day_high, e.low, e.high, e.low_open, e.high_open
FROM aged AS a
LEFT JOIN either_sex AS e ON e.number = a.number;

