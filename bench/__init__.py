"""Measurements that can be repeated: each is a command, and prints the figures that the project states."""
