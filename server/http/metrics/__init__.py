"""`GET /metrics`: what the service has done and how it is, for Prometheus. No text and no name of a document in it."""
