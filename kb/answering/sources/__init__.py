"""What is found for a question, as fresh as its files, and found again with more effort."""
