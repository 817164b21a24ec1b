"""`precaution clinic`: the list, the patient and the paper, as pages on this machine.

    results of a cohort ──> worklist (DuckDB) ──> list, CSV
             └── entries of one patient ──> Record ──> decision ──> the patient's page, the checklist

The pages decide nothing of their own: they show what `precaution.cohort` and the engine say. They need the extra
`precaution[clinic]`.
"""
