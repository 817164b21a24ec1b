-- Entries of the label's own drug, and entries that may be of it but can't be read as such. `reach` is how far an
-- entry carries a course of treatment: to its end, to today while it is open, else only its own day.
CREATE TABLE precaution_courses AS
WITH believed AS (
  -- An entry that began before anybody could have the drug began on a day not known.
  SELECT
    b.person, b.kind, b.concept, b.status, b.certainty, b.end_low, b.end_high, b."order",
    CASE
      WHEN b.start_high < t.first_day THEN NULL
      WHEN b.start_low < t.first_day THEN t.first_day
      ELSE b.start_low
    END AS start_low,
    CASE WHEN b.start_high < t.first_day THEN NULL ELSE b.start_high END AS start_high
  FROM entries AS b
  CROSS JOIN precaution_treatment AS t
  WHERE b.kind = 'medication' AND b.concept IN (t.drug, 'unreadable-medication')
)
SELECT
  e.person, e.status, e.start_low, e.start_high, e.end_low, e.end_high, e."order" AS place, p.today, t.grace, t.gap,
  e.concept = t.drug AND e.certainty = 'certain' AND e.status <> 'unknown' AS taken,
  e.concept = t.drug AND (e.certainty <> 'certain' OR e.status = 'unknown') AS perhaps,
  CASE
    WHEN NOT e.end_high IS NULL THEN CASE WHEN e.end_high < p.today THEN e.end_high ELSE p.today END
    WHEN e.status IN ('active', 'held') OR e.certainty <> 'certain' OR e.status = 'unknown' THEN p.today
    ELSE e.start_high
  END AS reach,
  e.certainty = 'certain' AND e.status = 'ended' AND e.end_high IS NULL AS untold
FROM believed AS e
JOIN precaution_people AS p ON p.person = e.person
CROSS JOIN precaution_treatment AS t
WHERE (e.start_low IS NULL OR e.start_low <= p.today)
  AND (
    e.certainty <> 'certain' OR e.status = 'unknown'
    OR (e.concept = t.drug AND e.status IN ('active', 'held', 'ended'))
  );

-- What the entries of the drug come to: whether treatment goes on, is on hold, was taken up again since, or is over.
CREATE TABLE precaution_course_states AS
WITH seen AS (
  SELECT
    c.*,
    CASE
      WHEN NOT (c.taken OR c.perhaps) OR (c.taken AND NOT c.perhaps AND c.status = 'held') THEN FALSE
      WHEN c.end_high IS NULL THEN c.status = 'active' OR (c.perhaps AND c.status <> 'ended')
      WHEN c.status = 'ended' THEN c.end_low > c.today
      ELSE c.end_high + c.grace >= c.today
    END AS may_go_on
  FROM precaution_courses AS c
),
holds AS (
  SELECT person, start_high, ROW_NUMBER() OVER (PARTITION BY person ORDER BY place DESC) AS nth
  FROM precaution_courses
  WHERE taken AND status = 'held' AND (end_high IS NULL OR end_high >= today - gap)
),
joined AS (
  SELECT
    s.*,
    s.taken AND s.may_go_on AS goes_on,
    NOT h.person IS NULL AS held,
    COALESCE(s.start_low > h.start_high, FALSE) AS later,
    MAX(CASE WHEN s.taken AND s.may_go_on THEN COALESCE(s.start_low, CAST('-Infinity' AS DOUBLE)) END)
      OVER (PARTITION BY s.person) AS newest
  FROM seen AS s
  LEFT JOIN holds AS h ON h.person = s.person AND h.nth = 1
)
SELECT
  person,
  BOOL_OR(taken) AS treated,
  BOOL_OR(NOT taken) AS unclear,
  BOOL_OR(NOT taken AND (start_low IS NULL OR start_high >= newest)) AS unclear_since,
  BOOL_OR(goes_on) AS goes_on,
  BOOL_OR(perhaps AND may_go_on) AS perhaps_goes_on,
  BOOL_OR(held) AS held,
  BOOL_OR(goes_on AND later AND end_high IS NULL) AS resumed,
  COALESCE(
    MAX(CASE WHEN taken AND later AND status = 'ended' THEN reach END) + MAX(gap) < MAX(today), FALSE
  ) AS hold_is_over
FROM joined
GROUP BY person;

