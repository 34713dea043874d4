"""What a question is: its kind, its parts, the form its answer should have, and what it leans on."""
