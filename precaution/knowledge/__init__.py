"""A label's folder as objects: its files read, checked against each other, and made ready for the engine."""
