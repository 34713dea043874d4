"""What a language model is shown, within its budget of tokens."""
