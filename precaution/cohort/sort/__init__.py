"""The first pass over a source of many patients: whose is a line, may it be dropped, where does it go."""
