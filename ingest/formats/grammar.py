"""What text looks like that several readers and the chunker must know: paragraphs, list marks, rows with bars.

Pure: patterns and characters alone.
"""

import re

PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*")
BULLETS = "-*+•▪◦●○■–—"
"""Marks of list items, as the inside of a character class."""

COLONS = (":", "：")
"""What a line ends with that leads to what stands below."""

CLOSED = r"[\"'”’)）]*$"
"""Pattern of what may follow the last mark of a sentence."""

CELL_BORDER = re.compile(r"\s*\|\s*")
