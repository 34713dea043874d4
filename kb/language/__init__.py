"""Chinese and English text: sentences, words, numbers and dates. Pure."""
