-- Days since the latest of some entries; for a drug, since it was last taken. Beyond every limit where none was is said
-- where the facts are put together.
CREATE TABLE precaution_of_days_since AS
WITH looked AS (
  SELECT
    p.person, l.fact, l.role, c.today, p.day_low, p.day_high, p.status, p.certainty,
    p.kind = 'medication' AND p.end_high IS NULL AS is_open,
    CASE WHEN p.kind = 'medication' AND NOT p.end_high IS NULL THEN p.end_low ELSE p.day_low END AS last_low,
    CASE WHEN p.kind = 'medication' AND NOT p.end_high IS NULL THEN p.end_high ELSE p.day_high END AS last_high
  FROM precaution_days_looks AS l
  JOIN precaution_days_facts AS f ON f.fact = l.fact AND f.fact_kind = 'since'
  JOIN precaution_past AS p ON p.concept = l.concept
  JOIN precaution_chart AS c ON c.person = p.person
  WHERE l.role = 'unreadable' OR p.status <> 'planned'
),
ages AS (
  SELECT
    l.person, l.fact, l.role, 'low' AS worst,
    COALESCE(l.day_low, CAST('-Infinity' AS DOUBLE)) AS day_low,
    COALESCE(l.day_high, CAST('Infinity' AS DOUBLE)) AS day_high,
    CASE WHEN l.last_low IS NULL OR l.is_open OR l.last_high > l.today THEN 0 ELSE l.today - l.last_high END AS low,
    CASE
      WHEN l.last_low IS NULL OR l.certainty <> 'certain' OR l.status = 'unknown' THEN CAST('Infinity' AS DOUBLE)
      WHEN l.last_low > l.today THEN 0
      ELSE l.today - l.last_low
    END AS high,
    FALSE AS low_open,
    l.last_low IS NULL OR l.certainty <> 'certain' OR l.status = 'unknown' AS high_open
  FROM looked AS l
),
fewest AS (
  SELECT * FROM WORST_OF(ages, person, fact)
),
known AS (
  SELECT f.*, f.low = 0 AND f.high = CAST('Infinity' AS DOUBLE) AND f.high_open AS any_day FROM fewest AS f
)
SELECT
  k.person, k.fact, TRUE AS settled, TRUE AS evidence,
  BOOL_OR(a.role = 'counts') AS recorded,
  MAX(CASE WHEN NOT k.any_day THEN k.low END) AS low,
  MAX(CASE WHEN NOT k.any_day THEN k.high END) AS high,
  BOOL_OR(CASE WHEN NOT k.any_day THEN k.low_open END) AS low_open,
  BOOL_OR(CASE WHEN NOT k.any_day THEN k.high_open END) AS high_open,
  MAX(CASE WHEN k.any_day OR a.low <= k.high THEN a.day_low END) AS since_low,
  MAX(CASE WHEN k.any_day OR a.low <= k.high THEN a.day_high END) AS since_high
FROM known AS k
JOIN ages AS a ON a.person = k.person AND a.fact = k.fact
GROUP BY k.person, k.fact;

-- For how many days any of some drugs was taken: overlapping courses count once, uncertain ones only add.
CREATE TABLE precaution_of_days_on AS
WITH looked AS (
  SELECT
    p.person, l.fact, l.role, p.start_low,
    COALESCE(p.day_low, CAST('-Infinity' AS DOUBLE)) AS day_low,
    COALESCE(p.day_high, CAST('Infinity' AS DOUBLE)) AS day_high,
    CASE
      WHEN l.role = 'unreadable' OR p.certainty <> 'certain' OR p.status IN ('unknown', 'held') THEN NULL
      WHEN p.start_low IS NULL OR p.start_low < p.start_high THEN NULL
      WHEN NOT p.end_high IS NULL THEN CASE
        WHEN p.end_low < p.end_high THEN NULL
        WHEN p.end_low < c.today THEN p.end_low
        ELSE c.today
      END
      WHEN p.status = 'active' THEN c.today
    END AS last_day
  FROM precaution_days_looks AS l
  JOIN precaution_days_facts AS f ON f.fact = l.fact AND f.fact_kind = 'on'
  JOIN precaution_past AS p ON p.concept = l.concept
  JOIN precaution_chart AS c ON c.person = p.person
  WHERE l.role = 'unreadable' OR p.status <> 'planned'
),
reached AS (
  SELECT
    l.*,
    COALESCE(MAX(l.last_day) OVER (
      PARTITION BY l.person, l.fact, l.last_day IS NULL ORDER BY l.start_low, l.last_day
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), CAST('-Infinity' AS DOUBLE)) AS reached_before
  FROM looked AS l
),
added AS (
  SELECT
    r.*,
    CASE
      WHEN r.last_day IS NULL OR r.last_day <= r.start_low OR r.last_day <= r.reached_before THEN 0
      WHEN r.reached_before > r.start_low THEN r.last_day - r.reached_before
      ELSE r.last_day - r.start_low
    END AS adds
  FROM reached AS r
)
SELECT
  person, fact, TRUE AS settled, TRUE AS evidence,
  BOOL_OR(role = 'counts') AS recorded,
  SUM(adds) AS total,
  BOOL_OR(last_day IS NULL) AS vague,
  MAX(CASE WHEN role = 'counts' THEN day_low END) AS since_low,
  MAX(CASE WHEN role = 'counts' THEN day_high END) AS since_high
