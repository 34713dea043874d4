"""A question → the stream of its answer: what is asked, what is found, prompt, writing, refusal."""
