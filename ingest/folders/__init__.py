"""Watched folders: what is in them, what has changed, and when it has come to rest."""
