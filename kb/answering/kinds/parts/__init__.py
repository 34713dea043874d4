"""Several facts put together: each is looked up by itself; what is computed is computed from cited numbers."""
