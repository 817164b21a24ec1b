"""What everything else is made of: truths, uncertain values, and what a record says."""
