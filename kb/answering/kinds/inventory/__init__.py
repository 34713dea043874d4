"""Which documents there are, and how many: from the catalog, without a model."""
