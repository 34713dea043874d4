"""Embedding models in llama.cpp, in a process of their own."""
