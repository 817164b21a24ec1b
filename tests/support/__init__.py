"""What tests are made with: builders, servers, sources, and what each must come to."""
