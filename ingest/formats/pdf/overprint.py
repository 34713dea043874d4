"""What a program has drawn twice over itself to make it bold, and a reader that knows no places reads twice.

Pure. PDFium sees by the places what stands over what; pypdf does not, and there the text alone must tell.
"""

_MIN_CHARS = 4


def said_once(text: str) -> str:
    """Halves the lines of a text that say the same twice: `Accounts 2024Accounts 2024`, or `AAccccoouunnttss`."""
    return "\n".join(map(_halved, text.split("\n")))


def _halved(line: str) -> str:
    if len(line) >= 2 * _MIN_CHARS and any(map(str.isalpha, line[:_MIN_CHARS])):
        half = len(line) // 2
        if line[:half] == line[-half:] and line[half:-half].isspace() == bool(len(line) % 2):
            return line[:half]
        if line[::2] == line[1::2]:
            return line[::2]
    return line
