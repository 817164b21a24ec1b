"""`precaution serve`: decisions at the point of prescribing, by CDS Hooks.

Needs the extra `precaution[service]`.
"""
