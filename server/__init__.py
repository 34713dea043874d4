"""Edges: HTTP, the page and the terminal."""
