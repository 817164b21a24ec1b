-- Facts that are words: what a test showed, and statuses. First what each result of a test says, alone. A row counts
-- in up to three ways: `all`: with every result of the window; `told`: with those that say anything; `stays`: as a
-- positive one of any age, for facts to which that is enough.
CREATE TABLE precaution_tests AS
WITH looked AS (
  SELECT
    p.person, f.*, l.role, l.in_figures, c.today - w.days AS since, p.status, p.certainty, p.word, p.low, p.high,
    p.low_open, p.high_open, p.start_low, p.start_high, p.day_low, p.day_high,
    COALESCE(w.days IS NULL OR p.day_high IS NULL OR p.day_high >= c.today - w.days, FALSE) AS in_window
  FROM precaution_test_looks AS l
  JOIN precaution_test_facts AS f ON f.fact = l.fact
  JOIN precaution_past AS p ON p.concept = l.concept
  JOIN precaution_chart AS c ON c.person = p.person
  LEFT JOIN precaution_windows AS w ON w.fact = f.fact AND w.stage = c.stage
  WHERE f.positive_stays OR w.days IS NULL OR p.day_high IS NULL OR p.day_high >= c.today - w.days
),
figured AS (
  SELECT
    l.*,
    COALESCE(CASE
      WHEN NOT l.in_figures THEN ''
      WHEN NOT l.positive_from IS NULL THEN CASE
        WHEN l.low >= l.positive_from THEN 'positive'
        WHEN NOT l.negative_to IS NULL AND l.high <= l.negative_to THEN 'negative'
        WHEN l.negative_to IS NULL AND (l.high < l.positive_from OR (l.high = l.positive_from AND l.high_open))
          THEN 'negative'
      END
      WHEN NOT l.positive_above IS NULL THEN CASE
        WHEN l.low > l.positive_above OR (l.low = l.positive_above AND l.low_open) THEN 'positive'
        WHEN l.high <= l.positive_above THEN 'negative'
      END
    END, '') AS figure
  FROM looked AS l
),
worded AS (
  SELECT
    f.*,
    CASE
      WHEN f.certainty <> 'certain' OR f.word = 'indeterminate' THEN ''
      -- A quantity of what was not found: one of the two is wrong.
      WHEN f.word <> '' AND f.figure <> '' AND f.figure <> f.word
        AND NOT (f.positive_above IS NULL AND f.negative_to IS NULL) THEN ''
      WHEN f.word <> '' THEN f.word
      ELSE f.figure
    END AS says
  FROM figured AS f
),
counted AS (
  SELECT w.*, 'all' AS way FROM worded AS w WHERE w.in_window
  UNION ALL
  SELECT w.*, 'told' AS way FROM worded AS w WHERE w.in_window AND NOT (w.says = '' AND w.low IS NULL)
  UNION ALL
  SELECT w.*, 'stays' AS way FROM worded AS w WHERE w.positive_stays AND w.role = 'counts' AND w.says = 'positive'
),
dated AS (
  SELECT
    c.*,
    MAX(CASE WHEN c.role = 'counts' AND c.status <> 'preliminary' THEN c.start_low END)
      OVER (PARTITION BY c.person, c.fact, c.way) AS newest
  FROM counted AS c
)
SELECT
  d.*,
  d.status = 'preliminary' AS is_preliminary,
  d.role = 'counts' AND (d.newest IS NULL OR d.start_low IS NULL OR d.start_high >= d.newest) AS is_late,
  d.since IS NULL OR COALESCE(d.day_low >= d.since, FALSE) AS reaches
FROM dated AS d;

