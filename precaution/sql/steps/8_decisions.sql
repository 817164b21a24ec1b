-- The decision of each person: the gravest action of rules and duties; of actions equally grave one that no answer has
-- softened.
CREATE TABLE precaution_decisions AS
WITH wanted AS (
  SELECT person, action, attested FROM precaution_rules WHERE action <> ''
  UNION ALL
  SELECT person, action, FALSE AS attested FROM precaution_duties WHERE action <> ''
  UNION ALL
  SELECT person, 'obtain' AS action, FALSE AS attested FROM precaution_chart WHERE doubt OR partial
  UNION ALL
  SELECT
    c.person, CASE WHEN h.person IS NULL THEN 'obtain' ELSE 'may-resume' END AS action, FALSE AS attested
  FROM precaution_chart AS c
  LEFT JOIN (SELECT DISTINCT person FROM precaution_rules WHERE NOT hold IS NULL) AS h ON h.person = c.person
  WHERE c.stage = 'interrupted'
),
ranked AS (
  SELECT
    w.person, w.action, w.attested,
    ROW_NUMBER() OVER (PARTITION BY w.person ORDER BY r.grave, w.attested) AS nth
  FROM wanted AS w
  JOIN precaution_ranks AS r ON r.action = w.action AND r.attested = w.attested
)
SELECT
  p.person, p.today, c.stage, c.begun_low AS start_low, c.begun_high AS start_high, p.died,
  CASE WHEN NOT p.died THEN COALESCE(r.action, 'clear') END AS action,
  CASE WHEN NOT p.died THEN COALESCE(r.attested, FALSE) END AS attested,
  c.doubt, p.partial
FROM precaution_people AS p
LEFT JOIN precaution_chart AS c ON c.person = p.person
LEFT JOIN ranked AS r ON r.person = p.person AND r.nth = 1;
