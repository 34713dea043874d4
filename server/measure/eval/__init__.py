"""How well a knowledge base finds and answers: test sets, measures, and the history of runs."""
