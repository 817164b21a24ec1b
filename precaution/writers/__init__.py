"""Decision -> text, JSON, English and pages. A writer decides nothing; it only shows."""
