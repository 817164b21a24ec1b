"""The labels of this package, one folder each. All medicine is in those folders and nowhere else."""

DEFAULT = "baricitinib"
"""The label that is taken where none is named."""

ALL = "all"
"""What stands for every label of the package, where several may be named."""
