"""Conversations that are kept in the data directory."""