FROM added
GROUP BY person, fact;

-- Whether so many years are completed on the day. Years are counted from March, so that the day of a leap year is the
-- last of its year; who is born on it completes a common year on 1 March.
CREATE TABLE precaution_of_ages AS
WITH ends AS (
  SELECT c.person, f.fact, f.years, c.today, 'low' AS which, c.birth_low AS born FROM precaution_chart AS c
  CROSS JOIN precaution_age_facts AS f WHERE NOT c.birth_low IS NULL
  UNION ALL
  SELECT c.person, f.fact, f.years, c.today, 'high' AS which, c.birth_high AS born FROM precaution_chart AS c
  CROSS JOIN precaution_age_facts AS f WHERE NOT c.birth_low IS NULL
),
eras AS (
  SELECT e.*, FLOOR((e.born + 305) / 146097) AS era, e.born + 305 - FLOOR((e.born + 305) / 146097) * 146097 AS of_era
  FROM ends AS e
),
years_of_era AS (
  SELECT
    e.*,
    FLOOR((e.of_era - FLOOR(e.of_era / 1460) + FLOOR(e.of_era / 36524) - FLOOR(e.of_era / 146096)) / 365) AS year_of_era
  FROM eras AS e
),
years AS (
  SELECT
    y.*,
    y.of_era - (365 * y.year_of_era + FLOOR(y.year_of_era / 4) - FLOOR(y.year_of_era / 100)) AS day_of_year,
    y.year_of_era + y.era * 400 + y.years AS completed
  FROM years_of_era AS y
),
birthdays AS (
  SELECT
    y.person, y.fact, y.today, y.which, y.born,
    -- No calendar goes beyond the year 9999.
    CASE
      WHEN y.completed + CASE WHEN y.day_of_year >= 306 THEN 1 ELSE 0 END > 9999 THEN 3651754
      ELSE 365 * y.completed + FLOOR(y.completed / 4) - FLOOR(y.completed / 100) + FLOOR(y.completed / 400)
        + y.day_of_year - 305
    END AS birthday
  FROM years AS y
),
spans AS (
  SELECT
    person, fact,
    MAX(today) AS today,
    MAX(CASE WHEN which = 'low' THEN born END) AS born,
    MAX(CASE WHEN which = 'low' THEN birthday END) AS first_day,
    MAX(CASE WHEN which = 'high' THEN birthday END) AS last_day
  FROM birthdays
  GROUP BY person, fact
)
SELECT
  c.person, f.fact, TRUE AS settled, FALSE AS evidence,
  NOT s.person IS NULL AND s.born <= s.today AS recorded,
  CASE WHEN s.born > s.today THEN NULL WHEN s.today >= s.last_day THEN TRUE WHEN s.today < s.first_day THEN FALSE END
    AS truth,
  CASE
    WHEN s.person IS NULL THEN CAST('-Infinity' AS DOUBLE)
    WHEN s.born <= s.today AND s.today >= s.first_day THEN s.first_day
  END AS since_low,
  CASE
    WHEN s.person IS NULL THEN CAST('Infinity' AS DOUBLE)
    WHEN s.born <= s.today AND s.today >= s.first_day THEN s.last_day
  END AS since_high
FROM precaution_chart AS c
CROSS JOIN precaution_age_facts AS f
LEFT JOIN spans AS s ON s.person = c.person AND s.fact = f.fact;

-- Whether the sex that the record gives is that of the fact.
CREATE TABLE precaution_of_sexes AS
SELECT
  c.person, f.fact, TRUE AS settled, FALSE AS evidence,
  c.sex IN ('female', 'male') AS recorded,
  CASE WHEN c.sex IN ('female', 'male') THEN c.sex = f.sex END AS truth,
  CASE WHEN NOT c.sex IN ('female', 'male') THEN CAST('-Infinity' AS DOUBLE) END AS since_low,
  CASE WHEN NOT c.sex IN ('female', 'male') THEN CAST('Infinity' AS DOUBLE) END AS since_high
FROM precaution_chart AS c
CROSS JOIN precaution_sex_facts AS f;
