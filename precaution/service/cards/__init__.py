"""A decision as CDS Hooks cards and as a page."""
