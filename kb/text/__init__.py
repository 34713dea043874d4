"""Text: sentences, terms, numbers, dates, scripts. Pure."""