-- The worst of one day: a bare figure beside a readable result is part of it, not a result of its own. A positive
-- result stands where only what says nothing came after it.
CREATE TABLE precaution_of_tests AS
WITH late AS (
  SELECT
    t.*,
    BOOL_OR(t.says <> '') OVER (PARTITION BY t.person, t.fact, t.way, t.start_low, t.start_high) AS readable
  FROM precaution_tests AS t
  WHERE t.is_late AND NOT t.is_preliminary
),
days AS (
  SELECT
    person, fact, way, start_low, start_high,
    BOOL_OR(says = 'positive') AS positive,
    BOOL_AND(says = 'negative') AS negative
  FROM late
  WHERE says <> '' OR NOT (readable AND NOT low IS NULL AND word = '')
  GROUP BY person, fact, way, start_low, start_high
),
settled AS (
  SELECT person, fact, way, BOOL_AND(positive) AS positive, BOOL_AND(negative AND NOT positive) AS negative
  FROM days
  GROUP BY person, fact, way
),
summed AS (
  SELECT
    t.person, t.fact, t.way,
    BOOL_OR(t.positive_reassures) AS positive_reassures,
    BOOL_OR(t.is_late AND t.is_preliminary AND t.says = 'positive') AS hinted,
    BOOL_OR(t.is_late AND t.is_preliminary AND t.says <> 'negative') AS other_hint,
    BOOL_OR(t.is_late AND t.reaches) AS reaches,
    BOOL_OR(t.is_late AND NOT t.is_preliminary AND t.reaches) AS settled_reaches,
    MAX(CASE WHEN t.is_late THEN COALESCE(t.day_low, CAST('-Infinity' AS DOUBLE)) END) AS since_low,
    MAX(CASE WHEN t.is_late THEN COALESCE(t.day_high, CAST('Infinity' AS DOUBLE)) END) AS since_high
  FROM precaution_tests AS t
  GROUP BY t.person, t.fact, t.way
),
shown AS (
  SELECT
    s.*,
    CASE
      WHEN s.hinted OR COALESCE(d.positive, FALSE) THEN 'positive'
      WHEN COALESCE(d.negative, FALSE) AND NOT s.other_hint THEN 'negative'
    END AS shows
  FROM summed AS s
  LEFT JOIN settled AS d ON d.person = s.person AND d.fact = s.fact AND d.way = s.way
),
ways AS (
  SELECT
    s.person, s.fact,
    BOOL_OR(s.way = 'stays') AS stays,
    BOOL_OR(s.positive_reassures) AS positive_reassures,
    MAX(CASE WHEN s.way = 'all' THEN s.shows END) AS latest,
    MAX(CASE WHEN s.way = 'told' THEN s.shows END) AS told
  FROM shown AS s
  GROUP BY s.person, s.fact
),
chosen AS (
  SELECT
    w.person, w.fact,
    CASE
      WHEN w.stays THEN 'stays'
      WHEN w.latest IS NULL AND w.told = 'positive' AND NOT w.positive_reassures THEN 'told'
      ELSE 'all'
    END AS way
  FROM ways AS w
)
SELECT
  s.person, s.fact, TRUE AS settled, TRUE AS recorded, TRUE AS evidence, s.since_low, s.since_high,
  CASE
    WHEN s.way = 'stays' THEN 'positive'
    WHEN s.shows = 'positive' THEN CASE WHEN s.reaches THEN 'positive' END
    WHEN s.shows = 'negative' THEN CASE WHEN s.settled_reaches THEN 'negative' END
  END AS word
FROM shown AS s
JOIN chosen AS c ON c.person = s.person AND c.fact = s.fact AND c.way = s.way;

