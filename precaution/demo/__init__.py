"""Synthetic patients whose answer is known: recipes of a label, drawn, written as FHIR in the many ways records do.

A recipe says in the language of cases what stands in a record, and what must come of it. What must come is read
from the recipe alone: the engine is never asked. So a cohort is an oracle for every way to run a label.
"""

from __future__ import annotations

from precaution.demo.generate import Generator, SyntheticPatient
from precaution.demo.output import CohortCounts, OutputForm, write_cohort
from precaution.demo.recipes import Recipes, load_recipes

__all__ = ["CohortCounts", "Generator", "OutputForm", "Recipes", "SyntheticPatient", "load_recipes", "write_cohort"]
