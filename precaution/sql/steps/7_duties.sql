-- When each duty was last done: of every group of concepts the newest result that shows it done, on a certain day. A set
-- is as old as its oldest part, or where any part will do as new as its newest; an answer `yes` does it too.
CREATE TABLE precaution_last_done AS
WITH newest AS (
  SELECT p.person, l.duty, l.part, MAX(p.start_low) AS newest
  FROM precaution_duty_looks AS l
  JOIN precaution_past AS p ON p.concept = l.concept
  WHERE p.certainty = 'certain'
    AND NOT p.status IN ('preliminary', 'unknown', 'planned')
    AND p.start_low = p.start_high
    AND (p.kind <> 'result' OR NOT p.low IS NULL OR p.word <> '')
    AND (l.part > 0 OR p.word = 'yes')
  GROUP BY p.person, l.duty, l.part
),
summed AS (
  SELECT
    n.person, n.duty,
    CASE
      WHEN BOOL_OR(d.any_part) THEN MAX(CASE WHEN n.part > 0 THEN n.newest END)
      WHEN COUNT(CASE WHEN n.part > 0 THEN 1 END) = MAX(d.parts) THEN MIN(CASE WHEN n.part > 0 THEN n.newest END)
    END AS shown,
    MAX(CASE WHEN n.part = 0 THEN n.newest END) AS answered
  FROM newest AS n
  JOIN precaution_duty_terms AS d ON d.duty = n.duty
  GROUP BY n.person, n.duty
)
SELECT person, duty, CASE WHEN shown IS NULL OR answered >= shown THEN answered ELSE shown END AS last_day
FROM summed
WHERE NOT COALESCE(shown, answered) IS NULL;

-- The duties of each person, with the first and the last day on which treatment may have started: what is due is worked
-- out for both, and where they differ can't be told.
CREATE TABLE precaution_duty_begins AS
WITH theirs AS (
  SELECT
    t.person, t.duty, t.interval_days, d.early, d.grace, d.wait, d.never_is_unknown, c.today, l.last_day,
    CASE
      WHEN c.stage = 'before-start' THEN c.today
      WHEN c.begun_low IS NULL THEN CAST('-Infinity' AS DOUBLE)
      ELSE c.begun_low
    END AS earliest,
    CASE WHEN c.stage = 'before-start' OR c.begun_low IS NULL THEN c.today ELSE c.begun_high END AS latest,
    c.stage <> 'before-start' AND c.begun_low IS NULL AND l.last_day IS NULL AS unstarted
  FROM precaution_duty_truths AS t
  JOIN precaution_duty_terms AS d ON d.duty = t.duty
  JOIN precaution_chart AS c ON c.person = t.person
  JOIN precaution_duty_stages AS s ON s.duty = t.duty AND s.stage = c.stage
  LEFT JOIN precaution_last_done AS l ON l.person = t.person AND l.duty = t.duty
  WHERE d.schedule = 'timed' AND t.applies
)
SELECT t.*, 1 AS which, t.earliest AS begun FROM theirs AS t
UNION ALL
SELECT t.*, 2 AS which, t.latest AS begun FROM theirs AS t;

-- Fixed days after the start, then an interval after the last time; sooner where something new makes it due again.
CREATE TABLE precaution_duty_days AS
WITH occasions AS (
  SELECT b.person, b.duty, b.which, MIN(o.nth) AS nth
  FROM precaution_duty_begins AS b
  JOIN precaution_duty_offsets AS o ON o.duty = b.duty
  WHERE b.last_day IS NULL OR b.last_day < b.begun + o.days - b.early
  GROUP BY b.person, b.duty, b.which
),
news AS (
  SELECT b.person, b.duty, b.which, MIN(n.since_low) AS since_low
  FROM precaution_duty_begins AS b
  JOIN precaution_duty_news AS n ON n.person = b.person AND n.duty = b.duty
  WHERE n.since_low > COALESCE(b.last_day, b.begun)
  GROUP BY b.person, b.duty, b.which
),
following AS (
  SELECT
    b.*,
    o.nth IS NULL AND NOT b.last_day IS NULL AS repeats,
    CASE WHEN o.nth IS NULL THEN COALESCE(b.last_day, b.begun) + b.interval_days ELSE b.begun + f.days END AS next_day,
    n.since_low + b.wait AS again_day
  FROM precaution_duty_begins AS b
  LEFT JOIN occasions AS o ON o.person = b.person AND o.duty = b.duty AND o.which = b.which
  LEFT JOIN precaution_duty_offsets AS f ON f.duty = b.duty AND f.nth = o.nth
  LEFT JOIN news AS n ON n.person = b.person AND n.duty = b.duty AND n.which = b.which
),
days AS (
  SELECT
    f.*,
    CASE WHEN f.again_day IS NULL OR f.next_day <= f.again_day THEN f.next_day ELSE f.again_day END AS due_day
  FROM following AS f
),
states AS (
  SELECT
    d.*,
    CASE
      WHEN d.due_day IS NULL THEN 'done'
      WHEN d.today < d.due_day THEN CASE WHEN d.repeats THEN 'done' ELSE 'upcoming' END
      WHEN d.last_day IS NULL AND d.never_is_unknown THEN 'unknown'
      WHEN d.today <= d.due_day + d.grace THEN 'due'
      ELSE 'overdue'
    END AS state
  FROM days AS d
)
SELECT
  person, duty,
  CASE WHEN BOOL_OR(unstarted) OR MIN(state) <> MAX(state) THEN 'unknown' ELSE MIN(state) END AS state,
  CASE WHEN NOT BOOL_OR(unstarted) AND MIN(state) = MAX(state) THEN MIN(due_day) END AS due_day
FROM states
GROUP BY person, duty;

CREATE TABLE precaution_duties AS
WITH opens AS (
  SELECT
    person, duty, since_low, since_high,
    ROW_NUMBER() OVER (PARTITION BY person, duty ORDER BY since_low DESC, since_high DESC) AS nth
  FROM precaution_duty_opens
  WHERE NOT since_low IS NULL
),
told AS (
  SELECT
    t.person, t.duty, d.place, d.grace, d.has_grace, d.action,
    CASE
      WHEN t.applies IS NULL THEN 'unknown'
      WHEN d.schedule = 'timed' THEN y.state
      WHEN d.schedule = 'open' OR NOT t.done THEN 'due'
      WHEN t.done THEN 'done'
      ELSE 'unknown'
    END AS state,
    CASE
      WHEN t.applies IS NULL OR (d.schedule = 'once' AND t.done) THEN NULL
      WHEN d.schedule = 'timed' THEN y.due_day
      -- Open since the day that what makes it so began, where that day is certain.
      WHEN d.schedule = 'open' AND o.since_low = o.since_high THEN o.since_low
      ELSE c.today
    END AS due_day
  FROM precaution_duty_truths AS t
  JOIN precaution_duty_terms AS d ON d.duty = t.duty
  JOIN precaution_chart AS c ON c.person = t.person
  JOIN precaution_duty_stages AS s ON s.duty = t.duty AND s.stage = c.stage
  LEFT JOIN precaution_duty_days AS y ON y.person = t.person AND y.duty = t.duty
  LEFT JOIN opens AS o ON o.person = t.person AND o.duty = t.duty AND o.nth = 1
  WHERE COALESCE(t.applies, TRUE)
)
SELECT
  person, duty, state, due_day AS due,
  CASE WHEN has_grace THEN due_day + grace END AS overdue_after,
  CASE WHEN state IN ('due', 'overdue', 'unknown') THEN action ELSE '' END AS action,
  place
FROM told;
