"""What a call passes before and after it is decided: limits, strict JSON, errors, the description of the routes."""
