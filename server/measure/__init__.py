"""Everything that prints a figure: how well it finds and answers (`eval`), how fast (`bench`)."""
