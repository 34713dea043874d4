"""Which of the titles that files carry were written by a person, and which a program has made up. Pure."""

import re

_MAX_TITLE_CHARS = 300
_USELESS_TITLE = re.compile(
    r"untitled|no ?title|\(?anonymous\)?|(?:document|presentation|slide|book|title|doc|scan)\W?\d*"
    r"|powerpoint[- ]pr[aä]e?sentation|无标题.*|未命名.*|幻灯片\W?\d*|文档\W?\d*"
    r"|microsoft \w+ - .*|.*\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|odt|rtf|html?|qxd|pages|wpd|cdr|ai|fm|p65)"
    r"|[\W\d_]*",
    re.IGNORECASE,
)


def sensible_title(title: str) -> str:
    """A title on one line; nothing where a program has made it up, or where it is too long for one."""
    line = " ".join(title.split())
    return line if len(line) <= _MAX_TITLE_CHARS and not _USELESS_TITLE.fullmatch(line) else ""
