-- Facts that are true or false of entries: `ever` and `active`. An entry that counts makes it true, one that may
-- count leaves it unknown; with neither, what absence means is said where the facts are put together.
CREATE TABLE precaution_of_history AS
WITH looked AS (
  SELECT
    p.person, f.*, l.role, p.kind, p.status, p.certainty, p.day_low, p.day_high, p.end_low, p.end_high,
    c.today, c.begun_low, c.begun_high
  FROM precaution_history_looks AS l
  JOIN precaution_history_facts AS f ON f.fact = l.fact
  JOIN precaution_past AS p ON p.concept = l.concept
  JOIN precaution_chart AS c ON c.person = p.person
  WHERE l.role <> 'counts'
    OR CASE
      WHEN p.certainty = 'mentioned'
        AND (f.list IN ('medication', 'immunization') OR p.kind IN ('medication', 'immunization'))
      THEN p.kind = f.list
      ELSE p.status <> 'planned'
    END
),
parts AS (
  SELECT
    l.*,
    CASE
      WHEN l.certainty = 'mentioned' THEN NULL
      WHEN l.kind IN ('procedure', 'immunization', 'medication') AND l.status = 'unknown' THEN NULL
      WHEN l.certainty = 'suspected' AND NOT l.suspected THEN NULL
      ELSE TRUE
    END AS is_certain,
    CASE
      WHEN l.undated AND l.day_low IS NULL THEN TRUE
      ELSE CASE
        WHEN l.within IS NULL OR l.day_low >= l.today - l.within THEN TRUE
        WHEN l.day_high < l.today - l.within THEN FALSE
      END AND CASE
        WHEN NOT l.since_start OR l.day_low >= l.begun_high THEN TRUE
        WHEN l.day_high < l.begun_low THEN FALSE
      END
    END AS in_time,
    CASE
      WHEN l.longer_than IS NULL OR l.day_high < l.today - l.longer_than THEN TRUE
      WHEN l.day_low >= l.today - l.longer_than THEN FALSE
    END AS lasted,
    CASE
      WHEN l.end_high IS NULL THEN l.status = 'ended'
      WHEN l.end_high <= l.today THEN TRUE
      WHEN l.end_low > l.today THEN FALSE
    END AS over
  FROM looked AS l
),
present AS (
  SELECT
    p.*,
    CASE
      WHEN p.fact_kind = 'ever' THEN TRUE
      WHEN p.kind = 'medication' THEN CASE
        WHEN p.status = 'held' THEN FALSE
        WHEN NOT p.end_high IS NULL THEN CASE
          WHEN p.end_high < p.today THEN FALSE
          WHEN p.end_low >= p.today AND p.status <> 'unknown' THEN TRUE
        END
        WHEN p.status = 'ended' THEN FALSE
        WHEN p.status = 'active' AND (p.recent IS NULL OR p.day_low >= p.today - p.recent) THEN TRUE
      END
      WHEN p.status = 'ended' THEN NOT p.over
      WHEN p.status = 'active' THEN CASE WHEN NOT p.over THEN TRUE END
      WHEN p.over THEN FALSE
      WHEN NOT p.over AND (p.without_status OR p.day_low >= p.today - p.recent) THEN TRUE
    END AS is_present
  FROM parts AS p
),
judged AS (
  SELECT
    p.*,
    CASE
      WHEN p.fact_kind = 'ever' AND p.role <> 'counts' THEN p.in_time
      ELSE p.is_present AND p.in_time AND p.lasted AND p.is_certain
    END AS truth
  FROM present AS p
),
weighed AS (
  SELECT
    j.*,
    j.role = 'counts' AND COALESCE(j.truth, FALSE) AS yes,
    CASE WHEN j.role = 'counts' THEN j.truth IS NULL ELSE COALESCE(j.truth, TRUE) END AS unsure
  FROM judged AS j
)
SELECT
  person, fact,
  BOOL_OR(yes OR unsure) AS settled,
  CASE WHEN BOOL_OR(yes) THEN TRUE END AS truth,
  BOOL_OR(role = 'counts' OR (role = 'doubt' AND unsure)) AS recorded,
  BOOL_OR(yes OR unsure) AS evidence,
  MAX(CASE WHEN yes OR unsure THEN COALESCE(day_low, CAST('-Infinity' AS DOUBLE)) END) AS since_low,
  MAX(CASE WHEN yes OR unsure THEN COALESCE(day_high, CAST('Infinity' AS DOUBLE)) END) AS since_high
FROM weighed
GROUP BY person, fact;

-- Entries of the episodes that are counted: `sure` ones have a certain day within the window, others may be one each.
CREATE TABLE precaution_episode_entries AS
SELECT
  p.person, f.fact, f.apart, f.at_least, l.role, p.day_low, p.day_high,
  COALESCE(
    l.role = 'counts' AND p.certainty = 'certain' AND p.day_low >= c.today - f.within AND p.day_low = p.day_high, FALSE
  ) AS sure
