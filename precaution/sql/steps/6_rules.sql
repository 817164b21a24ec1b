-- What each rule comes to at the person's stage. While treatment is interrupted a rule with a release is a hold: opened by
-- what holds now or held at some time since the start, and ended only when its release is surely true.
CREATE TABLE precaution_rules AS
WITH applying AS (
  SELECT
    t.*, s.place, s.is_hold, s.has_held, c.stage,
    -- The caller says the stage, and the record holds nothing of the treatment.
    NOT c.given IS NULL AND NOT c.treated AS unseen
  FROM precaution_rule_truths AS t
  JOIN precaution_chart AS c ON c.person = t.person
  JOIN precaution_rule_stages AS s ON s.rule = t.rule AND s.stage = c.stage
),
opened AS (
  SELECT
    a.*,
    CASE
      WHEN a.truth OR NOT a.has_held THEN a.truth
      WHEN a.held IS NULL AND NOT a.truth AND a.released AND a.unseen THEN CASE WHEN a.held_evidence THEN TRUE END
      WHEN NOT a.truth OR a.held THEN a.held
    END AS opened
  FROM applying AS a
),
standing AS (
  SELECT
    o.*,
    CASE
      WHEN NOT o.is_hold OR o.truth OR NOT o.opened THEN o.truth
      WHEN o.released AND NOT o.truth THEN FALSE
      WHEN o.opened THEN TRUE
    END AS stands
  FROM opened AS o
),
told AS (
  SELECT
    s.*,
    CASE WHEN s.stands THEN 'holds' WHEN NOT s.stands THEN 'no' ELSE 'unknown' END AS state,
    CASE
      WHEN NOT s.is_hold OR (NOT s.stands AND NOT COALESCE(s.opened, FALSE)) THEN NULL
      WHEN s.stands THEN 'open'
      WHEN NOT s.stands AND s.released THEN 'released'
      ELSE 'unknown'
    END AS hold
  FROM standing AS s
)
SELECT
  t.person, t.rule, t.state, COALESCE(o.action, '') AS action, COALESCE(o.attested, FALSE) AS attested,
  COALESCE(t.urgent, FALSE) AND t.state <> 'no' AS urgent, t.hold, t.place
FROM told AS t
LEFT JOIN precaution_rule_outcomes AS o
  ON o.rule = t.rule AND o.stage = t.stage AND o.state = t.state AND o.answer = t.answer;
