"""The kinds of questions: one module, or one room, for each; `kind` is what they share."""
