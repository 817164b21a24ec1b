"""Ways in which real systems say or hide what stands in a record, and what must not come of them."""