-- The word of the latest of several concepts, where the latest entries agree.
CREATE TABLE precaution_of_statuses AS
WITH looked AS (
  SELECT
    p.person, l.fact, c.today, p.day_low, p.day_high,
    CASE WHEN p.certainty <> 'certain' OR p.status = 'preliminary' THEN '' ELSE l.word END AS says,
    CASE WHEN p.certainty <> 'certain' OR p.status = 'preliminary' THEN 0 ELSE l.word_order END AS says_order,
    MAX(p.day_low) OVER (PARTITION BY p.person, l.fact) AS newest
  FROM precaution_status_looks AS l
  JOIN precaution_past AS p ON p.concept = l.concept
  JOIN precaution_chart AS c ON c.person = p.person
  WHERE p.status <> 'ended'
),
late AS (
  SELECT l.*, l.newest IS NULL OR l.day_low IS NULL OR l.day_high >= l.newest AS is_late FROM looked AS l
),
latest AS (
  SELECT
    l.person, l.fact,
    CASE WHEN MIN(CASE WHEN l.is_late THEN l.says END) = MAX(CASE WHEN l.is_late THEN l.says END)
      THEN MAX(CASE WHEN l.is_late THEN l.says END) END AS says,
    MAX(CASE WHEN l.is_late THEN l.day_low END) AS reach_low,
    MAX(CASE WHEN l.is_late THEN l.day_high END) AS reach_high,
    MAX(l.today) AS today,
    BOOL_OR(l.day_low IS NULL) AS undated
  FROM late AS l
  GROUP BY l.person, l.fact
),
-- The run of equal words that the latest entry ends, newest first: since its first day it has been so.
numbered AS (
  SELECT
    l.*,
    ROW_NUMBER() OVER (PARTITION BY l.person, l.fact ORDER BY l.day_low DESC, l.day_high DESC, l.says_order DESC) AS nth
  FROM looked AS l
),
compared AS (
  SELECT
    n.*,
    MAX(CASE WHEN n.nth = 1 THEN n.says END) OVER (PARTITION BY n.person, n.fact) AS first_says
  FROM numbered AS n
),
ended AS (
  SELECT
    c.*,
    MIN(CASE WHEN c.says <> c.first_says THEN c.nth END) OVER (PARTITION BY c.person, c.fact) AS run_end
  FROM compared AS c
),
runs AS (
  SELECT
    e.*,
    MAX(CASE WHEN e.run_end IS NULL OR e.nth < e.run_end THEN e.nth END) OVER (PARTITION BY e.person, e.fact) AS last_nth
  FROM ended AS e
)
SELECT
  s.person, s.fact, TRUE AS settled, TRUE AS recorded, TRUE AS evidence,
  CASE
    WHEN s.says <> '' AND (w.days IS NULL OR COALESCE(s.reach_low >= s.today - w.days, FALSE)) THEN s.says
  END AS word,
  CASE
    WHEN s.undated THEN CAST('-Infinity' AS DOUBLE) WHEN s.says IS NULL THEN s.reach_low ELSE r.day_low
  END AS since_low,
  CASE
    WHEN s.undated THEN CAST('Infinity' AS DOUBLE) WHEN s.says IS NULL THEN s.reach_high ELSE r.day_high
  END AS since_high
FROM latest AS s
JOIN runs AS r ON r.person = s.person AND r.fact = s.fact AND r.nth = r.last_nth
LEFT JOIN precaution_status_windows AS w ON w.fact = s.fact AND w.word = s.says;

-- The latest answer to each ask; `expired` where it reassures and is too old, or was given for a time that is over.
-- Newer evidence voids it further on.
CREATE TABLE precaution_answers AS
WITH given AS (
  SELECT
    p.person, a.ask, a.valid, a.yes_or_no, c.today, p.place, p.word, p.start_low, p.start_high, p.end_high,
    MAX(p.start_low) OVER (PARTITION BY p.person, a.ask) AS newest
  FROM precaution_asks AS a
  JOIN precaution_past AS p ON p.concept = a.concept
  JOIN precaution_chart AS c ON c.person = p.person
  WHERE NOT p.start_low IS NULL
),
latest AS (
  SELECT
    g.*,
    ROW_NUMBER() OVER (PARTITION BY g.person, g.ask ORDER BY g.place) AS nth
  FROM given AS g
  WHERE g.start_high >= g.newest
),
summed AS (
  SELECT
    l.person, l.ask,
    MAX(l.newest) AS newest,
    MAX(l.today) AS today,
    MAX(l.valid) AS valid,
    BOOL_OR(l.yes_or_no) AS yes_or_no,
    BOOL_AND(COALESCE(l.end_high < l.today, FALSE)) AS ended,
    CASE WHEN MIN(l.word) = MAX(l.word) AND MAX(l.word) <> '' THEN MAX(l.word) END AS word,
    MAX(CASE WHEN l.nth = 1 THEN l.start_low END) AS since_low,
    MAX(CASE WHEN l.nth = 1 THEN l.start_high END) AS since_high
  FROM latest AS l
  GROUP BY l.person, l.ask
),
judged AS (
  SELECT
    s.*,
    NOT r.word IS NULL AS reassures,
    NOT r.word IS NULL AND (s.ended OR COALESCE(s.newest < s.today - s.valid, FALSE)) AS expired
  FROM summed AS s
  LEFT JOIN precaution_reassuring AS r ON r.ask = s.ask AND r.word = s.word
)
SELECT
  person, ask, newest, reassures, TRUE AS recorded, TRUE AS evidence,
  CASE WHEN NOT word IS NULL THEN since_low END AS since_low,
  CASE WHEN NOT word IS NULL THEN since_high END AS since_high,
  CASE WHEN yes_or_no AND NOT expired THEN word = 'yes' END AS truth,
  CASE WHEN NOT yes_or_no AND NOT expired THEN word END AS word
FROM judged;
