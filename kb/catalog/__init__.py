"""The truth: documents, chunks, words, embeddings and what is known beside them, in one SQLite file."""
