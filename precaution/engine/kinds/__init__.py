"""What each kind of fact looks at, a group of kinds in each module."""
