"""The label's own tests: small records, and the answers that they must lead to."""
