"""Model files: which there are, where they come from, and where they lie."""
