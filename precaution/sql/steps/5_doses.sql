-- `dose`: how much of a drug is taken. Entries of doses, entries of the drug that have none, and entries that can't be
-- read, each with whether it holds today: what was given, in the last seven days.
CREATE TABLE precaution_dose_rows AS
WITH looked AS (
  SELECT
    p.person, l.fact, l.role, p.source, p.word, p.status, p.certainty, p.start_low, p.start_high, p.day_low, p.day_high,
    p.end_low, p.end_high, c.today, f.recent,
    NOT p.low IS NULL AS told,
    CASE WHEN p.low > 0 THEN p.low ELSE 0 END AS low,
    CASE WHEN p.high IS NULL THEN CAST('Infinity' AS DOUBLE) WHEN p.high > 0 THEN p.high ELSE 0 END AS high
  FROM precaution_dose_looks AS l
  JOIN precaution_dose_facts AS f ON f.fact = l.fact
  JOIN precaution_past AS p ON p.concept = l.concept
  JOIN precaution_chart AS c ON c.person = p.person
),
dosed AS (
  SELECT DISTINCT person, fact, source FROM looked WHERE role = 'dose'
),
every_row AS (
  SELECT l.*
  FROM looked AS l
  LEFT JOIN dosed AS d ON d.person = l.person AND d.fact = l.fact AND d.source = l.source AND l.role = 'counts'
  WHERE d.person IS NULL
),
placed AS (
  SELECT
    e.*,
    e.word = 'given' AS is_given,
    CASE
      WHEN e.word = 'given' THEN CASE
        WHEN e.status = 'held' OR e.start_high < e.today - 6 THEN FALSE
        WHEN e.status IN ('active', 'ended') AND e.start_low = e.start_high AND e.start_low >= e.today - 6 THEN TRUE
      END
      WHEN e.status = 'held' THEN FALSE
      WHEN NOT e.end_high IS NULL THEN CASE
        WHEN e.end_high < e.today THEN FALSE
        WHEN e.end_low >= e.today AND e.status <> 'unknown' THEN TRUE
      END
      WHEN e.status = 'ended' THEN FALSE
      WHEN e.status = 'active' AND (e.recent IS NULL OR e.day_low >= e.today - e.recent) THEN TRUE
    END AS here
  FROM every_row AS e
)
SELECT
  p.*,
  COALESCE(p.here, FALSE) AND p.certainty = 'certain' AS sure,
  p.here IS NULL OR p.here AS holds
FROM placed AS p;

CREATE TABLE precaution_of_doses AS
WITH held AS (
  SELECT * FROM precaution_dose_rows WHERE holds AND role <> 'unreadable'
),
-- The most that was given on a day: what is of no exact day may be of any.
days AS (
  SELECT person, fact, start_low AS day, SUM(high) AS most
  FROM held
  WHERE is_given AND start_low = start_high
  GROUP BY person, fact, start_low
),
most_of_a_day AS (
  SELECT person, fact, MAX(most) AS most FROM days GROUP BY person, fact
),
sorts AS (
  SELECT
    h.person, h.fact, h.word, MAX(f.times) AS times,
    BOOL_OR(h.is_given) AS is_given,
    BOOL_OR(h.sure) AS sure,
    BOOL_AND(h.told) AS told,
    MIN(h.low) AS least,
    SUM(h.high) AS sum_high,
    SUM(CASE WHEN h.sure THEN h.low ELSE 0 END) AS sum_low,
    SUM(CASE WHEN h.start_low = h.start_high THEN 0 ELSE h.high END) AS loose
  FROM held AS h
  JOIN precaution_dose_facts AS f ON f.fact = h.fact
  GROUP BY h.person, h.fact, h.word
),
valued AS (
  SELECT
    s.person, s.fact, s.sure, s.told, s.times,
    CASE WHEN s.is_given THEN s.sum_low / 7 WHEN s.sure THEN s.least ELSE 0 END AS low,
    CASE
      WHEN NOT s.is_given THEN s.sum_high
      WHEN s.times = 7 THEN s.sum_high / 7
      ELSE COALESCE(m.most, 0) + s.loose
    END AS high
  FROM sorts AS s
  LEFT JOIN most_of_a_day AS m ON m.person = s.person AND m.fact = s.fact
),
marked AS (
  SELECT v.*, BOOL_OR(v.sure AND v.told) OVER (PARTITION BY v.person, v.fact) AS any_told FROM valued AS v
),
summed AS (
  SELECT person, fact, MIN(low) AS low, MAX(high) AS high, MAX(times) AS times
  FROM marked
  WHERE told OR NOT any_told
  GROUP BY person, fact
),
looked AS (
  SELECT
    person, fact,
    BOOL_OR(holds) AS settled,
    BOOL_OR(role <> 'unreadable') AS recorded,
    BOOL_OR(holds AND role = 'unreadable') AS unread,
    MAX(CASE WHEN holds THEN COALESCE(day_low, CAST('-Infinity' AS DOUBLE)) END) AS since_low,
    MAX(CASE WHEN holds THEN COALESCE(day_high, CAST('Infinity' AS DOUBLE)) END) AS since_high
  FROM precaution_dose_rows
  GROUP BY person, fact
),
scaled AS (
  SELECT
    l.*,
    COALESCE(s.low * s.times, 0) AS low,
    CASE WHEN l.unread THEN CAST('Infinity' AS DOUBLE) ELSE s.high * s.times END AS high
  FROM looked AS l
  LEFT JOIN summed AS s ON s.person = l.person AND s.fact = l.fact
),
known AS (
  SELECT
    r.*, NOT (r.low_rounded = 0 AND r.high_rounded = CAST('Infinity' AS DOUBLE)) AS is_known
  FROM ROUNDED_OF(scaled, low, high) AS r
)
SELECT
  person, fact, settled, recorded, settled AS evidence, since_low, since_high,
  CASE WHEN settled AND is_known THEN low_rounded END AS low,
  CASE WHEN settled AND is_known THEN high_rounded END AS high,
  CASE WHEN settled AND is_known THEN FALSE END AS low_open,
  CASE WHEN settled AND is_known THEN high_rounded = CAST('Infinity' AS DOUBLE) END AS high_open
FROM known;
