"""A record, a label and a day -> a decision. Nothing here knows where a record comes from."""
