"""Whether texts bear each other out: evidence for an answer."""
