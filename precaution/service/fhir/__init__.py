"""What is asked of a FHIR server: queries, allowed addresses, fetching."""
