"""Models that read texts for the search: embedding models and rerankers."""