-- The start of the course that today belongs to, of the certain entries alone (`of` = 'sure') and with the unclear ones
-- (`of` = 'perhaps'): a gap longer than the label's parameter starts a new course. None where a start is not recorded. An order that is over,
-- nobody knows since when, may have lasted until the next: `most` is how far each may carry a course.
CREATE TABLE precaution_course_starts AS
WITH variants AS (
  SELECT 'sure' AS variant, c.* FROM precaution_courses AS c WHERE c.taken
  UNION ALL
  SELECT 'perhaps' AS variant, c.* FROM precaution_courses AS c
),
numbered AS (
  SELECT
    v.*,
    BOOL_OR(v.start_low IS NULL) OVER (PARTITION BY v.person, v.variant) AS undated,
    ROW_NUMBER() OVER (PARTITION BY v.person, v.variant ORDER BY v.start_low, v.start_high, v.reach, v.untold) AS nth
  FROM variants AS v
),
followed AS (
  SELECT n.*, LEAD(n.start_high) OVER (PARTITION BY n.person, n.variant ORDER BY n.nth) AS next_start
  FROM numbered AS n
  WHERE NOT n.undated
),
lasting AS (
  SELECT f.*, CASE WHEN f.untold AND f.next_start > f.reach THEN f.next_start ELSE f.reach END AS most
  FROM followed AS f
),
reached AS (
  SELECT
    l.*,
    COALESCE(
      MAX(l.reach) OVER (
        PARTITION BY l.person, l.variant ORDER BY l.nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ),
      CAST('-Infinity' AS DOUBLE)
    ) AS reached_before,
    COALESCE(
      MAX(l.most) OVER (
        PARTITION BY l.person, l.variant ORDER BY l.nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ),
      CAST('-Infinity' AS DOUBLE)
    ) AS most_before
  FROM lasting AS l
),
latest AS (
  SELECT
    r.person, r.variant, r.start_low, r.start_high,
    ROW_NUMBER() OVER (PARTITION BY r.person, r.variant ORDER BY r.nth DESC) AS last_first
  FROM reached AS r
  WHERE r.start_low > r.reached_before + r.gap
),
earliest AS (
  SELECT
    r.person, r.variant, r.start_low, r.start_high,
    ROW_NUMBER() OVER (PARTITION BY r.person, r.variant ORDER BY r.nth DESC) AS last_first
  FROM reached AS r
  WHERE r.start_low > r.most_before + r.gap
)
SELECT
  l.person, l.variant,
  CASE WHEN e.start_low < l.start_low THEN e.start_low ELSE l.start_low END AS start_low,
  CASE WHEN e.start_high > l.start_high THEN e.start_high ELSE l.start_high END AS start_high
FROM latest AS l
JOIN earliest AS e ON e.person = l.person AND e.variant = l.variant AND e.last_first = 1
WHERE l.last_first = 1;

-- The stage of each person alive on the day, since when treatment has gone on, and whether the stage is in doubt.
CREATE TABLE precaution_chart AS
WITH any_entry AS (
  SELECT DISTINCT e.person
  FROM entries AS e
  JOIN precaution_treatment AS t ON t.drug = e.concept
  WHERE e.kind = 'medication'
),
told AS (
  SELECT
    p.*,
    COALESCE(s.treated, FALSE) AS treated,
    COALESCE(s.unclear, FALSE) AS unclear,
    COALESCE(s.unclear_since, FALSE) AS unclear_since,
    COALESCE(s.goes_on, FALSE) AS goes_on,
    p.given IS NULL AND NOT COALESCE(s.goes_on, FALSE)
      AND NOT (COALESCE(s.held, FALSE) AND NOT s.resumed AND NOT s.hold_is_over) AS only_perhaps,
    NOT p.medication_list AND a.person IS NULL AS unlisted,
    CASE
      WHEN NOT p.given IS NULL THEN p.given
      WHEN s.held AND NOT s.resumed AND NOT s.hold_is_over THEN 'interrupted'
      WHEN s.goes_on OR s.perhaps_goes_on THEN 'on-treatment'
      ELSE 'before-start'
    END AS stage
  FROM precaution_people AS p
  LEFT JOIN precaution_course_states AS s ON s.person = p.person
  LEFT JOIN any_entry AS a ON a.person = p.person
  WHERE NOT p.died
)
SELECT
  t.*,
  CASE
    WHEN NOT t.given IS NULL THEN FALSE
    WHEN t.stage = 'on-treatment' AND t.goes_on THEN t.unclear_since
    ELSE t.unclear OR t.unlisted
  END AS doubt,
  CASE
    WHEN t.stage = 'before-start' OR sure.person IS NULL OR t.only_perhaps THEN NULL
    WHEN NOT t.unclear THEN sure.start_low
    WHEN sure.start_low < perhaps.start_low THEN sure.start_low
    ELSE perhaps.start_low
  END AS begun_low,
  CASE
    WHEN t.stage = 'before-start' OR sure.person IS NULL OR t.only_perhaps THEN NULL
    WHEN NOT t.unclear THEN sure.start_high
    WHEN perhaps.person IS NULL THEN NULL
    WHEN sure.start_high > perhaps.start_high THEN sure.start_high
    ELSE perhaps.start_high
  END AS begun_high
FROM told AS t
LEFT JOIN precaution_course_starts AS sure ON sure.person = t.person AND sure.variant = 'sure'
LEFT JOIN precaution_course_starts AS perhaps ON perhaps.person = t.person AND perhaps.variant = 'perhaps';

-- Entries that count on the day: no plans, nothing of the future. `day` is when an entry began, or else was written down.
CREATE TABLE precaution_past AS
SELECT
  e.person, e.concept, e.kind, e.source, e.status, e.certainty, e."order" AS place, e.start_low, e.start_high, e.end_low,
  e.end_high, e.low, e.high, e.low_open, e.high_open, e.upper, COALESCE(e.result, '') AS word,
  COALESCE(e.start_low, e.recorded_low) AS day_low, COALESCE(e.start_high, e.recorded_high) AS day_high
FROM entries AS e
JOIN precaution_chart AS c ON c.person = e.person
WHERE e.kind <> 'order'
  AND (COALESCE(e.start_low, e.recorded_low) IS NULL OR COALESCE(e.start_low, e.recorded_low) <= c.today);
