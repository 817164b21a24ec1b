"""Records as the tables `entries` and `persons`, and back: how many are moved."""
