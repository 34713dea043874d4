"""How well a knowledge base finds and answers: test sets of several kinds, measures, and the history of runs."""
