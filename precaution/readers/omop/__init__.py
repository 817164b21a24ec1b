"""Read records from an OMOP CDM (5.3, 5.4). Nothing outside this package knows its tables.

    a CDM ── columns as one form (files, postgres) ── mapping in SQL (mapping) ──> rows ── rows.record_of ──> Record
                        │                                   ^
                        └── distinct codes ── code_map ─────┘

What a code means is decided once for each code that occurs, in Python, by the terminology that reads FHIR's codes; the
answer is a table, and the mapping of all rows is one SQL query over it that runs where the data are. The last step,
units, statuses and notes, is done for a row at a time by the functions that read FHIR.
"""
