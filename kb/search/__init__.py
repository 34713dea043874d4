"""A query → passages: by meaning, by words, fused and reranked."""