FROM precaution_episode_looks AS l
JOIN precaution_episode_facts AS f ON f.fact = l.fact
JOIN precaution_past AS p ON p.concept = l.concept
JOIN precaution_chart AS c ON c.person = p.person
WHERE l.role = 'unreadable' OR p.day_high IS NULL OR p.day_high >= c.today - f.within;

-- How many episodes there were: each begins on the first day that is far enough from the beginning of the one before.
CREATE TABLE precaution_of_episodes AS
WITH sure_entries AS (
  SELECT person, fact, day_low, day_high, apart FROM precaution_episode_entries WHERE sure
),
counted AS (
  SELECT e.person, e.fact, COUNT(*) AS episodes FROM EPISODES(sure_entries, person, fact) AS e GROUP BY e.person, e.fact
),
summed AS (
  SELECT
    e.person, e.fact,
    MAX(e.at_least) AS at_least,
    SUM(CASE WHEN e.sure THEN 1 ELSE 0 END) AS sure,
    SUM(CASE WHEN e.sure THEN 0 ELSE 1 END) AS unsure,
    BOOL_OR(e.role = 'counts') AS recorded,
    CASE
      WHEN MAX(e.apart) <= 0 THEN SUM(CASE WHEN e.sure THEN 1 ELSE 0 END) ELSE COALESCE(MAX(c.episodes), 0)
    END AS episodes,
    MAX(CASE WHEN e.sure THEN e.day_low END) AS since_low,
    MAX(CASE WHEN e.sure THEN e.day_high END) AS since_high
  FROM precaution_episode_entries AS e
  LEFT JOIN counted AS c ON c.person = e.person AND c.fact = e.fact
  GROUP BY e.person, e.fact
)
SELECT
  person, fact, recorded,
  episodes >= at_least OR (unsure > 0 AND episodes + unsure >= at_least) AS settled,
  CASE WHEN episodes >= at_least THEN TRUE END AS truth,
  CASE WHEN episodes >= at_least THEN sure > 0 ELSE unsure > 0 AND episodes + unsure >= at_least END AS evidence,
  CASE WHEN episodes >= at_least THEN since_low END AS since_low,
  CASE WHEN episodes >= at_least THEN since_high END AS since_high
FROM summed;

-- Whether something is ordered or planned; plans may be of the future. Absence is that of the list of the first plan.
CREATE TABLE precaution_of_plans AS
WITH plans AS (
  SELECT
    e.person, f.fact, f.ahead, f.suspected, c.today, e.kind, e.status, e.certainty, e.start_low, e.start_high,
    CASE WHEN e.start_low IS NULL OR e.recorded_low < e.start_low THEN e.recorded_low ELSE e.start_low END AS day_low,
    COALESCE(e.start_high, e.recorded_high) AS day_high,
    ROW_NUMBER() OVER (PARTITION BY e.person, f.fact ORDER BY l.place, e."order") AS nth
  FROM precaution_plan_looks AS l
  JOIN precaution_plan_facts AS f ON f.fact = l.fact
  JOIN entries AS e ON e.concept = l.concept
  JOIN precaution_chart AS c ON c.person = e.person
  WHERE (e.kind = 'order' OR (e.kind = 'medication' AND e.status IN ('planned', 'active')))
    AND (e.recorded_low IS NULL OR e.recorded_low <= c.today)
),
judged AS (
  SELECT
    p.*,
    CASE
      WHEN p.start_low IS NULL THEN CASE WHEN p.ahead IS NULL THEN TRUE END
      WHEN p.start_high < p.today THEN
        CASE WHEN p.today - p.start_high > COALESCE(p.ahead, 365) THEN FALSE END
      WHEN p.ahead IS NULL OR p.start_high <= p.today + p.ahead THEN TRUE
      WHEN p.start_low > p.today + p.ahead THEN FALSE
    END AND CASE
      WHEN p.certainty = 'mentioned' THEN NULL
      WHEN p.certainty = 'suspected' AND NOT p.suspected THEN NULL
      ELSE TRUE
    END AS truth
  FROM plans AS p
),
summed AS (
  SELECT j.*, BOOL_OR(COALESCE(j.truth, FALSE)) OVER (PARTITION BY j.person, j.fact) AS yes FROM judged AS j
)
SELECT
  person, fact,
  BOOL_OR(COALESCE(truth, TRUE)) AS settled,
  CASE WHEN BOOL_OR(yes) THEN TRUE END AS truth,
  BOOL_OR(COALESCE(truth, TRUE)) AS recorded,
  BOOL_OR(COALESCE(truth, TRUE)) AS evidence,
  MAX(CASE WHEN yes = COALESCE(truth, FALSE) AND COALESCE(truth, TRUE)
    THEN COALESCE(day_low, CAST('-Infinity' AS DOUBLE)) END) AS since_low,
  MAX(CASE WHEN yes = COALESCE(truth, FALSE) AND COALESCE(truth, TRUE)
    THEN COALESCE(day_high, CAST('Infinity' AS DOUBLE)) END) AS since_high,
  MAX(CASE WHEN nth = 1 THEN kind END) AS list
FROM summed
GROUP BY person, fact;
