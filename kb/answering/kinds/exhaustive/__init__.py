"""All of something, wherever it stands: every passage of the scope is read, what is found is checked and merged."""
