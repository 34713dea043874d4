"""The data directory: the SQLite catalog, the vectors in Chroma, and the lock."""
