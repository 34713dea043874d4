"""Measurements of speed and size, on documents that are made for them."""
