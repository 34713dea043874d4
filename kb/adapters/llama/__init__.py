"""The language model: llama.cpp in a process of its own, prompts as a model wants them, reasoning kept apart."""
