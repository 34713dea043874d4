"""A question → the stream of its answer: evidence, prompt, refusal, history."""
