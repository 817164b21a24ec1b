"""The results of a cohort for people and their programs: the worklist, CSV files, a calendar."""
